"""Which personal data is found in a text, and what becomes of it."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ringfence.settings import Section


class PiiAction(StrEnum):
    """What becomes of a piece of personal data that was found."""

    PSEUDONYMIZE = "pseudonymize"
    """A stable stand-in such as `<EMAIL_ADDRESS_1>`, turned back at the trusted doors."""
    MASK = "mask"
    """All but the last four characters become `*`, and all of a value of up to eight; not turned back."""
    REDACT = "redact"
    """Removed; not turned back."""
    HASH = "hash"
    """A salted SHA-256, the same for the same value within a conversation; not turned back."""
    BLOCK = "block"
    """The whole passage goes no further."""
    ALLOW = "allow"
    """Left as it is."""


class PiiRule(Section):
    """What happens to one type of personal data."""

    action: PiiAction
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    """Least score of a finding, from 0 to 1; None takes the threshold of the whole section."""


DEFAULT_ENTITIES: dict[str, PiiAction | PiiRule] = {
    "EMAIL_ADDRESS": PiiAction.PSEUDONYMIZE,
    "PHONE_NUMBER": PiiAction.PSEUDONYMIZE,
    "CREDIT_CARD": PiiAction.PSEUDONYMIZE,
    "IBAN_CODE": PiiAction.PSEUDONYMIZE,
    "US_SSN": PiiAction.PSEUDONYMIZE,
    "IP_ADDRESS": PiiAction.PSEUDONYMIZE,
}


class PiiSettings(Section):
    """The `pii` section."""

    entities: dict[str, PiiAction | PiiRule] = Field(default_factory=lambda: dict(DEFAULT_ENTITIES))
    """Presidio's entity type → an action, or an action with a threshold."""
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.35
    """Least score of a finding, from 0 to 1."""
    allow: tuple[str, ...] = ()
    """Values that are never personal data, such as the company's own support address."""
    reveal_to_user: tuple[str, ...] | None = None
    """Entity types whose real values the user sees in the answer; None means all."""
    timeout_seconds: Annotated[float, Field(gt=0)] = 10.0
    """Longest analysis of one text; past it the passage is blocked."""

    def rules(self) -> dict[str, PiiRule]:
        """Every entity type with its rule."""
        return {
            name: entry if isinstance(entry, PiiRule) else PiiRule(action=entry)
            for name, entry in self.entities.items()
        }
