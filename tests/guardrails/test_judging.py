"""Several guardrails and one passage: who is asked when, and whose word counts."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.guardrails.heard import Heard
from ringfence.guardrails.judging import judge_all
from ringfence.guardrails.passages import Part, PartKind, Passage, Point
from ringfence.guardrails.validator_traits import Reads, Traits, Window
from ringfence.guardrails.verdicts import (
    Allow,
    Block,
    Escalate,
    Halt,
    Rewrite,
    Terms,
    Verdict,
    strictest,
)
from tests.guardrails.parts import Says, passage

QUICK = Terms(traits=Traits(window=Window.SENTENCE, quick=True), rewrites=False)
SLOW = Terms(rewrites=False)
SHADOW = Terms(shadow=True)


def after(event: asyncio.Event, verdict: Verdict) -> Callable[[Passage], Any]:
    """Answers once something happened."""

    async def answer(_passage: Passage) -> Verdict:
        await event.wait()
        return verdict

    return answer


async def test_rewriters_come_first_then_the_quick_then_the_rest() -> None:
    """Whatever their order in the policy; those that judge see the text that goes on."""
    slow, quick = Says(name="slow", terms=SLOW), Says(name="quick", terms=QUICK)
    fixes = Says(Rewrite("fixes", "fixed"), "fixes")
    judged = await judge_all(passage("raw"), [slow, quick, fixes])
    assert [one.guardrail.name for one in judged.judgements] == ["fixes", "quick", "slow"]
    assert [one.asked[0].text for one in (fixes, quick, slow)] == ["raw", "fixed", "fixed"]
    assert judged.passage.text == "fixed"
    assert isinstance(judged.verdict, Allow)


async def test_the_slow_ones_are_asked_at_once() -> None:
    """Each waits until the other was asked, so one after the other would never end."""
    one_asked, other_asked = asyncio.Event(), asyncio.Event()

    def meets(mine: asyncio.Event, other: asyncio.Event) -> Callable[[Passage], Any]:
        async def answer(_passage: Passage) -> Verdict:
            mine.set()
            await other.wait()
            return Allow()

        return answer

    pair = [
        Says(meets(one_asked, other_asked), terms=SLOW),
        Says(meets(other_asked, one_asked), terms=SLOW),
    ]
    judged = await judge_all(passage("a"), pair)
    assert len(judged.judgements) == 2


@pytest.mark.parametrize("terms", [QUICK, SLOW])
async def test_one_that_rewrites_has_to_say_so_before(terms: Terms) -> None:
    """Others have judged the text by then, and its own would pass unseen."""
    judged = await judge_all(passage("a"), [Says(Rewrite("sly", "b"), "sly", terms=terms)])
    assert isinstance(judged.verdict, Block)
    assert judged.verdict.crashed


@pytest.mark.parametrize("no", [Block("quick", "no"), Halt("quick", "no")])
async def test_a_quick_no_saves_the_slow_ones(no: Verdict) -> None:
    """They may cost money."""
    slow = Says(terms=SLOW)
    judged = await judge_all(passage("a"), [slow, Says(no, "quick", terms=QUICK)])
    assert judged.verdict == no
    assert slow.asked == []


async def test_a_no_gives_up_what_still_runs() -> None:
    """The answer would change nothing."""
    given_up = asyncio.Event()

    async def waits(_passage: Passage) -> Verdict:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()
        return Allow()

    no = Says(Block("no", "it is rude"), "no", terms=SLOW)
    judged = await judge_all(passage("a"), [Says(waits, terms=SLOW), no])
    assert judged.verdict == Block("no", "it is rude")
    await given_up.wait()


async def test_the_strictest_counts() -> None:
    """An Escalate does not end it: a Block may still come."""
    later = asyncio.Event()
    asks = Says(Escalate("asks", "who knows"), "asks", terms=SLOW)
    blocks = Says(after(later, Block("blocks", "no")), "blocks", terms=SLOW)
    asyncio.get_running_loop().call_soon(later.set)
    assert (await judge_all(passage("a"), [asks, blocks])).verdict == Block("blocks", "no")


@given(
    st.lists(
        st.sampled_from([Allow("a"), Rewrite("r", "b"), Escalate("e", "x"), Block("b", "y"), Halt("h", "z")])
    )
)
async def test_joining_is_by_strictness_alone(verdicts: list[Verdict]) -> None:
    """With any number of guardrails in any order, up to the first firm no."""
    guardrails = [Says(verdict, terms=Terms()) for verdict in verdicts]
    judged = await judge_all(passage("b"), guardrails)
    firm = next((index for index, one in enumerate(verdicts) if isinstance(one, Block | Halt)), len(verdicts))
    # A Rewrite to what stands there already changes nothing.
    asked = [Allow("r") if isinstance(one, Rewrite) else one for one in verdicts[: firm + 1]]
    assert [one.verdict for one in judged.judgements] == asked
    assert judged.verdict == strictest(asked)


async def test_one_whose_text_was_changed_later_is_asked_again() -> None:
    """What it allowed is not what goes on."""
    cuts = Says(lambda seen: Rewrite("cuts", seen.text.replace("-", "")), "cuts")
    links = Says(lambda seen: Block("links", "no") if "evil.com" in seen.text else Allow("links"), "links")
    judged = await judge_all(passage("ev-il.com"), [links, cuts])
    assert judged.verdict == Block("links", "no")


async def test_two_that_undo_each_other_block() -> None:
    """No order of them would do."""

    def up(seen: Passage) -> Verdict:
        return Rewrite("up", seen.text.upper())

    def down(seen: Passage) -> Verdict:
        return Rewrite("down", seen.text.lower())

    judged = await judge_all(passage("Ab"), [Says(up), Says(down)])
    assert isinstance(judged.verdict, Block)


class TestShadow:
    """Judged, recorded, not enforced."""

    @pytest.mark.parametrize(
        "verdict", [Block("s", "no"), Halt("s", "no"), Rewrite("s", "other"), Escalate("s", "no")]
    )
    async def test_its_word_does_not_count(self, verdict: Verdict) -> None:
        """Whatever it says, and although others are still asked."""
        other = Says(terms=QUICK)
        judged = await judge_all(passage("a"), [Says(verdict, "s", terms=SHADOW), other])
        assert (judged.passage.text, judged.verdict) == ("a", Allow())
        assert verdict in [one.verdict for one in judged.judgements]
        assert len(other.asked) == 1

    async def test_a_crash_in_the_shadow_stops_nothing(self) -> None:
        """And it is told."""

        def fails(_passage: Passage) -> Verdict:
            raise RuntimeError

        judged = await judge_all(passage("a"), [Says(fails, "s", terms=SHADOW)])
        (only,) = judged.judgements
        assert isinstance(only.verdict, Block)
        assert only.verdict.crashed
        assert isinstance(judged.verdict, Allow)

    async def test_its_risk_does_not_count_either(self) -> None:
        """A shadow does not make the tools stricter."""
        risky = Says(Allow("s", "signs", risk=0.9), terms=SHADOW)
        assert (await judge_all(passage("a"), [risky])).risk == 0


class TestScope:
    """Whom a passage concerns."""

    @pytest.mark.parametrize(
        ("terms", "asked"),
        [
            (Terms(), True),
            (Terms(tools=("run_*",)), True),
            (Terms(tools=("refund",)), False),
            (Terms(agents=("desk",)), True),
            (Terms(agents=("clerk",)), False),
            (Terms(arguments=("query",)), True),
            (Terms(arguments=("database",)), False),
            (Terms(tools=("run_*",), arguments=("database",)), False),
        ],
    )
    async def test_tools_agents_and_arguments(self, terms: Terms, asked: bool) -> None:
        """By name or glob; all that is named has to fit."""
        says = Says(terms=terms)
        where = Part(PartKind.ARGUMENT, argument="query", tool="run_sql")
        await judge_all(Passage("SELECT 1", Point.MESSAGE, agent="desk", part=where), [says])
        assert bool(says.asked) is asked

    @pytest.mark.parametrize(
        ("point", "kind", "asked"),
        [
            (Point.MESSAGE, PartKind.CONTENT, True),
            (Point.MESSAGE, PartKind.THOUGHT, False),
            (Point.MESSAGE, PartKind.ARGUMENT, False),
            (Point.MESSAGE, PartKind.LABEL, False),
            (Point.OUTPUT, PartKind.FIELD, False),
            (Point.TOOL_CALL, PartKind.ARGUMENT, True),
            (Point.TOOL_CALL, PartKind.LABEL, False),
            (Point.TOOL_RESULT, PartKind.CONTENT, True),
        ],
    )
    def test_one_that_demands_a_form_judges_what_is_said(
        self, point: Point, kind: PartKind, asked: bool
    ) -> None:
        """And at a tool's call its arguments; one that forbids something judges everything."""
        seen = Passage("x", point, part=Part(kind))
        assert Terms(traits=Traits(reads=Reads.CONTENT)).fit(seen) is asked
        assert Terms(traits=Traits(reads=Reads.EVERYTHING)).fit(seen)


async def test_only_one_that_compares_sees_what_was_heard() -> None:
    """The texts of others are not handed around without need."""
    heard = Heard()
    heard.note(Passage("the manual", Point.TOOL_RESULT))
    heard.note(Passage("how long?", Point.INPUT))
    heard.note(Passage("ten days", Point.MESSAGE, agent="desk"))
    heard.note(Passage("no", Point.MESSAGE, agent="other"))
    compares = Says(terms=Terms(traits=Traits(uses_context=True)))
    plain = Says()
    await judge_all(passage("a"), [compares, plain], heard)
    (seen,) = compares.asked
    assert (seen.sources, seen.questions, seen.history) == (("the manual",), ("how long?",), ("ten days",))
    assert plain.asked == [passage("a")]
