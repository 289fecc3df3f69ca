"""No tool runs unless exactly this call was cleared at the model door."""

import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ringfence.errors import GuardrailTripped
from ringfence.guardrails.call_judge import CallJudge
from ringfence.guardrails.calls import CallOrigin, ModelCall, ToolCall
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.records import Record
from ringfence.guardrails.texts import (
    CreateResult,
    FunctionCall,
    LLMMessage,
    SystemMessage,
    ToolResult,
    offered_name,
    offered_parameters,
    parse_arguments,
)
from ringfence.guardrails.tool_directory import ToolDirectory
from ringfence.guardrails.vault import Vault
from ringfence.guardrails.verdicts import Allow, Block, Escalate, Verdict

_GUARDRAIL = "clearance"
_PLAIN_ID = re.compile(r"(?!.*(?:\d[-.:_]?){7})[A-Za-z0-9_.:-]{1,128}")
"""An id that can be kept; one with a number as long as a phone's could be personal data."""
_PLAIN_NAME = re.compile(r"(?!.*\d{4})[A-Za-z_][A-Za-z0-9_]{0,39}")
"""A name that can be quoted."""


def canonical(arguments: Mapping[str, Any]) -> str:
    """One spelling for equal arguments: JSON with sorted keys and no spaces."""
    return json.dumps(arguments, sort_keys=True, separators=(",", ":"))


def digest(tool: str, arguments: Mapping[str, Any], *more: str) -> str:
    """SHA-256 over the tool, its canonical arguments and whatever else a decision is bound to."""
    parts = json.dumps([tool, canonical(arguments), *more])
    return hashlib.sha256(parts.encode()).hexdigest()


def prompt_version(messages: Sequence[LLMMessage]) -> str:
    """A hash of what a model is told to be; the same in every process that tells it the same."""
    told = [message.content for message in messages if isinstance(message, SystemMessage)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


class Clearances:
    """What the model door decided of each call, until the tool door takes it. Each decision serves once."""

    def __init__(self) -> None:
        self._decisions: dict[str, tuple[str, Verdict]] = {}
        self._origins: dict[str, CallOrigin] = {}
        """Who asked for each call that was ever decided."""

    def note(
        self,
        call: FunctionCall,
        arguments: Mapping[str, Any],
        verdict: Verdict,
        origin: CallOrigin | None = None,
    ) -> None:
        """Remember what was decided of exactly this call, and who asked for it."""
        self._origins[call.id] = origin or CallOrigin()
        self._decisions[call.id] = (digest(call.name, arguments), verdict)

    def clear(self) -> None:
        """Forget everything that was decided: the calls of a new team are decided anew."""
        self._decisions.clear()
        self._origins.clear()

    def knows(self, call_id: str) -> bool:
        """Whether a call with this id was ever decided."""
        return call_id in self._origins

    def origin(self, call_id: str) -> CallOrigin:
        """Who asked for a call with this id."""
        return self._origins.get(call_id, CallOrigin())

    def take(self, call: ToolCall) -> Verdict:
        """What was decided of exactly this call; Block when nothing was, or it was used already."""
        decided, verdict = self._decisions.pop(call.call_id, ("", Block(_GUARDRAIL, "")))
        try:
            asked = digest(call.tool, call.arguments)
        except (TypeError, ValueError, RecursionError):
            asked = "not JSON, so no model can have asked for it"
        if decided != asked:
            return Block(_GUARDRAIL, f"this call of {call.tool} was not cleared")
        return verdict


class ClearToolCalls:
    """Decides each function call of a model's reply, handoffs included."""

    def __init__(
        self,
        *,
        directory: ToolDirectory,
        judge: CallJudge,
        clearances: Clearances,
        vault: Vault,
        record: Record,
    ) -> None:
        self._directory = directory
        self._judge = judge
        self._clearances = clearances
        self._vault = vault
        self._record = record

    async def __call__(self, call: ModelCall, call_next: Handler[ModelCall, CreateResult]) -> CreateResult:
        """Answer the call, then decide what the reply wants to do."""
        reply = await call_next(call)
        if isinstance(reply.content, str):
            return reply
        offered = {offered_name(tool): offered_parameters(tool) for tool in call.tools}
        kept: list[FunctionCall] = []
        refusals: list[str] = []
        prompt = prompt_version(call.messages)
        for wanted in reply.content:
            origin = CallOrigin(call.model, prompt, offered.get(wanted.name, {}))
            function_call, refusal = self._decided(wanted, call.agent, offered, origin)
            if function_call is not None:
                kept.append(function_call)
            else:
                refusals.append(refusal)
        if kept or not reply.content:
            return reply.model_copy(update={"content": kept or "[The model's reply was empty.]"})
        text = "\n".join(f"[Not done: {refusal}.]" for refusal in refusals)
        return reply.model_copy(update={"content": text, "finish_reason": "stop"})

    def _decided(
        self,
        wanted: FunctionCall,
        agent: str,
        offered: Mapping[str, Mapping[str, Any]],
        origin: CallOrigin | None = None,
    ) -> tuple[FunctionCall | None, str]:
        name, arguments = wanted.name, parse_arguments(wanted.arguments)
        parameters = offered.get(name, {})
        if arguments is not None:
            arguments |= {name: value for name, value in schema_defaults(parameters) if name not in arguments}
        is_handoff = name in self._directory.handoffs
        fenced = name in self._directory.specs and not is_handoff
        # AutoGen parses the arguments again, and hangs on some that it cannot parse, so it gets a plain form.
        function_call = FunctionCall(
            id=self._own_id(wanted.id), name=name, arguments=json.dumps(arguments or {}, ensure_ascii=False)
        )
        if arguments is None:
            verdict: Verdict = Block(_GUARDRAIL, f"the arguments of {name} are not one plain JSON object")
        elif name not in offered:
            verdict = Block(_GUARDRAIL, f"no tool named {name} was offered")
        elif is_handoff:
            verdict = self._judge.judge_handoff(name)
        elif fenced and (supplied := sorted({*arguments} & {*self._directory.specs[name].supplied})):
            said = ", ".join(f"`{one}`" for one in supplied)
            verdict = Block(_GUARDRAIL, f"{name} has no argument {said}")  # that it may choose
        elif unknown := unknown_arguments(arguments, parameters):
            verdict = Block(_GUARDRAIL, f"{name} {unknown}")
        elif fenced:
            self._directory.parameters[name] = parameters
            verdict = self._judged(name, arguments, agent)
        else:
            verdict = Block(_GUARDRAIL, f"{name} does not run behind the fence")
        self._clearances.note(function_call, arguments or {}, verdict, origin)
        self._record(
            "clearance",
            door="model",
            agent=agent,
            tool=name,
            verdict=type(verdict).__name__.lower(),
            guardrail=verdict.guardrail,
            reason=verdict.reason,
            digest=digest(name, arguments or {})[:16],
        )
        # What the tool door would not see, such as a handoff, is taken out of the reply instead.
        reaches_a_door = fenced or name not in offered
        if reaches_a_door or isinstance(verdict, Allow):
            return function_call, ""
        return None, verdict.reason

    def _judged(self, name: str, arguments: Mapping[str, Any], agent: str) -> Verdict:
        judged = self._judge.judge(ToolCall(agent, name, arguments, ""), to_run=False)
        if doubts := [*dict.fromkeys(one.why for one in judged.traces if one.why)]:
            self._record("provenance", door="model", agent=agent, tool=name, doubts=doubts)
        verdict, seen = judged.verdict, judged.revealed.arguments
        hidden = [argument for argument, value in seen.items() if self._vault.is_stand_in(value)]
        if isinstance(verdict, Block) and hidden:
            # What was judged looks right to everybody who sees the real value.
            said = f"the tool gets a stand-in in `{', '.join(hidden)}`, because it does not reveal it there"
            return replace(verdict, reason=f"{verdict.reason}; {said}")
        return verdict

    def _own_id(self, call_id: str) -> str:
        # Some providers leave the id empty or use it twice; a clearance is for one call.
        if _PLAIN_ID.fullmatch(call_id) and not self._clearances.knows(call_id):
            return call_id
        return f"call_{uuid.uuid4().hex}"


def schema_defaults(parameters: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What the tool would fill in by itself, so that the one who decides sees it, too."""
    properties = parameters.get("properties")
    known = properties if isinstance(properties, Mapping) else {}
    for name, schema in known.items():
        if isinstance(schema, Mapping) and schema.get("default") is not None:
            yield name, schema["default"]


def unknown_arguments(arguments: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    """What is said of arguments that the tool would ignore, so that what was decided is not what runs.

    A key is somebody's words like a value, so only a plain name is quoted.
    """
    properties = parameters.get("properties")
    if not isinstance(properties, Mapping) or parameters.get("additionalProperties"):
        return ""
    unknown = [name for name in arguments if name not in properties]
    named = [name for name in unknown if _PLAIN_NAME.fullmatch(name)]
    counted = len(unknown) - len(named)
    said = [f"has no argument {', '.join(f'`{name}`' for name in named)}"] if named else []
    if counted:
        said.append(f"got {counted} unknown argument{'' if counted == 1 else 's'}")
    return " and ".join(said)


class RequireClearance:
    """Lets a call go on only when exactly this call was cleared."""

    def __init__(self, clearances: Clearances) -> None:
        self._clearances = clearances

    async def __call__(self, call: ToolCall, call_next: Handler[ToolCall, ToolResult]) -> ToolResult:
        """Answer the call if it was cleared.

        Raises:
            GuardrailTripped: It was not.
        """
        verdict = self._clearances.take(call)
        if isinstance(verdict, Allow | Escalate):
            return await call_next(replace(call, origin=self._clearances.origin(call.call_id)))
        hint = verdict.hint if isinstance(verdict, Block) else ""
        raise GuardrailTripped(
            guardrail=verdict.guardrail, point="tool_call", reason=verdict.reason, hint=hint
        )
