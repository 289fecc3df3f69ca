"""Numbers and dates by value, so that 50, 50.00 and $50 are one, however they are written."""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from ringfence.guardrails.stated_dates import Day, days
from ringfence.guardrails.value_spellings import fold

_DIGITS = r"((?:\d{1,3}(?:[ '’\u00a0\u202f]\d{3})+|\d+)(?:[.,]\d+)*)"
_STATED = re.compile(rf"(?<![^\W_])(?<![.,]\d)(?<!\d[.,])([+-]?){_DIGITS}(?!\d)")
_SIGN = "[$€£¥₹]"
_WHOLE = re.compile(
    rf"(?:{_SIGN}|eur|usd|gbp|chf)? ?([+-]?) ?{_SIGN}? ?{_DIGITS} ?"
    rf"(?:%|{_SIGN}|eur|usd|gbp|chf|jpy|inr|euros?|dollars?|pounds?)?"
)
_FEWEST_OF_AN_ACCOUNT = 9
"""Digits before the point; as many may be somebody's account, whatever stands behind it."""
_LONGEST = 30
_LARGEST_POWER = 40
_THOUSANDS = 3
_BETWEEN = re.compile(r"[ '’\u00a0\u202f]")
_ZONE = r"(?: ?(?:z|utc|gmt|am|pm|[+-]\d\d:?\d\d))?"
_TIME = re.compile(rf"[t ,]*(?:\d{{1,2}}:\d\d(?::\d\d(?:\.\d{{1,9}})?)?)?{_ZONE}", re.IGNORECASE)
_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d)?(?: ?[ap]m)?", re.IGNORECASE)
_LONGEST_DATE = 60


def number_key(value: Decimal) -> str:
    """The form in which numbers are compared."""
    plain = value.normalize()
    return f"{plain:f}" if abs(plain.adjusted()) < _LARGEST_POWER else str(plain)


def whole_number(folded: str) -> str:
    """The key of the number that a whole folded text is, such as `$ 1,300`; empty when it is none."""
    match = _WHOLE.fullmatch(folded)
    if not match or len(match[2]) > _LONGEST:
        return ""
    return next(_readings(match[1], match[2]), "")


def account_in(key: str) -> str:
    """The digits before the point of a number's key when they are as many as an account has; else empty."""
    digits = key.lstrip("-").partition(".")[0]
    return digits if digits.isdigit() and len(digits) >= _FEWEST_OF_AN_ACCOUNT else ""


def number_keys(folded: str) -> set[str]:
    """Every number that a folded text states, in every way that it may be meant."""
    found: set[str] = set()
    for match in _STATED.finditer(folded):
        if len(match[2]) > _LONGEST:
            continue  # nobody calculates with it
        if match[2].isdigit() and not match[1]:
            found.add(match[2].lstrip("0") or "0")
            continue
        found.update(_readings(match[1], match[2]))
        if match[1]:
            found.update(_readings("", match[2]))
    return found


def day_keys(text: str) -> set[str]:
    """Every date that a text states."""
    return {_day_key(day) for _, _, meant in days(text) for day in meant}


def whole_day(text: str) -> str:
    """The key of the date that a whole text is, maybe with a time of day; empty when it is none."""
    if len(text) > _LONGEST_DATE or not any(map(str.isdigit, text)):
        return ""
    for start, end, meant in days(text):
        if start == 0 and _TIME.fullmatch(text, end):
            return _day_key(min(meant))
    return fold(text) if _CLOCK.fullmatch(text) else ""


def _day_key(day: Day) -> str:
    return "-".join("?" if part is None else str(part) for part in day)


def _readings(sign: str, digits: str) -> Iterator[str]:
    minus = "-" if sign == "-" else ""
    for plain in _plain(_BETWEEN.sub("", digits)):
        try:
            yield number_key(Decimal(minus + plain))
        except InvalidOperation:
            continue


def _plain(digits: str) -> Iterator[str]:
    """With a decimal point, in every way that its signs may be meant."""
    if digits.isdigit():
        yield digits
        return
    place = max(digits.rfind("."), digits.rfind(","))
    whole, decimals = digits[:place], digits[place + 1 :]
    rest = {sign for sign in whole if not sign.isdigit()}
    if digits[place] not in rest:
        yield f"{re.sub(r'[.,]', '', whole)}.{decimals}"
    if len(decimals) == _THOUSANDS and rest <= {digits[place]}:
        yield re.sub(r"[.,]", "", digits)
