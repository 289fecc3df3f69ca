"""What models, tools, people and judges said in a recorded conversation, each answer given once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from autogen_core.models import UserMessage
from autogen_core.tools import ToolResult

from ringfence.conversations.decisions import AS_RECORDED
from ringfence.conversations.journal import Journal
from ringfence.conversations.journaled_calls import fingerprint_of, without_marks
from ringfence.conversations.outcomes import tool_result
from ringfence.conversations.recording import RecordedTurn, Recording
from ringfence.conversations.records import Row
from ringfence.conversations.requests import QUESTION
from ringfence.errors import ConversationInterrupted, ModelCallFailed
from ringfence.guardrails.approval import ApprovalDecision, ApprovalRequest, Approved, Rejected
from ringfence.guardrails.approval_door import without_change
from ringfence.guardrails.calls import ModelCall, ToolCall
from ringfence.guardrails.clearance import canonical
from ringfence.guardrails.passages import Passage, Point
from ringfence.guardrails.texts import map_text
from ringfence.guardrails.validators import ValidatorGuardrail
from ringfence.guardrails.vault import Vault
from ringfence.guardrails.verdicts import Allow, Terms, Verdict


class Script:
    """Who says what, turn by turn; each answer is given once."""

    def __init__(self, recording: Recording) -> None:
        self._turns: Sequence[RecordedTurn] = ()
        self.first = 1
        """As which turn the first one of the run is played."""
        self._given: Counter[tuple[str, ...]] = Counter()
        self._judged = {
            row.key.rsplit(":", 2)[1]: str(row.outcome["answered"]["content"])
            for turn in recording.turns
            for row in turn.steps
            if row.kind == "judge" and row.outcome is not None and "answered" in row.outcome
        }
        self._suspicions = recording.suspicions
        self.journal: Journal
        """Of the conversation that plays it."""
        self.vault = Vault()
        """The pseudonyms of the recording."""
        self.has_run_out = False
        """A model was asked more often than it was recorded."""
        self.unasked: Counter[str] = Counter()
        """Guardrails that would have had to ask a model, and how often."""

    def begin(self, turns: Sequence[RecordedTurn], *, first: int) -> None:
        """Play the turns of one run, the first of them as the turn of this number."""
        self._turns, self.first = turns, first

    @property
    def turn(self) -> RecordedTurn | None:
        """What was recorded of the turn that is played; None when the recorded run had ended before it."""
        place = self.journal.turn - self.first
        return self._turns[place] if place < len(self._turns) else None

    def reply(self, call: ModelCall) -> Row:
        """The next reply of an agent in this turn.

        Raises:
            ConversationInterrupted: Nothing more was recorded.
        """
        turn = self.turn
        kinds = {"model", "reask"}
        rows = [row for row in turn.steps if row.kind in kinds and row.agent == call.agent] if turn else []
        place = self._next("reply", call.agent)
        if place >= len(rows) or not _is_answer(rows[place]):
            self.has_run_out = True
            said = f"The recording has no more replies of {call.agent or 'the team'} in this turn"
            raise ConversationInterrupted(said)
        return rows[place]

    def result(self, call: ToolCall) -> ToolResult | None:
        """What a tool answered to these arguments, with real values; None when it was not called so."""
        asked = self._spelled(call.arguments)
        rows = [
            row
            for row in (self.turn.steps if self.turn else ())
            if row.kind == "tool"
            and row.name == call.tool
            and "answered" in (row.outcome or {})
            and self._spelled(row.request["arguments"]) == asked
        ]
        place = self._next("result", call.tool, asked)
        if place >= len(rows) or rows[place].outcome is None:
            return None
        result = tool_result(rows[place].outcome or {})
        if rows[place].request.get("changed_by"):
            # The tool door says again that a person changed the call.
            result = without_change(result)
        return map_text(result, self.vault.reveal)

    async def decide(self, request: ApprovalRequest) -> ApprovalDecision | None:
        """What a person decided on this call; where nobody was asked, yes, so that the rest is compared."""
        asked = self._spelled(request.arguments)
        recorded = [
            one.request
            for one in (self.turn.asked if self.turn else ())
            if one.request.kind == "approval"
            and one.request.content["tool"] == request.tool
            and self._spelled(one.request.content["arguments"]) == asked
        ]
        place = self._next("decision", request.tool, asked)
        if place >= len(recorded):
            return Approved(AS_RECORDED)
        decision, status = recorded[place].decision, recorded[place].status
        if decision is None:
            return None
        if status != "approved":
            return Rejected(decision["by"], decision["reason"])
        change = decision.get("change") or {}
        return Approved(decision["by"], change.get("arguments"))

    def answer(self, agent: str) -> str | None:
        """What the user answered to the next question of an agent in this turn."""
        decided = [
            one.request.decision
            for one in (self.turn.asked if self.turn else ())
            if one.request.kind == QUESTION and one.request.content["agent"] == agent
        ]
        place = self._next("answer", agent)
        decision = decided[place] if place < len(decided) else None
        return None if decision is None else str(decision["text"])

    def judged(self, model: str, prompt: str) -> str | None:
        """What this model answered to exactly this prompt of a guardrail."""
        options: dict[str, Any] = {"tool_choice": "auto", "json_output": None, "extra_create_args": {}}
        asked = UserMessage(content=prompt, source="ringfence")
        call = ModelCall("", model, (asked,), options=options)
        return self._judged.get(fingerprint_of(without_marks(call)))

    def suspected(self, point: Point, tool: str) -> list[Mapping[str, Any]]:
        """The signs of an attack that were found in what this tool, or nobody's tool, brought in."""
        return [one for one in self._suspicions if (one["point"], one["tool"]) == (point.value, tool)]

    def _next(self, *what: str) -> int:
        key = (str(self.journal.turn), *what)
        self._given[key] += 1
        return self._given[key] - 1

    def _spelled(self, arguments: Mapping[str, Any]) -> str:
        # With all real values: another policy may reveal others to the tool.
        return canonical(map_text(dict(arguments), self.vault.reveal))


class RecordedJudge:
    """A guardrail that asks a model, with the model's recorded answers; without one it lets the text pass."""

    def __init__(self, guardrail: ValidatorGuardrail, model: str, script: Script) -> None:
        self._guardrail = guardrail
        self._model = model
        self._script = script
        self.name = guardrail.name
        self.timeout_seconds = guardrail.timeout_seconds
        self.terms: Terms = guardrail.terms

    async def check(self, passage: Passage) -> Verdict:
        """Judge the passage as the model judged it."""
        is_missing = False

        async def ask(prompt: str) -> str:
            nonlocal is_missing
            answer = self._script.judged(self._model, prompt)
            if answer is None:
                is_missing = True
                raise ConversationInterrupted("the recording has no answer of the model")
            return answer

        try:
            verdict = await self._guardrail.asking(ask).check(passage)
        except Exception:
            if not is_missing:
                raise
        if is_missing:
            self._script.unasked[self.name] += 1
            return Allow(self.name, "it would ask a model")
        return verdict


def _is_answer(row: Row) -> bool:
    outcome = row.outcome or {}
    return "answered" in outcome or "tripped" in outcome or outcome.get("error") == ModelCallFailed.__name__
