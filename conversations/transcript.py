"""What was said, with pseudonyms in place of personal data."""

from dataclasses import asdict, dataclass
from typing import Any

from ringfence.guardrails.texts import texts_of


@dataclass(frozen=True, slots=True)
class Entry:
    """One message or event, as the agents saw it."""

    source: str
    kind: str
    """AutoGen's type of the message, such as TextMessage or ToolCallRequestEvent."""
    text: str

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def of(cls, message: Any) -> "Entry":
        """The entry of a masked AutoGen message."""
        source = str(getattr(message, "source", ""))
        content = getattr(message, "content", None)
        text = content if isinstance(content, str) else "\n".join(texts_of(content))
        return cls(source=source, kind=type(message).__name__, text=text)
