"""When two written forms of a value are the same value."""

import re
import unicodedata

_CASELESS = frozenset(
    {"EMAIL_ADDRESS", "IP_ADDRESS", "MAC_ADDRESS", "LOCATION", "ORGANIZATION", "NRP", "PERSON"}
)
_TELEPHONES = frozenset({"PHONE_NUMBER"})
_NUMBERS = re.compile(r"CREDIT_CARD|IBAN_CODE|SWIFT_CODE|VAT_CODE|MEDICAL_LICENSE|[A-Z]{2}_\w+")
"""Types whose values are written with and without separators, in any case; those of a country are."""
_SPACE = re.compile(r"\s+")
_SEPARATOR = re.compile(r"[\W_]+")
_TRUNK_ZERO = re.compile(r"\(0\)")
_EXTENSION = re.compile(r"(?:extension|ext|x)\.?(?=\s*\d)")
_EXIT_CODE = re.compile(r"\s*00(?=[1-9])")


def value_key(entity: str, value: str) -> str:
    """The same for all written forms of one value; forms that only might be the same are kept apart."""
    value = unicodedata.normalize("NFKC", value)
    if entity in _TELEPHONES:
        return _telephone(value.casefold())
    if _NUMBERS.fullmatch(entity):
        # Without any sign but separators there would be nothing left to tell values apart.
        return _SEPARATOR.sub("", value).casefold() or value
    spaced = _SPACE.sub(" ", value).strip()
    if entity == "EMAIL_ADDRESS":
        return spaced.lower() or value  # not casefold, which makes one mailbox of straße@ and strasse@
    return (spaced.casefold() if entity in _CASELESS else spaced) or value


def _telephone(value: str) -> str:
    value = _EXTENSION.sub("x", _TRUNK_ZERO.sub("", value))
    # With the code of its country a number is another one than the same digits without.
    abroad = value.lstrip("( ").startswith("+") or _EXIT_CODE.match(value)
    digits = _SEPARATOR.sub("", _EXIT_CODE.sub("", value, count=1))
    return f"{'+' if abroad else ''}{digits}" if digits else value
