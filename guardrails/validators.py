"""Guardrails AI validators at the doors."""

import warnings
from enum import StrEnum
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from ringfence.errors import GuardrailTripped, PolicyError
from ringfence.guardrails.calls import ModelCall
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.texts import CreateResult
from ringfence.guardrails.verdicts import Allow, Block, Passage, Point, Rewrite, Verdict
from ringfence.settings import Section

_LONGEST_REASON = 300


class OnFail(StrEnum):
    """What a validator's "no" leads to."""

    EXCEPTION = "exception"
    """Block: the passage goes no further."""
    REASK = "reask"
    """Ask the model again, a bounded number of times, then block. Only at `message`; elsewhere a block."""
    FIX = "fix"
    """Rewrite the text to the validator's own fix; block when it has none."""
    NOOP = "noop"
    """Let it pass and record it."""


# What Ringfence does about a "no" is its own; guardrails-ai only judges, and proposes a fix where asked.
_GUARD_ON_FAIL = {
    OnFail.EXCEPTION: "noop",
    OnFail.REASK: "noop",
    OnFail.NOOP: "noop",
    OnFail.FIX: "fix",
}


class GuardrailUse(Section):
    """One entry of the `guardrails` section."""

    use: str
    """The name under which the validator is registered with guardrails-ai, such as `ringfence/max_length`."""
    at: tuple[Point, ...]
    on_fail: OnFail = OnFail.EXCEPTION
    timeout_seconds: float = Field(default=10.0, gt=0)
    """Longest time that the validator may take; past it the passage is blocked."""
    options: dict[str, Any] = Field(default_factory=dict, alias="with")
    """Keyword arguments of the validator."""


class ValidatorGuardrail:
    """A guardrails-ai validator as a guardrail, in a Guard of its own.

    Its own, because two fixing validators in one Guard corrupt the text and hide each other's failures.
    """

    def __init__(self, use: GuardrailUse) -> None:
        self.name = use.use
        self.timeout_seconds = use.timeout_seconds
        self._on_fail = use.on_fail
        make = validator_class(use.use)
        try:
            validator = make(on_fail=_GUARD_ON_FAIL[use.on_fail], **use.options)
        except Exception as error:  # what somebody's validator raises about its options is not known
            raise PolicyError(f"{use.use} cannot be made with these options: {error}") from None
        self._guard = _quiet_guardrails().AsyncGuard(history_max_length=1).use(validator)

    async def check(self, passage: Passage) -> Verdict:
        """Judge the passage; an empty one passes, because guardrails-ai fails every empty text."""
        if not passage.text.strip():
            return Allow(self.name)
        outcome = await self._guard.validate(passage.text)
        failed = [one for one in outcome.validation_summaries or () if one.validator_status == "fail"]
        if not failed and outcome.validation_passed:
            return Allow(self.name)
        reason = "; ".join(str(one.failure_reason) for one in failed)[:_LONGEST_REASON] or "it did not pass"
        match self._on_fail:
            case OnFail.NOOP:
                return Allow(self.name, reason=reason)
            case OnFail.FIX if outcome.validation_passed and isinstance(outcome.validated_output, str):
                return Rewrite(self.name, outcome.validated_output, reason=reason)
            case _:
                return Block(self.name, reason, reask=self._on_fail is OnFail.REASK)


class ValidateStructure:
    """Checks a reply that must parse into a pydantic model, with the Guard that guardrails-ai makes of it."""

    def __init__(self) -> None:
        self._guards: dict[type[BaseModel], Any] = {}

    async def __call__(self, call: ModelCall, call_next: Handler[ModelCall, CreateResult]) -> CreateResult:
        """Answer the call, then check the reply's structure.

        Raises:
            GuardrailTripped: The text does not parse into the model that was asked for.
        """
        reply = await call_next(call)
        wanted = call.structure
        if isinstance(reply.content, str) and isinstance(wanted, type) and issubclass(wanted, BaseModel):
            reason = await self._fault(reply.content, wanted)
            if reason:
                raise GuardrailTripped(
                    guardrail="structured_output", point=Point.MESSAGE.value, reason=reason, reask=True
                )
        return reply

    async def _fault(self, text: str, wanted: type[BaseModel]) -> str:
        try:
            wanted.model_validate_json(text)
        except ValidationError as error:
            faults = error.errors(include_input=False, include_url=False, include_context=False)
            places = "; ".join(
                f"{'.'.join(map(str, one['loc'])) or 'reply'}: {one['msg']}" for one in faults[:5]
            )
            return f"it does not fit {wanted.__name__} ({places[:_LONGEST_REASON]})"
        if wanted not in self._guards:
            # Built once: it takes some 50 ms.
            self._guards[wanted] = _quiet_guardrails().AsyncGuard.for_pydantic(wanted)
        try:
            passed = (await self._guards[wanted].validate(text)).validation_passed
        except Exception:  # such as a number of thousands of digits in a field that nobody asked for
            passed = False
        return "" if passed else f"it does not fit {wanted.__name__}"


def validator_class(name: str) -> Any:
    """The validator that is registered under this name with guardrails-ai.

    Raises:
        PolicyError: None is.
    """
    _quiet_guardrails()
    from guardrails.validator_base import validators_registry

    import ringfence.guardrails.shipped_validators as shipped

    # The registry itself, because asking for an unknown name makes guardrails-ai look for a hub package.
    found = validators_registry.get(name)
    if found is not None:
        return found
    known = ", ".join(sorted(shipped.NAMES))
    advice = f"Ringfence brings {known}; import the module of your own first"
    raise PolicyError(f"no validator is registered as {name!r}. {advice}")


@lru_cache(maxsize=1)
def _quiet_guardrails() -> Any:
    """guardrails-ai with its telemetry off. Imported on first use: it takes two seconds.

    Telemetry is on by default and starts a thread that calls out. The object in its place has no tracer, so
    there is nothing to send and nothing that could.
    """
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        from guardrails.settings import settings
        from guardrails.utils.hub_telemetry_utils import HubTelemetry

        import guardrails

    settings.disable_tracing = True
    HubTelemetry._instance = object.__new__(HubTelemetry)  # noqa: SLF001 - there is no public switch
    return guardrails
