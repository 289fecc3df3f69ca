"""`ringfence tools try`: one call of a tool of the team through the real doors, run or not."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from ringfence.adapters.dry_run import DryRun, dry_run
from ringfence.adapters.dry_run_call import CallTrial, WantedCall, try_call
from ringfence.adapters.dry_run_team import TeamTools, tools_of
from ringfence.adapters.outcome import Exit
from ringfence.adapters.tool_facts import ToolFacts, facts_of
from ringfence.agents.tool_bench import ToolBench
from ringfence.agents.tool_outcome import Became, ToolOutcome
from ringfence.errors import Fault, PolicyError
from ringfence.guardrails.texts import parse_arguments
from ringfence.policy import load_policy

_EXITS = {
    Became.DONE: Exit.DONE,
    Became.REFUSED: Exit.BLOCKED,
    Became.WAITS: Exit.WAITING_FOR_APPROVAL,
    Became.FAILED: Exit.FAILED,
}


@dataclass(frozen=True, slots=True)
class WantedTry:
    """What is asked for on the command line."""

    tool: str
    arguments: Mapping[str, Any] = field(repr=False)
    agent: str = ""
    user: str = "user"
    said: tuple[str, ...] = ()
    """What the user said before."""
    read: tuple[str, ...] = ()
    """What untrusted tools gave back before."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of the call, and why."""

    facts: ToolFacts
    call: WantedCall
    asked: CallTrial
    """What each guardrail said."""
    outcome: ToolOutcome
    has_run: bool = False
    """The tool itself was called, where the gate let it."""

    @property
    def exit(self) -> Exit:
        """For scripts."""
        return _EXITS[self.outcome.became]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        outcome = self.outcome
        request = outcome.request
        return {
            "status": self.exit.word,
            "tool": self.facts.as_dict(),
            "agent": self.call.agent,
            "run": self.has_run,
            "outcome": outcome.became.value if self.has_run or not outcome.done else "would_run",
            "reason": outcome.reason or None,
            "seen_arguments": outcome.seen,
            "real_arguments": real_arguments(self),
            "idempotency_key": outcome.idempotency_key,
            "guardrails": [one.as_dict() for one in self.asked.asked],
            "evidence": [*outcome.evidence],
            "approval": None if request is None else request.deciders.as_dict(),
            "attempts": outcome.attempts if self.has_run else 0,
            "model_hears": outcome.text if self.has_run or not outcome.done else None,
        }


def real_arguments(tried: Tried) -> Mapping[str, Any] | None:
    """As the tool gets them, or as the person who decides sees them."""
    outcome = tried.outcome
    return outcome.arguments if outcome.request is None else outcome.request.real_arguments


async def list_tools(file: Path) -> list[ToolFacts]:
    """The tools of the team that the policy file names.

    Raises:
        PolicyError: The policy or its team has faults; all of them are listed.
    """
    async with dry_run(file) as run:
        return [*facts_of(run.policy, await _team_tools(run))]


async def try_tool(file: Path, wanted: WantedTry, *, approved_by: str | None = None) -> Tried:
    """Take a call through the doors; the tool is run only when somebody is named who stands in for it.

    Raises:
        PolicyError: The policy or its team has faults; all of them are listed.
        GuardrailTripped: What the user said does not pass.
        typer.BadParameter: The team has no such tool, or no such agent has it.
    """
    async with dry_run(file) as run:
        tools = await _team_tools(run)
        if wanted.tool in tools.handoffs:
            said = (
                "is a handoff, which runs no tool; `ringfence policy explain --tool` tells what becomes of it"
            )
            raise typer.BadParameter(f"{wanted.tool} {said}", param_hint="TOOL")
        if missing := tools.missing(wanted.tool):
            raise typer.BadParameter(missing, param_hint="TOOL")
        facts = next(one for one in facts_of(run.policy, tools) if one.name == wanted.tool)
        call = WantedCall(wanted.tool, wanted.arguments, _agent(wanted, facts))
        asked = await try_call(run, tools, call)
        bench = ToolBench(
            load_policy(file),
            tools=tools.workbenches[wanted.tool],
            user=wanted.user,
            agent=call.agent,
            dry_run=approved_by is None,
        )
        async with bench:
            for text in wanted.said:
                bench.user_said(text)
            for text in wanted.read:
                bench.tool_said(text)
            outcome = await bench.call_with(wanted.tool, wanted.arguments, approved_by=approved_by or ())
        return Tried(facts, call, asked, outcome, has_run=approved_by is not None)


def arguments_of(text: str) -> Mapping[str, Any]:
    """The arguments that are written on a command line or in a file.

    Raises:
        typer.BadParameter: They are not one plain JSON object; it says where they stop being one.
    """
    try:
        read = json.loads(text)
    except ValueError as error:
        place = (
            f"line {error.lineno}, column {error.colno}: " if isinstance(error, json.JSONDecodeError) else ""
        )
        what = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
        raise typer.BadParameter(f"{place}this is no JSON: {what}", param_hint="--args") from None
    except RecursionError:
        raise typer.BadParameter("this is nested too deeply", param_hint="--args") from None
    arguments = parse_arguments(text)
    if arguments is None:
        is_object = "a key stands in it twice, or a value that JSON does not have"
        why = is_object if isinstance(read, dict) else f"it is {_KINDS.get(type(read), 'null')}"
        raise typer.BadParameter(f"this is not one plain JSON object: {why}", param_hint="--args")
    return arguments


_KINDS = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "true or false"}


async def _team_tools(run: DryRun) -> TeamTools:
    if run.policy.team is None:
        raise PolicyError([Fault("name a team factory, such as team.py:support_team", where="team")])
    return await tools_of(run)


def _agent(wanted: WantedTry, facts: ToolFacts) -> str:
    if not wanted.agent:
        return facts.agents[0] if facts.agents else "agent"
    if wanted.agent not in facts.agents:
        there = ", ".join(facts.agents) or "nobody"
        raise typer.BadParameter(
            f"this agent does not have {facts.name}; {there} has it", param_hint="--agent"
        )
    return wanted.agent
