"""What an approval is bound to, so that it serves no other call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ringfence.guardrails.approval import ApprovalRequest
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.clearance import digest


@dataclass(frozen=True, slots=True)
class Binding:
    """Ids and digests of the requests of one conversation under one policy."""

    policy_version: str
    conversation: str
    bind: Callable[[Mapping[str, Any]], str]
    """A keyed hash of real arguments: what was approved of them is not approved of others."""

    def request_id(self, call: ToolCall, real: Mapping[str, Any], kind: str, occasion: str) -> str:
        """The same for the same call, so that a turn that is played again asks nobody twice."""
        asked = (*self._versions(call), self.conversation, call.call_id, kind, occasion, self.bind(real))
        return f"approval-{digest(call.tool, call.arguments, *asked)[:16]}"

    def digest(self, call: ToolCall, expires_at: datetime, request_id: str) -> str:
        """Over tool, canonical arguments, versions of policy and prompt, model, expiry and id."""
        asked = (*self._versions(call), expires_at.isoformat(), request_id)
        return digest(call.tool, call.arguments, *asked)

    def digest_of_change(self, call: ToolCall, request: ApprovalRequest, real: Mapping[str, Any]) -> str:
        """As `digest`, of the real arguments that a person put in the place of the agent's.

        Of their keyed hash: their pseudonyms may be others in the process that runs the call.
        """
        changed = replace(call, arguments={"changed": self.bind(real)})
        return self.digest(changed, request.expires_at, request.id)

    def _versions(self, call: ToolCall) -> tuple[str, str, str]:
        return self.policy_version, call.origin.prompt, call.origin.model
