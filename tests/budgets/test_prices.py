"""What tokens cost is known, or said, or an error."""

import socket
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ringfence.budgets.prices import FREE, Price, price_of
from ringfence.errors import PolicyError


def price(cents_in: str = "0.15", cents_out: str = "0.60") -> Price:
    return Price(
        input_usd_per_million_tokens=Decimal(cents_in), output_usd_per_million_tokens=Decimal(cents_out)
    )


class TestPrice:
    """Dollars for tokens."""

    @pytest.mark.parametrize(
        ("tokens", "usd"),
        [
            ((0, 0), "0"),
            ((1, 0), "0.00000015"),
            ((0, 1), "0.0000006"),
            ((10**6, 10**6), "0.75"),
            ((3, 7), "0.00000465"),
        ],
    )
    def test_it_is_exact(self, tokens: tuple[int, int], usd: str) -> None:
        """To a fraction of a cent."""
        assert price().usd(*tokens) == Decimal(usd)

    @given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7))))
    def test_many_small_calls_cost_what_one_large_one_does(self, calls: list[tuple[int, int]]) -> None:
        """Nothing is lost by rounding."""
        total = tuple(sum(part) for part in zip(*calls, strict=True)) or (0, 0)
        assert sum(price().usd(*call) for call in calls) == price().usd(*total)

    @pytest.mark.parametrize("value", ["-0.01", "NaN", "Infinity", "cheap", None])
    def test_what_is_no_price(self, value: Any) -> None:
        """Negative, without a value, or no number."""
        with pytest.raises(ValidationError):
            Price.model_validate({"input_usd_per_million_tokens": value, "output_usd_per_million_tokens": 1})


class TestPriceOf:
    """Where a price comes from."""

    def test_the_public_list(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As it was shipped; nobody is asked."""
        tried: list[object] = []
        for name in ("connect", "connect_ex"):
            monkeypatch.setattr(socket.socket, name, lambda *args: tried.append(args))
        for provider in (None, "openai"):
            found = price_of("gpt-4o-2024-08-06", provider=provider)
            assert (found.input_usd_per_million_tokens, found.output_usd_per_million_tokens) == (
                Decimal("2.5"),
                Decimal(10),
            )
        assert tried == []

    def test_the_policys_own_comes_first(self) -> None:
        """Whether the list has the model or not."""
        overrides: Any = {"gpt-4o-2024-08-06": price(), "house-model": "free"}
        assert price_of("gpt-4o-2024-08-06", overrides=overrides) == price()
        assert price_of("house-model", overrides=overrides) is FREE
        assert price_of("gpt-4o", overrides=overrides) != price()

    @pytest.mark.parametrize(
        ("model", "provider"),
        [
            ("house-model", None),
            ("", None),
            ("gpt-4o", "nobody"),
            ("gpt-4o", "anthropic"),
            ("gpt-4o", "github-copilot"),  # is on the list, without a price for tokens
        ],
    )
    def test_an_unknown_price_is_an_error(self, model: str, provider: str | None) -> None:
        """A budget could not be kept; what is not known is not free."""
        with pytest.raises(PolicyError, match="give it one, or say that it is free") as caught:
            price_of(model, provider=provider, overrides={})
        assert caught.value.faults[0].where == f"prices.{model}"

    def test_free(self) -> None:
        """Costs nothing, however much there is of it."""
        assert FREE.usd(10**9, 10**9) == 0
