"""How soon a user sees what a model writes, and what showing it piece by piece costs.

    python benchmarks/streaming.py [--texts 120] [--pause-ms 2]

A stand-in writes each text word by word: a rehearsal model, no language model. Real ones pause longer between
two words, so whatever is seen within the stand-in's pause would be seen within theirs. A figure that misses
its aim says so, and is no error.
"""

import argparse
import asyncio
import gc
import logging
import os
from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import mean, median
from time import process_time
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import ModelClientStreamingChunkEvent, TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.models import ChatCompletionClient, CreateResult

from benchmarks.guardrails.measuring import Aim, Times
from benchmarks.pii.tables import print_table
from ringfence import Fence, Policy, Ringfence
from ringfence.agents.rehearsal import RehearsalModel
from ringfence.guardrails.pii import PiiSettings

FIRST = Aim(1, "sentence")
"""Sentences that the model has finished when the first text is seen."""
POLICIES = {"default policy, with names": "basic", "default policy, patterns only": "patterns"}
_WARM_UP = 6
_ROUNDS = 3
_TOKENS = 8_000
_FEWEST, _MOST = 3, 12
"""Sentences of a text."""
_OF_KIND = 0.7
"""How many of them are of the text's kind; the rest is plain."""
_COST_TEXTS = 40

_PEOPLE = ("Katarzyna Nowak", "Tom Becker", "Aisha Rahman", "Luis Ortega", "Ingrid Solberg", "Mr Delgado")
_CITIES = ("Oslo", "Porto", "Leipzig", "Toronto", "Kraków", "Nairobi")
_PLAIN = (
    "The parcel of order {n} has left the depot and should be there in two days.",
    "I have looked into it, and the second attempt went through.",
    "Please keep the shorter draft where both say the same!",
    "Shall I send the totals of sheet {n} as well?",
    "There is nothing to add from my side, so let us go on.",
    "The cache was cold, so the first request was a slow one.",
    "Item {n} waits for a reply.",
)
_SENTENCES = {
    "plain": _PLAIN,
    "names": (
        "{person} has asked for a refund of order {n}.",
        "It was sent to {city}.",
        "Yesterday it was signed for by {person}.",
        "{person} and {person} will meet in {city} next week.",
        "Please tell {person}!",
    ),
    "addresses": (
        "Write to buyer{n}@example.com for the receipt.",
        "The new address is {n} Harbour Street, {city}.",
        "The form is at https://shop.example.com/returns/{n}?step=2.",
        "The request came from 203.0.113.{small}.",
        "A copy went to office.{n}@example.org.",
    ),
    "numbers": (
        "Call +1 212-555-{n} between 9.30 and 17.00.",
        "That makes 1,{small}.50 euros, or 3.{small} percent more than in 2024.",
        "The card 4111 1111 1111 1111 was charged on 2025-03-{day}.",
        "The account is DE89 3704 0044 0532 0130 00.",
        "Version 2.{day}.1 has {n} rows.",
    ),
    "code": (
        "Run `make bench-{n}` first.",
        "```python\ntotal = price * {n}\nprint(total)\n```",
        "The call `refund(order={n})` gives a receipt back.",
        "```\nGET /orders/{n}\n200 OK\n```",
    ),
    "German": (
        "Die Lieferung {n} hat das Lager verlassen und kommt in zwei Tagen an.",
        "Frau {person} hat um eine Rückzahlung gebeten.",
        "Bitte die Unterlagen nach {city} schicken!",
        "Können wir das am {day}.03. um 9.30 Uhr besprechen?",
        "Der zweite Versuch war erfolgreich.",
    ),
}
"""Kind of text → its sentences, between which plain ones stand."""


@dataclass(frozen=True, slots=True)
class Written:
    """A text, and where each of its sentences ends."""

    kind: str
    text: str
    ends: tuple[int, ...]

    def finished(self, characters: int) -> int:
        """How many sentences stand in so many of its first characters."""
        return bisect_right(self.ends, characters)


@dataclass(slots=True)
class Progress:
    """How much of a text was written, and how much of it was seen."""

    produced: int = 0
    seen: int = 0
    first: int | None = None
    """Characters that were written when the first text was seen."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What became of one text."""

    written: Written
    first: int | None
    held: float
    """Characters that were written and not seen yet, on average over the words."""
    pieces: str
    final: str
    whole: str
    """The final message of the run that is not streamed."""

    @property
    def finished(self) -> int:
        """Sentences that were finished when the first text was seen; all, if nothing came before the end."""
        return len(self.written.ends) if self.first is None else self.written.finished(self.first)

    @property
    def is_alike(self) -> bool:
        """Whether the pieces, the final message and that of the other run are one text."""
        return self.pieces == self.final == self.whole


class WordByWord(RehearsalModel):
    """A stand-in for a language model: it writes one text, a word after the other."""

    def __init__(self, text: str, *, progress: Progress | None = None, pause: float = 0.0) -> None:
        super().__init__([{"say": text}])
        self._pause = pause
        self._progress = progress or Progress()
        self.held: list[int] = []
        """What was written and not seen, before each word and at the end."""

    async def create_stream(self, *args: Any, **options: Any) -> AsyncGenerator[str | CreateResult, None]:
        """The words, with a pause behind each."""
        async for item in super().create_stream(*args, **options):
            if isinstance(item, str):
                self._progress.produced += len(item)
            yield item
            # In which everybody else may work, as while a provider thinks of the next word.
            await asyncio.sleep(self._pause)
            self.held.append(self._progress.produced - self._progress.seen)


def texts(count: int, seed: int) -> list[Written]:
    """So many different texts, of each kind in turn; the same ones for the same seed."""
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    kinds = [*_SENTENCES]
    return [_text(kinds[number % len(kinds)], random) for number in range(count)]


def _text(kind: str, random: Random) -> Written:
    text, ends = "", []
    for _ in range(random.randint(_FEWEST, _MOST)):
        template = random.choice(_SENTENCES[kind] if random.random() < _OF_KIND else _PLAIN)
        sentence = template
        while "{person}" in sentence:
            sentence = sentence.replace("{person}", random.choice(_PEOPLE), 1)
        fields = {
            "n": random.randrange(1_000, 10_000),
            "small": random.randrange(100, 200),
            "day": random.randrange(10, 29),
            "city": random.choice(_CITIES),
        }
        block = "```" in template
        text += ("\n\n" if block or text.endswith("```") else " ") if text else ""
        text += sentence.format(**fields)
        ends.append(len(text))
    return Written(kind, text, tuple(ends))


def ringfence_of(detection: str) -> Ringfence:
    """The default policy with another way to find names; it remembers no text."""
    return Ringfence(Policy(pii=PiiSettings(detection=detection), prices={RehearsalModel.model: "free"}))


def team(
    model: ChatCompletionClient,
    wrap: Callable[[ChatCompletionClient], ChatCompletionClient],
    *,
    streams: bool,
) -> RoundRobinGroupChat:
    """One agent that says what the model writes."""
    agent = AssistantAgent("desk", wrap(model), model_client_stream=streams)
    return RoundRobinGroupChat([agent], max_turns=1)


def fenced_team(model: ChatCompletionClient, *, streams: bool) -> Callable[[Fence], RoundRobinGroupChat]:
    """The same team behind the fence."""

    def factory(fence: Fence) -> RoundRobinGroupChat:
        return team(model, lambda bare: fence.model_client(bare, max_output_tokens=_TOKENS), streams=streams)

    return factory


async def show(ringfence: Ringfence, written: Written, *, pause: float) -> Shown:
    """Take one text to the user in pieces, and once more as a whole."""
    progress = Progress()
    model = WordByWord(written.text, progress=progress, pause=pause)
    pieces, final = "", ""
    async for item in ringfence.conversation(fenced_team(model, streams=True)).run_stream(task="Go."):
        match item:
            case ModelClientStreamingChunkEvent():
                progress.first = progress.produced if progress.first is None else progress.first
                pieces += item.content
                progress.seen = len(pieces)
            case TextMessage(source="desk"):
                final = item.content
    whole = await ringfence.conversation(fenced_team(WordByWord(written.text), streams=False)).run(task="Go.")
    said = whole.messages[-1].to_text()
    return Shown(written, progress.first, mean(model.held), pieces, final, said)


async def measure_showing(count: int, pause: float) -> None:
    """Print when the first text is seen, how much is held back, and whether all ways say the same."""
    for words, detection in POLICIES.items():
        ringfence = ringfence_of(detection)
        for written in texts(_WARM_UP, 1):
            await show(ringfence, written, pause=0)
        shown = [await show(ringfence, written, pause=pause) for written in texts(count, 2)]
        await ringfence.close()
        kinds = list(dict.fromkeys(one.written.kind for one in shown))
        groups = {kind: [one for one in shown if one.written.kind == kind] for kind in kinds}
        print_table(
            f"{words}: when the first text is seen, and what is held back ({count} texts)",
            ("texts", "written at first sight, p50", "p95", "worst", "held back, mean", "in time", "alike"),
            [_showing_row(kind, some) for kind, some in {**groups, "all": shown}.items()],
        )
        print("  Characters; in time: the model had not finished its second sentence.")
        spread = Counter(one.finished for one in shown)
        told = ", ".join(f"{finished}: {spread[finished]}" for finished in sorted(spread))
        print(f"  Sentences finished at first sight, and in how many texts: {told}")
        worst = max(one.finished for one in shown)
        late = sum(not _in_time(one) for one in shown)
        print(f"  {FIRST.words(worst)} (worst: {worst}; {late} of {count} texts are late)")
        alike = sum(one.is_alike for one in shown)
        print(
            f"  Pieces, final message and the run without streaming are the same text: {alike} of {count}: "
            f"{'reached' if alike == count else 'missed'}"
        )
        kept = sum(one.final == one.written.text for one in shown)
        print(f"  The user reads what the model wrote: {kept} of {count}")


def _in_time(shown: Shown) -> bool:
    return shown.finished <= FIRST.most


def _showing_row(kind: str, shown: Sequence[Shown]) -> tuple[str, ...]:
    firsts = [len(one.written.text) if one.first is None else one.first for one in shown]
    times = Times(tuple(map(float, firsts)))
    return (
        kind,
        f"{times.p50:.0f}",
        f"{times.p95:.0f}",
        f"{max(firsts)}",
        f"{mean(one.held for one in shown):.0f}",
        f"{sum(map(_in_time, shown)) / len(shown):.0%}",
        f"{sum(one.is_alike for one in shown)}/{len(shown)}",
    )


async def measure_cost(count: int) -> None:
    """Print the CPU time of a character, streamed and not, with AutoGen alone and behind each policy."""
    rows: list[tuple[str, ...]] = []
    for words, detection in {"AutoGen alone": None, **POLICIES}.items():
        spent: dict[bool, list[float]] = {False: [], True: []}
        for number in range(_ROUNDS + 1):
            written = texts(count, 10 + number)
            for streams in (False, True):
                seconds = await _seconds(written, detection, streams=streams)
                if number:
                    spent[streams].append(seconds / sum(len(one.text) for one in written))
        whole, streamed = (1e6 * median(spent[streams]) for streams in (False, True))
        rows.append((words, f"{whole:.2f}", f"{streamed:.2f}", f"{streamed / whole:.2f}"))
    print_table(
        f"CPU µs a character, whole runs with a new team each, median of {_ROUNDS} × {count} texts",
        ("what", "not streamed", "streamed", "ratio"),
        rows,
    )


async def _seconds(written: Sequence[Written], detection: str | None, *, streams: bool) -> float:
    # Anew, because a finder remembers texts.
    ringfence = None if detection is None else ringfence_of(detection)
    gc.collect()
    started = process_time()
    for one in written:
        model = WordByWord(one.text)
        if ringfence is None:
            items: Any = team(model, lambda bare: bare, streams=streams).run_stream(task="Go.")
        else:
            items = ringfence.conversation(fenced_team(model, streams=streams)).run_stream(task="Go.")
        async for _ in items:
            pass
    seconds = process_time() - started
    if ringfence is not None:
        await ringfence.close()
    return seconds


async def measure(count: int, pause: float) -> None:
    """Measure both."""
    print(f"A stand-in for a language model writes word by word, one every {1000 * pause:g} ms.")
    await measure_showing(count, pause)
    await measure_cost(min(count, _COST_TEXTS))


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description="How soon a user sees what a model writes")
    parser.add_argument("--texts", type=int, default=120)
    parser.add_argument("--pause-ms", type=float, default=2.0, help="between two words")
    arguments = parser.parse_args()
    if arguments.texts < 1:
        parser.error("--texts must be at least 1")
    logging.disable(logging.CRITICAL)
    asyncio.run(measure(arguments.texts, arguments.pause_ms / 1000))


if __name__ == "__main__":
    # CPU time of one thread; read when numpy is imported, which is on first use.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    main()
