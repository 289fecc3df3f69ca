"""The validators that Ringfence brings, registered with guardrails-ai so that they serve outside, too."""

import re
from collections.abc import Sequence
from typing import Any

from guardrails.classes.validation.validation_result import FailResult, PassResult, ValidationResult
from guardrails.validator_base import Validator, register_validator

OnFail = Any
"""One of guardrails-ai's words, such as "fix", or a function; its own hint leaves the words out."""

NAMES = frozenset({"ringfence/max_length", "ringfence/banned_phrases"})


@register_validator(name="ringfence/max_length", data_type="string")
class MaxLength(Validator):
    """A text has at most so many characters. Fix: the text cut there."""

    def __init__(self, characters: int, on_fail: OnFail = None) -> None:
        if type(characters) is not int or characters < 1:
            raise ValueError("characters must be a whole number from 1")
        super().__init__(on_fail=on_fail, characters=characters, use_local=True)
        self._characters = characters

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002
        if len(value) <= self._characters:
            return PassResult()
        return FailResult(
            error_message=f"it has {len(value)} characters, and at most {self._characters} are allowed",
            fix_value=value[: self._characters],
        )


@register_validator(name="ringfence/banned_phrases", data_type="string")
class BannedPhrases(Validator):
    """None of these phrases occurs, whatever their case and spaces. Fix: each is replaced by `***`."""

    def __init__(self, phrases: Sequence[str], on_fail: OnFail = None) -> None:
        if isinstance(phrases, str) or not phrases or not all(phrase.split() for phrase in phrases):
            raise ValueError("phrases must be a list of texts, none of them empty")
        super().__init__(on_fail=on_fail, phrases=list(phrases), use_local=True)
        longest_first = sorted(phrases, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_pattern_of, longest_first)), re.IGNORECASE)

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002
        if not self._pattern.search(value):
            return PassResult()
        return FailResult(
            error_message="it contains a phrase that is not allowed here",
            fix_value=self._pattern.sub("***", value),
        )


def _pattern_of(phrase: str) -> str:
    words = phrase.split()
    # A phrase is not looked for in the middle of a word, but a sign such as that of `@all` ends any word.
    start = r"(?<!\w)" if re.match(r"\w", words[0]) else ""
    end = r"(?!\w)" if re.search(r"\w\Z", words[-1]) else ""
    return start + r"\s+".join(map(re.escape, words)) + end
