"""What came of the cases of a policy, for a person to read."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ringfence.adapters.harmless import harmless, one_line
from ringfence.adapters.policy_case_runs import CasesRun


def print_cases(console: Console, done: CasesRun) -> None:
    """A line for each case, why those that fail do, and how many there are of each."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(style="bold", overflow="fold")
    table.add_column()
    table.add_column()
    table.add_column(style="dim", overflow="fold")
    table.add_row(*(Text(word, "dim") for word in ("", "case", "expected", "got", "by")))
    for one in done.tried:
        mark, style = ("✓", "bold green") if one.passed else ("✗", "bold red")
        table.add_row(
            Text(mark, style),
            Text(one_line(one.case.name)),
            Text(one.case.expect.value),
            Text(one.got.value, "" if one.got is one.case.expect else "red"),
            Text(one_line(", ".join(one.trial.outcome.by))),
        )
    console.print(table)
    for one in done.tried:
        for why in one.why:
            console.print(Text.assemble(("✗ ", "bold red"), f"{one_line(one.case.name)}: {harmless(why)}"))
    passed = len(done.tried) - done.failed
    console.print(
        Text(f"{passed} passed, {done.failed} failed", "bold red" if done.failed else "bold green"),
        Text(f"by {one_line(done.policy)}", "dim"),
    )
