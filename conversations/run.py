"""One run of a team: its events go out through the user door, its end is told apart."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Generic, Protocol, TypeVar

from autogen_core import CancellationToken

from ringfence.conversations.session import Session
from ringfence.conversations.transcript import Entry
from ringfence.errors import ApprovalRequired, ConversationInterrupted, LimitExceeded, RingfenceError
from ringfence.guardrails.approval import DecidedCall
from ringfence.guardrails.calls import Delivery, UserTurn
from ringfence.guardrails.middleware import door

EventT = TypeVar("EventT")
ResultT = TypeVar("ResultT")


class Runner(Protocol[EventT, ResultT]):
    """A team that can take a task, and save and load its state. `agents/` makes one of an AutoGen team."""

    def stream(
        self, messages: Sequence[Any], token: CancellationToken, *, output_task_messages: bool
    ) -> AsyncGenerator[EventT | ResultT, None]:
        """Work on the messages; the last item is the result."""
        ...

    def is_result(self, item: EventT | ResultT) -> bool:
        """Whether an item of the stream is its result."""
        ...

    def result(self, messages: Sequence[EventT], ended: ResultT | None, reason: str | None) -> ResultT:
        """A result with these messages, and this reason in place of the team's own."""
        ...

    async def run_decided(self, decided: DecidedCall, token: CancellationToken) -> tuple[str, bool]:
        """Take a decided call through the tool door: the masked text of its result, and whether it failed."""
        ...

    async def save_state(self) -> Mapping[str, Any]:
        """The state between two runs."""
        ...

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up a saved state; only a fresh runner can."""
        ...


class Run(Generic[EventT, ResultT]):
    """Drives a team through one task and hands every event out as the user may see it."""

    def __init__(
        self,
        session: Session,
        token: CancellationToken,
        queue: "asyncio.Queue[Any]",
        *,
        output_task_messages: bool,
    ) -> None:
        self._session = session
        self.token = token
        self._queue = queue
        self._output_task_messages = output_task_messages
        self._delivered: list[EventT] = []
        self.entries: list[Entry] = []
        self.healthy = True
        """False when the team failed or was cancelled: AutoGen cannot use it again."""

    async def drive(self, runner: Runner[EventT, ResultT], messages: Sequence[Any]) -> ResultT:
        """Hand the task in, the events out, and return the result.

        Raises:
            RingfenceError: Why there is no result that may be used.
        """
        enter = door(self._session.user_door, lambda turn: self._driven(runner, turn))
        result: ResultT = await enter(UserTurn(tuple(messages)))
        return result

    async def _driven(self, runner: Runner[EventT, ResultT], turn: UserTurn) -> ResultT:
        stop = self._session.stop
        ended: ResultT | None = None
        timer = self._start_timer()
        try:
            ended = await self._deliver_all(runner, turn)
        except (Exception, asyncio.CancelledError) as error:
            self.healthy = False
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            if not isinstance(stop.error, LimitExceeded) and type(stop.error) is not ApprovalRequired:
                raise stop.error or await self._interruption(error) from None
        finally:
            if timer is not None:
                timer.cancel()
        if stop.error is not None and not isinstance(stop.error, LimitExceeded | ApprovalRequired):
            self.healthy = False
            raise stop.error
        return runner.result(self._delivered, ended, str(stop.error) if stop.error else None)

    async def _deliver_all(self, runner: Runner[EventT, ResultT], turn: UserTurn) -> ResultT | None:
        outward = door(self._session.delivery_door, self._deliver)
        output = self._output_task_messages
        ended: ResultT | None = None
        async with aclosing(runner.stream(turn.messages, self.token, output_task_messages=output)) as items:
            async for item in items:
                if runner.is_result(item):
                    ended = item  # type: ignore[assignment]  # is_result says which of the two it is
                    continue
                try:
                    await outward(Delivery(item))
                except RingfenceError as error:
                    # Closing a team's stream lets the rest of the chat run on, unless it is stopped first.
                    self._session.stop.set(error)
                    self.token.cancel()
                    raise
        return ended

    async def _deliver(self, delivery: Delivery) -> None:
        self.entries.append(Entry.of(delivery.message))
        seen: EventT = self._session.revealed(delivery.message)
        self._delivered.append(seen)
        self._queue.put_nowait(seen)

    def _start_timer(self) -> asyncio.TimerHandle | None:
        ledger = self._session.ledger

        def out_of_time() -> None:
            self._session.stop.set(ledger.out_of_time())
            self.token.cancel()

        seconds = ledger.limits.seconds
        return None if seconds is None else asyncio.get_running_loop().call_later(seconds, out_of_time)

    async def _interruption(self, error: BaseException) -> RingfenceError:
        if isinstance(error, RingfenceError):
            return error
        if isinstance(error, asyncio.CancelledError) or self.token.is_cancelled():
            return ConversationInterrupted("The run was cancelled")
        # AutoGen puts the whole traceback into the text; its first line says what happened.
        first_line = str(error).strip().partition("\n")[0][:300]
        said = await self._session.masker.mask(first_line, point="error")
        return ConversationInterrupted(f"The team failed: {said or type(error).__name__}")
