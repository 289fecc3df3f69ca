"""Tool calls are written down before they run and after; one of unknown outcome waits for a person."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ringfence.conversations.journal import Intent, Journal, no_run
from ringfence.conversations.outcomes import answered, refused, tool_result
from ringfence.conversations.records import DONE, RAN, STARTED, Row
from ringfence.errors import ApprovalDenied, RingfenceError
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.provenance_notes import origin_of
from ringfence.guardrails.records import Record
from ringfence.guardrails.stop import StopSignal
from ringfence.guardrails.texts import ToolResult
from ringfence.guardrails.tool_spec import ToolSpec

Settle = Callable[[ToolCall, str, str], Any]
"""Asks a person about a call, why, and on which occasion; returns when the answer is yes."""


def key_of(call: ToolCall) -> str:
    """The journal's key of a tool call: its id, which is the same whenever the turn is played."""
    return f"tool:{call.call_id}"


class JournalToolCalls:
    """Answers a tool call from the journal when it has run before; sees results as the agents do, masked."""

    def __init__(
        self,
        journal: Journal,
        record: Record,
        *,
        spec_of: Callable[[str], ToolSpec],
        ask: Settle,
        stop: StopSignal,
    ) -> None:
        self._journal = journal
        self._stop = stop
        self._record = record
        self._spec_of = spec_of
        self._ask = ask

    async def __call__(self, call: ToolCall, call_next: Handler[ToolCall, ToolResult]) -> ToolResult:
        """Answer the call.

        Raises:
            ApprovalRequired: It is not known whether it has run, and nobody has said yet what to do.
            GuardrailTripped: It was refused, now or when it was recorded.
            StoreError: It could not be written down.
        """
        journal = self._journal
        if not journal.is_open:
            if journal.ended:
                raise no_run()
            return await call_next(call)
        row = journal.row(key_of(call))
        spec = self._spec_of(call.tool)
        if row is not None and row.status == DONE and not _plays_inside(row, spec):
            self._record("replays", door="tool", agent=call.agent, tool=call.tool, call_id=call.call_id)
            return tool_result(row.outcome or {})
        if row is not None and (changed_by := row.request.get("changed_by")):
            # What was begun is what a person made of the call.
            call = replace(call, arguments=row.request["arguments"], changed_by=changed_by)
        arguments = {name: value for name, value in call.arguments.items() if name not in spec.supplied}
        request = {"consequential": spec.consequential, "arguments": arguments, "origin": origin_of(spec)}
        request |= {"changed_by": call.changed_by} if call.changed_by else {}
        intent = Intent(key_of(call), "tool", call.agent, call.tool, request)
        journal.intents[intent.key] = intent
        if row is not None and row.status == STARTED and not may_repeat(spec):
            try:
                # Who allowed one more try did not allow a second one.
                await self._ask(call, _doubt(row), str(row.epoch))
            except ApprovalDenied as denied:
                denied.was_begun = True
                await self._keep(intent, refused(denied) or {})
                raise
        try:
            result = await call_next(call)
        except RingfenceError as error:
            if (outcome := refused(error)) is not None:
                await self._keep(journal.intents[intent.key], outcome)
            raise
        # An agent within that was stopped says so, and that is no result.
        if not (spec.composite and self._stop.cuts_short):
            await self._keep(journal.intents[intent.key], answered(result))
        return result

    async def _keep(self, intent: Intent, outcome: Mapping[str, Any]) -> None:
        if self._journal.row(intent.key) is None:
            await self._journal.start(intent, outcome)  # settled on the way, without being run
        else:
            await self._journal.finish(intent.key, outcome)


class StartToolCalls:
    """The last thing before a tool runs: the intent is committed, and the tool gets its idempotency key.

    A tool that asks for the transaction does its work in the one that records what it did.
    """

    def __init__(self, journal: Journal, *, spec_of: Callable[[str], ToolSpec]) -> None:
        self._journal = journal
        self._spec_of = spec_of

    async def __call__(self, call: ToolCall, call_next: Handler[ToolCall, ToolResult]) -> ToolResult:
        """Run the call, unless it took effect already.

        Raises:
            StoreError: The intent could not be committed, or another process runs the conversation; then
                the tool does not run.
        """
        journal, spec = self._journal, self._spec_of(call.tool)
        call = replace(call, idempotency_key=journal.idempotency_key(key_of(call)))
        if not journal.is_open:
            if journal.ended:
                raise no_run()
            return await call_next(call)
        row = journal.row(key_of(call))
        if row is not None and row.status == RAN and row.outcome is not None:
            return tool_result(row.outcome)
        await journal.start(journal.intents[key_of(call)])
        await journal.lease.check()
        if spec.transaction is None:
            return await call_next(call)
        async with journal.effect(key_of(call)) as (db, keep):
            savepoint = await db.begin_nested()
            result = await call_next(replace(call, transaction=db))
            if result.is_error:
                await savepoint.rollback()
            else:
                await savepoint.commit()
            keep(answered(result))
        return result


def note_change(journal: Journal, call: ToolCall) -> None:
    """A person changed the arguments of a call, so these are what the journal says of it."""
    intent = journal.intents.get(key_of(call))
    if intent is not None:
        request = {**intent.request, "arguments": dict(call.arguments), "changed_by": call.changed_by}
        journal.intents[intent.key] = replace(intent, request=request)


def has_started(journal: Journal, call: ToolCall) -> bool:
    """Whether a call had passed its approval, and had begun to run, before the turn is played again."""
    row = journal.rows.get(key_of(call))
    return row is not None and (row.status in {STARTED, RAN} or "answered" in (row.outcome or ()))


def _plays_inside(row: Row, spec: ToolSpec) -> bool:
    """Whether a call is played again although it was answered: the agent within has to hear it anew."""
    return spec.composite and "answered" in (row.outcome or ())


def may_repeat(spec: ToolSpec) -> bool:
    """Whether a call that may or may not have run can be run again without asking anybody.

    Read-only and idempotent tools, those that get an idempotency key or the transaction, and agents as
    tools, whose own steps are in the journal.
    """
    return (
        not spec.consequential
        or spec.idempotent
        or spec.composite
        or spec.idempotency_key is not None
        or spec.transaction is not None
    )


def _doubt(row: Row) -> str:
    at = datetime.fromtimestamp(row.started_at, UTC)
    return (
        f"it is not known whether this call took effect: it was started at {at:%Y-%m-%d %H:%M:%S} UTC, "
        "and the process ended before it answered. Look there first; approve to run it again, or reject it "
        "and say what you found"
    )
