"""The conversation of a job, from wherever it stands to its end."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from autogen_agentchat.base import TaskResult
from autogen_core import CancellationToken
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.agents.ringfence import Ringfence, TeamFactory
from ringfence.agents.team_file import load_factory
from ringfence.agents.team_runner import Event
from ringfence.conversations.conversation import Conversation
from ringfence.conversations.job_records import Claim
from ringfence.conversations.job_status import JobStatus
from ringfence.conversations.records import read_record, read_said
from ringfence.conversations.status import Status
from ringfence.conversations.store import Store
from ringfence.errors import JobError, UnknownConversation

_ENDED = (Status.DONE, Status.LIMIT_REACHED, Status.BLOCKED)
_STATUS = {
    Status.DONE: JobStatus.DONE,
    Status.LIMIT_REACHED: JobStatus.LIMIT_REACHED,
    Status.BLOCKED: JobStatus.BLOCKED,
    Status.WAITING_FOR_APPROVAL: JobStatus.WAITING,
    Status.WAITING_FOR_ANSWER: JobStatus.WAITING,
}


class Stands(Enum):
    """Where a conversation was left that did not come to its end."""

    NEW = "new"
    """Its team has not heard the task."""
    OPEN = "open"
    """Within a turn."""
    OVER = "over"
    """After its last turn; only its end was not written down."""
    WITHDRAWN = "withdrawn"
    """Somebody gave the turn up that waited for a person."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run of the conversation ended."""

    status: JobStatus
    result: dict[str, Any]
    """The answer with pseudonyms, or why there is none."""


async def talk_through(ringfence: Ringfence, claim: Claim, token: CancellationToken) -> Ended:
    """Begin the conversation of a job, or take it up.

    Raises:
        RingfenceError: As `Conversation.run` and `resume`.
        JobError: This process does not know its team.
    """
    team = _team(ringfence, claim.team)
    try:
        talk = await ringfence.open(claim.id, team=team)
        stands = await _stands(ringfence.store, claim.id)
    except UnknownConversation:
        talk, stands = ringfence.conversation(team, id=claim.id, user=claim.user), Stands.NEW
    if talk.status in _ENDED:
        return _ended(talk, _STATUS[talk.status])  # only the last word about it was not written
    match stands:
        case Stands.WITHDRAWN:
            return Ended(JobStatus.CANCELLED, {"error": "What waited for a person was withdrawn"})
        case Stands.OVER:
            return _ended(talk, JobStatus.DONE)  # the same, a line earlier
        case Stands.NEW:
            result = await talk.run(task=claim.task, cancellation_token=token)
        case Stands.OPEN:
            result = await talk.resume(cancellation_token=token, allow_changes=claim.allow_changes)
    return _ended(talk, _STATUS.get(talk.status, JobStatus.FAILED), result.stop_reason or "")


async def _stands(store: Store, conversation: str) -> Stands:
    async def read(db: AsyncConnection) -> Stands:
        record = await read_record(db, store, conversation)
        if record.status == Status.READY and record.run:
            return Stands.WITHDRAWN
        if record.open_turn is not None and record.open_turn["messages"] is not None:
            return Stands.OPEN
        if record.open_turn is None and await read_said(db, store, conversation, run=record.run):
            return Stands.OVER
        return Stands.NEW

    return await store.read(read)


def _ended(talk: Conversation[Event, TaskResult], status: JobStatus, reason: str = "") -> Ended:
    match status:
        case JobStatus.DONE:
            return Ended(status, {"answer": _answer(talk)})
        case JobStatus.WAITING:
            return Ended(status, {})
        case _:
            return Ended(status, {"error": reason})


def _answer(talk: Conversation[Event, TaskResult]) -> str:
    """The last thing that an agent said, with pseudonyms."""
    said = [entry for entry in talk.transcript if entry.source != "user" and not entry.kind.endswith("Event")]
    return said[-1].text if said else ""


def _team(ringfence: Ringfence, name: str | None) -> TeamFactory | None:
    if name is None:
        return None
    if name in ringfence.jobs.teams:
        return ringfence.jobs.teams[name]
    if ".py:" in name:
        return load_factory(name, ringfence.folder)
    raise JobError(f"This worker has no team {name!r}; let it call jobs.register({name!r}, factory)")
