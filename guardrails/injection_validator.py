"""The validator that refuses texts with signs of prompt injection."""

from typing import Any, ClassVar

from guardrails.classes.validation.validation_result import (
    ErrorSpan,
    FailResult,
    PassResult,
    ValidationResult,
)
from guardrails.validator_base import Validator, register_validator

from ringfence.guardrails.injection import DEFAULT_THRESHOLD, scan
from ringfence.guardrails.validator_traits import Reads, Traits, Window

OnFail = Any
"""One of guardrails-ai's words, such as "exception", or a function; its own hint leaves the words out."""


@register_validator(name="ringfence/no_injection", data_type="string")
class NoInjection(Validator):
    """A text does not try to steer the model. No fix: what is left of such a text is no safer."""

    traits: ClassVar[Traits] = Traits(reads=Reads.EVERYTHING, window=Window.SENTENCE, quick=True)

    def __init__(self, *, threshold: float = DEFAULT_THRESHOLD, on_fail: OnFail = None) -> None:
        if type(threshold) not in {int, float} or not 0 < threshold <= 1:
            raise ValueError("threshold must be a number above 0, at most 1")
        super().__init__(on_fail=on_fail, threshold=threshold, use_local=True)
        self._threshold = threshold

    # ARG002: guardrails-ai passes the metadata.
    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002
        if not isinstance(value, str):
            return FailResult(error_message="it is no text")
        found = scan(value)
        if found.risk < self._threshold:
            return PassResult()
        return FailResult(
            error_message=(
                "it has signs of prompt injection: leave out whatever tells a model or an assistant "
                "what to do, and state the facts only"
            ),
            error_spans=[ErrorSpan(start=sign.start, end=sign.end, reason=sign.kind) for sign in found.signs],
        )
