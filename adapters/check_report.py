"""What a check found, for a person to read."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ringfence.adapters.chat import tier_words
from ringfence.adapters.check import Checked
from ringfence.adapters.harmless import harmless, one_line
from ringfence.errors import Fault
from ringfence.guardrails.decision import Decision
from ringfence.guardrails.guardrail_use import Mode
from ringfence.guardrails.presidio import PiiFinder
from ringfence.guardrails.tool_policy import undescribed_advice
from ringfence.policy import Policy

T = TypeVar("T")

_DECISIONS = {
    Decision.ALLOW: "runs",
    Decision.APPROVE: "a person approves each call",
    Decision.DENY: "never runs",
}


def print_faults(console: Console, faults: tuple[Fault, ...]) -> None:
    """Every fault, a line each, in the form that editors make clickable."""
    for fault in faults:
        console.print(Text(harmless(str(fault))))
    console.print(Text(f"{len(faults)} fault{'s' if len(faults) != 1 else ''}", "bold red"))


def print_fenced(console: Console, checked: Checked) -> None:
    """What stands behind the fence."""
    if checked.policy is None:
        return
    console.print(Text.assemble(("✓ ", "bold green"), one_line(checked.file), " is sound"))
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column()
    table.add_column(style="dim", overflow="fold")
    for section, name, words in _rows(checked, checked.policy):
        table.add_row(Text(section), Text(one_line(name)), Text(one_line(words)))
    console.print(table)


def _rows(checked: Checked, policy: Policy) -> Iterator[tuple[str, str, str]]:
    if policy.team is None:
        yield "team", "none named", "so only the policy was checked; code hands a team in itself"
    else:
        yield "team", policy.team, "every model and tool of it is behind the fence"
        yield "agents", ", ".join(checked.agents), ""
    for title, (name, spec, decision) in _titled("tools", checked.tools):
        kind = "consequential" if spec.consequential else "read-only"
        follows = f"{kind}, {_DECISIONS[decision]}"
        is_described = spec.described or spec.composite
        never = f"nobody described it, so it never runs; {undescribed_advice(name)}"
        yield title, name, follows if is_described else never
    for title, (tier, model) in _titled("models", policy.models.items()):
        yield title, tier, tier_words(model)
    yield "personal data", "detection", policy.pii.detection
    for entity, rule in PiiFinder(policy.pii).rules.items():
        yield "", entity, rule.action.value
    for title, use in _titled("guardrails", policy.guardrails):
        shadow = "; in shadow mode" if use.mode is Mode.SHADOW else ""
        yield title, use.known_as, f"at {', '.join(use.at)}; on a no: {use.on_fail.value}{shadow}"
    scanned = policy.injection
    where = (
        f"at {', '.join(scanned.at)}; on a sign: {scanned.on_find.value}" if scanned.at else "not looked for"
    )
    shadow = "; in shadow mode" if scanned.mode is Mode.SHADOW else ""
    yield "injection", f"risk from {scanned.threshold:g}", where + shadow
    for title, (limit, value) in _titled("limits", policy.limits.model_dump().items()):
        yield title, limit, "none" if value is None else f"{value:,}"


def _titled(title: str, items: Iterable[T]) -> Iterator[tuple[str, T]]:
    """The items, the first of them with the title."""
    for index, item in enumerate(items):
        yield ("" if index else title), item
