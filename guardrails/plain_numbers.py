"""Numbers as a policy takes them: written so that every reader reads them alike."""

from decimal import Decimal, InvalidOperation


def plain_number(value: object) -> Decimal | None:
    """The number that a value is or spells; None when it is none, not finite, or not read alike by all."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        return None
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):  # Python refuses to spell out an integer of thousands of digits
        return None
    return number if number.is_finite() else None
