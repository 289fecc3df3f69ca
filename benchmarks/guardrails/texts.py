"""Passages of a kilobyte as they come in from outside, no two alike."""

import json
from collections.abc import Callable, Iterator
from random import Random

from benchmarks.pii.annotated import read_snippets
from benchmarks.pii.texts import TextMaker

SIZE = 1_024
"""Characters of a passage."""
_STATES = ("packed", "on its way", "delivered", "sent back", "waiting for payment")
_GOODS = ("kettle", "desk lamp", "garden hose", "set of screwdrivers", "rain jacket", "bread tin")


def chat_lines(seed: int) -> Iterator[str]:
    """Lines of a chat, in three of ten of which something personal stands."""
    maker = TextMaker(seed)
    while True:
        yield maker.text(SIZE + 1)[:SIZE]


def plain_snippets(seed: int) -> Iterator[str]:
    """Prose, code, logs and tables one after the other, in which nothing is personal."""
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    snippets = read_snippets()
    number = 0
    while True:
        text = ""
        while len(text) < SIZE:
            number += 1
            text += f"{number}. {random.choice(snippets)}\n\n"
        yield text[:SIZE]


def json_records(seed: int) -> Iterator[str]:
    """What a tool answers that looks up orders."""
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    while True:
        records = [
            {
                "order": random.randrange(1_000, 99_999),
                "item": random.choice(_GOODS),
                "price": round(random.uniform(3, 300), 2),
                "state": random.choice(_STATES),
                "ordered_on": f"2025-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}",
                "contact": f"buyer{random.randrange(10**6)}@example.com",
            }
            for _ in range(8)
        ]
        yield json.dumps({"orders": records})[:SIZE]


KINDS: dict[str, Callable[[int], Iterator[str]]] = {
    "chat lines": chat_lines,
    "plain snippets": plain_snippets,
    "JSON records": json_records,
}
"""What stands in the passages → makes them; the same ones for the same seed."""


def passages(kind: str, count: int, seed: int) -> list[str]:
    """So many different passages of one kind."""
    made = KINDS[kind](seed)
    kept: dict[str, None] = {}
    while len(kept) < count:
        kept[next(made)] = None
    return [*kept]
