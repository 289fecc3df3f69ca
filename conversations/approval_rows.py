"""What the store keeps of an approval: the masked call, what the decision binds, and who said what."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from ringfence.conversations.requests import WAITING, StoredRequest
from ringfence.guardrails.approval import (
    ApprovalRequest,
    Approved,
    Change,
    DecidedCall,
    Rejected,
    WaitingCall,
)
from ringfence.guardrails.approval_deciders import Deciders
from ringfence.guardrails.approval_evidence import evidence_of, trace_content, trace_of
from ringfence.guardrails.calls import CallOrigin, ToolCall
from ringfence.guardrails.masking import reveal_arguments
from ringfence.guardrails.tool_spec import ToolSpec
from ringfence.guardrails.vault import Vault


def approval_content(one: WaitingCall | DecidedCall) -> dict[str, Any]:
    """What is kept of an approval when it is asked for; never a real value."""
    request, call = one.request, one.call
    return {
        "user": request.user,
        "agent": request.agent,
        "tool": request.tool,
        "reason": request.reason,
        "arguments": dict(request.arguments),
        "digest": request.digest,
        "expires_at": request.expires_at.isoformat(),
        "reveals": {name: list(types) for name, types in request.reveals.items()},
        "supplied": list(request.supplied),
        "traces": [trace_content(trace) for trace in request.traces],
        "policy": request.policy_version,
        "deciders": request.deciders.as_dict(),
        "call_id": call.call_id,
        "origin": {
            "model": call.origin.model,
            "prompt": call.origin.prompt,
            "parameters": dict(call.origin.parameters),
        },
    }


def waiting_call(stored: StoredRequest, vault: Vault) -> WaitingCall:
    """The approval again, with real arguments for whoever decides."""
    kept = stored.content
    reveals = {name: tuple(types) for name, types in kept["reveals"].items()}
    # A request from before these were kept has none, and nobody can approve it any more.
    origin = CallOrigin(**kept.get("origin", {}))
    call = ToolCall(kept["agent"], kept["tool"], kept["arguments"], kept["call_id"], origin=origin)
    traces = tuple(trace_of(one) for one in kept.get("traces", ()))

    request = ApprovalRequest(
        id=stored.id,
        conversation=stored.conversation,
        user=kept["user"],
        agent=kept["agent"],
        tool=kept["tool"],
        reason=kept["reason"],
        arguments=kept["arguments"],
        real_arguments=reveal_arguments(call, ToolSpec(reveals=reveals), vault).arguments,
        digest=kept["digest"],
        expires_at=datetime.fromisoformat(kept["expires_at"]),
        kind=stored.kind,
        reveals=reveals,
        supplied=tuple(kept.get("supplied", ())),
        traces=traces,
        evidence=evidence_of(traces, reveals=reveals, vault=vault),
        policy_version=kept.get("policy", ""),
        deciders=Deciders.of(kept.get("deciders", {})),
    )
    spoken = stored.spoken or {}
    return WaitingCall(request, call, tuple(spoken.get("approved_by", ())), _change(spoken))


def approval_request(stored: StoredRequest, vault: Vault) -> ApprovalRequest:
    """What is or was to decide, with the arguments that somebody put in the place of the agent's."""
    waiting = waiting_call(stored, vault)
    if stored.decision is None:
        return waiting.shown
    return replace(waiting, change=_change(stored.decision)).shown


def decision_content(one: WaitingCall | DecidedCall) -> dict[str, Any]:
    """What was said of a request so far, for the store: as a person typed it in, with real values."""
    change = one.change
    changed = change and {
        "by": change.by,
        "arguments": dict(change.arguments),
        "masked": dict(change.masked),
        "digest": change.digest,
    }
    if isinstance(one, WaitingCall):
        return {"approved_by": list(one.approved_by), "change": changed}
    decision = one.decision
    reason = decision.reason if isinstance(decision, Rejected) else ""
    return {"by": decision.by, "reason": reason, "change": changed}


def status_of(one: WaitingCall | DecidedCall) -> str:
    """The status of a request of which this was said."""
    if isinstance(one, WaitingCall):
        return WAITING
    return "approved" if isinstance(one.decision, Approved) else "rejected"


def decided_calls(stored: Iterable[StoredRequest], vault: Vault) -> list[DecidedCall]:
    """What was decided of these requests."""
    found = []
    for one in stored:
        if one.status in {"approved", "rejected"} and one.decision is not None:
            by, reason = str(one.decision["by"]), str(one.decision["reason"])
            decision = Approved(by) if one.status == "approved" else Rejected(by, reason)
            waited = waiting_call(one, vault)
            found.append(DecidedCall(waited.request, waited.call, decision, _change(one.decision)))
    return found


def _change(said: Mapping[str, Any]) -> Change | None:
    kept = said.get("change")
    return None if kept is None else Change(**kept)
