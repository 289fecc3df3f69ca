"""`ringfence policy explain`: what a policy would do with a text or a call."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from ringfence.adapters.dry_run import dry_run
from ringfence.adapters.dry_run_call import CallTrial, WantedCall, try_call
from ringfence.adapters.dry_run_team import tools_of
from ringfence.adapters.dry_run_text import TextTrial, passage_at, try_text
from ringfence.guardrails.passages import Point
from ringfence.guardrails.texts import parse_arguments

_TOOL_POINTS = {Point.MESSAGE, Point.TOOL_CALL, Point.TOOL_RESULT}


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked for on the command line."""

    text: str | None
    at: Point
    agent: str
    tool: str
    argument: str
    arguments: str | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """What would happen, and why."""

    file: str
    threshold: float
    """The risk from which on signs of an attack count."""
    text: TextTrial | None
    calls: tuple[CallTrial, CallTrial] | None
    """The call as it is, and once something looks like an attack."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        facts: dict[str, Any] = {"status": "done", "file": self.file}
        if self.text is not None:
            facts["text"] = self.text.as_dict()
        if self.calls is not None:
            calm, suspected = self.calls
            facts["call"] = calm.as_dict() | {"outcome_when_suspected": suspected.outcome.as_dict()}
        return facts


async def explain(file: Path, asking: Asking, *, ask_models: bool = False) -> Explained:
    """Try a text, a call, or both.

    Raises:
        PolicyError: The policy or its team has faults; all of them are listed.
        typer.BadParameter: What is asked for makes no sense.
    """
    arguments = _checked(asking)
    async with dry_run(file, ask_models=ask_models) as run:
        text = calls = None
        tools = await tools_of(run) if asking.tool else None
        if tools is not None and (missing := tools.missing(asking.tool)):
            raise typer.BadParameter(missing, param_hint="--tool")
        if asking.text is not None:
            passage = passage_at(
                asking.at,
                asking.text,
                agent=asking.agent,
                tool=asking.tool,
                argument=asking.argument,
                sources=asking.sources,
            )
            text = await try_text(run, passage)
        if arguments is not None and tools is not None:
            call = WantedCall(asking.tool, arguments, asking.agent)
            calls = (await try_call(run, tools, call), await try_call(run, tools, call, suspected=True))
        return Explained(str(file), run.policy.injection.threshold, text, calls)


def _checked(asking: Asking) -> Mapping[str, Any] | None:
    """The arguments of the call that is asked for."""
    if asking.text is None and asking.arguments is None:
        raise typer.BadParameter("give --text, or --tool and its --arguments")
    if asking.arguments is not None and not asking.tool:
        raise typer.BadParameter("--arguments are those of a --tool")
    if asking.argument and asking.at not in {Point.MESSAGE, Point.TOOL_CALL}:
        raise typer.BadParameter(f"there is no argument at {asking.at}", param_hint="--argument")
    if asking.tool and asking.arguments is None and asking.at not in _TOOL_POINTS:
        raise typer.BadParameter(f"there is no tool at {asking.at}; say --at tool_call or --at tool_result")
    if asking.arguments is None:
        return None
    arguments = parse_arguments(asking.arguments)
    if arguments is None:
        raise typer.BadParameter("this is not one plain JSON object", param_hint="--arguments")
    return arguments
