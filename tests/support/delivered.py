"""Calls of one tool through the delivery alone, with a clock and waits of the test's own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from scripted import result

from ringfence.agents.delivery import Deliver
from ringfence.agents.services import Services
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.texts import ToolResult
from ringfence.guardrails.tool_policy import ToolPolicy
from ringfence.guardrails.tool_rules import ToolRule
from ringfence.guardrails.tool_spec import ToolSpec

READS = ToolSpec(consequential=False)
ACTS = ToolSpec(consequential=True)


class Clock:
    """Time that passes only when somebody waits, or the test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        """Seconds since the test began."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Wait without waiting."""
        self.waits.append(seconds)
        self.now += seconds


@dataclass
class Post:
    """A tool, `act`, that does what its script says, behind a rule of the policy."""

    rule: dict[str, Any] = field(default_factory=dict)
    spec: ToolSpec = READS
    clock: Clock = field(default_factory=Clock)
    runs: int = 0
    """How often the tool was run."""
    record: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        policy = ToolPolicy({"act": ToolRule.model_validate(self.rule)})
        self.services = Services(self.clock.sleep, self.clock)
        self._deliver = Deliver(
            policy, spec_of=lambda _: self.spec, services=self.services, record=self._note
        )

    def _note(self, event: str, /, **fields: object) -> None:
        self.record.append({"event": event, **fields})

    async def call(self, *script: Any) -> ToolResult:
        """Run the tool: each attempt raises, awaits or answers the next of the script, and then the last."""
        made = 0

        async def act(_call: ToolCall) -> ToolResult:
            nonlocal made
            step = script[min(made, len(script) - 1)]
            made, self.runs = made + 1, self.runs + 1
            if isinstance(step, BaseException):
                raise step
            answer: Callable[[], Awaitable[Any]] | Any = step
            given = await answer() if callable(answer) else answer
            return result(given) if isinstance(given, str) else given

        return await self._deliver(ToolCall("desk", "act", {}, "call-1"), act)

    async def told(self, *script: Any) -> str:
        """What the model is told of such a call."""
        answer = await self.call(*script)
        return answer.to_text()
