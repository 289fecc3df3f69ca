"""Whether a call may run with arguments that a person put in the place of the agent's."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ringfence.errors import GuardrailTripped, RingfenceError
from ringfence.guardrails.approval import ApprovalRequest
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.clearance import canonical, schema_defaults, unknown_arguments
from ringfence.guardrails.json_schema_check import SchemaCheck
from ringfence.guardrails.masking import Masker, reveal_arguments
from ringfence.guardrails.texts import parse_arguments
from ringfence.guardrails.tool_spec import ToolSpec
from ringfence.guardrails.vault import Vault
from ringfence.guardrails.verdicts import Block, Verdict

_POINT = "approval"
_MOST_STEPS = 100_000


class ChangeCheck:
    """Checks changed arguments as those of a model are checked, and masks them."""

    def __init__(
        self, *, masker: Masker, vault: Vault, judge: Callable[[ToolCall, ToolSpec], Verdict]
    ) -> None:
        self._masker = masker
        self._vault = vault
        self._judge = judge
        """What the policy says of a call of such a tool."""

    async def real(self, request: ApprovalRequest, call: ToolCall, given: object) -> dict[str, Any]:
        """The arguments with real values, and with the tool's own defaults where one was left out.

        Raises:
            RingfenceError: The call must not run with them; says which argument is wrong, not its value.
        """
        arguments = _plain(given)
        if arguments is None:
            raise RingfenceError("The changed arguments are not one plain JSON object")
        parameters = call.origin.parameters
        arguments |= {name: one for name, one in schema_defaults(parameters) if name not in arguments}
        if supplied := ", ".join(f"`{name}`" for name in arguments if name in request.supplied):
            raise RingfenceError(f"{call.tool} has no argument {supplied} that anybody may choose")
        if unknown := unknown_arguments(arguments, parameters):
            raise RingfenceError(f"{call.tool} {unknown}")
        real = self._revealed(request, call, arguments)
        if faults := "; ".join(_schema_faults(parameters, real)):
            raise RingfenceError(f"The changed arguments do not fit {call.tool}: {faults}")
        masked = await self.masked(call, real, "")
        changed = self._revealed(request, call, masked.arguments)
        if hidden := ", ".join(f"`{name}`" for name in real if not _same(changed[name], real[name])):
            said = "holds something that the policy hides from the tool; see its `reveals`"
            raise RingfenceError(f"Argument {hidden} of {call.tool} {said}")
        verdict = self._judge(masked, ToolSpec(reveals=request.reveals, described=True))
        if isinstance(verdict, Block):
            raise RingfenceError(f"The policy does not allow the changed arguments: {verdict.reason}")
        return real

    async def masked(self, call: ToolCall, arguments: Mapping[str, Any], by: str) -> ToolCall:
        """The call with these arguments as the agents may see them, and who changed them.

        Raises:
            RingfenceError: They cannot be masked.
        """
        try:
            changed = replace(call, arguments=dict(arguments))
            masked = await self._masker.mask(changed, point=_POINT)
            return replace(masked, changed_by=await self._masker.mask(by, point=_POINT))
        except GuardrailTripped as error:
            raise RingfenceError(f"The changed arguments must not pass: {error.reason}") from None

    def _revealed(
        self, request: ApprovalRequest, call: ToolCall, arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        spec = ToolSpec(reveals=request.reveals)
        return dict(reveal_arguments(replace(call, arguments=arguments), spec, self._vault).arguments)


def _plain(given: object) -> dict[str, Any] | None:
    if not isinstance(given, Mapping):
        return None
    try:
        return parse_arguments(json.dumps(dict(given), allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return None


def _schema_faults(parameters: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[str]:
    # The draft makes no difference for what a tool's arguments are described with.
    schema = {name: one for name, one in parameters.items() if name != "$schema"}
    if not schema:
        return []
    try:
        return SchemaCheck(schema).faults(dict(arguments), most_steps=_MOST_STEPS)
    except Exception:  # whatever is wrong with the schema, nothing was checked against it
        return ["the tool's schema cannot be checked"]


def _same(one: Any, other: Any) -> bool:
    return canonical({"": one}) == canonical({"": other})
