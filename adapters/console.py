"""Where the command line writes to, and its words for events, calls and costs."""

import json
from collections.abc import Mapping
from typing import Any

from autogen_core import FunctionCall
from autogen_core.models import FunctionExecutionResult
from rich.console import Console

from ringfence.agents.team_runner import Event
from ringfence.budgets.limits import Limits
from ringfence.budgets.usage import Usage

_UNLIMITED = 20_000
"""Columns of a pipe."""


def make_console(*, stderr: bool = False, most_columns: int | None = None) -> Console:
    """A console that takes text as it is; in a pipe it neither wraps nor cuts, so that scripts get it all.

    Args:
        stderr: Write there.
        most_columns: The width in a pipe, and the greatest on a terminal, of what no script reads.
    """
    plain: dict[str, Any] = {"stderr": stderr, "highlight": False, "markup": False, "emoji": False}
    console = Console(**plain)
    if most_columns is not None:
        return Console(
            **plain, width=min(console.width, most_columns) if console.is_terminal else most_columns
        )
    return console if console.is_terminal else Console(**plain, soft_wrap=True, width=_UNLIMITED)


def text_of(event: Event) -> str:
    """What an event says, in words; calls and results of tools as one line each."""
    match content := getattr(event, "content", None):
        case [FunctionCall(), *_]:
            return "\n".join(call_line(call.name, call.arguments) for call in content)
        case [FunctionExecutionResult(), *_]:
            return "\n".join(f"{result.name}: {result.content}" for result in content)
        case str():
            return content
    to_text = getattr(event, "to_text", None)
    return str(to_text()) if to_text else ""


def call_line(tool: str, arguments: str | Mapping[str, Any]) -> str:
    """A tool call as one would write it."""
    try:
        given = json.loads(arguments) if isinstance(arguments, str) else arguments
        inside = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in given.items())
    except (ValueError, TypeError, AttributeError):
        inside = str(arguments)
    return f"{tool}({inside})"


def usage_line(usage: Usage, limits: Limits) -> str:
    """Turns, tokens and US dollars, each beside its limit."""
    tokens = f"{usage.tokens:,}" + (f" of {limits.tokens:,}" if limits.tokens is not None else "")
    usd = f"${usage.usd:.4f}" + (f" of ${limits.usd:.2f}" if limits.usd is not None else "")
    turns = f"{usage.turns} turn" + ("" if usage.turns == 1 else "s")
    return f"{turns} · {tokens} tokens · {usd}"
