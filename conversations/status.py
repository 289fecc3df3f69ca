"""Where a conversation stands."""

from enum import StrEnum
from typing import Self

from ringfence.errors import AnswerRequired, ApprovalRequired, GuardrailTripped, LimitExceeded


class Status(StrEnum):
    """Where a conversation stands."""

    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    LIMIT_REACHED = "limit_reached"
    WAITING_FOR_APPROVAL = "waiting_for_approval"
    WAITING_FOR_ANSWER = "waiting_for_answer"
    BLOCKED = "blocked"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """The process that ran it is gone; `resume()` goes on."""

    @classmethod
    def after(cls, error: BaseException | None) -> Self:
        """The status of a run that ended for this reason."""
        match error:
            case None:
                return cls("done")
            case LimitExceeded():
                return cls("limit_reached")
            case GuardrailTripped():
                return cls("blocked")
            case _ if type(error) is ApprovalRequired:
                return cls("waiting_for_approval")
            case AnswerRequired():
                return cls("waiting_for_answer")
            case _:
                return cls("failed")
