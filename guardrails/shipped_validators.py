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

    def __init__(self, characters: int, on_fail: OnFail = None, **kwargs: Any) -> None:
        super().__init__(on_fail=on_fail, characters=characters, use_local=True, **kwargs)
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
    """None of these phrases occurs, whatever their case. Fix: each is replaced by `***`."""

    def __init__(self, phrases: Sequence[str], on_fail: OnFail = None, **kwargs: Any) -> None:
        super().__init__(on_fail=on_fail, phrases=list(phrases), use_local=True, **kwargs)
        words = "|".join(re.escape(phrase) for phrase in sorted(phrases, key=len, reverse=True))
        self._pattern = re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) if words else None

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002
        if self._pattern is None or not self._pattern.search(value):
            return PassResult()
        return FailResult(
            error_message="it contains a phrase that is not allowed here",
            fix_value=self._pattern.sub("***", value),
        )
