"""Conversations behind the fence with scripted models, and a look into all places where a text could leak."""

import asyncio
import json
import logging
import traceback
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.models import ChatCompletionClient

from ringfence import Conversation, Fence, Ringfence, TeamFactory, tool
from ringfence.conversations.journal import Journal
from ringfence.conversations.session import Session
from ringfence.guardrails.guardrails_ai import load_validator
from ringfence.guardrails.pii import PiiSettings
from ringfence.guardrails.presidio import PiiFinder

with warnings.catch_warnings(action="ignore"):
    # What these libraries import warns of its own old age, which is not ours to mend.
    PiiFinder(PiiSettings())
    load_validator("ringfence/length", {"maximum_characters": 1}, folder=Path())

CANARIES = {
    "EMAIL_ADDRESS": "jane.doe@acme-canary.com",
    "PHONE_NUMBER": "+1 212-555-0187",
    "CREDIT_CARD": "4111 1111 1111 1111",
    "IBAN_CODE": "DE89370400440532013000",
}
"""Personal data that must never be seen behind the user's door; one value of each kind."""
EMAIL = CANARIES["EMAIL_ADDRESS"]
EVERY_CANARY = ", ".join(CANARIES.values())

Talk = Conversation[Any, TaskResult]


class RecordingTool(NamedTuple):
    """A tool that remembers its calls."""

    function: Callable[..., Any]
    calls: list[dict[str, Any]]


def policy_file(folder: Path, **sections: Any) -> Path:
    """A policy in a folder; `scripted` models are free unless it gives them a price.

    Values are not traced unless it says so: most tests hand in a task such as `Go`, which asks for nothing.
    """
    path = folder / "ringfence.yaml"
    usual = {"version": 1, "prices": {"scripted": "free"}, "provenance": {"mode": "off"}}
    path.write_text(yaml.safe_dump(usual | sections))
    return path


def make(folder: Path, **sections: Any) -> Ringfence:
    """A Ringfence with a policy of these sections, whose audit log stands in the folder."""
    return Ringfence.from_file(policy_file(folder, **sections))


def fence_of(ringfence: Ringfence) -> tuple[Fence, Session]:
    """A fence and its session, for a test that needs no conversation around them."""
    return ringfence._fence(Journal(ringfence.store, "any"), "user", None)


def audit(ringfence: Ringfence) -> list[dict[str, Any]]:
    """Every line of the audit log."""
    path = ringfence.audit.path
    assert path is not None
    return (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    )


def audit_text(ringfence: Ringfence) -> str:
    """The audit log as it stands in the file."""
    path = ringfence.audit.path
    assert path is not None
    return path.read_text(encoding="utf-8") if path.exists() else ""


def agent(
    fence: Fence,
    model: ChatCompletionClient,
    *,
    name: str = "desk",
    tools: Sequence[Callable[..., Any]] | Any = (),
    **more: Any,
) -> AssistantAgent:
    """An AutoGen agent with a model and tools behind the fence."""
    bench: dict[str, Any] = {"workbench": fence.workbench(tools)} if tools else {}
    return AssistantAgent(name, fence.model_client(model, model="scripted"), **bench, **more)


def team_of(
    model: ChatCompletionClient,
    tools: Sequence[Callable[..., Any]] | Any = (),
    *,
    turns: int = 1,
    **more: Any,
) -> TeamFactory:
    """A factory of a round robin of one agent, `desk`; `more` goes to the agent."""

    def factory(fence: Fence) -> RoundRobinGroupChat:
        return RoundRobinGroupChat([agent(fence, model, tools=tools, **more)], max_turns=turns)

    return factory


def recording(
    name: str = "act", *, answer: Any = "done", consequential: bool = True, **spec: Any
) -> RecordingTool:
    """A tool with one text argument, `what`, that remembers its calls, and raises its answer if it can."""
    calls: list[dict[str, Any]] = []

    @tool(consequential=consequential, **spec)
    def act(what: str = "") -> Any:
        """Do something."""
        calls.append({"what": what})
        if isinstance(answer, BaseException):
            raise answer
        return answer() if callable(answer) else answer

    act.__name__ = name
    return RecordingTool(act, calls)


def texts(result: TaskResult) -> list[str]:
    """What was said, message by message."""
    return [message.to_text() for message in result.messages]


def reply_of(result: TaskResult) -> str:
    """The last thing that was said."""
    return texts(result)[-1]


def every_word(error: BaseException) -> str:
    """An error as anybody may come to see it: its text, its repr, and its traceback with causes."""
    return "\n".join([str(error), repr(error), *traceback.format_exception(error)])


async def left_behind(
    conversation: Talk, ringfence: Ringfence, caplog: pytest.LogCaptureFixture, *errors: BaseException
) -> str:
    """All that stays of a conversation where others look: audit, logs, transcript, state, repr, errors."""
    formatter = logging.Formatter()
    return "\n".join(
        [
            audit_text(ringfence),
            *(formatter.format(record) for record in caplog.records),
            *(str(vars(record)) for record in caplog.records),
            str([entry.as_dict() for entry in conversation.transcript]),
            json.dumps(await conversation.save_state(), default=str, ensure_ascii=False),
            repr(conversation),
            str(vars(conversation)),
            repr(conversation.pending_approvals),
            repr(conversation.steps),
            *(every_word(error) for error in errors),
        ]
    )


def canaries_in(text: str) -> list[str]:
    """The kinds of personal data of which a value stands in a text."""
    return [kind for kind, value in CANARIES.items() if value in text]


async def settled() -> set["asyncio.Task[Any]"]:
    """The tasks that still run after those that are about to end have ended."""
    own = asyncio.current_task()
    for _ in range(20):
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - {own}
    if left:
        await asyncio.wait(left, timeout=2)
    return {task for task in left if not task.done()}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Callable[..., Ringfence]]:
    """Makes a Ringfence with a policy of the given sections; its audit log is closed at the end."""
    made: list[Ringfence] = []

    def build(**sections: Any) -> Ringfence:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(make(folder, **sections))
        return made[-1]

    yield build
    for ringfence in made:
        await ringfence.close()


@pytest.fixture(autouse=True)
async def nothing_runs_on() -> AsyncIterator[None]:
    """Every test fails that leaves a task running."""
    yield
    left = await settled()
    for task in left:
        task.cancel()
    assert not left, f"still running: {left}"


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that any logger says."""
    caplog.set_level(logging.DEBUG)
    return caplog
