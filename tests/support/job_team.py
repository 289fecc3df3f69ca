"""A team for jobs in a folder of its own: its tool waits for a file, so that a test says when it goes on."""

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import yaml
from databases import KEYS
from small_team import small_team

from ringfence import Ringfence

TEAM = '''
import asyncio
from pathlib import Path

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.teams import RoundRobinGroupChat

from ringfence import tool

FOLDER = Path(__file__).parent


@tool(consequential=False)
async def wait(gate: str) -> str:
    """Wait until the gate is open."""
    with (FOLDER / "effects").open("a") as effects:
        effects.write(f"begin {gate}\\n")
    while not (FOLDER / gate).exists():
        await asyncio.sleep(0.01)
    with (FOLDER / "effects").open("a") as effects:
        effects.write(f"end {gate}\\n")
    return f"went through {gate}"


@tool(consequential=False)
async def hold(gate: str) -> str:
    """Wait once more."""
    return await wait(gate)


@tool(consequential=True)
def pay(amount: str) -> str:
    """Pay an amount."""
    with (FOLDER / "effects").open("a") as effects:
        effects.write(f"paid {amount}\\n")
    return f"paid {amount}"


@tool(consequential=True, reveals={"to": ["EMAIL_ADDRESS"]})
def mail(to: str) -> str:
    """Write a mail."""
    return f"sent to {to}"


def team(fence):
    clerk = AssistantAgent(
        "clerk",
        fence.model_client("clerk"),
        workbench=fence.workbench([wait, hold, pay, mail]),
        system_message="You are the clerk.",
        max_tool_iterations=4,
    )
    done = TextMentionTermination("DONE", sources=["clerk"])
    return RoundRobinGroupChat([clerk], termination_condition=done)


def other(fence):
    return team(fence)
'''

RULES = r"""
roles:
  - rules:
      - when: {user: '\bwait for (?P<gate>\w+)', not_called: wait}
        call: [{tool: wait, arguments: {gate: '{gate}'}}]
      - when: {user: '\bhold (?P<gate>\w+)', not_called: hold}
        call: [{tool: hold, arguments: {gate: '{gate}'}}]
      - when: {user: '\bpay (?P<amount>\d+)', not_called: pay}
        call: [{tool: pay, arguments: {amount: '{amount}'}}]
      - when: {user: '\bmail (?P<who><EMAIL_ADDRESS_\d+>)', not_called: mail}
        call: [{tool: mail, arguments: {to: '{who}'}}]
      - when: {user: '\bfor ever\b'}
        say: And another thing.
      - when: {user: .}
        say: 'Said: {last}. DONE'
"""

POLICY = """
version: 1
team: team.py:team
models:
  clerk: {provider: rehearsal, rules: rules.yaml, max_output_tokens: 60}
pii:
  entities: {EMAIL_ADDRESS: pseudonymize, US_SSN: block}
prices: {scripted: free}
limits: {turns: 3}
"""

WAIT_SECONDS = 30
"""How long a test waits for something that has to happen."""


class JobTeam:
    """The folder of a policy, its team, and what its tools did."""

    def __init__(self, folder: Path, store_url: str, *, lease_seconds: float = 30, **jobs: Any) -> None:
        sections = yaml.safe_load(POLICY)
        sections["store"] = {"url": store_url, "lease_seconds": lease_seconds, "upgrade": True}
        sections["jobs"] = {"backoff_seconds": 0.01, "grace_seconds": 0} | jobs
        text = yaml.safe_dump(sections)
        self.folder = folder
        self.policy = small_team(folder, policy=text, team=TEAM, rules=RULES)

    def ringfence(self) -> Ringfence:
        """As one process would set it up."""
        return Ringfence.from_file(self.policy, keys=KEYS)

    def open(self, gate: str) -> None:
        """Let the tool go on that waits for this gate."""
        (self.folder / gate).touch()

    @property
    def effects(self) -> list[str]:
        """What the tools did, in order."""
        path = self.folder / "effects"
        return path.read_text().splitlines() if path.exists() else []

    async def until(self, *effects: str) -> None:
        """Wait until the tools have done all this."""
        async with asyncio.timeout(WAIT_SECONDS):
            while Counter(effects) - Counter(self.effects):  # noqa: ASYNC110 - another process writes them
                await asyncio.sleep(0.01)

    def worker(self, *options: str, environment: dict[str, str]) -> "subprocess.Popen[str]":
        """Start `ringfence worker` in a process of its own."""
        return self.command("worker", self.policy, *options, environment=environment)

    def command(self, *arguments: object, environment: dict[str, str]) -> "subprocess.Popen[str]":
        """Start `ringfence` in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "ringfence", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
