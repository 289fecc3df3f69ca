"""What a conversation may use, as plain data with pure checks."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from ringfence.settings import Section

Count = Annotated[int, Field(ge=1)]


class Limits(Section):
    """Upper bounds of one conversation. A limit that is None does not bound."""

    turns: Count | None = 30
    """Agents' turns of one run."""
    model_calls: Count | None = 100
    """Calls of any model, the selector's and the orchestrator's included."""
    tool_calls: Count | None = 50
    """Calls of any tool that were cleared to run."""
    tokens: Count | None = 100_000
    """Input and output tokens together."""
    usd: Annotated[Decimal, Field(gt=0)] | None = Decimal("1.00")
    """US dollars, by the price list and the policy's own prices."""
    seconds: Annotated[float, Field(gt=0)] | None = 600.0
    """Wall-clock seconds of one run."""
    task_characters: Count = 100_000
    """Characters of the text that a user may hand in at once."""
