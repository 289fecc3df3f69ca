"""What it costs to ask a validator at a door, beside guardrails-ai's own Guard, and several at once."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from time import perf_counter
from typing import Any

from autogen_agentchat.messages import TextMessage

from benchmarks.guardrails.doors import session_of
from benchmarks.guardrails.measuring import Aim, Times, cpu_seconds, cpu_seconds_of, milliseconds, steady
from benchmarks.guardrails.texts import SIZE, chat_lines
from benchmarks.pii.tables import print_table
from ringfence import Policy
from ringfence.agents.compiled_policy import compile_policy
from ringfence.guardrails.calls import UserTurn
from ringfence.guardrails.enforcement import Enforce, Scan
from ringfence.guardrails.guardrail_use import GuardrailUse
from ringfence.guardrails.guardrails_ai import quiet_guardrails
from ringfence.guardrails.judging import judge_all
from ringfence.guardrails.middleware import door
from ringfence.guardrails.passages import Passage, Point
from ringfence.guardrails.pii import PiiSettings
from ringfence.guardrails.verdicts import Guardrail

Ask = Callable[[str], Any]

DISPATCH = Aim(0.10, "%")
AT_ONCE = Aim(0.5, "%")
"""Of the sum of what each of five takes by itself: three that wait one after the other take all of it."""
_WARM_UP = 30


@dataclass(slots=True)
class Measured:
    """CPU seconds of each way to ask one validator."""

    guard: list[float] = field(default_factory=list)
    """`Guard().use(validator).validate(text)`."""
    bare: list[float] = field(default_factory=list)
    """`validator.validate(text, {})`; nothing for a Guard, which is asked as a Guard."""
    judged: list[float] = field(default_factory=list)
    """Behind a ValidatorGuardrail, by judge_all."""
    enforced: list[float] = field(default_factory=list)
    """The same in a user's turn, through Enforce."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Guardrails at the user door, as a session has them."""

    guardrails: Sequence[Guardrail]
    enforce: Enforce

    async def judge(self, text: str) -> None:
        """Ask them of a passage."""
        judged = await judge_all(Passage(text, Point.INPUT), self.guardrails)
        _must_pass(len(judged.judgements) == len(self.guardrails))

    async def act(self, text: str) -> None:
        """Take a user's turn through the middleware."""

        async def no_team(turn: UserTurn) -> None:
            """Nobody works on it."""

        await door([self.enforce], no_team)(UserTurn((TextMessage(content=text, source="user"),)))


def placed(given: Mapping[str, Any]) -> Placed:
    """What a policy makes of these validators and guards at the point `input`."""
    uses = tuple(GuardrailUse(use=name, at=(Point.INPUT,)) for name in given)
    session = session_of(
        compile_policy(Policy(pii=PiiSettings(detection="patterns"), guardrails=uses), given)
    )
    enforce = next(one for one in session.user_door if isinstance(one, Enforce) and not isinstance(one, Scan))
    return Placed(session.guardrails[Point.INPUT], enforce)


def measure_dispatch(count: int) -> None:
    """Print what each way to ask takes, and the shares."""
    guards = quiet_guardrails()
    from benchmarks.guardrails.made_validators import Quick, Silent

    texts = chat_lines(100)
    rows: list[tuple[str, ...]] = []
    for words, make in (("quick", Quick), ("states nothing: in a thread", Silent)):
        validator = make()
        guard = guards.Guard().use(make())
        here = placed({"validator": validator})
        bare = partial(validator.validate, metadata={})
        measured = _measured(texts, count, here, guard.validate, bare)
        rows += rows_of(words, measured)
    given = guards.Guard().use(Silent())
    same = guards.Guard().use(Silent())
    measured = _measured(texts, count, placed({"guard": given}), same.validate, None)
    rows += rows_of("a Guard in the policy", measured)
    print_table(
        f"A validator that lets all pass, new passages of {SIZE:,} characters, CPU ms ({count} times)",
        ("what", "p50", "p95", "% of Guard.validate", ""),
        rows,
    )
    print("  Dispatch: judge_all without what it asks, by the medians. Telemetry is off on both sides.")


def _measured(texts: Iterator[str], count: int, here: Placed, guard: Ask, bare: Ask | None) -> Measured:
    measured = Measured()
    with asyncio.Runner() as runner:
        ways: dict[str, Callable[[str], float]] = {
            "guard": lambda text: cpu_seconds(lambda one: _must_pass(guard(one).validation_passed), text),
            "judged": lambda text: runner.run(cpu_seconds_of(here.judge, text)),
            "enforced": lambda text: runner.run(cpu_seconds_of(here.act, text)),
        }
        if bare is not None:
            ways["bare"] = lambda text: cpu_seconds(bare, text)
        for size, kept in ((_WARM_UP, Measured()), (count, measured)):
            with steady():
                for _ in range(size):
                    # In turn, so that a slow moment falls on all ways alike; and no text twice, because what
                    # a guardrail remembers is no part of it.
                    for name, way in ways.items():
                        getattr(kept, name).append(way(next(texts)))
    return measured


def rows_of(words: str, measured: Measured) -> list[tuple[str, ...]]:
    """A row for each way to ask, and one for the dispatch alone."""
    ways = {
        "Guard.validate": measured.guard,
        "the validator by itself": measured.bare,
        "judge_all": measured.judged,
        "through Enforce": measured.enforced,
    }
    times = {name: Times(tuple(seconds)) for name, seconds in ways.items() if seconds}
    whole = times["Guard.validate"].p50
    rows: list[tuple[str, ...]] = [
        (f"{words}: {name}", milliseconds(one.p50), milliseconds(one.p95), f"{one.p50 / whole:.1%}", "")
        for name, one in times.items()
    ]
    dispatch = times["judge_all"].p50 - times.get("the validator by itself", times["Guard.validate"]).p50
    share = dispatch / whole
    rows.append((f"{words}: dispatch", milliseconds(dispatch), "", f"{share:.1%}", DISPATCH.words(share)))
    return rows


async def measure_at_once(count: int) -> None:
    """Print the wall time of five guardrails at one point, and of each by itself."""
    quiet_guardrails()
    from benchmarks.guardrails.made_validators import WAIT_SECONDS, Quick, Waiting

    kinds = {"quick 1": Quick, "quick 2": Quick, "wait 1": Waiting, "wait 2": Waiting, "wait 3": Waiting}
    given = {name: kind() for name, kind in kinds.items()}
    texts = chat_lines(200)
    five = placed(given)
    await _wall(five, [*islice(texts, 3)])
    together = Times(tuple(await _wall(five, [*islice(texts, count)])))
    alone = [
        Times(tuple(await _wall(placed({name: one}), [*islice(texts, count)]))) for name, one in given.items()
    ]
    total = sum(one.p50 for one in alone)
    slowest = max(one.p50 for one in alone)
    share = together.p50 / total
    print_table(
        f"Five guardrails at one point: two quick ones, and three that wait {1000 * WAIT_SECONDS:g} ms each; "
        f"wall ms ({count} passages)",
        ("what", "p50", "p95", "of the sum", ""),
        [
            *(
                (f"{name} by itself", milliseconds(one.p50), milliseconds(one.p95), "", "")
                for name, one in zip(given, alone, strict=True)
            ),
            ("the sum of them", milliseconds(total), "", "100%", ""),
            ("the slowest of them", milliseconds(slowest), "", f"{slowest / total:.0%}", ""),
            (
                "all five",
                milliseconds(together.p50),
                milliseconds(together.p95),
                f"{share:.0%}",
                AT_ONCE.words(share),
            ),
        ],
    )


async def _wall(here: Placed, texts: Sequence[str]) -> list[float]:
    seconds = []
    for text in texts:
        started = perf_counter()
        await here.judge(text)
        seconds.append(perf_counter() - started)
    return seconds


def _must_pass(passed: object) -> None:
    if not passed:
        raise AssertionError("the validator that lets all pass did not")
