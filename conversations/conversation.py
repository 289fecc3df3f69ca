"""One conversation of a user with a team, from the task to the answer."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any, Generic

from autogen_core import CancellationToken

from ringfence.budgets.limits import Limits
from ringfence.budgets.usage import Step, Usage
from ringfence.conversations.run import EventT, ResultT, Run, Runner
from ringfence.conversations.session import Session
from ringfence.conversations.status import Status
from ringfence.conversations.transcript import Entry
from ringfence.errors import (
    ApprovalRequired,
    ConversationInterrupted,
    LimitExceeded,
    TaskError,
)
from ringfence.guardrails.approval import ApprovalRequest, Approved, Rejected
from ringfence.guardrails.texts import UncheckableContentError, texts_of

_END = object()
_SUSPICIONS = "ringfence_suspicions"
_VAULT = "ringfence_vault"
"""Where a saved state names the vault that its pseudonyms belong to."""


class Conversation(Generic[EventT, ResultT]):
    """Runs like an AutoGen team, behind the fence. One run at a time."""

    def __init__(
        self,
        *,
        session: Session,
        new_runner: Callable[[], Awaitable[Runner[EventT, ResultT]]],
        task_messages: Callable[[Any, str], Sequence[Any]],
        renewed: Callable[[Session], Session | None] = lambda _: None,
    ) -> None:
        self._session = session
        self._new_runner = new_runner
        self._renewed = renewed
        self._task_messages = task_messages
        self._runner: Runner[EventT, ResultT] | None = None
        self._state: Mapping[str, Any] | None = None
        self._status = Status.READY
        self._entries: list[Entry] = []
        self._news: list[str] = []
        """What became of decided calls, until the team has heard it in a run that went well."""

    def __repr__(self) -> str:
        return f"Conversation(id={self.id!r}, status={self._status.value!r})"

    @property
    def id(self) -> str:
        """The conversation's id."""
        return self._session.id

    @property
    def user(self) -> str:
        """Who talks to the team."""
        return self._session.user

    @property
    def status(self) -> Status:
        """Where the conversation stands."""
        return self._status

    @property
    def trace_id(self) -> str:
        """The id that every audit line of the current or last run carries."""
        return self._session.record.trace_id

    @property
    def usage(self) -> Usage:
        """What was used so far: tokens, US dollars, calls and turns."""
        return self._session.ledger.spent

    @property
    def judge_usage(self) -> Usage:
        """What the models used that judged the conversation; it is not part of `usage`."""
        return self._session.judge_ledger.spent

    @property
    def limits(self) -> Limits:
        """What the conversation may use."""
        return self._session.ledger.limits

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every model call with its usage, in order."""
        return self._session.ledger.steps

    @property
    def transcript(self) -> tuple[Entry, ...]:
        """What was said, with pseudonyms."""
        return tuple(self._entries)

    @property
    def pending_approvals(self) -> tuple[ApprovalRequest, ...]:
        """What waits for a person, oldest first."""
        return self._session.approvals.pending

    async def approve(self, approval_id: str, *, by: str) -> None:
        """Approve a waiting call; it runs, once and exactly so, at the next `resume()`.

        Raises:
            ApprovalDenied: It has expired.
            RingfenceError: No such approval waits.
        """
        self._session.approvals.decide(approval_id, Approved(by))

    async def reject(self, approval_id: str, *, by: str, reason: str = "") -> None:
        """Reject a waiting call; the team hears so at the next `resume()`.

        Raises:
            ApprovalDenied: It has expired.
            RingfenceError: No such approval waits.
        """
        self._session.approvals.decide(approval_id, Rejected(by, reason))

    async def run(
        self,
        *,
        task: Any = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> ResultT:
        """Work on a task until the team stops; answers with AutoGen's TaskResult.

        A limit or a missing approval ends the run with a stop reason that says so; see `status`.

        Raises:
            TaskError: There is nothing to work on.
            LimitExceeded: The task itself is too long.
            GuardrailTripped: A guardrail blocked the task or the answer.
            ModelCallFailed: A model's provider failed.
            ConversationInterrupted: The run was cancelled, or the team failed.
            CoverageError: The team has parts that cannot be fenced.
        """
        items = self.run_stream(
            task=task, cancellation_token=cancellation_token, output_task_messages=output_task_messages
        )
        return await self._last(items)

    async def run_stream(
        self,
        *,
        task: Any = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> AsyncGenerator[EventT | ResultT, None]:
        """The events of a run as they happen, with real values for the user; the last item is the TaskResult.

        Leaving the loop early stops the run. Raises as `run`.
        """
        self._check_idle()
        self._take_changed_policy()
        messages = self._checked_task(task)

        async def given(_runner: object, _token: object) -> Sequence[Any]:
            return [*self._untold(), *messages]

        items = self._streamed(given, cancellation_token, output_task_messages=output_task_messages)
        async with aclosing(items):
            async for item in items:
                yield item

    async def resume(self, *, cancellation_token: CancellationToken | None = None) -> ResultT:
        """Carry out what was decided of the waiting calls, tell the team, and go on.

        Raises:
            ApprovalRequired: Something still waits for a decision.
            TaskError: Nothing was decided.
        """
        self._check_idle()
        if self._take_changed_policy():
            said = "The policy has changed, so what waited was withdrawn; hand in a task with run(task=...)"
            raise TaskError(said)
        for request in self.pending_approvals:
            still = "still waits for approval"
            raise ApprovalRequired(approval_id=request.id, tool=request.tool, reason=still)
        if not self._session.approvals.decided:
            raise TaskError("Nothing was decided that waits; hand in a task with run(task=...)")
        return await self._last(
            self._streamed(self._carry_out_decisions, cancellation_token, output_task_messages=True)
        )

    async def save_state(self) -> Mapping[str, Any]:
        """The team's state after the last run that ended well, with pseudonyms."""
        if not self._state:
            return {}
        return {
            **self._state,
            _VAULT: self._session.vault.id,
            _SUSPICIONS: self._session.suspicions.saved(),
        }

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `save_state` gave.

        Raises:
            ConversationInterrupted: The conversation is running.
        """
        self._check_idle()
        vault = self._session.vault
        if state.get(_VAULT) != vault.id:
            # A pseudonym that another conversation gave out must not come to mean somebody else here.
            vault.forget()
            for text in texts_of(state):
                vault.reserve(text)
        # The team of that state knows nothing of what waits here.
        self._session.approvals.withdraw()
        self._runner = None
        self._news.clear()
        self._session.suspicions.clear()
        self._session.suspicions.load(state.get(_SUSPICIONS, ()))
        own = {_VAULT, _SUSPICIONS}
        self._state = {key: value for key, value in state.items() if key not in own} or None

    def forget(self, value: str) -> int:
        """Forget a real value with its variants; says how many written forms of it were known.

        Its stand-in stays in the agents' memory and will never mean anything again.
        """
        return self._session.vault.forget(value)

    async def reset(self) -> None:
        """Forget what was said. What was spent stays spent."""
        await self.load_state({})
        self._status = Status.READY
        self._entries.clear()
        self._news.clear()

    def _take_changed_policy(self) -> bool:
        """Go on under the policy of now; says whether something that waited was withdrawn by that."""
        before = self._session
        after = self._renewed(before)
        if after is None:
            return False
        waited = bool(before.approvals.pending or before.approvals.decided)
        before.approvals.withdraw()
        after.record("policy_changed")
        self._session = after
        # The old team holds the old doors. A new one takes up its state.
        self._runner = None
        if waited:
            self._news.append("The policy has changed, so the calls that waited for approval were withdrawn.")
        return waited

    async def _last(self, items: AsyncGenerator[Any, None]) -> ResultT:
        last = [item async for item in items][-1]
        result: ResultT = last
        return result

    async def _carry_out_decisions(
        self, runner: Runner[EventT, ResultT], token: CancellationToken
    ) -> Sequence[Any]:
        for one in self._session.approvals.decided:
            if token.is_cancelled():
                break
            text, failed = await runner.run_decided(one, token)
            self._session.approvals.finish(one.request.id)
            self._session.effects.clear()  # the news says it
            outcome = "it was not done" if failed else "it has been done, once"
            self._news.append(f"{one.decision.by} decided on {one.request.tool}: {outcome}. {text}")
        if isinstance(self._session.stop.error, LimitExceeded):
            self._session.stop.clear()  # the team shall hear it; the limit itself holds
        return self._untold()

    def _untold(self) -> Sequence[Any]:
        return self._task_messages("\n".join(self._news), "approvals") if self._news else ()

    def _check_idle(self) -> None:
        if self._status is Status.RUNNING:
            raise ConversationInterrupted("This conversation is running already; wait for it, or cancel it")

    def _checked_task(self, task: Any) -> Sequence[Any]:
        self._check_idle()
        if task is None:
            if self._state is None:
                raise TaskError("The task is empty, and nothing was said yet that the team could go on with")
            return ()
        messages = self._task_messages(task, "user")
        try:
            characters = sum(len(text) for text in texts_of(list(messages)))
        except UncheckableContentError:
            return messages  # the user door says so, on record
        limit = self._session.ledger.limits.task_characters
        if characters > limit:
            raise LimitExceeded(kind="task characters", value=characters, limit=limit, scope="task")
        return messages

    async def _streamed(
        self,
        messages: Callable[[Runner[EventT, ResultT], CancellationToken], Awaitable[Sequence[Any]]],
        outer_token: CancellationToken | None,
        *,
        output_task_messages: bool,
    ) -> AsyncGenerator[Any, None]:
        self._check_idle()
        self._status = Status.RUNNING
        token = CancellationToken()
        token.add_callback(self._session.stop.interrupt)
        if outer_token is not None:
            outer_token.add_callback(token.cancel)
        queue: asyncio.Queue[Any] = asyncio.Queue()
        run: Run[EventT, ResultT] = Run(
            self._session, token, queue, output_task_messages=output_task_messages
        )
        work = asyncio.ensure_future(self._work(run, messages))
        work.add_done_callback(lambda _: queue.put_nowait(_END))
        try:
            while (item := await queue.get()) is not _END:
                yield item
            yield await work
        finally:
            if not work.done():
                # The consumer left: stop the team, or it would go on, and spend, where nobody looks.
                token.cancel()
                with suppress(Exception, asyncio.CancelledError):
                    await work

    async def _work(
        self,
        run: Run[EventT, ResultT],
        messages: Callable[[Runner[EventT, ResultT], CancellationToken], Awaitable[Sequence[Any]]],
    ) -> ResultT:
        session = self._session
        session.start_run()
        try:
            session.record("run_started", user=session.user)
            runner = self._runner or await self._fresh_runner()
            result = await run.drive(runner, await messages(runner, run.token))
            self._status = Status.after(session.stop.error)
            if run.healthy:
                self._state = await runner.save_state()
                self._news.clear()
        except BaseException as error:
            self._status = Status.after(error)
            raise
        finally:
            self._entries.extend(run.entries)
            if not run.healthy:
                self._runner = None
                self._news += [f"The run before did not end well, but in it {one}" for one in session.effects]
            session.record(
                "run_ended",
                status=self._status.value,
                reason=str(session.stop.error or ""),
                turns=self.usage.turns,
                tokens=self.usage.tokens,
                usd=str(self.usage.usd),
            )
        return result

    async def _fresh_runner(self) -> Runner[EventT, ResultT]:
        runner = await self._new_runner()
        if self._state is not None:
            await runner.load_state(self._state)
        self._runner = runner
        return runner
