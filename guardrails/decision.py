"""What the policy can say of a call, and of one that does not fit what it says."""

from enum import StrEnum


class Decision(StrEnum):
    """What the policy says of a tool's calls, or of an argument that is given."""

    ALLOW = "allow"
    APPROVE = "approve"
    """A person is asked before each call."""
    DENY = "deny"


class Otherwise(StrEnum):
    """What follows when a call does not fit what the policy says."""

    APPROVE = "approve"
    DENY = "deny"
