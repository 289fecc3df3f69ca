"""Figures as plain tables."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a title and rows below their headings; the first column holds names, the others figures."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number and column else "left", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(highlight=False, markup=False, soft_wrap=False, width=120)
    console.print()
    console.print(Text(title, "bold"))
    console.print(table)


def share(value: float | None) -> str:
    """A figure from 0 to 1; nothing where there is none."""
    return "" if value is None else f"{value:.3f}"
