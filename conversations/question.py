"""A question of an agent to the user."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Question:
    """What an agent asks the user."""

    id: str
    conversation: str
    agent: str
    prompt: str
    """As the agent wrote it, with pseudonyms."""
    expires_at: datetime
