"""One run of a team: its events go out through the user door, its end is told apart."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from autogen_core import CancellationToken

from ringfence.conversations.session import Session
from ringfence.conversations.status import Status
from ringfence.conversations.transcript import Entry
from ringfence.errors import ConversationInterrupted, LimitExceeded, RingfenceError, is_suspension
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

    finished: bool
    """After a step: the team is done. Else it goes on with the next step."""
    said: list[Mapping[str, Any]]
    """What was said in the last step, as JSON, for `load_state`."""

    async def start_run(self) -> None:
        """A new run begins with the next step; not called for a run that is taken up again."""
        ...

    def step(
        self, messages: Sequence[Any], token: CancellationToken, *, output_task_messages: bool
    ) -> AsyncGenerator[EventT | ResultT, None]:
        """One turn; the last item is its result."""
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

    async def save_state(self) -> Mapping[str, Any]:
        """The state between two turns."""
        ...

    async def load_state(
        self, state: Mapping[str, Any], said: Sequence[Sequence[Mapping[str, Any]]] = ()
    ) -> None:
        """Take up a saved state, and what the run has said so far, turn by turn; only a fresh runner can."""
        ...

    async def fingerprint(self) -> Mapping[str, Any]:
        """What the team is made of, as JSON that is the same in every process."""
        ...

    def dump(self, event: EventT) -> Mapping[str, Any]:
        """An event as JSON."""
        ...

    def load(self, dumped: Mapping[str, Any]) -> EventT:
        """The event that `dump` gave."""
        ...

    async def rest(self) -> None:
        """Stop what runs for this team alone until the next step."""
        ...

    async def close(self) -> None:
        """Stop what runs for this team alone; it is of no use any more."""
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
        resumes: bool = False,
        is_masked: bool = False,
        heard: Callable[[], None] = lambda: None,
    ) -> None:
        self._session = session
        self.resumes = resumes
        """The open turn is played again."""
        self._is_masked = is_masked
        """What is handed in has passed the user's door before."""
        self._heard = heard
        events = session.journal.turn_events if resumes else ()
        self._delivered_before = [Entry(**event.content["sent"]) for event in events]
        """What went out in that turn before, and does not go out twice."""
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
        self.state: Mapping[str, Any] | None = None
        """The team's state at the last checkpoint of this run."""
        self.said: list[Sequence[Mapping[str, Any]]] = []
        """What was said in each turn of this run that came to its checkpoint."""
        self._sending: Any = None
        """The message that is at the door; nothing reads it before it has passed."""
        self.healthy = True
        """False when the team cannot be used again: it failed, was cancelled, or stopped within a turn."""

    async def drive(self, runner: Runner[EventT, ResultT], messages: Sequence[Any]) -> ResultT:
        """Hand the task in, the events out, and return the result.

        Raises:
            RingfenceError: Why there is no result that may be used.
        """
        given = UserTurn(tuple(messages))
        if self.resumes:
            return await self._driven(runner, given)

        async def taken_in(turn: UserTurn) -> ResultT:
            await self._session.journal.set_messages([runner.dump(one) for one in turn.messages])
            await runner.start_run()
            return await self._driven(runner, turn)

        enter = taken_in if self._is_masked else door(self._session.user_door, taken_in)
        result: ResultT = await enter(given)
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
            if not isinstance(stop.error, LimitExceeded) and not is_suspension(stop.error):
                raise stop.error or await self._interruption(error) from None
        finally:
            if timer is not None:
                timer.cancel()
        if is_suspension(stop.error):
            self.healthy = False  # the turn will be played again
        elif stop.error is not None and not isinstance(stop.error, LimitExceeded):
            self.healthy = False
            raise stop.error
        return runner.result(self._delivered, ended, str(stop.error) if stop.error else None)

    async def _deliver_all(self, runner: Runner[EventT, ResultT], turn: UserTurn) -> ResultT | None:
        outward = door(self._session.delivery_door, lambda delivery: self._deliver(runner, delivery.message))
        stop, messages = self._session.stop, turn.messages
        ended: ResultT | None = None
        while True:
            ended = await self._deliver_turn(runner, outward, messages)
            if stop.cuts_short:
                return ended
            goes_on = not runner.finished and stop.error is None
            state = await runner.save_state()
            self._heard()
            status = Status.RUNNING if goes_on else Status.after(stop.error)
            await self._session.journal.end_turn(
                state=state, said=runner.said, goes_on=goes_on, status=status.value
            )
            self.state = state
            self.said.append(runner.said)
            self._delivered_before.clear()
            if not goes_on:
                return ended
            messages = ()

    async def _deliver_turn(
        self, runner: Runner[EventT, ResultT], outward: Send, messages: Sequence[Any]
    ) -> ResultT | None:
        output = self._output_task_messages
        ended: ResultT | None = None
        try:
            async with aclosing(runner.step(messages, self.token, output_task_messages=output)) as items:
                try:
                    async for item in items:
                        if runner.is_result(item):
                            ended = item  # type: ignore[assignment]  # is_result says which of the two it is
                        elif not self._session.stop.cuts_short:
                            await self._send(runner, outward, item)
                    if not self._session.stop.cuts_short:
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
        if self._went_out_before(item, source, is_piece=text is not None):
            return
        if text is None:
            self._sending = item
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

    def _went_out_before(self, item: Any, source: str, *, is_piece: bool) -> bool:
        """Whether a turn that is played again has come to something that was delivered before."""
        if not self._delivered_before:
            return False
        if is_piece:
            return any(one.source == source for one in self._delivered_before)
        entry = Entry.of(item)
        if entry in self._delivered_before:
            self._delivered_before.remove(entry)
            return True
        return False

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
        source = str(getattr(message, "source", ""))
        text = runner.chunk(message)
        entry = Entry.of(message)
        self.entries.append(entry)
        if text is None:
            sent = entry if self._sending is None else Entry.of(self._sending)
            content = {"sent": sent.as_dict(), "entry": entry.as_dict(), "message": runner.dump(message)}
            self._session.journal.deliver(kind=entry.kind, source=source, content=content)
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
