"""The kinds of values that a call can hold."""

from enum import StrEnum


class ValueKind(StrEnum):
    """What a value looks like."""

    LINK = "link"
    ADDRESS = "address"
    """Of e-mail."""
    ACCOUNT = "account"
    """Of a bank, a card, a wallet: long runs of digits, or of letters and digits."""
    PHONE = "phone"
    PATH = "path"
    NUMBER = "number"
    DATE = "date"
    IDENTIFIER = "identifier"
    """One word: a name, an id, a channel."""
    TEXT = "text"
    """Several words."""


CONTACTS = frozenset({ValueKind.LINK, ValueKind.ADDRESS, ValueKind.ACCOUNT, ValueKind.PHONE})
"""By these something gets to somebody; they are traced in free text, too."""
COMPOSED = frozenset({ValueKind.NUMBER, ValueKind.DATE, ValueKind.TEXT})
"""What a model may make up: an amount, a day, a sentence."""

Found = tuple[ValueKind, str]
"""A kind, and the form in which values of it are compared."""
