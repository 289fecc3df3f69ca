"""What a tool gives back, no longer than a model can use it."""

import re

from ringfence.guardrails.texts import TextResultContent, ToolResult

LONGEST_RESULT = 50_000
"""Characters of a tool's result that go on; a longer one is cut, and says so."""
LONGEST_ERROR = 1_000
"""Characters of what a tool says of its failure."""

_LAST_WORD = re.compile(r"""[^\s"',;|<>]{1,400}\Z""")
_LAST_NUMBER = re.compile(r"[\d\s+().-]{1,400}\Z")


def cut(text: str, room: int) -> str:
    """The beginning of a text that is too long, and that it was cut."""
    if len(text) <= room:
        return text
    # Back past the last word and number: half a value is found by nobody.
    kept = _LAST_NUMBER.sub("", _LAST_WORD.sub("", text[:room]))
    return f"{kept}\n[Cut: {len(kept)} of {len(text)} characters.]"


def bounded(result: ToolResult) -> ToolResult:
    """The result with as much of its texts as goes on."""
    room = LONGEST_RESULT
    parts = []
    for part in result.result:
        text = part.content if isinstance(part, TextResultContent) else ""
        parts.append(part.model_copy(update={"content": cut(text, room)}) if len(text) > room else part)
        room = max(room - len(text), 0)
    return result.model_copy(update={"result": parts})
