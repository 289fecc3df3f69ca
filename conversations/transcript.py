"""What was said, with pseudonyms in place of personal data."""

from dataclasses import asdict, dataclass
from typing import Any

from ringfence.guardrails.texts import FunctionCall, FunctionExecutionResult, texts_of


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
        parts = content if isinstance(content, list) else [content]
        return cls(source=source, kind=type(message).__name__, text="\n".join(map(_text, parts)))


def _text(part: Any) -> str:
    match part:
        case str():
            return part
        case FunctionCall(name=name, arguments=arguments):
            return f"{name} {arguments}"
        case FunctionExecutionResult(content=content):
            return content
        case _:
            return "\n".join(texts_of(part))
