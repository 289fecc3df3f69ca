"""Guardrails judge every text, and one middleware acts on what they say."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from autogen_core import FunctionCall
from autogen_core.models import UserMessage

from ringfence.errors import GuardrailTripped, StoreError
from ringfence.guardrails.calls import UserTurn
from ringfence.guardrails.enforcement import Enforce
from ringfence.guardrails.judging import judge
from ringfence.guardrails.passages import Part, PartKind, Passage, Point
from ringfence.guardrails.reask import Reask
from ringfence.guardrails.verdicts import Allow, Block, Escalate, Evidence, Halt, Rewrite, Verdict
from tests.guardrails.parts import Book, Handler, Says, model_call, passage, reply, tool_call, tool_result

REFUSED = GuardrailTripped(guardrail="tone", point="message", reason="it is rude", reask=True)


async def never(_passage: Passage) -> Verdict:
    await asyncio.Event().wait()
    raise AssertionError


def fails(error: Exception) -> Callable[[Passage], Any]:
    def answer(_passage: Passage) -> Any:
        raise error

    return answer


async def checked(book: Book, *guardrails: Says, text: str = "hello") -> str:
    """What becomes of a model's reply behind these guardrails."""
    enforce = Enforce(record=book, after=(Point.MESSAGE, guardrails))
    answer = await enforce(model_call("hi"), Handler(reply(text)))
    content: str = answer.content
    return content


class TestJudge:
    """One guardrail and one passage."""

    @pytest.mark.parametrize(
        "verdict",
        [Allow("says"), Rewrite("says", "b"), Escalate("says", "c"), Block("says", "d"), Halt("says", "e")],
    )
    async def test_a_verdict_is_taken_as_it_is(self, verdict: Verdict) -> None:
        """Whichever it is."""
        assert await judge(Says(verdict), passage("a")) is verdict

    async def test_a_guardrail_that_does_not_answer_blocks(self) -> None:
        """It is stopped after its time, and told apart from a no."""
        verdict = await judge(Says(never, timeout=0.01), passage("a"))
        assert verdict == Block("says", "it did not answer within 0.01 s", crashed=True)

    @pytest.mark.parametrize(
        "error", [ValueError("jane@acme.com"), KeyError("jane"), RecursionError(), TimeoutError()]
    )
    async def test_a_guardrail_that_fails_blocks(self, error: Exception) -> None:
        """Its error's text may quote the passage, so only its kind is told."""
        verdict = await judge(Says(fails(error)), passage("a"))
        assert isinstance(verdict, Block)
        assert verdict.crashed
        assert "jane" not in verdict.reason

    @pytest.mark.parametrize("answer", [None, True, "allow", 0, Allow])
    async def test_what_is_no_verdict_blocks(self, answer: object) -> None:
        """A guardrail that forgot to answer has not allowed anything."""
        verdict = await judge(Says(lambda _: answer), passage("a"))
        assert isinstance(verdict, Block)
        assert verdict.crashed
        assert "not a verdict" in verdict.reason


class TestVerdicts:
    """What the middleware does about them."""

    async def test_allow(self, book: Book) -> None:
        """The text goes on; an Allow without a reason is not worth a line."""
        assert await checked(book, Says(), Says(Allow("says", ""))) == "hello"
        assert book.lines == []

    async def test_allow_with_a_reason_is_recorded(self, book: Book) -> None:
        """That is how a guardrail in `noop` speaks."""
        evidence = (Evidence(0, 2, "greeting"),)
        assert await checked(book, Says(Allow("says", "too friendly", evidence))) == "hello"
        (line,) = book.of("guardrail")
        assert line.pop("seconds") >= 0
        assert line == (
            {
                "point": "message",
                "agent": "desk",
                "tool": "",
                "guardrail": "says",
                "verdict": "allow",
                "mode": "enforce",
                "reason": "too friendly",
                "evidence": [[0, 2, "greeting"]],
            }
        )

    async def test_a_chain_of_rewrites(self, book: Book) -> None:
        """The first listed rewrites first; the next one judges what the first made of the text."""
        upper = Says(lambda seen: Rewrite("upper", seen.text.upper()), "upper")
        bang = Says(lambda seen: Rewrite("bang", f"{seen.text}!"), "bang")
        last = Says()
        assert await checked(book, upper, bang, last) == "HELLO!"
        assert [one.asked[0].text for one in (upper, bang, last)] == ["hello", "HELLO", "HELLO!"]
        assert last.asked[0] == Passage("HELLO!", Point.MESSAGE, agent="desk")
        assert [line["guardrail"] for line in book.of("guardrail")] == ["upper", "bang"]

    @pytest.mark.parametrize(
        ("verdict", "flags"),
        [
            (Block("says", "no"), {}),
            (Block("says", "no", crashed=True), {"crashed": True}),
            (Block("says", "no", reask=True), {"reask": True}),
            (Escalate("says", "no"), {}),
            (Halt("says", "no"), {"halt": True}),
        ],
    )
    async def test_a_no_stops_the_passage(self, book: Book, verdict: Verdict, flags: dict[str, bool]) -> None:
        """The error says by whom, where and why; it is recorded; after a firm no nobody else is asked."""
        later = Says()
        with pytest.raises(GuardrailTripped) as caught:
            await checked(book, Says(verdict), later)
        tripped = caught.value
        assert (tripped.guardrail, tripped.point, tripped.reason) == ("says", "message", "no")
        expected = {"crashed": False, "reask": False, "halt": False} | flags
        assert {name: getattr(tripped, name) for name in expected} == expected
        assert [line["verdict"] for line in book.of("guardrail")] == [type(verdict).__name__.lower()]
        assert bool(later.asked) is isinstance(verdict, Escalate)

    async def test_what_cannot_be_recorded_does_not_pass(self) -> None:
        """No line, no verdict."""

        def full(_event: str, /, **_fields: object) -> None:
            raise StoreError("the disk is full")

        enforce = Enforce(record=full, after=(Point.MESSAGE, [Says(Rewrite("says", "other"))]))
        with pytest.raises(StoreError):
            await enforce(model_call("hi"), Handler(reply("hello")))


class TestPoints:
    """What is checked where."""

    async def test_before_and_after(self, book: Book) -> None:
        """The call at one point, the reply at another; both carry who and what."""
        before, after = Says(), Says()
        enforce = Enforce(record=book, before=(Point.TOOL_CALL, [before]), after=(Point.TOOL_RESULT, [after]))
        await enforce(tool_call("refund", {"note": "hello"}), Handler(tool_result("done")))
        assert before.asked[-1] == Passage(
            "hello", Point.TOOL_CALL, agent="desk", tool="refund", part=Part(PartKind.ARGUMENT, "note")
        )
        assert after.asked[-1] == Passage("done", Point.TOOL_RESULT, agent="desk", tool="refund")

    async def test_a_blocked_call_does_not_happen(self, book: Book) -> None:
        """The handler is not reached."""
        handler = Handler(tool_result())
        enforce = Enforce(record=book, before=(Point.TOOL_CALL, [Says(Block("says", "no"))]))
        with pytest.raises(GuardrailTripped, match="blocked the tool_call: no"):
            await enforce(tool_call(), handler)
        assert handler.calls == []

    async def test_the_handler_gets_the_rewritten_call(self, book: Book) -> None:
        """A turn of a user has no agent yet."""
        says = Says(lambda seen: Rewrite("says", f"{seen.text}{seen.agent}!"))
        handler = Handler("done")
        turn = UserTurn((UserMessage(content="hello", source="user"),))
        assert await Enforce(record=book, before=(Point.INPUT, [says]))(turn, handler) == "done"
        assert handler.calls == [UserTurn((UserMessage(content="hello!", source="user!"),))]

    @pytest.mark.parametrize("checks", [None, (Point.MESSAGE, [])])
    async def test_without_guardrails_nothing_is_touched(self, book: Book, checks: Any) -> None:
        """Not even copied."""
        handler, answer = Handler(reply("hello")), reply("hello")
        handler = Handler(answer)
        call = model_call("hi")
        assert await Enforce(record=book, before=checks, after=checks)(call, handler) is answer
        assert handler.calls[0] is call

    async def test_the_same_text_is_judged_once(self, book: Book) -> None:
        """However often it stands in one place of a message."""
        says = Says()
        call = FunctionCall("call-1", '{"to": ["x", "x"]}', "send")
        await Enforce(record=book, after=(Point.MESSAGE, [says]))(model_call("hi"), Handler(reply([call])))
        assert [one.text for one in says.asked].count("x") == 1


class TestReask:
    """A model may try again."""

    @pytest.mark.parametrize("times", [0, 1, 3])
    async def test_so_often_and_no_more(self, book: Book, times: int) -> None:
        """Then the last refusal stands."""
        handler = Handler(REFUSED)
        with pytest.raises(GuardrailTripped) as caught:
            await Reask(times=times, record=book)(model_call("hi"), handler)
        assert caught.value is REFUSED
        assert len(handler.calls) == times + 1
        assert book.of("reask") == [{"agent": "desk", "model": "some-model", "guardrail": "tone"}] * times

    async def test_the_first_good_answer_counts(self, book: Book) -> None:
        """The model hears the reason of each refusal, and nothing else of the policy."""
        handler = Handler(REFUSED, REFUSED, reply("good"))
        answer = await Reask(times=5, record=book)(model_call("hi"), handler)
        assert answer.content == "good"
        correction = "Your last reply was not accepted: it is rude. Write it again."
        assert [message.content for message in handler.calls[-1].messages] == ["hi", correction, correction]
        assert [message.source for message in handler.calls[-1].messages[1:]] == ["ringfence"] * 2

    @pytest.mark.parametrize("flags", [{}, {"crashed": True}, {"halt": True}])
    async def test_only_what_may_be_mended(self, book: Book, flags: dict[str, Any]) -> None:
        """Any other refusal goes on at once."""
        refused = GuardrailTripped(guardrail="tone", point="message", reason="no", **flags)
        handler = Handler(refused, reply("good"))
        with pytest.raises(GuardrailTripped):
            await Reask(times=5, record=book)(model_call("hi"), handler)
        assert len(handler.calls) == 1
