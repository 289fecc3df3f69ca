"""The tools of a team, and what became of a call of one of them, for a person to read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from ringfence.adapters.console import call_line
from ringfence.adapters.harmless import one_line
from ringfence.adapters.policy_explain_report import Row, guardrail_rows, print_rows
from ringfence.adapters.tool_facts import ToolFacts
from ringfence.adapters.tool_try import Tried, real_arguments
from ringfence.agents.tool_outcome import Became
from ringfence.guardrails.tool_policy import undescribed_advice

_NOBODY = "nobody described it, so no call of it runs; {}"
_OUTCOMES = {
    Became.DONE: ("done", "bold green"),
    Became.REFUSED: ("refused", "bold red"),
    Became.WAITS: ("waits", "bold yellow"),
    Became.FAILED: ("failed", "bold red"),
}
_MEANINGS = {
    Became.DONE: "the tool ran",
    Became.REFUSED: "the tool does not run",
    Became.WAITS: "a person has to decide first",
    Became.FAILED: "the tool was tried",
}
_WOULD_RUN = ("would run", "bold green")


def print_tools(console: Console, tools: Sequence[ToolFacts]) -> None:
    """Each tool with what it is and what the policy says of it."""
    for number, facts in enumerate(tools):
        if number:
            console.print()
        console.print(Text(one_line(facts.name), "bold"))
        print_rows(console, _facts_rows(facts))
    if not tools:
        console.print(Text("The team has no tools.", "dim"))


def print_tried(console: Console, tried: Tried) -> None:
    """What would become of the call, or did, and why."""
    outcome = tried.outcome
    word, style = _OUTCOMES[outcome.became]
    if outcome.done and not tried.has_run:
        word, style = _WOULD_RUN
    line = one_line(call_line(tried.facts.name, tried.call.arguments), most=200)
    console.print(Text.assemble((word, style), f"  {line}"))
    print_rows(console, _tried_rows(tried))


def _facts_rows(facts: ToolFacts) -> Iterator[Row]:
    spec, nobody = facts.spec, _NOBODY.format(undescribed_advice(facts.name))
    yield "is", ", ".join(facts.effects), ""
    yield "described by", facts.described_by or "nobody", "" if facts.described_by else nobody
    yield "called by", ", ".join(facts.agents) or "nobody", ""
    rule = f"tools.{facts.rule}" if facts.rule else "no rule of its own"
    yield "policy", rule, f"autonomy {facts.autonomy}"
    for name, said in facts.terms.items():
        yield "policy", name, _said(said)
    for name, said in facts.arguments.items():
        yield "arguments", name, _said(said)
    for name, types in spec.reveals.items():
        yield "reveals", name, ", ".join(types)
    for what, argument in (("idempotency key", spec.idempotency_key), ("transaction", spec.transaction)):
        if argument is not None:
            yield "filled in", argument, what
    for name in spec.free_text:
        yield "free text", name, ""
    yield "delivery", f"{facts.timeout_seconds:g} s at most", ""


def _tried_rows(tried: Tried) -> Iterator[Row]:
    facts, outcome = tried.facts, tried.outcome
    yield "tool", ", ".join(facts.effects), f"described by {facts.described_by or 'nobody'}"
    rule = f"tools.{facts.rule}" if facts.rule else "no rule of its own"
    yield "tool", rule, f"autonomy {facts.autonomy}, {facts.timeout_seconds:g} s at most"
    for name, said in facts.terms.items():
        yield "tool", name, _said(said)
    if outcome.seen is not None:
        yield "arguments", "agents see", call_line(facts.name, outcome.seen)
    if (real := real_arguments(tried)) is not None:
        yield "arguments", "the tool gets", call_line(facts.name, real)
    if outcome.idempotency_key is not None:
        yield "arguments", f"{facts.spec.idempotency_key}", "a key of its own for each call"
    yield from guardrail_rows(tried.asked.asked)
    for line in outcome.evidence:
        yield "values", "from", line
    yield from _outcome_rows(tried)


def _outcome_rows(tried: Tried) -> Iterator[Row]:
    outcome = tried.outcome
    if outcome.done and not tried.has_run:
        yield "outcome", _WOULD_RUN[0], "nobody is asked; it was not run"
        return
    meaning = _MEANINGS[outcome.became]
    reason = "" if outcome.reason == outcome.text else outcome.reason
    yield "outcome", _OUTCOMES[outcome.became][0], f"{meaning}{': ' + reason if reason else ''}"
    if outcome.request is not None:
        yield "outcome", "may decide", str(outcome.request.deciders)
    if tried.has_run:
        tries = "once" if outcome.attempts == 1 else f"{outcome.attempts} times"
        yield "outcome", "was tried", f"{tries}; the journal and the audit log know nothing of it"
    yield "outcome", "the model hears", outcome.text


def _said(value: Any) -> str:
    """A value of the policy as one would write it in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_said(one)}" for name, one in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
