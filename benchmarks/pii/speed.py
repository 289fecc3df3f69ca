"""How fast texts are analysed, beside Presidio's plain engine in the same run; CPU time, no text twice."""

import asyncio
import gc
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import linear_regression, median
from time import process_time
from typing import NamedTuple

from benchmarks.pii.finders import PlainEngine
from benchmarks.pii.tables import print_table
from benchmarks.pii.texts import TextMaker
from ringfence.guardrails.pii import PiiSettings
from ringfence.guardrails.presidio import PiiFinder

SIZES = {200: 60, 1_000: 24, 8_000: 6, 64_000: 2}
"""Characters of a text → how many texts of this size."""
LEAST_RATIO = 3.0
LEAST_CHAT_RATIO = 20.0
CHAT_TURNS = 40
TURNS = (10, 20, 40, 80, 160, 320)
MOST_PLAIN_TURNS = 80
"""What the plain engine takes grows with the square of the turns."""
MOST_EXPONENT = 1.15
"""1 is linear, 2 quadratic; a little is left for noise."""
_AGENTS = ("Planner", "Researcher", "Writer")
_ROUNDS = 5
_WARM_UP = 20_000
_COLUMNS = ("what", "Ringfence", "plain", "ratio", "asked for", "", "the plain engine")

Row = tuple[str, ...]


class Growth(NamedTuple):
    """How CPU time grows with the turns of a chat."""

    exponent: float
    seconds_per_turn: float
    r_squared: float


def measure_speed(picture: Path | None) -> None:
    """Print the speed for each size and for a chat, and draw how a chat's cost grows."""
    engines = {
        "Presidio, our recognizers": PlainEngine(PiiSettings(), stock=False),
        "Presidio, its own": PlainEngine(PiiSettings(), stock=True),
    }
    # What loads on first use is no part of it.
    first = [TextMaker(0).text(_WARM_UP)]
    _our_seconds(first)
    for engine in engines.values():
        _plain_seconds(engine, first)
    _measure_sizes(engines)
    _measure_chat(engines)
    _measure_growth(engines, picture)


def prompts(turns: int, maker: TextMaker) -> list[list[str]]:
    """The texts of each model call of a group chat: at each turn one agent, who is sent all that was said."""
    said = [maker.line()]
    calls: list[list[str]] = []
    for turn in range(turns):
        agent = _AGENTS[turn % len(_AGENTS)]
        calls.append([f"You are the {agent} of a support team.", *said])
        said.append(maker.line())
    return calls


def growth(turns: Sequence[int], seconds: Sequence[float]) -> Growth:
    """The exponent of turns in the seconds, and the straight line through them."""
    logs = linear_regression([math.log(one) for one in turns], [math.log(one) for one in seconds])
    line = linear_regression(turns, seconds)
    fitted = [line.intercept + line.slope * one for one in turns]
    mean = sum(seconds) / len(seconds)
    off = sum((real - fit) ** 2 for real, fit in zip(seconds, fitted, strict=True))
    return Growth(logs.slope, line.slope, 1 - off / sum((one - mean) ** 2 for one in seconds))


def _measure_sizes(engines: Mapping[str, PlainEngine]) -> None:
    rows: list[Row] = []
    for number, (size, count) in enumerate(SIZES.items(), start=1):
        maker = TextMaker(number)
        ours: list[float] = []
        theirs: dict[str, list[float]] = {name: [] for name in engines}
        for _ in range(_ROUNDS):
            # Texts of its own for each: what one has loaded or remembered must not help another.
            ours.append(_our_seconds([maker.text(size) for _ in range(count)]) / count)
            for name, engine in engines.items():
                seconds = _plain_seconds(engine, [maker.text(size) for _ in range(count)])
                theirs[name].append(seconds / count)
        slow = {name: median(seconds) for name, seconds in theirs.items()}
        rows += _compared(f"{size:,} characters", median(ours), slow, LEAST_RATIO)
    print_table(f"New texts, CPU milliseconds a text, median of {_ROUNDS} rounds", _COLUMNS, rows)


def _measure_chat(engines: Mapping[str, PlainEngine]) -> None:
    chats = [
        [text for call in prompts(CHAT_TURNS, TextMaker(10 + number)) for text in call]
        for number in range(_ROUNDS)
    ]
    ours = median([_our_seconds(texts) for texts in chats])
    theirs = {
        name: median([_plain_seconds(engine, texts) for texts in chats]) for name, engine in engines.items()
    }
    print_table(
        f"A chat of {len(_AGENTS)} agents over {CHAT_TURNS} turns, CPU ms, median of {_ROUNDS} chats",
        _COLUMNS,
        _compared(f"{len(chats[0]):,} texts in prompts", ours, theirs, LEAST_CHAT_RATIO),
    )


def _compared(what: str, ours: float, theirs: Mapping[str, float], least: float) -> list[Row]:
    """A row for each engine."""
    return [
        (
            what,
            f"{1000 * ours:.2f}",
            f"{1000 * seconds:.2f}",
            f"{seconds / ours:.1f}",
            f"{least:g}",
            "reached" if seconds / ours >= least else "NOT REACHED",
            name,
        )
        for name, seconds in theirs.items()
    ]


def _measure_growth(engines: Mapping[str, PlainEngine], picture: Path | None) -> None:
    ours: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in engines}
    for turns in TURNS:
        texts = [text for call in prompts(turns, TextMaker(100 + turns)) for text in call]
        ours.append(_our_seconds(texts))
        for name, engine in engines.items():
            if turns <= MOST_PLAIN_TURNS:
                theirs[name].append(_plain_seconds(engine, texts))
    grown = growth(TURNS, ours)
    words = "linear" if grown.exponent <= MOST_EXPONENT else "NOT LINEAR"
    curves = {"Ringfence": ours, **theirs}
    print_table(
        f"A chat's analysis, CPU seconds: {words} (turns to the power of {grown.exponent:.2f}; "
        f"{1000 * grown.seconds_per_turn:.1f} ms a turn, R² {grown.r_squared:.3f})",
        ("turns", *curves),
        [
            (str(turns), *(f"{curve[place]:.3f}" if place < len(curve) else "" for curve in curves.values()))
            for place, turns in enumerate(TURNS)
        ],
    )
    if picture is not None:
        draw(picture, curves)


def draw(picture: Path, curves: Mapping[str, Sequence[float]]) -> None:
    """Save the curves, ours first."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    # The same figures make the same file.
    mpl.rcParams.update({"svg.hashsalt": "ringfence", "svg.fonttype": "none", "font.size": 9})
    figure, axes = plt.subplots(figsize=(5.6, 3.2), layout="constrained")
    looks = zip(curves.items(), ("o-", "s--", "^:"), ("#1f61ab", "#c0392b", "#7a7a7a"), strict=False)
    for (name, seconds), line, colour in looks:
        axes.plot(TURNS[: len(seconds)], seconds, line, color=colour, label=name, markersize=4)
    axes.set(xlabel="turns of a group chat", ylabel="CPU seconds of analysis", ylim=(0, None), xlim=(0, None))
    axes.spines[["top", "right"]].set_visible(b=False)
    axes.legend(frameon=False)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, metadata={"Date": None, "Creator": None})
    plt.close(figure)


def _our_seconds(texts: Sequence[str]) -> float:
    """With an empty cache, as at the start of a process."""
    finder = PiiFinder(PiiSettings())

    async def find_all() -> None:
        for text in texts:
            await finder.find_all(text)

    return _cpu_seconds(lambda: asyncio.run(find_all()))


def _plain_seconds(plain: PlainEngine, texts: Iterable[str]) -> float:
    def find_all() -> None:
        for text in texts:
            plain.find(text)

    return _cpu_seconds(find_all)


def _cpu_seconds(work: Callable[[], None]) -> float:
    gc.collect()
    started = process_time()
    work()
    return process_time() - started
