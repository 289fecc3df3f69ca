"""The worst case of a model call is reserved before it starts, and settled whatever becomes of it."""

import asyncio
from decimal import Decimal
from typing import Any, cast

import pytest
from autogen_core.models import CreateResult, RequestUsage
from hypothesis import given
from hypothesis import strategies as st

from ringfence.budgets.ledger import Ledger
from ringfence.budgets.limits import Limits
from ringfence.budgets.meter import MeterModelCalls, MeterToolCalls
from ringfence.budgets.prices import FREE, Price
from ringfence.budgets.usage import Usage
from ringfence.errors import LimitExceeded, ModelCallFailed, StoreError
from ringfence.guardrails.calls import ModelCall
from tests.guardrails.parts import Book, Handler, model_call, reply, tool_call, tool_result

PRICE = Price(input_usd_per_million_tokens=Decimal(1), output_usd_per_million_tokens=Decimal(10))
PROMPT = 100


def usage(tokens_in: int, tokens_out: int, price: Price = PRICE) -> Usage:
    usd = price.usd(tokens_in, tokens_out)
    return Usage(input_tokens=tokens_in, output_tokens=tokens_out, usd=usd, model_calls=1)


WORST = usage(PROMPT, 1024)


def answer(tokens_in: Any = 90, tokens_out: Any = 40, **fields: Any) -> CreateResult:
    """A reply with this usage, which a provider may have reported as it likes."""
    reported = RequestUsage(prompt_tokens=1, completion_tokens=1)
    reported.prompt_tokens, reported.completion_tokens = tokens_in, tokens_out
    return reply("hello", usage=reported, **fields)


class Desk:
    """A meter, its ledger and its record."""

    def __init__(self, price: Price = PRICE, **limits: Any) -> None:
        self.ledger = Ledger(Limits.model_validate({"tokens": None, "usd": None} | limits))
        self.book = Book()
        self.meter = MeterModelCalls(
            ledger=self.ledger, price=price, count_prompt=lambda _: PROMPT, record=self.book
        )

    async def call(self, outcome: Any, **fields: Any) -> ModelCall:
        """The call as the provider gets it, which answers with this outcome."""
        handler = Handler(outcome)
        await self.meter(model_call("hi", **fields), handler)
        return cast("ModelCall", handler.calls[0])


class TestSettling:
    """What a call cost."""

    async def test_a_call_that_is_answered(self) -> None:
        """Costs what the provider says, and the record says it."""
        desk, given = Desk(), answer(90, 40)
        assert await desk.meter(model_call("hi"), Handler(given)) is given
        (step,) = desk.ledger.steps
        assert (step.agent, step.model, step.usage) == ("desk", "some-model", usage(90, 40))
        assert desk.ledger.spent == usage(90, 40)
        (line,) = desk.book.of("model_usage")
        assert (line["input_tokens"], line["output_tokens"], line["usd"]) == (90, 40, "0.00049")
        assert (line["agent"], line["model"], line["reserved_tokens"]) == (
            "desk",
            "some-model",
            PROMPT + 1024,
        )
        assert line["seconds"] >= 0

    async def test_while_it_runs_the_worst_case_is_held_back(self) -> None:
        """So that no other call counts on it."""
        desk = Desk(tokens=2_000, usd=1)
        seen: list[tuple[int | None, Decimal | None]] = []

        async def provider(_call: ModelCall) -> CreateResult:
            seen.append((desk.ledger.tokens_left(), desk.ledger.usd_left()))
            return answer(90, 40)

        await desk.meter(model_call("hi"), provider)
        assert seen == [(2_000 - WORST.tokens, 1 - WORST.usd)]
        assert desk.ledger.tokens_left() == 2_000 - 130

    @pytest.mark.parametrize(
        ("tokens_in", "tokens_out", "spent"),
        [
            (0, 0, WORST),
            (0, 40, usage(PROMPT, 40)),
            (90, 0, usage(90, 1024)),
            (-90, 40, usage(PROMPT, 40)),
            (-1, -1, WORST),
            (None, None, WORST),
            (None, 40, usage(PROMPT, 40)),
            (float("nan"), float("inf"), WORST),
            ("90", "40", WORST),
            (1, 1, usage(1, 1)),
            (90, 5_000, usage(90, 5_000)),
        ],
    )
    async def test_a_provider_that_reports_nonsense(
        self, tokens_in: Any, tokens_out: Any, spent: Usage
    ) -> None:
        """The worst case stands for what was not said; what is more than that counts as it is."""
        desk = Desk()
        await desk.call(answer(tokens_in, tokens_out))
        assert desk.ledger.spent == spent

    async def test_a_cached_reply(self) -> None:
        """Counts as a call, and costs nothing."""
        desk = Desk()
        await desk.call(answer(90, 40, cached=True))
        assert desk.ledger.spent == Usage(model_calls=1)

    @pytest.mark.parametrize(
        ("error", "spent"),
        [
            (ModelCallFailed(model="m", reason="no", retryable=True), WORST),
            (ModelCallFailed(model="m", reason="no", retryable=True, billing_unknown=True), WORST),
            (
                ModelCallFailed(model="m", reason="no", retryable=True, billing_unknown=False),
                Usage(model_calls=1),
            ),
            (asyncio.CancelledError(), WORST),
            (ValueError("broken"), WORST),
            (KeyboardInterrupt(), WORST),
        ],
        ids=lambda value: type(value).__name__,
    )
    async def test_a_call_that_fails(self, error: BaseException, spent: Usage) -> None:
        """Costs the worst case, unless it is known that nothing was charged; the error goes on."""
        desk = Desk(tokens=5_000)
        with pytest.raises(type(error)) as caught:
            await desk.call(error)
        assert caught.value is error
        assert desk.ledger.spent == spent
        assert desk.ledger.tokens_left() == 5_000 - spent.tokens
        assert len(desk.book.of("model_usage")) == 1

    async def test_a_provider_that_takes_more_than_there_was(self) -> None:
        """Its reply does not pass; what it took is counted and written down."""
        desk = Desk(tokens=PROMPT + 50)
        with pytest.raises(LimitExceeded) as caught:
            await desk.call(answer(PROMPT, 51))
        assert (caught.value.kind, caught.value.value) == ("tokens", PROMPT + 51)
        assert desk.ledger.spent == usage(PROMPT, 51)
        assert len(desk.book.of("model_usage")) == 1

    async def test_a_call_that_outlasts_the_run(self) -> None:
        """Is given up when the time is over, and costs the worst case."""
        desk = Desk(seconds=0.01)

        async def never(_call: ModelCall) -> CreateResult:
            await asyncio.Event().wait()
            raise AssertionError

        desk.ledger.start_run()
        with pytest.raises(LimitExceeded) as caught:
            await desk.meter(model_call("hi"), never)
        assert caught.value.kind == "seconds"
        assert desk.ledger.spent == WORST

    async def test_what_cannot_be_recorded_is_settled_all_the_same(self) -> None:
        """Money that is spent stays spent."""
        desk = Desk()

        def full(_event: str, /, **_fields: object) -> None:
            raise StoreError("the disk is full")

        desk.meter._record = full
        with pytest.raises(StoreError):
            await desk.call(answer(90, 40))
        assert desk.ledger.spent == usage(90, 40)


class TestBounding:
    """A reply is as long as what is left allows."""

    @pytest.mark.parametrize(
        ("limits", "longest"),
        [
            ({}, 1024),
            ({"tokens": 10_000}, 1024),
            ({"tokens": PROMPT + 200}, 200),
            ({"tokens": PROMPT + 16}, 16),
            ({"usd": "0.0001"}, None),
            ({"usd": "0.0011"}, 100),
            ({"usd": "0.0011", "tokens": PROMPT + 50}, 50),
            ({"usd": "0.001109"}, 100),
            ({"usd": "0.00026"}, 16),
            ({"tokens": PROMPT + 15}, None),
            ({"tokens": PROMPT}, None),
            ({"tokens": 10}, None),
            ({"usd": "0.00025"}, None),
            ({"model_calls": 1}, 1024),
        ],
    )
    async def test_the_output_is_bounded(self, limits: dict[str, Any], longest: int | None) -> None:
        """By tokens, by dollars, by both; with too little left the call does not start."""
        desk = Desk(**limits)
        if longest is None:
            with pytest.raises(LimitExceeded) as caught:
                await desk.call(answer(1, 1))
            assert caught.value.kind == next(iter(limits))
            assert desk.ledger.spent == Usage()
            assert desk.book.lines == []
        else:
            assert (await desk.call(answer(1, 1))).max_output_tokens == longest

    @pytest.mark.parametrize("wanted", [1, 15, 16, 100])
    async def test_a_model_that_may_say_little(self, wanted: int) -> None:
        """Gets no more than it asks for."""
        assert (
            await Desk(tokens=PROMPT + 100).call(answer(1, 1), max_output_tokens=wanted)
        ).max_output_tokens == wanted

    async def test_a_free_model(self) -> None:
        """Is bounded by tokens alone."""
        desk = Desk(FREE, usd="0.01", tokens=PROMPT + 300)
        assert (await desk.call(answer(90, 40))).max_output_tokens == 300
        assert desk.ledger.spent == usage(90, 40, FREE)

    async def test_a_model_whose_output_is_free(self) -> None:
        """Its prompt still has to be paid."""
        price = Price(input_usd_per_million_tokens=Decimal(1), output_usd_per_million_tokens=Decimal(0))
        assert (await Desk(price, usd="0.0001").call(answer(1, 1))).max_output_tokens == 1024
        with pytest.raises(LimitExceeded):
            await Desk(price, usd="0.000099").call(answer())

    async def test_calls_at_once_share_what_is_left(self) -> None:
        """The second gets what the first did not hold back, the third nothing."""
        desk, release = Desk(tokens=2 * PROMPT + 1024 + 100), asyncio.Event()
        longest: list[int] = []

        async def provider(call: ModelCall) -> CreateResult:
            longest.append(call.max_output_tokens)
            await release.wait()
            return answer(90, 40)

        running = [asyncio.ensure_future(desk.meter(model_call("hi"), provider)) for _ in range(3)]
        (refused,), _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        assert isinstance(refused.exception(), LimitExceeded)
        assert longest == [1024, 100]
        release.set()
        await asyncio.wait(running)
        assert desk.ledger.spent == usage(90, 40) + usage(90, 40)

    @given(
        st.decimals("0.000001", "1", places=6),
        st.decimals(0, 100, places=3),
        st.decimals(0, 100, places=3),
        st.integers(1, 5_000),
    )
    def test_a_reply_of_full_length_never_passes_a_limit(
        self, usd: Decimal, price_in: Decimal, price_out: Decimal, wanted: int
    ) -> None:
        """Whatever the price and the limit; and what fits is not refused."""
        price = Price(input_usd_per_million_tokens=price_in, output_usd_per_million_tokens=price_out)
        desk = Desk(price, usd=usd)
        longest = asyncio.run(self.longest(desk, wanted))
        least = price.usd(PROMPT, min(wanted, 16))
        if longest is None:
            assert least > usd
        else:
            assert price.usd(PROMPT, longest) <= usd
            assert longest == wanted or price.usd(PROMPT, longest + 1) > usd

    async def longest(self, desk: Desk, wanted: int) -> int | None:
        """How long the reply may be; None when the call may not start."""
        try:
            return (await desk.call(answer(1, 1), max_output_tokens=wanted)).max_output_tokens
        except LimitExceeded:
            return None


async def test_tool_calls_are_counted_before_they_run() -> None:
    """And one too many does not run."""
    ledger, handler = Ledger(Limits(tool_calls=1)), Handler(tool_result())
    meter = MeterToolCalls(ledger)
    assert await meter(tool_call(), handler) == tool_result()
    with pytest.raises(LimitExceeded):
        await meter(tool_call(), handler)
    assert (len(handler.calls), ledger.spent.tool_calls) == (1, 1)
