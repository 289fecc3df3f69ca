"""Asking the person who is there, who may not answer, or with something that is no answer."""

import asyncio
import inspect

from ringfence.errors import RingfenceError
from ringfence.guardrails.approval import ApprovalDecision, ApprovalRequest, Approved, Approver, Rejected
from ringfence.guardrails.approval_deciders import folded


class NoAnswerError(RingfenceError):
    """Whoever was asked did not answer in time, or gave something that decides nothing."""

    def __init__(self, why: str, *, verdict: str) -> None:
        self.verdict = verdict
        """For the record."""
        super().__init__(why)


async def answer_of(
    approver: Approver | None, request: ApprovalRequest, *, seconds: float
) -> ApprovalDecision | None:
    """What the approver says; None when nobody can say now, so that the call waits.

    Raises:
        NoAnswerError: The answer did not come in time, or is none.
    """
    if approver is None:
        return None
    try:
        answer: object = approver(request)
        if inspect.isawaitable(answer):
            answer = await asyncio.wait_for(answer, seconds)
    except TimeoutError:
        raise NoAnswerError(f"had no answer within {seconds:g} s", verdict="expired") from None
    except Exception as error:
        # Its text may quote what it was shown.
        why = f"could not be decided: the approver failed with {type(error).__name__}"
        raise NoAnswerError(why, verdict="failed") from None
    if answer is None or (isinstance(answer, Approved | Rejected) and is_signed(answer)):
        return answer
    why = "could not be decided: the approver must return Approved(by=...), Rejected(by=...) or None"
    raise NoAnswerError(why, verdict="failed")


def is_signed(decision: ApprovalDecision) -> bool:
    """Whether somebody stands for a decision with a name."""
    return bool(folded(decision.by))
