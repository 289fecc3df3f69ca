"""What the demo plays on: a copy of the support desk, and everything that its claims are verified against."""

import asyncio
import json
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autogen_agentchat.base import TaskResult
from autogen_core import FunctionCall
from autogen_core.models import CreateResult, LLMMessage
from autogen_core.tools import FunctionTool, StaticWorkbench
from rich.console import Console
from rich.table import Table
from rich.text import Text

import ringfence
from ringfence.adapters.harmless import harmless
from ringfence.agents.fence import Fence
from ringfence.agents.rehearsal import RehearsalModel
from ringfence.agents.ringfence import Ringfence, TeamFactory
from ringfence.agents.team_runner import Event
from ringfence.budgets.limits import Limits
from ringfence.conversations.conversation import Conversation
from ringfence.guardrails.approval import ApprovalDecision, ApprovalRequest
from ringfence.guardrails.decision import Decision
from ringfence.guardrails.injection_guardrail import InjectionSettings
from ringfence.guardrails.texts import texts_of
from ringfence.guardrails.tool_rules import ToolRule
from ringfence.policy import LoadedPolicy, load_policy

_NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.sqlite*", "*.jsonl")


class Recorder(RehearsalModel):
    """A rehearsal model that keeps every text it is sent; it stands where a provider would."""

    received: list[str]
    calls: int

    @classmethod
    def of(cls, rules: Path, *, obedient: bool = False) -> "Recorder":
        """A recorder that answers by these rules."""
        recorder = cls.from_file(rules, obedient=obedient)
        recorder.received, recorder.calls = [], 0
        return recorder

    async def create(self, messages: Sequence[LLMMessage], **options: Any) -> CreateResult:
        """Keep what came, and answer it."""
        self.calls += 1
        self.received.extend(text for message in messages for text in texts_of(message))
        return await super().create(messages, **options)


class ScriptedPerson:
    """Decides on calls as the scenes say; somebody at a keyboard would be asked in the same way."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[ApprovalRequest] = asyncio.Queue()
        self.answers: asyncio.Queue[ApprovalDecision] = asyncio.Queue()

    async def __call__(self, request: ApprovalRequest) -> ApprovalDecision:
        """Wait for the scene's decision."""
        self.asked.put_nowait(request)
        return await self.answers.get()

    async def next_request(self, run: "asyncio.Future[Any]") -> ApprovalRequest | None:
        """The next call that waits; None when the run ended without one."""
        waiting = asyncio.ensure_future(self.asked.get())
        await asyncio.wait({waiting, run}, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        waiting.cancel()
        return None


@dataclass(frozen=True)
class _Watched:
    """The fence as a team factory sees it, with a recorder in the place of each tier's client."""

    fence: Fence
    model: Recorder

    def model_client(self, _tier: str) -> Any:
        return self.fence.model_client(self.model, max_output_tokens=300)

    def workbench(self, tools: Any) -> Any:
        return self.fence.workbench(tools)


@dataclass(frozen=True)
class _NoFence:
    """What a team factory would get without Ringfence: bare model clients, bare tools."""

    model: Recorder

    def model_client(self, _tier: str) -> Any:
        return self.model

    def workbench(self, tools: Any) -> Any:
        return StaticWorkbench([FunctionTool(tool, description=tool.__doc__ or "") for tool in tools])


class Stage:
    """The support desk in a folder of its own: its policy, its team, its shop, its mailbox."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "support_desk"
        source = Path(next(iter(ringfence.__path__))) / "examples" / "support_desk"
        shutil.copytree(source, self.folder, ignore=_NOT_COPIED)
        self.policy_file = self.folder / "ringfence.yaml"
        self.loaded: LoadedPolicy = load_policy(self.policy_file)
        self.fence = Ringfence(self.loaded)
        self._fences = [self.fence]
        self._factory: Any = self.fence.team
        # The team's module, loaded from the copy, holds the shop and the mailbox that its tools use.
        self._desk: Any = sys.modules[self._factory.__module__]
        self._mailbox = self._desk.mailbox()
        self.recorders: list[Recorder] = []

    def team(self, *, obedient: bool = False) -> TeamFactory:
        """The support desk, with a model that keeps what it is sent."""
        model = self.recorder("rehearsal.yaml", obedient=obedient)
        return lambda fence: self._factory(_Watched(fence, model))

    def bare_team(self) -> Any:
        """The same team with the obedient model and no Ringfence around it."""
        # Not among the recorders: what this model is sent is not masked, which is the point of it.
        return self._factory(_NoFence(Recorder.of(self.folder / "rehearsal.yaml", obedient=True)))

    def recorder(self, rules: str, *, obedient: bool = False) -> Recorder:
        """A recording model with the rules in a file of the example."""
        self.recorders.append(Recorder.of(self.folder / rules, obedient=obedient))
        return self.recorders[-1]

    def bounded(self, limits: Limits) -> Ringfence:
        """The same policy under other limits, for a team that has no tools."""
        policy = self.loaded.policy.model_copy(update={"limits": limits, "tools": {}})
        self._fences.append(Ringfence(replace(self.loaded, policy=policy)))
        return self._fences[-1]

    def without_rules(self) -> Ringfence:
        """A policy that allows every mail, and searches no text for attacks."""
        rules = {**self.loaded.policy.tools, "send_email": ToolRule(decision=Decision.ALLOW)}
        update = {"tools": rules, "injection": InjectionSettings(at=())}
        self._fences.append(
            Ringfence(replace(self.loaded, policy=self.loaded.policy.model_copy(update=update)))
        )
        return self._fences[-1]

    @property
    def mails(self) -> list[Any]:
        """What has arrived in the mailbox."""
        return list(self._mailbox.mails)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the shop's database says, asked past the team's own code."""
        with closing(sqlite3.connect(self.folder / "shop.sqlite")) as db:
            return db.execute(query).fetchall()

    def personal_data(self) -> set[str]:
        """The names, e-mail addresses and phone numbers of all customers, and each word of a name."""
        whole = {value for row in self.rows("SELECT name, email, phone FROM customers") for value in row}
        return whole | {word for row in self.rows("SELECT name FROM customers") for word in row[0].split()}

    def leaked(self, texts: Iterable[str]) -> set[str]:
        """Which of them occur in texts, in capitals or small letters, with or without the country code."""
        everything = "\n".join(texts)
        return {
            value
            for value in self.personal_data()
            if re.search(rf"(?<!\w){re.escape(_core(value))}(?!\w)", everything, re.IGNORECASE)
        }

    @property
    def audit_file(self) -> Path:
        """Where the evidence is written."""
        return self.folder / self.loaded.policy.audit.path

    def audit(self) -> list[dict[str, Any]]:
        """The lines of the audit file."""
        return [json.loads(line) for line in self.audit_file.read_text(encoding="utf-8").splitlines()]

    async def close(self) -> None:
        """Close what was opened."""
        for fence in self._fences:
            await fence.close()
        self._mailbox.__exit__(None, None, None)


class Claims:
    """Says of each claim whether it held, and why."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.count = 0
        self.broken = 0

    def check(self, holds: bool, claim: str, evidence: str = "") -> None:
        """Print a claim with its evidence, and remember when it did not hold."""
        self.count += 1
        self.broken += not holds
        row = Table.grid(padding=(0, 1, 0, 0))
        row.add_column(width=3, justify="right")
        row.add_column(overflow="fold")
        mark = Text("✓", "bold green") if holds else Text("✗", "bold red")
        row.add_row(mark, Text(harmless(claim), "" if holds else "bold red"))
        row.add_row("", Text(harmless(evidence), "dim"))
        self._console.print(row)


async def collect(
    conversation: Conversation[Event, TaskResult], task: str, events: list[Event]
) -> TaskResult:
    """Run a task, put its events into the list, and answer with its result."""
    result = TaskResult(messages=[])
    async for item in conversation.run_stream(task=task):
        if isinstance(item, TaskResult):
            result = item
        else:
            events.append(item)
    return result


def calls_in(event: Event) -> list[FunctionCall]:
    """The tool calls that an event asks for."""
    content = getattr(event, "content", None)
    return [one for one in content if isinstance(one, FunctionCall)] if isinstance(content, list) else []


def field_of(answer: str, name: str) -> str:
    """A field of a tool's JSON answer, with its name."""
    try:
        return f"{name} {json.loads(answer).get(name, '?')}"
    except ValueError:
        return f"{name} ?"


def results_of(events: Sequence[Event], tool: str) -> list[str]:
    """What a tool answered, as the events of a run show it to the user."""
    found: list[str] = []
    for event in events:
        content = getattr(event, "content", None)
        if isinstance(content, list):
            found += [
                one.content
                for one in content
                if getattr(one, "name", "") == tool and hasattr(one, "is_error")
            ]
    return found


def _core(value: str) -> str:
    country, _, number = value.partition(" ")
    return number if country.startswith("+") else value
