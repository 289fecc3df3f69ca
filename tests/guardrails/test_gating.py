"""A recognizer that looks only where something may be finds what it would find in the whole text."""

import logging
import re
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from presidio_analyzer import AnalyzerEngine, Pattern, PatternRecognizer

from ringfence.guardrails.gating import (
    AnalysisTimeoutError,
    Gate,
    GatedRecognizer,
    check_time,
    fail_closed,
    time_limit,
)
from ringfence.guardrails.pii import PiiSettings
from ringfence.guardrails.recognizers import make_analyzer, make_stock_analyzer

SETTINGS = PiiSettings(detection="patterns", languages=("en", "de", "es", "it", "pl"))
PLAIN, GATED = make_analyzer(SETTINGS, gated=False), make_analyzer(SETTINGS)

PLANTED = st.sampled_from(
    [
        *("jane@acme.com", "+1 415 555 2671", "(020) 7946 0958", "4155552671", "4111 1111 1111 1111"),
        *("4111111111111111", "DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "219-09-9999"),
        *("219099999", "10.0.0.1", "fe80::1", "::1", "00:1A:2B:3C:4D:5E", "0012.3456.789A", "AB1234563"),
        *("1BoatSLRHtKNngkdXEoSh4Lf2zVWfGVmAo"[:34], "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"),
        *("550e8400-e29b-41d4-a716-446655440000", "2024-05-01", "12/05/1980", "10.4.23", "May 5, 2024"),
        *("912-70-1234", "D1234567", "12345678Z", "RSSMRA85T10A562S", "44051401359", "https://acme.com/x"),
    ]
)
FILLERS = st.sampled_from(
    [
        *(
            " ",
            "\n",
            "  ",
            " and ",
            " the order 1182 of ",
            " my phone number is ",
            " ssn: ",
            " card ",
            " iban ",
        ),
        *(", ", "-", ":", "(", ") ", "_", "x", "7", "12 ", " 3.11.7 ", " DNI ", " passport no. "),
        *(" word" * 40, " a1" * 30, "\t", "é", "1" * 30, " 12:34:56 "),
    ]
)


def found_by(analyzer: AnalyzerEngine, text: str) -> set[tuple[str, int, int, float]]:
    results = analyzer.analyze(text, language="en")
    return {(one.entity_type, one.start, one.end, round(one.score, 6)) for one in results}


@given(st.lists(PLANTED | FILLERS, max_size=14).map("".join))
def test_gated_and_plain_engines_find_the_same(text: str) -> None:
    """Presidio's own engine and context words, against ours, with every recognizer of five languages."""
    assert found_by(GATED, text) == found_by(PLAIN, text)


def test_the_stock_engine_is_presidios() -> None:
    """What a benchmark compares with: it takes the domain of an address for a URL, too."""
    stock = {entity for entity, *_ in found_by(make_stock_analyzer(SETTINGS), "write to jane@acme.com")}
    assert {"EMAIL_ADDRESS", "URL"} <= stock
    assert {entity for entity, *_ in found_by(PLAIN, "write to jane@acme.com")} == {"EMAIL_ADDRESS"}


class Seen(PatternRecognizer):
    """Finds words in capitals, and remembers what it was shown."""

    def __init__(self) -> None:
        super().__init__("WORD", patterns=[Pattern("word", r"\b(?-i:[A-Z]+)\b", 0.5)])
        self.texts: list[str] = []

    def analyze(self, text: str, *rest: Any, **more: Any) -> Any:
        """What is found."""
        self.texts.append(text)
        return super().analyze(text, *rest, **more)


def test_a_recognizer_sees_the_regions_and_whole_words() -> None:
    """One call for all of them; a finding has its place in the text."""
    inner = Seen()
    recognizer = GatedRecognizer(inner, Gate(re.compile("X"), margin=3))
    text = f"ABOUT {'a ' * 50}LONGWORD X end {'a ' * 50}AX"
    results = recognizer.analyze(text, ["WORD"])
    assert {text[one.start : one.end] for one in results} == {"LONGWORD", "X", "AX"}
    (shown,) = inner.texts
    assert "ABOUT" not in shown
    assert recognizer.analyze("nothing here", ["WORD"]) == []
    assert len(inner.texts) == 1


def test_what_lies_across_two_regions_is_no_finding() -> None:
    """They do not stand side by side in the text."""
    inner = PatternRecognizer("ANY", patterns=[Pattern("any", r"X.*X", 0.5)])
    recognizer = GatedRecognizer(inner, Gate(re.compile("X"), margin=1))
    assert recognizer.analyze(f"X{' a' * 50} X", ["ANY"]) == []


def test_a_timeout_ends_the_analysis(caplog: pytest.LogCaptureFixture) -> None:
    """Presidio logs it and goes on without the expression."""
    slow: Any = PatternRecognizer("SLOW", patterns=[Pattern("slow", r"(\d+)*x", 0.5)])
    text = "1" * 400 + "\0x"
    caplog.set_level(logging.DEBUG)
    with time_limit(monotonic() + 0.05), pytest.raises(AnalysisTimeoutError):
        fail_closed(slow).analyze(text, ["SLOW"], None)  # type: ignore[arg-type]  # none is needed
    assert "111" not in caplog.text


def test_other_users_of_presidio_keep_its_expressions() -> None:
    """The patterns of a class are shared by the whole process."""
    recognizer: Any = PatternRecognizer("A", patterns=[Pattern("a", "a", 0.5)])
    before = [*recognizer.patterns]
    fail_closed(recognizer)
    assert all(one is not other for one, other in zip(before, recognizer.patterns, strict=True))


def test_time_is_up_only_within_a_limit() -> None:
    """And is looked at between recognizers."""
    check_time()
    with time_limit(0.0):
        with pytest.raises(AnalysisTimeoutError):
            check_time()
        with pytest.raises(AnalysisTimeoutError):
            GatedRecognizer(Seen(), Gate(re.compile("X"))).analyze("X", ["WORD"])
    check_time()
