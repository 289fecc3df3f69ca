"""Masking and revealing a text that comes in pieces: what goes out is never taken back."""

import re
import unicodedata
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace as with_fields
from typing import TYPE_CHECKING

from ringfence.guardrails.clean_text import clean_text
from ringfence.guardrails.code_fences import code_spans
from ringfence.guardrails.vault import Vault

if TYPE_CHECKING:
    from ringfence.guardrails.presidio import Finding

_MARGIN = 320
"""Characters that the finder may need to see on both sides of a value: as many as its windows share."""
_LONGEST = 1_500
"""Characters that wait for the end of a sentence; past it, text goes out up to the next finding."""
_ESCAPE_LENGTH = 16
"""Characters from the last backslash of an escape to its end, and some more."""
_BORDER = re.compile(r"\n|[.!?…][\"'”’)\]]*[ \t\n]|[。！？]")
"""Behind it begins a line or a sentence."""
_LAST_WORD = re.compile(r"(?<![\w.@'’-])([^\W\d_]{4,})\Z")
"""A whole word of four letters at least."""
_LONGEST_WORD = 40
_SOME_WORDS = re.compile(r"(?:[^\s`~]+\s+){2}")
"""So much of the next sentence shows whether a value goes on over the border."""
_CODE = "`~"
_NO_MARKS = re.compile(r"[^`~\n]+")
_LONGEST_INDENT = 13


class StreamedReveal:
    """Reveals a text that comes in pieces, exactly as it would be revealed in one.

    Only what may still become a stand-in is held back, so no part of one ever goes out.
    """

    def __init__(self, vault: Vault, entities: Collection[str] | None = None) -> None:
        """Reveal the values of these entity types; None means all."""
        self._vault = vault
        self._entities = entities
        self._before = ""
        """The last character that went out: a stand-in does not begin in the middle of a word."""
        self._held = ""

    def feed(self, chunk: str) -> str:
        """Take the next piece; what may go out now."""
        text = f"{self._before}{self._held}{chunk}"
        start = len(self._before)
        shown, end = self._vault.reveal_settled(text, start, self._entities)
        self._before, self._held = text[:end][-1:], text[end:]
        return shown

    def finish(self) -> str:
        """The rest, after the last piece."""
        text, start = f"{self._before}{self._held}", len(self._before)
        self._before = self._held = ""
        return self._vault.reveal(text, self._entities, start=start)


class StreamedMask:
    """Masks a text that comes in pieces, as it would be masked in one.

    Text goes out up to the end of a line or sentence that lies outside every finding: as soon as it stands
    when its last word is a plain one, else when two words behind it or, in code, as many characters as the
    finder may need, show that no value goes on. It is
    analysed with as much of what stands before, and with the fence of the code that it may be in. A block of
    code waits for its end; one that is longer than what may wait is masked as text. After an error nothing
    goes out any more.
    """

    def __init__(
        self,
        *,
        find: "Callable[[str], Awaitable[Sequence[Finding]]]",
        replace: "Callable[[str, Sequence[Finding]], str]",
        margin: int = _MARGIN,
        longest: int = _LONGEST,
    ) -> None:
        """Mask with these.

        Args:
            find: Finds what is hidden in a text, in order and without overlaps.
            replace: The text with something else in place of these findings.
            margin: How many characters around a value decide whether it is one.
            longest: How many characters may wait for a good place to cut.
        """
        self._find = find
        self._replace = replace
        self._margin = margin
        self._longest = longest
        self._raw = ""
        """What is not clean yet: an escape in it may go on in the next piece."""
        self._before = ""
        """What went out last, unmasked: the finder sees it again."""
        self._outline = ""
        """What decides, of all that went out earlier, whether text is code: an open fence, the line begun."""
        self._held = ""
        self._tried = 0
        """Up to where a cut was looked for in vain."""
        self._error: BaseException | None = None

    def __repr__(self) -> str:
        return f"StreamedMask({len(self._raw) + len(self._held)} characters held)"

    async def feed(self, chunk: str) -> str:
        """Take the next piece; what may go out now, masked.

        Raises:
            GuardrailTripped: As `find` raises it; this and every later call.
        """
        self._raw += chunk
        border = _clean_border(self._raw)
        self._held += clean_text(self._raw[:border])
        self._raw = self._raw[border:]
        limit = max(self._limit(), self._sentence_end())
        # Nothing is analysed before something of it could go out.
        is_due = limit > self._tried and (limit > self._longest or _BORDER.search(self._held, 0, limit))
        if not is_due:
            return ""
        released = await self._release(limit, is_last=False)
        # What could not be cut there waits for the next end of a sentence, not for the next piece.
        self._tried = 0 if released else limit
        return released

    async def finish(self) -> str:
        """The rest, masked, after the last piece.

        Raises:
            GuardrailTripped: As `find` raises it.
        """
        self._held += clean_text(self._raw)
        self._raw = ""
        return await self._release(len(self._held), is_last=True)

    def _limit(self) -> int:
        """Up to where text may go out."""
        limit = len(self._held) - self._margin
        if not 0 < limit <= self._longest:
            return limit
        # The last line may still become another one.
        lines = self._held[: self._held.rfind("\n") + 1]
        seen = len(self._outline) + len(self._before)
        fence = _open_fence(self._outline + self._before + lines)
        # Where it went out already, there is nothing to wait for.
        return limit if fence is None or fence < seen else min(limit, fence - seen)

    def _sentence_end(self) -> int:
        """Up to where a sentence or line ends that no value goes on behind, as far as can be seen."""
        for border in reversed([*_BORDER.finditer(self._held)]):
            if self._ends_plainly(border.start()) or _SOME_WORDS.match(self._held, border.end()):
                # What looks like a sentence may be code.
                before = self._outline + self._before + self._held[: border.end()]
                return 0 if _may_be_code(before) else border.end()
        return 0

    def _ends_plainly(self, end: int) -> bool:
        """Whether the word there is in small letters: neither name, number nor abbreviation."""
        word = _LAST_WORD.search(self._held, max(end - _LONGEST_WORD, 0), end)
        return word is not None and word[1].islower()

    async def _release(self, limit: int, *, is_last: bool) -> str:
        if self._error is not None:
            raise self._error
        before = self._outline + self._before
        seen = len(before)
        try:
            findings = await self._find(before + self._held)
            spans = [
                with_fields(one, start=max(one.start - seen, 0), end=one.end - seen)
                for one in findings
                if one.end > seen
            ]
            end = limit if is_last else self._cut(spans, limit)
            here = [with_fields(one, end=min(one.end, end)) for one in spans if one.start < end]
            masked = self._replace(self._held[:end], here)
        except BaseException as error:
            self._error = error
            self._raw = self._outline = self._before = self._held = ""
            raise
        gone = before + self._held[:end]
        forgotten = max(len(gone) - self._margin, 0)
        self._outline = _outline(gone[:forgotten]) if any(sign in gone for sign in _CODE) else ""
        self._before = gone[forgotten:]
        self._held = self._held[end:]
        return masked

    def _cut(self, spans: "Sequence[Finding]", limit: int) -> int:
        def is_outside(place: int) -> bool:
            return not any(one.start < place < one.end for one in spans)

        borders = (match.end() for match in _BORDER.finditer(self._held, 0, limit))
        best = max(filter(is_outside, borders), default=0)
        if best or limit <= self._longest:
            return best
        place = self._held.rfind(" ", 0, limit) + 1 or limit
        while not is_outside(place):
            place = min(one.start for one in spans if one.start < place < one.end)
        # One finding that is longer than all that may wait is masked in parts.
        return place or limit


def _open_fence(text: str) -> int | None:
    """Where the fence begins that is open at the end of these whole lines."""
    if any(sign in text for sign in _CODE):
        for sign in _CODE:
            # Longer than any that is open, so that it closes it.
            spans = code_spans(text + sign * (len(text) + 3))
            if spans and spans[-1][1] > len(text):
                return spans[-1][0]
    return None


def _may_be_code(text: str) -> bool:
    """Whether a mark of code is open at the end of a text."""
    if not any(sign in text for sign in _CODE):
        return False
    outside, done = "", 0
    for start, end in code_spans(text):
        outside += text[done:start]
        done = end
    return any(sign in outside + text[done:] for sign in _CODE)


def _outline(text: str) -> str:
    """The line of an open fence and the line begun, with a sign or two between the marks."""
    line = text.rfind("\n") + 1
    fence = _open_fence(text[:line])
    opening = "" if fence is None else text[fence : text.index("\n", fence) + 1]
    return _NO_MARKS.sub(_shortened, opening + text[line:])


def _shortened(match: re.Match[str]) -> str:
    between = match.group()
    if not between.strip(" \t>"):
        return between[:_LONGEST_INDENT]
    # A backtick that touches a word is none.
    return "".join("x" if sign.isalnum() else "." for sign in (between[0], between[-1]))


def _clean_border(text: str) -> int:
    """Where a text can be cut so that its two parts, cleaned, are the whole, cleaned."""
    for place in range(len(text) - 1, 0, -1):
        if _is_plain(text[place - 1]) and _is_plain(text[place]):
            backslash = text.rfind("\\", max(0, place - _ESCAPE_LENGTH), place)
            if backslash < 0:
                return place
    return 0


def _is_plain(sign: str) -> bool:
    is_visible = sign in "\n\t" or unicodedata.category(sign)[0] in "LNPZ"
    return is_visible and sign != "\\" and clean_text(sign) == sign
