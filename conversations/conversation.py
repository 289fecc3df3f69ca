"""One conversation of a user with a team, from the task to the answer."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from typing import Any, Generic

from autogen_core import CancellationToken

from ringfence.budgets.limits import Limits
from ringfence.budgets.usage import Step, Usage
from ringfence.conversations.changes import differences
from ringfence.conversations.deciding import answer_question, decide_call
from ringfence.conversations.kept import Kept
from ringfence.conversations.question import Question
from ringfence.conversations.quiet_suspension import quiet_when_suspended
from ringfence.conversations.requests import QUESTION, question_of
from ringfence.conversations.run import EventT, ResultT, Run, Runner
from ringfence.conversations.session import Session
from ringfence.conversations.status import Status
from ringfence.conversations.transcript import Entry
from ringfence.errors import (
    AnswerRequired,
    ApprovalRequired,
    ConversationChanged,
    ConversationInterrupted,
    LeaseLost,
    LimitExceeded,
    RingfenceError,
    StoreError,
    TaskError,
    UnknownConversation,
)
from ringfence.guardrails.approval import ApprovalDecision, ApprovalRequest, Approved, Rejected
from ringfence.guardrails.provenance_notes import OTHERS, note_all
from ringfence.guardrails.texts import UncheckableContentError, texts_of

_END = object()
_SUSPICIONS = "ringfence_suspicions"
_PROVENANCE = "ringfence_provenance"
_VAULT = "ringfence_vault"
"""Where a saved state names the vault that its pseudonyms belong to."""


class Conversation(Generic[EventT, ResultT]):
    """Runs like an AutoGen team, behind the fence, and goes on in any process. One run at a time."""

    def __init__(
        self,
        *,
        session: Session,
        new_runner: Callable[[], Awaitable[Runner[EventT, ResultT]]],
        task_messages: Callable[[Any, str], Sequence[Any]],
        renewed: Callable[[Session], Session | None] = lambda _: None,
        team: str = "",
    ) -> None:
        self._new_runner = new_runner
        self._renewed = renewed
        self._task_messages = task_messages
        self._team = team
        self._runner: Runner[EventT, ResultT] | None = None
        self._kept = Kept()
        self._is_running = self._is_busy = False
        self._take_session(session)

    def __repr__(self) -> str:
        return f"Conversation(id={self.id!r}, status={self.status.value!r})"

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
        """Where the conversation stands, as far as this process knows; see `load`."""
        return Status.RUNNING if self._is_running else self._kept.status

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
        return tuple(self._kept.entries)

    @property
    def pending_approvals(self) -> tuple[ApprovalRequest, ...]:
        """What waits for a person, oldest first: calls to approve, and calls that may have run already."""
        return self._session.approvals.pending

    @property
    def pending_questions(self) -> tuple[Question, ...]:
        """What an agent asked the user, oldest first."""
        return tuple(question_of(one) for one in self._kept.waiting() if one.kind == QUESTION)

    async def load(self) -> None:
        """Look into the store: what another process did, and what was decided there.

        Raises:
            UnknownConversation: The store has none of this id, or it is another user's.
            ConversationInterrupted: Another process runs it at this moment.
            StoreError: What is stored was changed, or cannot be read.
        """
        with self._alone():
            await self._refresh()
        if not self._kept.is_known:
            raise UnknownConversation(f"The store {self._store.name} knows no conversation {self.id!r}")

    async def approve(
        self, approval_id: str, *, by: str, arguments: Mapping[str, Any] | None = None, seen: str = ""
    ) -> None:
        """Approve a waiting call; it runs, once and exactly so, at the next `resume()`, in whatever process.

        Args:
            approval_id: One of `pending_approvals`.
            by: Who approves. Where the policy wants several persons, the call waits on for the next.
            arguments: All arguments of the call, with real values, in the place of the agent's; they are
                checked as the agent's were, and the agents are told of it.
            seen: The digest of the request that the person saw; one that was changed since is not approved.

        Raises:
            ApprovalDenied: It has expired.
            RingfenceError: No such approval waits, this person may not approve it, or the arguments must not
                be these.
        """
        await self._decide(approval_id, Approved(by, arguments), seen)

    async def reject(self, approval_id: str, *, by: str, reason: str = "") -> None:
        """Reject a waiting call; the team hears so at the next `resume()`.

        Raises:
            ApprovalDenied: It has expired.
            RingfenceError: No such approval waits, or this person may not decide it.
        """
        await self._decide(approval_id, Rejected(by, reason))

    async def answer(self, question_id: str, text: str, *, by: str = "") -> None:
        """Answer an agent's question; the agent hears it at the next `resume()`, behind the user door.

        Args:
            question_id: One of `pending_questions`.
            text: The answer, as the user wrote it.
            by: Who answers; None takes the conversation's user.

        Raises:
            TaskError: The answer is empty.
            RingfenceError: No such question waits.
        """
        self._task_messages(text, "user")  # what is wrong with it is told here
        await self._refresh(may_run=True)
        await answer_question(self._session, self.pending_questions, question_id, text, by=by)
        await self._refresh(may_run=True)

    async def withdraw(self) -> None:
        """Give up the turn that waits for a person: nothing of what waits will run.

        What the turn had done already is told to the team with the next task.

        Raises:
            ConversationInterrupted: The conversation is running.
        """
        with self._alone():
            await self._refresh()
            self._session.approvals.withdraw()
            await self._session.requests.withdraw()
            if self._kept.opened is not None:
                self._give_up_turn()
                await self._close_turn()
            await self._refresh()

    async def run(
        self,
        *,
        task: Any = None,
        cancellation_token: CancellationToken | None = None,
        output_task_messages: bool = True,
    ) -> ResultT:
        """Work on a task until the team stops; answers with AutoGen's TaskResult.

        A limit, a missing approval or a question ends the run with a stop reason that says so; see `status`.

        Raises:
            TaskError: There is nothing to work on, or something waits for a person first.
            LimitExceeded: The task itself is too long.
            GuardrailTripped: A guardrail blocked the task or the answer.
            ModelCallFailed: A model's provider failed.
            ConversationInterrupted: The run was cancelled, the team failed, or another process runs it.
            CoverageError: The team has parts that cannot be fenced.
            StoreError: It could not be written down, or the store was changed.
        """
        items = self.run_stream(
            task=task, cancellation_token=cancellation_token, output_task_messages=output_task_messages
        )
        result: ResultT = await _last(items)
        return result

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
        with self._alone():
            async with self._store.opened():
                await self._refresh()
                self._take_changed_policy()
                messages = self._checked_task(task)
                if self._kept.is_suspended:
                    waits = ", ".join(one.id for one in self._kept.requests if one.is_waiting) or "a decision"
                    said = (
                        f"This conversation waits for a person ({waits}); decide and resume(), or withdraw()"
                    )
                    raise TaskError(said)
                if self._kept.opened is not None:
                    self._give_up_turn()
                items = self._streamed(
                    lambda: [*self._untold(), *messages],
                    cancellation_token,
                    output_task_messages=output_task_messages,
                )
                async with aclosing(items):
                    async for item in items:
                        yield item

    async def resume(
        self, *, cancellation_token: CancellationToken | None = None, allow_changes: bool = False
    ) -> ResultT:
        """Go on within the turn that stopped: for a person, a failure, or because its process died.

        What the turn has done is taken from the journal and not done again. Raises as `resume_stream`.
        """
        items = self.resume_stream(cancellation_token=cancellation_token, allow_changes=allow_changes)
        result: ResultT = await _last(items)
        return result

    async def resume_stream(
        self, *, cancellation_token: CancellationToken | None = None, allow_changes: bool = False
    ) -> AsyncGenerator[EventT | ResultT, None]:
        """As `resume`, with the events as they happen, from where they stopped.

        Args:
            cancellation_token: Stops the run.
            allow_changes: When team, prompts, policy or models are other ones: begin the turn anew, and tell
                the team what was done in it. What waited for a person is withdrawn.

        Raises:
            ApprovalRequired: Something still waits for a decision.
            AnswerRequired: A question still waits for an answer.
            TaskError: No turn is open.
            ConversationChanged: Something changed, and that is not allowed.
        """
        with self._alone():
            async with self._store.opened():
                await self._refresh()
                renewed = self._renew_session()
                if self._kept.opened is None:
                    raise TaskError(
                        "No turn is open that could be resumed; hand in a task with run(task=...)"
                    )
                self._session.stop.clear()
                runner = await self._fresh_runner()
                changed = differences(self._kept, self._session.policy_version, await runner.fingerprint())
                if renewed and not changed:
                    changed = ["the policy is another one"]
                if changed and not allow_changes:
                    await self._discard_runner()
                    raise ConversationChanged(changed)
                if not changed:
                    self._check_decided()
                items = self._streamed_again(cancellation_token, anew=bool(changed))
                async with aclosing(items):
                    async for item in items:
                        yield item

    async def save_state(self) -> Mapping[str, Any]:
        """The team's state after the last turn that ended well, with pseudonyms."""
        if not self._kept.state:
            return {}
        return {
            **self._kept.state,
            _VAULT: self._session.vault.id,
            _SUSPICIONS: self._session.suspicions.saved(),
            _PROVENANCE: self._session.provenance.saved(),
        }

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `save_state` gave; it is kept with the next run.

        Raises:
            ConversationInterrupted: The conversation is running.
        """
        with self._alone():
            async with self._store.opened():
                await self._refresh()
                was_open = self._kept.opened is not None
                await self._load_state(state)
                if was_open:
                    await self._close_turn()

    def forget(self, value: str) -> int:
        """Forget a real value with its variants; says how many written forms of it were known.

        Its stand-in stays in the agents' memory and will never mean anything again. In the store, the value
        is gone with the next run.
        """
        return self._session.vault.forget(value)

    async def reset(self) -> None:
        """Forget what was said. What was spent stays spent."""
        await self.load_state({})
        self._kept.status = Status.READY
        self._kept.entries.clear()

    # What is kept

    @property
    def _store(self) -> Any:
        return self._session.journal.store

    def _take_session(self, session: Session) -> None:
        self._session = session

        def saved() -> Mapping[str, Any]:
            kept = self._kept
            own = {"news": [*kept.news], "diverged": kept.diverged, "reason": kept.reason}
            return {**self._session.saved(), **own}

        session.journal.session = saved
        session.journal.vault = lambda: (self._session.vault.version, self._session.vault.content)

    async def _refresh(self, *, may_run: bool = False) -> None:
        try:
            await self._store.read(
                lambda db: self._kept.refresh(db, self._session, forget_team=self._discard)
            )
        except ConversationInterrupted:
            if not may_run:
                raise

    def _discard(self) -> None:
        self._runner = None

    async def _load_state(self, state: Mapping[str, Any]) -> None:
        vault = self._session.vault
        if state.get(_VAULT) != vault.id:
            # A pseudonym that another conversation gave out must not come to mean somebody else here.
            vault.forget()
            for text in texts_of(state):
                vault.reserve(text)
        # The team of that state knows nothing of what waits here.
        self._session.approvals.withdraw()
        if self._kept.is_known:
            await self._session.requests.withdraw()
        await self._discard_runner()
        self._kept.news.clear()
        self._kept.opened, self._kept.requests = None, ()
        self._session.suspicions.clear()
        self._session.suspicions.load(state.get(_SUSPICIONS, ()))
        own = {_VAULT, _SUSPICIONS, _PROVENANCE}
        self._kept.state = {key: value for key, value in state.items() if key not in own} or None
        self._kept.is_replaced = True
        self._take_provenance(state)

    def _take_provenance(self, state: Mapping[str, Any]) -> None:
        """What the agents of a state remember counts as read; the user's words in it as the user's."""
        provenance = self._session.provenance
        provenance.clear(since=self._session.journal.turn)
        if self._kept.state is not None:
            provenance.load({"said": state.get(_PROVENANCE, {}).get("said", ())})
            provenance.is_loaded = True
            note_all(provenance, self._kept.state, OTHERS)

    async def _decide(self, approval_id: str, decision: ApprovalDecision, seen: str = "") -> None:
        await self._refresh(may_run=True)
        await decide_call(self._session, self._kept.requests, approval_id, decision, seen=seen)
        await self._refresh(may_run=True)

    def _check_decided(self) -> None:
        for request in self._session.approvals.pending:
            still = "still waits for approval"
            if any(one.id == request.id for one in self._kept.waiting()):
                raise ApprovalRequired(approval_id=request.id, tool=request.tool, reason=still)
        for question in self.pending_questions:
            raise AnswerRequired(question_id=question.id, agent=question.agent)

    def _renew_session(self) -> bool:
        after = self._renewed(self._session)
        if after is None:
            return False
        after.record("policy_changed")
        self._take_session(after)
        self._runner = None  # the old team holds the old doors
        return True

    def _take_changed_policy(self) -> None:
        """Go on under the policy of now; what waited under another one will not run."""
        before = self._session
        changed = self._renew_session()
        if changed or (self._kept.opened is not None and self._kept.policy != self._session.policy_version):
            if self._kept.is_suspended:
                before.approvals.withdraw()
                said = "The policy has changed, so the calls that waited for approval were withdrawn."
                self._kept.news.append(said)
            self._kept.requests = ()

    def _give_up_turn(self) -> None:
        effects = [f"The run before did not end well, but in it {one}" for one in self._kept.effects()]
        self._kept.news += effects
        self._kept.opened = None
        self._kept.diverged = False
        self._runner = None

    async def _close_turn(self) -> None:
        """Write down that no turn is open any more."""
        journal, kept = self._session.journal, self._kept
        replaced = {"state": journal.seal("state", kept.state)} if kept.is_replaced and kept.state else {}
        await journal.begin_run(resumes=False, **replaced)
        kept.status, kept.is_replaced = Status.READY, False
        await journal.end_run(status=Status.READY.value, open_turn=None)

    def _untold(self) -> Sequence[Any]:
        return self._task_messages("\n".join(self._kept.news), "approvals") if self._kept.news else ()

    def _checked_task(self, task: Any) -> Sequence[Any]:
        if task is None:
            if self._kept.state is None:
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

    # A run

    async def _streamed(
        self,
        messages: Callable[[], Sequence[Any]],
        outer_token: CancellationToken | None,
        *,
        output_task_messages: bool = True,
        resumes: bool = False,
        is_masked: bool = False,
    ) -> AsyncGenerator[Any, None]:
        self._is_running = True
        token, stop = CancellationToken(), self._session.stop
        is_over = False
        # A token that is cancelled late must not stop the next run.
        token.add_callback(lambda: None if is_over else stop.interrupt())
        if outer_token is not None:
            outer_token.add_callback(token.cancel)
        queue: asyncio.Queue[Any] = asyncio.Queue()
        run: Run[EventT, ResultT] = Run(
            self._session,
            token,
            queue,
            output_task_messages=output_task_messages,
            resumes=resumes,
            is_masked=is_masked,
            heard=self._kept.news.clear,
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
            is_over = True

    def _streamed_again(self, token: CancellationToken | None, *, anew: bool) -> AsyncGenerator[Any, None]:
        opened = [*(self._kept.opened or ())]

        def messages() -> Sequence[Any]:
            runner = self._runner
            loaded = [] if runner is None else [runner.load(one) for one in opened]
            return [*self._untold(), *loaded] if anew else loaded

        if anew:
            runner = self._runner
            if self._kept.is_suspended:
                self._kept.news.append("What waited for a person was withdrawn, and was not done.")
            self._session.approvals.withdraw()
            self._give_up_turn()
            self._runner = runner
        return self._streamed(messages, token, resumes=not anew, is_masked=True)

    async def _work(self, run: Run[EventT, ResultT], messages: Callable[[], Sequence[Any]]) -> ResultT:
        session, kept = self._session, self._kept
        has_begun = False
        quiet_when_suspended(session.stop)
        session.start_run(resumes=run.resumes)
        try:
            session.record("run_started", user=session.user)
            runner = self._runner or await self._fresh_runner()
            await self._begin(runner, run)
            has_begun = True
            result = await run.drive(runner, messages())
            kept.status = Status.after(session.stop.error)
            kept.reason = str(session.stop.error or "")
        except BaseException as error:
            kept.reason = str(error) if isinstance(error, RingfenceError) else type(error).__name__
            if has_begun or not kept.is_known:
                kept.status = Status.after(error)
            kept.diverged = isinstance(error, ConversationChanged)
            raise
        finally:
            self._is_running = False
            kept.entries.extend(run.entries)
            if not run.healthy or not has_begun:
                await self._discard_runner()
            elif self._runner is not None:
                await self._runner.rest()
            try:
                if has_begun:
                    await self._end(run)
            finally:
                session.record(
                    "run_ended",
                    status=kept.status.value,
                    reason=str(session.stop.error or ""),
                    turns=self.usage.turns,
                    tokens=self.usage.tokens,
                    usd=str(self.usage.usd),
                )
        return result

    async def _begin(self, runner: Runner[EventT, ResultT], run: Run[EventT, ResultT]) -> None:
        session, kept = self._session, self._kept
        if not kept.is_known:
            await self._store.run(lambda db: kept.create(db, session, self._team))
            await self._refresh()
        began_with = await runner.fingerprint()

        def stop(error: LeaseLost) -> None:
            session.stop.set(error)
            run.token.cancel()

        session.journal.lease.when_lost = stop
        await session.journal.begin_run(
            resumes=run.resumes,
            status=Status.RUNNING.value,
            policy=session.policy_version,
            fingerprint=session.journal.seal("fingerprint", began_with),
            **({"state": session.journal.seal("state", kept.state)} if kept.is_replaced else {}),
        )
        kept.is_replaced = False
        kept.policy, kept.fingerprint = session.policy_version, began_with
        if not run.resumes:
            kept.said = ()

    async def _end(self, run: Run[EventT, ResultT]) -> None:
        session, kept, journal = self._session, self._kept, self._session.journal
        kept.state = run.state or kept.state
        kept.said = [*kept.said, *run.said]
        kept.opened, kept.rows = journal.opened, journal.rows
        is_open = {} if kept.opened is not None else {"open_turn": None}
        try:
            await journal.end_run(status=kept.status.value, **is_open)
            if kept.opened is not None:
                await self._refresh()
        except StoreError:
            journal.lose_track()
            if session.stop.error is None and kept.status is not Status.FAILED:
                kept.status = Status.FAILED
                raise
            kept.status = Status.FAILED

    async def _fresh_runner(self) -> Runner[EventT, ResultT]:
        await self._discard_runner()
        runner = await self._new_runner()
        kept = self._kept
        if kept.state is not None:
            await runner.load_state(kept.state, kept.said if kept.opened is not None else ())
        self._runner = runner
        return runner

    async def _discard_runner(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.close()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._is_busy:
            raise ConversationInterrupted("This conversation is running already; wait for it, or cancel it")
        self._is_busy = True
        try:
            yield
        finally:
            self._is_busy = self._is_running = False


async def _last(items: AsyncGenerator[Any, None]) -> Any:
    async with aclosing(items):
        return [item async for item in items][-1]
