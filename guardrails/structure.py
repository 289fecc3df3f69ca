"""A model's reply has the structure that was asked for."""

from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError

from ringfence.errors import GuardrailTripped
from ringfence.guardrails.calls import ModelCall
from ringfence.guardrails.guardrails_ai import quiet_guardrails
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.passages import Point
from ringfence.guardrails.texts import CreateResult

_LONGEST_REASON = 300


class ValidateStructure:
    """Checks a reply that must parse into a pydantic model, with the Guard that guardrails-ai makes of it."""

    def __init__(self) -> None:
        self._guards: dict[type[BaseModel], Any] = {}

    async def __call__(self, call: ModelCall, call_next: Handler[ModelCall, CreateResult]) -> CreateResult:
        """Answer the call, then check the reply's structure.

        Raises:
            GuardrailTripped: The text does not parse into the model that was asked for.
        """
        wanted = call.structure
        # A piece of JSON says nothing, so nothing of it goes out before all of it was judged.
        reply = await call_next(call if wanted is None else replace(call, emit=None))
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
            self._guards[wanted] = quiet_guardrails().AsyncGuard.for_pydantic(wanted)
        try:
            passed = (await self._guards[wanted].validate(text)).validation_passed
        except Exception:  # such as a number of thousands of digits in a field that nobody asked for
            passed = False
        return "" if passed else f"it does not fit {wanted.__name__}"
