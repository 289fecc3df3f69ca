"""Card numbers of all the usual issuers, by their ranges and checksum."""

import re
from collections.abc import Iterator
from typing import Any

from presidio_analyzer import RecognizerResult
from presidio_analyzer.predefined_recognizers import CreditCardRecognizer

from ringfence.guardrails.found_span import result_of

_GROUP = re.compile(r"\d+")
_SEPARATORS = (" ", "-")
_MOST_GROUPS = 6
_MOST_DIGITS = 19
_ISSUERS = re.compile(
    r"""
      [3-6]\d{15}                                          # banks and travel, whoever the issuer
    | (?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}  # Mastercard's second range
    | 4\d{12}(?:\d{6})?                                    # Visa
    | 3[47]\d{13}                                          # American Express
    | 3(?:0[0-59]|[689]\d)\d{11,16}                        # Diners Club
    | (?:6011|64[4-9]\d|65\d\d)\d{13,15}                   # Discover
    | 62\d{15,17}                                          # UnionPay
    | 35\d{15,17}|(?:2131|1800)\d{11}                      # JCB
    | (?:50|5[6-8])\d{10,17}|(?:0604|6304|6390|6759|676[1-3])\d{8,15}  # Maestro
    """,
    re.VERBOSE,
)
"""How the numbers of issuers begin (ISO/IEC 7812), and how many digits they have."""


class EveryCardRecognizer(CreditCardRecognizer):
    """Presidio's, for more issuers, and from every group of digits on.

    Presidio takes digits in front of a card for its beginning, and knows no card of 12 to 14 digits and none
    of Mastercard's second range.
    """

    def __init__(self, supported_language: str = "en") -> None:
        super().__init__(supported_language=supported_language, name="CreditCardRecognizer")

    def analyze(
        self,
        text: str,
        entities: list[str],  # noqa: ARG002 - Presidio's signature
        nlp_artifacts: Any = None,  # noqa: ARG002 - likewise
        regex_flags: int | None = None,  # noqa: ARG002 - likewise
    ) -> list[RecognizerResult]:
        """The card numbers in a text."""
        return [
            result_of(self, start, end, 1.0)
            for start, end in _numbers(text)
            if self._is_card(text[start:end])
        ]

    def _is_card(self, written: str) -> bool:
        number = written.replace(" ", "").replace("-", "")
        return _ISSUERS.fullmatch(number) is not None and bool(self.validate_result(number))


def _numbers(text: str) -> Iterator[tuple[int, int]]:
    """Places of up to 19 digits in up to six groups, from each group on."""
    groups = [match.span() for match in _GROUP.finditer(text)]
    for first, (start, _) in enumerate(groups):
        if start and text[start - 1].isalpha():
            continue
        digits, before = 0, start
        for begin, end in groups[first : first + _MOST_GROUPS]:
            digits += end - begin
            if digits > _MOST_DIGITS or text[before:begin] not in {"", *_SEPARATORS}:
                break
            before = end
            if not text[end : end + 1].isalpha():
                yield start, end
