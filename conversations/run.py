"""One run of a team: its events go out through the user door, its end is told apart."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from autogen_core import CancellationToken

from ringfence.conversations.session import Session
from ringfence.conversations.transcript import Entry
from ringfence.errors import ApprovalRequired, ConversationInterrupted, LimitExceeded, RingfenceError
from ringfence.guardrails.approval import DecidedCall
from ringfence.guardrails.calls import Delivery, UserTurn
from ringfence.guardrails.enforcement import last_words, needs_whole
from ringfence.guardrails.middleware import Handler, door
from ringfence.guardrails.passages import Passage, Point
from ringfence.guardrails.streaming import StreamedMask, StreamedReveal

EventT = TypeVar("EventT")
ResultT = TypeVar("ResultT")
StreamT = TypeVar("StreamT")

Send = Handler[Delivery, None]


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

    def chunk(self, item: EventT) -> str | None:
        """The text of an item that is a piece of a message on its way; None for every other item."""
        ...

    def with_chunk(self, item: EventT, text: str) -> EventT:
        """The piece with another text."""
        ...

    def text(self, item: EventT) -> str:
        """The text of a message of plain text; empty for every other item."""
        ...

    def is_message(self, item: EventT) -> bool:
        """Whether an item is something that an agent says, and no event."""
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


@dataclass(slots=True)
class _Pieces(Generic[StreamT]):
    """A message that comes in pieces."""

    stream: StreamT
    last: Any
    """Its last piece."""


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
        self._written: dict[str, _Pieces[StreamedMask]] = {}
        """The messages that are on their way in pieces, by who says them: what the door has not seen yet."""
        self._shown: dict[str, _Pieces[StreamedReveal]] = {}
        """What the user has not seen yet."""
        self._before: dict[str, str] = {}
        """The last piece that was delivered of each speaker's message on its way."""
        self._waiting: dict[str, Any] = {}
        """The last piece of each message that has to be seen whole before any of it is delivered."""
        self._task_ids: set[Any] = set()
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
        self._task_ids = {getattr(message, "id", None) for message in turn.messages}
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
        outward = door(self._session.delivery_door, lambda delivery: self._deliver(runner, delivery.message))
        output = self._output_task_messages
        ended: ResultT | None = None
        try:
            async with aclosing(
                runner.stream(turn.messages, self.token, output_task_messages=output)
            ) as items:
                try:
                    async for item in items:
                        if runner.is_result(item):
                            ended = item  # type: ignore[assignment]  # is_result says which of the two it is
                        else:
                            await self._send(runner, outward, item)
                    await self._send_rest(runner, outward, *list(self._written))
                except RingfenceError as error:
                    # Closing a team's stream lets the rest of the chat run on, unless it is stopped.
                    self._session.stop.set(error)
                    self.token.cancel()
                    raise
        finally:
            # What already passed the door; what did not is never shown.
            self._hand_out_rest(runner, *list(self._shown))
        return ended

    async def _send(self, runner: Runner[EventT, ResultT], outward: Send, item: Any) -> None:
        """Take an item to the door; pieces of a message only where no value and no stand-in is cut."""
        source = str(getattr(item, "source", ""))
        text = runner.chunk(item)
        if text is None:
            await self._send_rest(runner, outward, source)
            self._before.pop(source, None)
            says = runner.is_message(item) and getattr(item, "id", None) not in self._task_ids
            await outward(Delivery(item, is_answer=says))
            if says:
                self._waiting.pop(source, None)
            return
        outward_checks = self._session.guardrails.get(Point.OUTPUT, ())
        if needs_whole(outward_checks, Passage("", Point.OUTPUT, agent=source)):
            self._waiting[source] = item
            return
        if source not in self._written and self._session.live_pieces.take(text):
            await self._send_piece(runner, outward, item, text)
            return
        if source not in self._written:
            self._written[source] = _Pieces(self._session.masker.streamed(point=Point.OUTPUT.value), item)
        pieces = self._written[source]
        pieces.last = item
        if masked := await pieces.stream.feed(text):
            await self._send_piece(runner, outward, item, masked)

    async def _send_rest(self, runner: Runner[EventT, ResultT], outward: Send, *sources: str) -> None:
        for source in sources:
            pieces = self._written.pop(source, None)
            if pieces is not None and (rest := await pieces.stream.finish()):
                await self._send_piece(runner, outward, pieces.last, rest)

    async def _send_piece(self, runner: Runner[EventT, ResultT], outward: Send, item: Any, text: str) -> None:
        source = str(getattr(item, "source", ""))
        before = self._before.get(source, "")
        self._before[source] = last_words(before + text)
        await outward(Delivery(runner.with_chunk(item, text), before=before, piece=text))

    async def _deliver(self, runner: Runner[EventT, ResultT], message: Any) -> None:
        self.entries.append(Entry.of(message))
        source = str(getattr(message, "source", ""))
        text = runner.chunk(message)
        if text is None:
            self._hand_out_rest(runner, source)
            shown_message = self._session.revealed(message)
            waiting = self._waiting.get(source)
            if waiting is not None and runner.is_message(message) and runner.text(message):
                self._hand_out(runner.with_chunk(waiting, runner.text(shown_message)))
            self._hand_out(shown_message)
            return
        if source not in self._shown:
            self._shown[source] = _Pieces(self._session.streamed_reveal(), message)
        pieces = self._shown[source]
        pieces.last = message
        if shown := pieces.stream.feed(text):
            self._hand_out(runner.with_chunk(self._session.revealed(message), shown))

    def _hand_out_rest(self, runner: Runner[EventT, ResultT], *sources: str) -> None:
        """What was held back of the pieces of these sources, because it could have become a stand-in."""
        for source in sources:
            pieces = self._shown.pop(source, None)
            if pieces is not None and (rest := pieces.stream.finish()):
                self._hand_out(runner.with_chunk(self._session.revealed(pieces.last), rest))

    def _hand_out(self, seen: EventT) -> None:
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
