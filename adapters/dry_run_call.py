"""What would become of one call of a tool, and why; the tool is not run."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ringfence.adapters.dry_run import DryRun
from ringfence.adapters.dry_run_hearing import Hearing, Trouble, Watched
from ringfence.adapters.dry_run_outcome import Asked, Kind, Outcome
from ringfence.adapters.dry_run_team import TeamTools
from ringfence.errors import ApprovalRequired, GuardrailTripped
from ringfence.guardrails.approval_book import ApprovalBook
from ringfence.guardrails.approval_door import Approve
from ringfence.guardrails.call_judge import CallJudge
from ringfence.guardrails.calls import ModelCall, ToolCall
from ringfence.guardrails.clearance import Clearances, ClearToolCalls, RequireClearance
from ringfence.guardrails.masking import Mask
from ringfence.guardrails.middleware import door
from ringfence.guardrails.passages import Part, PartKind, Passage, Point
from ringfence.guardrails.provenance import Provenance
from ringfence.guardrails.reask import Reask
from ringfence.guardrails.records import record_nothing
from ringfence.guardrails.refusal import RefuseInsteadOfRaise, StopInsteadOfRaise
from ringfence.guardrails.stop import StopSignal
from ringfence.guardrails.suspicions import Suspicions
from ringfence.guardrails.texts import (
    CreateResult,
    FunctionCall,
    RequestUsage,
    ToolResult,
    parse_arguments,
)
from ringfence.guardrails.verdicts import Allow

_POLICY = "tool_policy"


@dataclass(frozen=True, slots=True)
class WantedCall:
    """A call that a model might ask for."""

    tool: str
    arguments: Mapping[str, Any] = field(repr=False)
    agent: str = ""


@dataclass(frozen=True)
class CallTrial:
    """What would become of one call."""

    call: WantedCall
    seen: Mapping[str, Any] | None
    """The arguments as the agents and the audit log see them; None when the call did not get so far."""
    real: Mapping[str, Any] | None
    """The arguments as the tool, and the person who is asked, would get them."""
    asked: tuple[Asked, ...]
    outcome: Outcome

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "tool": self.call.tool,
            "agent": self.call.agent,
            "seen_arguments": self.seen,
            "real_arguments": self.real,
            "guardrails": [one.as_dict() for one in self.asked],
            "outcome": self.outcome.as_dict(),
        }


async def try_call(run: DryRun, tools: TeamTools, call: WantedCall, *, suspected: bool = False) -> CallTrial:
    """Take a call through the model door and the tool door, in a conversation of its own.

    With `suspected`, the conversation has read something that looks like an attack.
    """
    return await _Trial(run, tools, call, suspected=suspected).result()


class _Trial:
    """One call on its way through the middlewares of the two doors."""

    def __init__(self, run: DryRun, tools: TeamTools, call: WantedCall, *, suspected: bool) -> None:
        self._run = run
        self._tools = tools
        self._call = call
        self._vault, self._masker = run.conversation()
        self._suspicions = Suspicions()
        if suspected:
            self._suspicions.note(Passage("", Point.TOOL_RESULT), Allow("injection"))
        self._stop = StopSignal()
        self._clearances = Clearances()
        self._directory = tools.directory(call.tool)
        self._judge = CallJudge(
            policy=tools.policy,
            directory=self._directory,
            vault=self._vault,
            suspicions=self._suspicions,
            provenance=Provenance(),
        )
        self._message = Watched(after=(Point.MESSAGE, run.guardrails_at(Point.MESSAGE)), masker=self._masker)
        self._tool_call = Watched(
            before=(Point.TOOL_CALL, run.guardrails_at(Point.TOOL_CALL)), masker=self._masker
        )
        self._trouble = Trouble()
        self._corrections: list[str] = []
        self._seen: Mapping[str, Any] | None = None
        self._real: Mapping[str, Any] | None = None

    async def result(self) -> CallTrial:
        """What becomes of it."""
        reply = await self._through_the_model_door()
        if self._trouble.error is not None:
            outcome = self._refused_reply(self._trouble.error)
        elif isinstance(reply.content, str):
            # A handoff that was not cleared reaches no other door.
            heard = (Hearing("model", reply.content),)
            outcome = Outcome(Kind.BLOCK, (_POLICY,), reply.content.strip("[]"), heard=heard)
        else:
            (cleared,) = reply.content
            self._seen = parse_arguments(cleared.arguments)
            if cleared.name in self._directory.handoffs:
                outcome = Outcome(Kind.ALLOW)
            else:
                outcome = await self._through_the_tool_door(cleared)
        return CallTrial(self._call, self._seen, self._real, self._rows(outcome), outcome)

    async def _through_the_model_door(self) -> CreateResult:
        async def model(call: ModelCall) -> CreateResult:
            if not call.messages:
                wanted = json.dumps(self._call.arguments, ensure_ascii=False)
                return _reply([FunctionCall(id="call", name=self._call.tool, arguments=wanted)])
            self._corrections.append(str(call.messages[-1].content))
            return _reply("")

        clear = ClearToolCalls(
            directory=self._directory,
            judge=self._judge,
            clearances=self._clearances,
            vault=self._vault,
            record=record_nothing,
        )
        middlewares = (
            StopInsteadOfRaise(self._stop),
            clear,
            Reask(times=self._run.policy.reasks, record=record_nothing),
            self._trouble,
            self._message,
            Mask(self._masker, point="prompt", reply_point=Point.MESSAGE.value),
        )
        offered = (self._tools.offered(self._call.tool),)
        call = ModelCall(self._call.agent, "", (), tools=offered)
        reply: CreateResult = await door(middlewares, model)(call)
        return reply

    def _refused_reply(self, error: Exception) -> Outcome:
        if not isinstance(error, GuardrailTripped):
            raise error
        heard = Hearing("user", str(self._stop.error))
        if self._corrections:
            heard = Hearing("model", self._corrections[0])
        return Outcome.refused(error, self._message.verdict, (heard,))

    async def _through_the_tool_door(self, cleared: FunctionCall) -> Outcome:
        book = ApprovalBook(
            conversation="dry-run",
            user="",
            policy_version=self._run.compiled.version,
            timeout_seconds=self._run.policy.approvals.timeout_seconds,
            record=record_nothing,
        )
        approve = Approve(
            book=book,
            judge=self._judge,
            directory=self._directory,
        )
        middlewares = (
            RefuseInsteadOfRaise(self._stop, self._masker),
            self._trouble,
            RequireClearance(self._clearances),
            self._tool_call,
            Mask(self._masker, point=Point.TOOL_CALL.value),
            approve,
        )
        call = ToolCall(self._call.agent, cleared.name, self._seen or {}, cleared.id)
        result = await door(middlewares, self._tool)(call)
        heard = (Hearing("model", result.to_text()),)
        match self._trouble.error:
            case None:
                return Outcome(Kind.ALLOW)
            case ApprovalRequired():
                (request,) = book.pending
                self._real = request.real_arguments
                return Outcome(Kind.ESCALATE, (_POLICY,), request.reason, heard=heard)
            case GuardrailTripped() as error:
                return Outcome.refused(error, self._tool_call.verdict, heard)
            case error:
                raise error

    async def _tool(self, call: ToolCall) -> ToolResult:
        """Stands for the tool, which is not run."""
        self._real = call.arguments
        return ToolResult(name=call.tool, result=[])

    def _rows(self, outcome: Outcome) -> tuple[Asked, ...]:
        """Each guardrail once, whatever the number of arguments: with its strictest word."""
        asked = [
            one for judged in (*self._message.judged, *self._tool_call.judged) for one in judged.judgements
        ]
        stopped_by = "" if outcome.kind in {Kind.ALLOW, Kind.ESCALATE} else ", ".join(outcome.by)
        return self._run.rows(asked, [*self._passages()], stopped_by=stopped_by)

    def _passages(self) -> Iterator[Passage]:
        """Where the texts of the call stand, for what was not asked."""
        tool, agent = self._call.tool, self._call.agent
        for name in self._call.arguments or {"": ""}:
            part = Part(PartKind.ARGUMENT, argument=name, tool=tool)
            yield Passage("", Point.MESSAGE, agent=agent, part=part)
            yield Passage("", Point.TOOL_CALL, agent=agent, tool=tool, part=part)


def _reply(content: str | list[FunctionCall]) -> CreateResult:
    usage = RequestUsage(prompt_tokens=0, completion_tokens=0)
    return CreateResult(finish_reason="stop", content=content, usage=usage, cached=False)
