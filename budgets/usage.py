"""What a conversation has used."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Usage:
    """Amounts that add up."""

    input_tokens: int = 0
    output_tokens: int = 0
    usd: Decimal = Decimal(0)
    model_calls: int = 0
    tool_calls: int = 0
    turns: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For JSON; US dollars as a text, because a float would round them."""
        return asdict(self) | {"usd": str(self.usd)}

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> Self:
        """What `as_dict` gave."""
        return cls(**{**saved, "usd": Decimal(saved["usd"])})

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

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "agent": self.agent,
            "model": self.model,
            "usage": self.usage.as_dict(),
            "seconds": self.seconds,
        }

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> Self:
        """What `as_dict` gave."""
        return cls(saved["agent"], saved["model"], Usage.of(saved["usage"]), saved["seconds"])
