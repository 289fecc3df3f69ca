"""Telephone numbers in chat, told from order numbers, timestamps, versions and addresses by their writing."""

import re
from collections.abc import Iterator
from typing import Any

import phonenumbers
from presidio_analyzer import RecognizerResult
from presidio_analyzer.predefined_recognizers import PhoneRecognizer

from ringfence.guardrails.found_span import result_of
from ringfence.guardrails.phone_parts import CLEAR, LIKELY, WEAK, last_word_cut, parts_of

_SEPARATOR = r"[ \t\u00a0().\-/\u2013]{0,3}"
_RUN = re.compile(
    rf"(?<!\w)(?:\(?\+|(?<!\d[.,:/\-])\(?)\d(?:{_SEPARATOR}\d){{6,}}+"
    r"(?:[ ,]{0,2}(?:x|ext\.?|#) ?\d{1,6}(?![\w@]))?",
    re.IGNORECASE,
)
"""Digits with little between them: one number, or several, and what stands beside it."""
_GLUED = re.compile(r"[\w@]")
_MOST_DIGITS, _LEAST_DIGITS = 15, 7
_MOST_CHECKS = 8_000
"""As many as an honest text needs; from there on every number that may be valid counts as valid."""

_LOOK_BACK = 50
_SPOKEN_OF = re.compile(
    r"(?<![a-z])(?:(?:tele)?phone|telefon|t[eé]l[eé]fono|t[eé]l[eé]phone|handy(?![a-z])"
    r"|(?:tel|fax|gsm|mob|cell|mobile|cellphone|call(?:ed|s|ing|back)?|dial(?:led|ed)?|ring|rang|text(?:ed)?|sms"
    r"|whatsapp|reach|hotline|contact|phone)(?![a-z]))",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"(?<![a-z])(?:order|ticket|invoice|ref(?:erence)?|case|id|uid|pid|isbn|ean|sku|serial|tracking|account|acct"
    r"|build|version|port|zip|page|line|error|code|amount|total|price|size|bytes|time(?:stamp)?|ts|epoch|date|job"
    r"|commit|card|iban|ssn|tax|passport|licen[cs]e)(?![a-z])|[$€£#]",
    re.IGNORECASE,
)
"""What a number is that is none to call."""

_IS_DATE = re.compile(
    r"(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])(?:[-/.]|$)|\d{1,2}[/.\-]\d{1,2}[/.\-](?:19|20)\d\d(?!\d)"
)
_IS_YEARS = re.compile(r"(?:19|20)\d\d ?[-–/] ?(?:19|20)\d\d")
_IS_SSN = re.compile(r"\d{3}([ \-])\d{2}\1\d{4}")
_DOTTED = re.compile(r"(?:1\.)?\d{3}\.\d{3}\.\d{4}|0\d(?:\.\d{2}){4}")
_NORTH_AMERICAN = re.compile(r"(?:1[ .\-]?)?(?:\(\d{3}\) ?|\d{3}[ .\-/])\d{3}[ .\-]?\d{4}")
_INDIAN = re.compile(r"[6-9]\d{4}[ \-]\d{5}")
_BRAZILIAN = re.compile(r"\(\d{2}\) ?9?\d{4}[ \-]\d{4}")
_EXTENSION = re.compile(r"[ ,]{0,2}(?:x|ext\.?|#) ?\d{1,6}$", re.IGNORECASE)
_TRUNK_ZERO = ("GB", "DE", "FR", "IL", "IT", "ES", "NL", "AU")

_SURE, _POSSIBLE = 0.9, 0.4


class ChatPhoneRecognizer(PhoneRecognizer):
    """Presidio's, with a score that tells how sure it is.

    A + or a national way of writing it is high; digits alone are low, unless the words before speak of a
    telephone.
    """

    def __init__(self, supported_language: str = "en") -> None:
        super().__init__(supported_language=supported_language, name="PhoneRecognizer")
        # It looks at the words itself; Presidio finds "tel" in "hotel".
        self.context = []

    def analyze(
        self,
        text: str,
        entities: list[str],  # noqa: ARG002 - Presidio's signature
        nlp_artifacts: Any = None,  # noqa: ARG002 - likewise
    ) -> list[RecognizerResult]:
        """The numbers in a text."""
        validity: dict[tuple[str, str], bool] = {}
        return [
            result_of(self, start, end, score)
            for run in _RUN.finditer(text)
            for start, end, score in _numbers(text, run, validity)
        ]


def _numbers(
    text: str, run: re.Match[str], validity: dict[tuple[str, str], bool]
) -> Iterator[tuple[int, int, float]]:
    start, end = run.span()
    if text[start] == "(" and ")" not in run.group():
        start += 1
    score = _score(text, start, end, validity)
    if (after := _GLUED.match(text, end)) and (score < _SURE or "+" not in run.group() or after[0] == "@"):
        # The digits up to the last space belong to a word: `415-555-2671 3rd floor`.
        end = last_word_cut(text, start, end)
        score = _score(text, start, end, validity)
    if score > WEAK:
        yield start, end, score
        return
    found = [
        *parts_of(
            text,
            start,
            end,
            lambda first, last: _score(text, first, last, validity),
            # A run holds no words.
            lambda place: place - start <= _LOOK_BACK and bool(_is_spoken_of(text, place)),
        )
    ]
    yield from found
    if not found and score:
        yield start, end, score


def _score(text: str, start: int, end: int, validity: dict[tuple[str, str], bool]) -> float:
    """How sure it is that this is a telephone number, from 0 to 1."""
    written = text[start:end]
    number = _EXTENSION.sub("", written).strip()
    digits = re.sub(r"\D", "", number)
    if not _LEAST_DIGITS <= len(digits) <= _MOST_DIGITS:
        return 0.0
    if number.lstrip("(").startswith("+") or (number.startswith("00") and len(digits) > 9):  # noqa: PLR2004 - 00, country, number
        full = "+" + digits.removeprefix("00")
        return _SURE if _is_valid(full, "", validity) else LIKELY if number.lstrip("(")[0] == "+" else WEAK
    spoken_of = _is_spoken_of(text, start)
    if _is_something_else(number, digits):
        return 0.0
    if number == digits:
        return _bare_score(digits, validity, spoken_of=spoken_of)
    # Two spaces part the columns of a table, too.
    closed, gaps = _GAP.subn(" ", number)
    if gaps and not spoken_of and not _GROUPED.match(number):
        return 0.0
    if any(_is_valid(digits, region, validity) for region in _regions(closed)):
        return _SURE if spoken_of else CLEAR
    if spoken_of:
        return LIKELY
    return WEAK if spoken_of is None and not gaps else 0.0


def _bare_score(digits: str, validity: dict[tuple[str, str], bool], *, spoken_of: bool | None) -> float:
    if spoken_of:
        return LIKELY
    if spoken_of is False:
        return 0.0
    if digits.startswith("0") and any(_is_valid(digits, region, validity) for region in ("GB", "FR")):
        return _POSSIBLE
    return WEAK / 2


_ARE_FRACTIONS = re.compile(r"(?<!\S)\d+(?:\.\d+)+\s+\d+(?:\.\d+)+(?!\S)")
"""Fractions or versions side by side."""
_GAP = re.compile(r"\s{2,}")
_GROUPED = re.compile(r"\(?\d{2}")


def _is_something_else(number: str, digits: str) -> bool:
    if _IS_DATE.search(number) or _IS_YEARS.fullmatch(number) or _IS_SSN.fullmatch(number):
        return True
    if _ARE_FRACTIONS.search(number):
        return True
    separators = set(re.sub(r"\d", "", number))
    if separators == {"."}:
        # An IP address, a version, a fraction.
        return not _DOTTED.fullmatch(number)
    if "/" in separators and not digits.startswith("0"):
        return True
    return len(digits) > 12 and not digits.startswith("0")  # noqa: PLR2004 - no national number is longer


def _regions(number: str) -> tuple[str, ...]:
    """The regions in which people write a number like this."""
    if number.lstrip("(").startswith("0"):
        return _TRUNK_ZERO
    if _NORTH_AMERICAN.fullmatch(number):
        return ("US",)
    if _INDIAN.fullmatch(number):
        return ("IN",)
    return ("BR",) if _BRAZILIAN.fullmatch(number) else ()


def _is_valid(digits: str, region: str, validity: dict[tuple[str, str], bool]) -> bool:
    key = digits, region
    if key not in validity:
        if len(validity) >= _MOST_CHECKS:
            return True
        try:
            parsed = phonenumbers.parse(digits, region or None)
            validity[key] = phonenumbers.is_valid_number(parsed)
        except phonenumbers.NumberParseException:
            validity[key] = False
    return validity[key]


def _is_spoken_of(text: str, start: int) -> bool | None:
    """Whether the nearest word that says what a number is speaks of a telephone; None without such a word."""
    before = text[max(start - _LOOK_BACK, 0) : start]
    called = max((match.end() for match in _SPOKEN_OF.finditer(before)), default=-1)
    counted = max((match.end() for match in _COUNTED.finditer(before)), default=-1)
    return None if called == counted else called > counted
