"""Makes the fence's stop a graceful end of the team's run."""

from collections.abc import Collection, Sequence

from autogen_agentchat.base import TerminatedException, TerminationCondition
from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage

from ringfence.budgets.ledger import Ledger
from ringfence.errors import LimitExceeded
from ringfence.guardrails.stop import StopSignal


class FenceTermination(TerminationCondition):
    """Counts turns, and ends the run after the turn in which the fence stopped the conversation.

    Holds the team's own condition, which goes first: a team that is done with its last turn is done.
    """

    def __init__(
        self,
        *,
        stop: StopSignal,
        ledger: Ledger,
        agents: Collection[str],
        own: TerminationCondition | None,
        own_turns: int | None,
    ) -> None:
        self._stop = stop
        self._ledger = ledger
        self._agents = frozenset(agents)
        self._own = own
        self._own_turns = own_turns
        self._turns = 0
        self._terminated = False

    @property
    def terminated(self) -> bool:
        """Whether the run has ended."""
        return self._terminated

    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        """Called by AutoGen between two turns with what was said since."""
        if self._terminated:
            raise TerminatedException("The run has ended already")
        ended = await self._own(messages) if self._own is not None else None
        if any(isinstance(one, BaseChatMessage) and one.source in self._agents for one in messages):
            self._turns += 1
            try:
                self._ledger.count_turn()
            except LimitExceeded as error:
                if ended is None and self._turns != self._own_turns:
                    self._stop.set(error)
        if self._stop.error is not None:
            ended = StopMessage(content=str(self._stop.error), source="ringfence")
        self._terminated = ended is not None
        return ended

    async def reset(self) -> None:
        """Called by AutoGen before the next run."""
        self._turns, self._terminated = 0, False
        if self._own is not None:
            await self._own.reset()
