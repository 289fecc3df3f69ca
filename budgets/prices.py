"""What a model's tokens cost."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from ringfence.settings import Section


class Price(Section):
    """A model's own price, where the public price list has none or another one. US dollars."""

    input_usd_per_million_tokens: Annotated[Decimal, Field(ge=0)]
    output_usd_per_million_tokens: Annotated[Decimal, Field(ge=0)]
