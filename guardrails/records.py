"""How the lower rooms say what happened, without knowing who writes it down."""

from typing import Protocol


class Record(Protocol):
    """Writes one event down. Raises when it cannot, and then what it records must not happen."""

    def __call__(self, event: str, /, **fields: object) -> None:
        """Write `event` with its fields, none of which may hold raw personal data."""
        ...


def record_nothing(_event: str, /, **_fields: object) -> None:
    """Write nothing down, for parts that are tried outside a conversation."""
