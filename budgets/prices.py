"""What a model's tokens cost."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from ringfence.errors import Fault, PolicyError
from ringfence.settings import Section

_MILLION = Decimal(1_000_000)


class Price(Section):
    """A model's own price, where the public price list has none or another one. US dollars."""

    input_usd_per_million_tokens: Annotated[Decimal, Field(ge=0)]
    output_usd_per_million_tokens: Annotated[Decimal, Field(ge=0)]

    def usd(self, input_tokens: int, output_tokens: int) -> Decimal:
        """US dollars for these tokens."""
        cost = self.input_usd_per_million_tokens * input_tokens
        return (cost + self.output_usd_per_million_tokens * output_tokens) / _MILLION


FREE = Price(input_usd_per_million_tokens=Decimal(0), output_usd_per_million_tokens=Decimal(0))


def price_of(
    model: str, *, provider: str | None = None, overrides: Mapping[str, Price | Literal["free"]] | None = None
) -> Price:
    """The price of a model: the policy's own, else genai-prices' list as shipped (no network).

    Tiered prices are taken at the rate of a small call.

    Raises:
        PolicyError: Nobody knows the price, so a budget in US dollars could not be kept.
    """
    override = (overrides or {}).get(model)
    if override is not None:
        return FREE if override == "free" else override
    from genai_prices import Usage, calc_price

    try:
        cost = calc_price(Usage(input_tokens=1000, output_tokens=1000), model_ref=model, provider_id=provider)
    except LookupError:
        cost = None
    # The list also has models without a price for tokens, which are not free for that.
    if cost is None or not (cost.input_price or cost.output_price):
        what = f"The price of model {model!r} is not known; give it one, or say that it is free"
        raise PolicyError([Fault(what, where=f"prices.{model}")])
    return Price(
        input_usd_per_million_tokens=cost.input_price * 1000,
        output_usd_per_million_tokens=cost.output_price * 1000,
    )
