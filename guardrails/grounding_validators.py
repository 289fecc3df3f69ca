"""Whether an answer rests on what the agent has read."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import regex
from guardrails.classes.validation.validation_result import (
    ErrorSpan,
    FailResult,
    PassResult,
    ValidationResult,
)
from guardrails.validator_base import Validator, register_validator

from ringfence.guardrails.cited_sources import Sources
from ringfence.guardrails.code_fences import prose
from ringfence.guardrails.stated_dates import blanked
from ringfence.guardrails.stated_numbers import Known, Stated, known_of, stated
from ringfence.guardrails.validator_traits import Reads, Traits, Window

OnFail = Any
"""One of guardrails-ai's words, such as "fix", or a function; its own hint leaves the words out."""

_SECONDS = 0.5
"""Longest time that a pattern may take; a text for which it takes longer is refused."""
_MOST_CITATIONS = 200
"""Different ones in a text; each is looked for in every source."""
_STAND_IN = re.compile(r"<[A-Z][A-Z0-9_]{0,63}_[0-9]{1,9}(?:\.[0-9]{1,4})?>")
_CHECKBOX = re.compile(r"^[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]+\[[ xX]\]", re.MULTILINE)
_HEADING = re.compile(r"[ \t>]*#{1,6}[ \t][^\n]*\Z")
_PARAGRAPH = re.compile(r"[^\n]+(?:\n(?![ \t]*\n)[^\n]+)*")
_WORD = re.compile(r"\w+")
_FEWEST_WORDS = 5
"""Of a paragraph that needs a citation; a greeting needs none."""
_RANGE = re.compile(r"(\d{1,6})[-–](\d{1,6})")


@register_validator(name="ringfence/citations", data_type="string")
class Citations(Validator):
    """The answer names its sources, and only sources that there are.

    A citation is what `pattern` finds, with the source in its group: `[1]` is the first of
    `metadata["sources"]`, and `[doc-3]` an id that stands in one of them. A plain word such as `[faq]` must
    be called an id there: `[faq] ...`, `id: faq`, `{"title": "faq"}`. Links, checkboxes, code and stand-ins
    are no citations.
    """

    traits: ClassVar[Traits] = Traits(reads=Reads.CONTENT, window=Window.REPLY, uses_context=True)

    def __init__(
        self,
        *,
        pattern: str = r"\[([^\[\]\s]{1,64})\]",
        required: bool = True,
        each_paragraph: bool = False,
        on_fail: OnFail = None,
    ) -> None:
        try:
            self._pattern: Any = regex.compile(pattern)  # type: ignore[no-untyped-call]  # regex has no types
        except (regex.error, TypeError):
            raise ValueError("pattern is no regular expression") from None
        if self._pattern.groups != 1:
            raise ValueError("pattern must have exactly one group: the source that is cited")
        super().__init__(
            on_fail=on_fail,
            use_local=True,
            pattern=pattern,
            required=required,
            each_paragraph=each_paragraph,
        )
        self._required, self._each_paragraph = required, each_paragraph

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        if not isinstance(value, str):
            return FailResult(error_message="it is no text")
        text = prose(value)
        text = blanked(text, (found.span() for found in _STAND_IN.finditer(text)))
        text = blanked(text, (found.span() for found in _CHECKBOX.finditer(text)))
        sources = _texts(metadata.get("sources"))
        try:
            cited = [*self._cited(text, sources)]
        except TimeoutError:
            return FailResult(error_message="its citations cannot be read in time; write it more simply")
        return self._judged(text, cited, sources)

    def _judged(
        self, text: str, cited: list[tuple[int, int, list[str]]], sources: list[str]
    ) -> ValidationResult:
        different = {one for _, _, names in cited for one in names}
        if len(different) > _MOST_CITATIONS:
            return FailResult(error_message=f"it cites more than {_MOST_CITATIONS} different sources")
        index = Sources(sources)
        there = {one for one in different if index.has(one)}
        invented = [(start, end) for start, end, names in cited if not there.issuperset(names)]
        if invented:
            return FailResult(
                error_message="it cites a source that there is not; cite only what was read",
                error_spans=[ErrorSpan(start=a, end=b, reason="invented_citation") for a, b in invented],
            )
        if self._required and not cited:
            return FailResult(error_message="it cites no source; name behind each statement where it is from")
        if self._each_paragraph:
            bare = [*_uncited(text, cited)]
            if bare:
                return FailResult(
                    error_message="a paragraph cites no source; name where each is from",
                    error_spans=[ErrorSpan(start=a, end=b, reason="uncited") for a, b in bare],
                )
        return PassResult()

    def _cited(self, text: str, sources: list[str]) -> Iterator[tuple[int, int, list[str]]]:
        # All at once, because the time of what follows would count, too.
        for found in [*self._pattern.finditer(text, timeout=_SECONDS)]:
            inside = (found[1] or "").strip("\\ \t\n")
            is_link = text[found.end() : found.end() + 1] == "("
            if is_link or not _WORD.search(inside):
                continue
            # In square brackets a stand-in looks like a source.
            stand_in = f"<{inside}>"
            if _STAND_IN.fullmatch(stand_in) and any(stand_in in source for source in sources):
                continue
            names = [name for part in re.split("[,;]", inside) if (name := part.strip().lstrip("^"))]
            yield found.start(), found.end(), [name for one in names for name in _ends(one)]


def _ends(name: str) -> tuple[str, ...]:
    """`1-3` is a range, which holds what is between two numbers of sources."""
    found = _RANGE.fullmatch(name)
    if found and int(found[1]) < int(found[2]):
        return found[1], found[2]
    return (name,)


def _uncited(text: str, cited: Sequence[tuple[int, int, list[str]]]) -> Iterator[tuple[int, int]]:
    starts = iter([start for start, _, _ in cited])
    next_start = next(starts, len(text))
    for paragraph in _PARAGRAPH.finditer(text):
        while next_start < paragraph.start():
            next_start = next(starts, len(text))
        words = sum(1 for _ in _WORD.finditer(paragraph.group()))
        is_short = words < _FEWEST_WORDS or _HEADING.match(paragraph.group())
        if next_start >= paragraph.end() and not is_short:
            yield paragraph.span()


_UNCOUNTED = re.compile(
    r"^[ \t>]*(?:[-*+][ \t]+)?\(?\d{1,3}[.)](?=[ \t])"  # the numbers of a list
    r"|^[ \t>]*#{1,6}[ \t]+\d{1,3}(?:\.\d{1,3})*\.?(?=[ \t])"  # and of headings
    r"|(?:©|\(c\)|\bcopyright\b)[ \t]{0,3}(?:©|\(c\))?[ \t]{0,3}\d{4}(?:[ \t]?[-–,][ \t]?\d{4})?"
    r"|\[\^?\d{1,3}\]"  # a citation
    r"|(?:<|&lt;)[A-Za-z][A-Za-z0-9_]{0,63}_[0-9]{1,9}(?:\.[0-9]{1,4})?(?:['’]?s)?(?:>|&gt;)",
    re.IGNORECASE | re.MULTILINE,
)


@register_validator(name="ringfence/grounded_numbers", data_type="string")
class GroundedNumbers(Validator):
    """Every number, amount, percentage, date, time and order number of the answer was read somewhere.

    In `metadata["sources"]` or `metadata["question"]`, however it is written there, and at least as
    precisely. Plain counting numbers below `smallest`, the numbers of lists and the years of a copyright do
    not count.
    """

    traits: ClassVar[Traits] = Traits(
        reads=Reads.CONTENT, window=Window.REPLY, uses_context=True, sees_values=True
    )

    def __init__(self, *, smallest: int = 10, on_fail: OnFail = None) -> None:
        if type(smallest) is not int or smallest < 0:
            raise ValueError("smallest must be a whole number from 0")
        super().__init__(on_fail=on_fail, use_local=True, smallest=smallest)
        self._smallest = smallest

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        if not isinstance(value, str):
            return FailResult(error_message="it is no text")
        text = blanked(value, (found.span() for found in _UNCOUNTED.finditer(value)))
        if not any(map(str.isdigit, text)):
            return PassResult()
        question = metadata.get("question")
        known = known_of([*_texts(metadata.get("sources")), *_texts([question])])
        bare = [one for one in stated(text) if self._counts(one) and not self._has(known, one)]
        if not bare:
            return PassResult()
        return FailResult(
            error_message="it states a number that stands in nothing that was read; state only those that do",
            error_spans=[ErrorSpan(start=one.start, end=one.end, reason="ungrounded_number") for one in bare],
        )

    def _has(self, known: Known, one: Stated) -> bool:
        if known.has(one):
            return True
        if not one.parts or one.has_unit:
            return False
        # The second part of 5 000 is no small number.
        counts = (part for part in one.parts if self._counts(part) or part.code.startswith("0"))
        return all(map(known.has, counts))

    def _counts(self, one: Stated) -> bool:
        if not one.is_plain or one.has_unit or not one.readings:
            return True
        return all(value >= self._smallest for value, _ in one.readings)


def _texts(found: object) -> list[str]:
    if not isinstance(found, list | tuple):
        return []
    return [one for one in found if isinstance(one, str)]
