"""What a person decides on a waiting call, or answers to a question, and that it is written down once."""

from collections.abc import Sequence

from ringfence.conversations.approval_rows import decision_content, status_of
from ringfence.conversations.question import Question
from ringfence.conversations.requests import StoredRequest
from ringfence.conversations.session import Session
from ringfence.errors import RingfenceError
from ringfence.guardrails.approval import ApprovalDecision


async def decide_call(
    session: Session,
    requests: Sequence[StoredRequest],
    approval_id: str,
    decision: ApprovalDecision,
    *,
    seen: str = "",
) -> None:
    """Decide on a waiting call, in the store and in this process.

    Args:
        session: The conversation's, as the store was read last.
        requests: What waits or was decided in its open turn.
        approval_id: The request's.
        decision: Of one person.
        seen: The digest of what the person saw.

    Raises:
        ApprovalDenied: It has expired.
        RingfenceError: No such request waits, somebody else was faster, or the person may not decide so.
    """
    for one in requests:
        if one.id == approval_id and one.decision is not None:
            by = one.decision["by"]
            raise RingfenceError(f"The approval {approval_id!r} was {one.status} already, by {by}")
    waiting = session.approvals.waiting(approval_id)
    decided = await session.approvals.decide(approval_id, decision, seen=seen)
    try:
        is_ours = await session.requests.decide(
            approval_id, status=status_of(decided), decision=decision_content(decided)
        )
    except BaseException:
        # What cannot be written down is not decided, and waits on.
        session.approvals.reopen(waiting)
        raise
    if not is_ours:
        session.approvals.reopen(waiting)
        raise RingfenceError(f"No approval {approval_id!r} waits in this conversation as it did; look again")


async def answer_question(
    session: Session, questions: Sequence[Question], question_id: str, text: str, *, by: str
) -> None:
    """Write down what the user answers to an agent's question.

    Raises:
        RingfenceError: No such question waits, or somebody else was faster.
    """
    if not any(one.id == question_id for one in questions):
        raise RingfenceError(f"No question {question_id!r} waits in this conversation")
    decision = {"text": text, "by": by or session.user}
    if not await session.requests.decide(question_id, status="answered", decision=decision):
        raise RingfenceError(f"The question {question_id!r} was answered already")
