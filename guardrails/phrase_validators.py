"""Phrases that must not occur."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

from guardrails.classes.validation.validation_result import (
    ErrorSpan,
    FailResult,
    PassResult,
    ValidationResult,
)
from guardrails.validator_base import Validator, register_validator

from ringfence.guardrails.phrase_patterns import folded, pattern_of, replaced
from ringfence.guardrails.validator_traits import Reads, Traits, Window

OnFail = Any
"""One of guardrails-ai's words, such as "fix", or a function; its own hint leaves the words out."""

_MOST_SPANS = 20
_IN_WORDS = "*~`"
_MARKS = "_" + _IN_WORDS
"""Markdown's marks, which nobody sees when the text is shown; an underscore is none in a word."""
_BEHIND_MARK = "(?<=_)"
_HAS_MARKS = re.compile(f"[{_MARKS}]")


@register_validator(name="ringfence/banned_phrases", data_type="string")
class BannedPhrases(Validator):
    """None of these phrases occurs, whatever their case, spaces and marks. Fix: `***` in place of each."""

    traits: ClassVar[Traits] = Traits(
        reads=Reads.EVERYTHING, window=Window.SENTENCE, quick=True, sees_values=True
    )

    def __init__(self, phrases: Sequence[str], on_fail: OnFail = None) -> None:
        given: object = phrases
        is_list = isinstance(given, list | tuple) and all(isinstance(one, str) for one in given)
        plain = [" ".join(folded(phrase).text.split()) for phrase in phrases] if is_list else []
        if not plain or not all(plain):
            raise ValueError("phrases must be a list of texts, none of them empty")
        super().__init__(on_fail=on_fail, phrases=list(phrases), use_local=True)
        longest_first = sorted(plain, key=len, reverse=True)
        self._plain = re.compile("|".join(map(pattern_of, longest_first)))
        # An underscore before a word is a mark, too, and so is one behind it: `_secret_`, but not `secret_`.
        within, behind_mark = _one_of(longest_first, r"(?<!\w)"), _one_of(longest_first, _BEHIND_MARK)
        self._marked = re.compile(f"{within}|{behind_mark}")

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002 - its signature
        if not isinstance(value, str):
            return FailResult(error_message="it is no text")
        found = self._places(value)
        if not found:
            return PassResult()
        fixed = replaced(value, found, "***")
        return FailResult(
            error_message="it contains a phrase that is not allowed here",
            # What stood around a phrase may be another one now.
            fix_value=None if self._places(fixed) else fixed,
            error_spans=[
                ErrorSpan(start=start, end=end, reason="banned_phrase") for start, end in found[:_MOST_SPANS]
            ],
        )

    def _places(self, text: str) -> list[tuple[int, int]]:
        known = folded(text)
        pattern = self._marked if _HAS_MARKS.search(known.text) else self._plain
        return [known.span(*match.span()) for match in pattern.finditer(known.text)]


def _one_of(phrases: Sequence[str], begins: str) -> str:
    """A pattern of any phrase: no part of a longer word, but a sign such as that of `@all` ends any word."""
    ended = [(one, _with_marks(one) + _end(one, begins)) for one in phrases]
    words = [pattern for one, pattern in ended if _is_of_words(one[0])]
    others = [pattern for one, pattern in ended if not _is_of_words(one[0])]
    # Looked for where words begin only: most places are out at once.
    return "|".join([*([f"{begins}(?:{'|'.join(words)})"] if words else []), *others])


def _end(phrase: str, begins: str) -> str:
    if not _is_of_words(phrase[-1]):
        return ""
    return r"(?![^\W_])" if " " in phrase or begins == _BEHIND_MARK else r"(?!\w)"


def _is_of_words(sign: str) -> bool:
    return sign.isalnum() or sign == "_"


def _with_marks(phrase: str) -> str:
    """The phrase with any marks between its letters and words, except beside marks of its own."""
    words = phrase.split()
    pieces = [_letters_with_marks(words[0])]
    for before, word in pairwise(words):
        is_plain = before[-1] not in _MARKS and word[0] not in _MARKS
        pieces += rf"[\s{_MARKS}]++" if is_plain else r"\s+", _letters_with_marks(word)
    return "".join(pieces)


def _letters_with_marks(word: str) -> str:
    pieces = [re.escape(word[0])]
    for before, sign in pairwise(word):
        pieces += "" if before in _MARKS or sign in _MARKS else f"[{_IN_WORDS}]*+", re.escape(sign)
    return "".join(pieces)
