"""The measuring sets of the PII filter, read from the hand-written files beside this module.

In `chat.txt` what is personal is marked where it stands: `[[PERSON|Jane Doe]] lives in [[LOCATION|Oslo]]`.
"""

import re
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

CHAT = Path(__file__).with_name("chat.txt")
PLAIN_SNIPPETS = Path(__file__).with_name("plain_snippets.txt")

_SEPARATOR = re.compile(r"^%%(.*)\n", re.MULTILINE)
_MARK = re.compile(r"\[\[([A-Z_]+)\|([^\[\]|]+)\]\]")


class EntityType(StrEnum):
    """What a marked piece of text is, in Presidio's names."""

    PERSON = "PERSON"
    LOCATION = "LOCATION"
    ORGANIZATION = "ORGANIZATION"
    DATE_TIME = "DATE_TIME"
    AGE = "AGE"
    NRP = "NRP"
    TITLE = "TITLE"
    EMAIL_ADDRESS = "EMAIL_ADDRESS"
    PHONE_NUMBER = "PHONE_NUMBER"
    CREDIT_CARD = "CREDIT_CARD"
    IBAN_CODE = "IBAN_CODE"
    US_SSN = "US_SSN"
    IP_ADDRESS = "IP_ADDRESS"
    URL = "URL"


class Span(NamedTuple):
    """Where a piece of personal data stands in the text without the marks."""

    entity_type: EntityType
    start: int
    end: int


class Message(NamedTuple):
    """A text as it would pass through a chat, with everything personal in it."""

    name: str
    """Its kind and its number within the file, such as `ticket-213`."""
    text: str
    spans: tuple[Span, ...]

    def value(self, span: Span) -> str:
        """The text of one of its spans."""
        return self.text[span.start : span.end]


def unmarked(marked: str) -> tuple[str, tuple[Span, ...]]:
    """The text without its marks, and where they were."""
    text, read_to, spans = "", 0, []
    for mark in _MARK.finditer(marked):
        text += marked[read_to : mark.start()]
        spans.append(Span(EntityType(mark[1]), len(text), len(text) + len(mark[2])))
        text += mark[2]
        read_to = mark.end()
    text += marked[read_to:]
    # A mark with a typing mistake would otherwise count as text, and what it marks as not personal.
    if "[[" in text or "]]" in text:
        raise ValueError(f"a mark is not of the form [[TYPE|value]] in: {marked}")
    return text, tuple(spans)


def read_messages(path: Path = CHAT) -> list[Message]:
    """All messages of a marked file, in their order."""
    messages: list[Message] = []
    kind = ""
    for number, (heading, marked) in enumerate(_parts(path), start=1):
        kind = heading or kind
        messages.append(Message(f"{kind}-{number}", *unmarked(marked)))
    return messages


def read_snippets(path: Path = PLAIN_SNIPPETS) -> list[str]:
    """All texts of an unmarked file, in their order."""
    return [snippet for _, snippet in _parts(path)]


def _parts(path: Path) -> list[tuple[str, str]]:
    """What stands below each `%%`, with what stands behind it; the comment on top is left out."""
    _, *pieces = _SEPARATOR.split(path.read_text(encoding="utf-8"))
    return [
        (heading.strip(), part.strip("\n")) for heading, part in zip(pieces[::2], pieces[1::2], strict=True)
    ]
