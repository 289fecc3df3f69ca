"""What a conversation has used."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Usage:
    """Amounts that add up."""

    input_tokens: int = 0
    output_tokens: int = 0
    usd: Decimal = Decimal(0)
    model_calls: int = 0
    tool_calls: int = 0
    turns: int = 0

    @property
    def tokens(self) -> int:
        """Input and output tokens together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.usd + other.usd,
            self.model_calls + other.model_calls,
            self.tool_calls + other.tool_calls,
            self.turns + other.turns,
        )

    def __sub__(self, other: "Usage") -> "Usage":
        return self + Usage(
            -other.input_tokens,
            -other.output_tokens,
            -other.usd,
            -other.model_calls,
            -other.tool_calls,
            -other.turns,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One model call, as it was settled."""

    agent: str
    model: str
    usage: Usage
    seconds: float
