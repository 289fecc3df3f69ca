"""Makes the fence's stop a graceful end of the team's run."""

from collections.abc import Collection, Sequence

from autogen_agentchat.base import TerminatedException, TerminationCondition
from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage

from ringfence.budgets.ledger import Ledger
from ringfence.errors import LimitExceeded
from ringfence.guardrails.stop import StopSignal


class FenceTermination(TerminationCondition):
    """Counts turns, and ends the run after the turn in which the fence stopped the conversation."""

    def __init__(self, *, stop: StopSignal, ledger: Ledger, agents: Collection[str]) -> None:
        self._stop = stop
        self._ledger = ledger
        self._agents = frozenset(agents)
        self._terminated = False

    @property
    def terminated(self) -> bool:
        """Whether the run has ended."""
        return self._terminated

    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        """Called by AutoGen between two turns with what was said since."""
        if self._terminated:
            raise TerminatedException("The run has ended already")
        if any(
            isinstance(message, BaseChatMessage) and message.source in self._agents for message in messages
        ):
            try:
                self._ledger.count_turn()
            except LimitExceeded as error:
                self._stop.set(error)
        if self._stop.error is None:
            return None
        self._terminated = True
        return StopMessage(content=str(self._stop.error), source="ringfence")

    async def reset(self) -> None:
        """Called by AutoGen before the next run."""
        self._terminated = False
