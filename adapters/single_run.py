"""`ringfence run`: one task, and an outcome that scripts can read."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autogen_agentchat.base import TaskResult
from rich.console import Console
from rich.text import Text

from ringfence.adapters.console import call_line, text_of, usage_line
from ringfence.adapters.harmless import harmless, one_line
from ringfence.adapters.outcome import (
    Exit,
    error_facts,
    error_words,
    exit_of_error,
    exit_of_status,
    masked_evidence,
    why_asked,
)
from ringfence.adapters.streams import is_closed_pipe
from ringfence.agents.ringfence import Ringfence
from ringfence.agents.team_runner import Event
from ringfence.budgets.limits import Limits
from ringfence.conversations.conversation import Conversation
from ringfence.errors import PolicyError
from ringfence.guardrails.approval import ApprovalRequest, Approver
from ringfence.places import located

Begun = tuple[Conversation[Event, TaskResult], AsyncIterator[Event | TaskResult]]


@dataclass
class SingleRun:
    """What became of a task."""

    limits: Limits
    exit: Exit = Exit.FAILED
    conversation: Conversation[Event, TaskResult] | None = None
    result: TaskResult | None = None
    error: BaseException | None = None
    events: list[Event] = field(default_factory=list)

    @property
    def answer(self) -> str | None:
        """The last thing that the team said, when it got to its end."""
        if self.result is None or self.exit is not Exit.DONE:
            return None
        said = [event for event in self.events if hasattr(event, "to_model_text") and event.source != "user"]
        return text_of(said[-1]) if said else None

    @property
    def stop_reason(self) -> str | None:
        """Why the run ended, in the team's or the fence's words."""
        return self.result.stop_reason if self.result else None

    @property
    def waiting(self) -> tuple[ApprovalRequest, ...]:
        """The calls that were not run because nobody approved them."""
        return self.conversation.pending_approvals if self.conversation else ()

    @property
    def _status(self) -> str:
        waits = self.exit is Exit.WAITING_FOR_APPROVAL and self.conversation is not None
        return self.conversation.status.value if waits and self.conversation else self.exit.word

    def as_dict(self) -> dict[str, Any]:
        """For JSON. Texts are as the user may see them; arguments that wait for approval have stand-ins."""
        talk = self.conversation
        facts: dict[str, Any] = {
            "conversation": talk.id if talk else None,
            "trace": talk.trace_id if talk else None,
            "status": self._status,
            "stop_reason": self.stop_reason,
            "answer": self.answer,
            "messages": [
                {"source": event.source, "type": type(event).__name__, "text": text_of(event)}
                for event in self.events
            ],
            "usage": _usage(talk) if talk else None,
            "pending_approvals": [
                {
                    "id": request.id,
                    "tool": request.tool,
                    "arguments": dict(request.arguments),
                    "reason": request.reason,
                    "evidence": [*masked_evidence(request)],
                }
                for request in self.waiting
            ],
        }
        return facts | ({"error": error_facts(self.error)} if self.error else {})


async def run_once(
    ringfence: Ringfence,
    task: str,
    *,
    policy_file: Path,
    user: str,
    approver: Approver | None,
    id: str | None = None,  # noqa: A002 - the word that everybody uses for it
    on_event: Callable[[Event], None] = lambda _event: None,
) -> SingleRun:
    """Work on one task. What goes wrong is part of the outcome; only an interruption is raised."""

    async def begun() -> Begun:
        conversation = ringfence.conversation(id=id, user=user, approver=approver)
        return conversation, conversation.run_stream(task=task)

    return await _run(ringfence, begun, policy_file, on_event)


async def resume_once(
    ringfence: Ringfence,
    id: str,  # noqa: A002 - as above
    *,
    policy_file: Path,
    approver: Approver | None,
    allow_changes: bool,
    on_event: Callable[[Event], None] = lambda _event: None,
) -> SingleRun:
    """Go on with a conversation that stopped within a turn; as `run_once`."""

    async def begun() -> Begun:
        conversation = await ringfence.open(id, approver=approver)
        return conversation, conversation.resume_stream(allow_changes=allow_changes)

    return await _run(ringfence, begun, policy_file, on_event)


async def _run(
    ringfence: Ringfence,
    begun: Callable[[], Awaitable[Begun]],
    policy_file: Path,
    on_event: Callable[[Event], None],
) -> SingleRun:
    run = SingleRun(ringfence.policy.limits)
    try:
        run.conversation, items = await begun()
        async for item in items:
            if isinstance(item, TaskResult):
                run.result = item
            else:
                run.events.append(item)
                on_event(item)
        run.exit = exit_of_status(run.conversation.status)
    except PolicyError as error:
        run.error, run.exit = type(error)(located(error.faults, policy_file)), Exit.INVALID
    except (Exception, SystemExit) as error:
        if is_closed_pipe(error):
            raise
        run.error, run.exit = error, exit_of_error(error)
    return run


def print_end(done: SingleRun, console: Console, errors: Console, *, policy_file: Path) -> None:
    """What it has cost, and on `errors` why it did not come to its end."""
    if done.conversation is not None and (done.events or done.result is not None):
        console.print(Text(usage_line(done.conversation.usage, done.limits), "dim"))
    if done.error is not None:
        errors.print(Text(harmless(error_words(done.error)), "red"))
    elif done.exit is not Exit.DONE:
        errors.print(Text(one_line(done.stop_reason or ""), "yellow"))
    for request in done.waiting:
        call = one_line(call_line(request.tool, request.arguments))
        what = "May have run already" if request.kind == "doubt" else "Waits for approval"
        errors.print(Text(f"{what}: {call} ({request.id})"))
        for line in why_asked(request):
            errors.print(Text(f"  {line}", "dim"))
    for question in done.conversation.pending_questions if done.conversation is not None else ():
        errors.print(Text(f"{one_line(question.agent)} asks: {one_line(question.prompt)} ({question.id})"))
    if done.conversation is not None and done.exit is Exit.WAITING_FOR_APPROVAL:
        commands = (
            f"ringfence approvals approve|reject|answer {policy_file} ID ... --by NAME",
            f"ringfence resume {policy_file} {done.conversation.id}",
        )
        errors.print(Text(f"Decide, then go on: {'; '.join(commands)}", "dim"))


def _usage(conversation: Conversation[Any, Any]) -> dict[str, Any]:
    used = conversation.usage
    return {
        "turns": used.turns,
        "model_calls": used.model_calls,
        "tool_calls": used.tool_calls,
        "input_tokens": used.input_tokens,
        "output_tokens": used.output_tokens,
        "tokens": used.tokens,
        "usd": str(used.usd),
    }
