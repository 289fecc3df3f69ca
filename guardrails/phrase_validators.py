"""Phrases that must not occur."""

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from guardrails.classes.validation.validation_result import (
    ErrorSpan,
    FailResult,
    PassResult,
    ValidationResult,
)
from guardrails.validator_base import Validator, register_validator

from ringfence.guardrails.phrase_patterns import pattern_of
from ringfence.guardrails.validator_traits import Reads, Traits, Window

OnFail = Any
"""One of guardrails-ai's words, such as "fix", or a function; its own hint leaves the words out."""

_MOST_SPANS = 20


@register_validator(name="ringfence/banned_phrases", data_type="string")
class BannedPhrases(Validator):
    """None of these phrases occurs, whatever their case and spaces. Fix: each is replaced by `***`."""

    traits: ClassVar[Traits] = Traits(reads=Reads.EVERYTHING, window=Window.SENTENCE, quick=True)

    def __init__(self, phrases: Sequence[str], on_fail: OnFail = None) -> None:
        if isinstance(phrases, str) or not phrases or not all(phrase.split() for phrase in phrases):
            raise ValueError("phrases must be a list of texts, none of them empty")
        super().__init__(on_fail=on_fail, phrases=list(phrases), use_local=True)
        longest_first = sorted(phrases, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(pattern_of, longest_first)), re.IGNORECASE)

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002 - its signature
        if not isinstance(value, str):
            return FailResult(error_message="it is no text")
        found = [match.span() for match in self._pattern.finditer(value)]
        if not found:
            return PassResult()
        return FailResult(
            error_message="it contains a phrase that is not allowed here",
            fix_value=self._pattern.sub("***", value),
            error_spans=[
                ErrorSpan(start=start, end=end, reason="banned_phrase") for start, end in found[:_MOST_SPANS]
            ],
        )
