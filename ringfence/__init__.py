"""Ringfence: AutoGen group chats that are safe to put into production.

from ringfence import Fence, Ringfence

ringfence = Ringfence.from_file("ringfence.yaml")
conversation = ringfence.conversation(support_team, user="alice@contoso.com")
result = await conversation.run(task="Refund order 1182")
"""

from ringfence.agents.fence import Fence
from ringfence.agents.rehearsal import RehearsalModel
from ringfence.agents.rerun import recording_of, rerun
from ringfence.agents.ringfence import Ringfence, TeamFactory
from ringfence.agents.worker import Worker, run_or_resume
from ringfence.budgets.limits import Limits
from ringfence.budgets.prices import Price
from ringfence.budgets.usage import Step, Usage
from ringfence.conversations.conversation import Conversation
from ringfence.conversations.job_records import Job
from ringfence.conversations.job_status import JobStatus
from ringfence.conversations.question import Question
from ringfence.conversations.status import Status
from ringfence.conversations.store import Store
from ringfence.conversations.transcript import Entry
from ringfence.errors import (
    AnswerRequired,
    ApprovalDenied,
    ApprovalRequired,
    ConversationChanged,
    ConversationInterrupted,
    CoverageError,
    Fault,
    GuardrailTripped,
    JobError,
    LeaseLost,
    LimitExceeded,
    ModelCallFailed,
    PolicyError,
    RingfenceError,
    StoreError,
    TaskError,
    UnknownConversation,
    VaultError,
)
from ringfence.guardrails.approval import ApprovalRequest, Approved, Approver, Rejected
from ringfence.guardrails.nothing_happened import NothingHappened
from ringfence.guardrails.running_call import idempotency_key
from ringfence.guardrails.shipped_validators import register_validators
from ringfence.guardrails.tool_spec import tool
from ringfence.guardrails.validator_traits import Reads, Traits, Window
from ringfence.policy import AuditSettings, Policy

__all__ = [
    "AnswerRequired",
    "ApprovalDenied",
    "ApprovalRequest",
    "ApprovalRequired",
    "Approved",
    "Approver",
    "AuditSettings",
    "Conversation",
    "ConversationChanged",
    "ConversationInterrupted",
    "CoverageError",
    "Entry",
    "Fault",
    "Fence",
    "GuardrailTripped",
    "Job",
    "JobError",
    "JobStatus",
    "LeaseLost",
    "LimitExceeded",
    "Limits",
    "ModelCallFailed",
    "NothingHappened",
    "Policy",
    "PolicyError",
    "Price",
    "Question",
    "Reads",
    "RehearsalModel",
    "Rejected",
    "Ringfence",
    "RingfenceError",
    "Status",
    "Step",
    "Store",
    "StoreError",
    "TaskError",
    "TeamFactory",
    "Traits",
    "UnknownConversation",
    "Usage",
    "VaultError",
    "Window",
    "Worker",
    "idempotency_key",
    "recording_of",
    "register_validators",
    "rerun",
    "run_or_resume",
    "tool",
]
