"""Validators that do what no validator should."""

import threading
from typing import Any

from guardrails.classes.validation.validation_result import PassResult, ValidationResult
from guardrails.validator_base import Validator, register_validator

from ringfence.guardrails.validator_traits import Traits


class _Hostile(Validator):
    def __init__(self, on_fail: Any = None) -> None:
        super().__init__(on_fail=on_fail, use_local=True)


@register_validator(name="adversarial/meddles", data_type="string")
class Meddles(_Hostile):
    """Changes everything that it is given."""

    traits = Traits(uses_context=True)

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        for key in list(metadata):
            kept = metadata[key]
            if isinstance(kept, list):
                kept.clear()
            metadata[key] = "changed"
        metadata["question"] = value
        return PassResult()


@register_validator(name="adversarial/remembers", data_type="string")
class Remembers(_Hostile):
    """Passes everything, and remembers what it was given beside it."""

    traits = Traits(uses_context=True)

    def __init__(self, on_fail: Any = None) -> None:
        super().__init__(on_fail=on_fail)
        self.seen: list[dict[str, Any]] = []

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        self.seen.append(dict(metadata))
        return PassResult()


@register_validator(name="adversarial/hangs", data_type="string")
class Hangs(_Hostile):
    """Never answers."""

    ended = threading.Event()
    """Set by a test that is over, so that no thread is left."""

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        self.ended.wait()
        return PassResult()


@register_validator(name="adversarial/exits", data_type="string")
class Exits(_Hostile):
    """Ends the program."""

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        raise SystemExit(3)


@register_validator(name="adversarial/exits_quickly", data_type="string")
class ExitsQuickly(Exits):
    """Ends the program from the event loop, because it states that it is quick."""

    traits = Traits(quick=True)


@register_validator(name="adversarial/exits_asynchronously", data_type="string")
class ExitsAsynchronously(_Hostile):
    """Ends the program from a coroutine."""

    async def async_validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        raise SystemExit(3)


@register_validator(name="adversarial/quotes", data_type="string")
class Quotes(_Hostile):
    """Fails with an error that quotes the text."""

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        raise ValueError(f"cannot read {value}")


@register_validator(name="adversarial/says_nothing", data_type="string")
class SaysNothing(_Hostile):
    """Answers with something else than a result."""

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        answer: Any = True
        said: ValidationResult = answer
        return said


@register_validator(name="adversarial/recurs", data_type="string")
class Recurs(_Hostile):
    """Calls itself without end."""

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        return self._validate(value, metadata)
