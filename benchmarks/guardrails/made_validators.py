"""Validators that do nothing, so that what is measured is what stands around them."""

from time import sleep
from typing import Any, ClassVar

from guardrails.classes.validation.validation_result import PassResult, ValidationResult
from guardrails.types import OnFailAction
from guardrails.validator_base import Validator, register_validator

from ringfence.guardrails.validator_traits import Traits

WAIT_SECONDS = 0.02


@register_validator(name="benchmark/silent", data_type="string")
class Silent(Validator):
    """Lets every text pass, and states nothing of itself."""

    def __init__(self) -> None:
        super().__init__(on_fail=OnFailAction.NOOP, use_local=True)

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002 - its signature
        return PassResult()


@register_validator(name="benchmark/quick", data_type="string")
class Quick(Silent):
    """The same, and says that it is quick."""

    traits: ClassVar[Traits] = Traits(quick=True)


@register_validator(name="benchmark/waiting", data_type="string")
class Waiting(Silent):
    """Lets every text pass after a wait, as one that asks a server."""

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002 - its signature
        sleep(WAIT_SECONDS)
        return PassResult()
