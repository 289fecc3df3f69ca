"""An answer rests on what was read: its citations, and its numbers."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.guardrails.guardrails_ai import quiet_guardrails
from ringfence.guardrails.validator_traits import Reads, Window, traits_of

guardrails = quiet_guardrails()

from ringfence.guardrails.grounding_validators import (  # noqa: E402 - guardrails-ai must be quiet first
    Citations,
    GroundedNumbers,
)


def said(validator: Any, text: object, *sources: str, **metadata: Any) -> str:
    """What the validator says; nothing when the text passes."""
    result = validator.validate(text, {"sources": list(sources), **metadata})
    return "" if result.outcome == "pass" else str(result.error_message)


def ungrounded(text: str, *sources: str, **metadata: Any) -> list[str]:
    """The numbers that stand in no source."""
    result: Any = GroundedNumbers().validate(text, {"sources": list(sources), **metadata})
    return [text[one.start : one.end] for one in getattr(result, "error_spans", None) or ()]


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("Refunds take a week [1].", ["Refunds take seven days."]),
        ("A week [2], or two [1].", ["two", "one"]),
        ("A week [doc-3].", ["doc-3: Refunds take seven days."]),
        ("A week [doc_3] [faq.md] [a:b] [#help].", ["doc_3, faq.md and a:b; #help"]),
        ("A week [faq].", ["[FAQ] Refunds take seven days."]),
        ("A week [faq].", ["Found:\n  [faq] Refunds take seven days."]),
        ("A week [30] [4711].", ["[30] Within days.", "of 4711"]),
        ("A week [faq].", ["id: faq\nRefunds take seven days."]),
        ("A week [faq].", ["Refunds take seven days (Source: 'faq')."]),
        ("A week [faq].", [json.dumps([{"name": "FAQ", "text": "seven days"}])]),
        ("A week [faq].", ['{"id": "faq", "text": "seven da']),
        ("A week [kb/42].", [json.dumps([{"id": "kb/42", "text": "seven days"}])]),
        ("A week [Returns].", [json.dumps({"title": "returns", "text": "seven days"})]),
        ("A week [77].", [json.dumps({"hits": [{"source": 77}]})]),
        ("A week [DOC-3] [doc-3].", ["from doc-3.pdf"]),
        ("A week [1,2] and [1-2] and [1;2].", ["a", "b"]),
        ("A week [^1].", ["a"]),
        (r"A week \[1\].", ["a"]),
        ("Write to [PERSON_1] [1].", ["<PERSON_1> asks for a refund."]),
        ("- [ ] open\n- [x] closed [1]", ["a"]),
        ("See [the page](https://acme.com) [1], and `row[7]`.", ["a"]),
        ("```\nrow[7]\n```\nA week [1]. [...]", ["a"]),
    ],
)
def test_citations_of_what_was_read(text: str, sources: list[str]) -> None:
    """By place or by id; links, checkboxes, code and stand-ins are none."""
    assert said(Citations(), text, *sources) == ""


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("A week [1].", []),
        ("A week [2].", ["a"]),
        ("A week [0].", ["a"]),
        ("A week [1] [doc-3].", ["see doc-30, doc-3-draft, my-doc-3 and doc-3.1"]),
        ("A week [1,3].", ["a", "b"]),
        ("A week [1-3].", ["a", "b"]),
        ("A week [SRC_9] [1].", ["a"]),
        ("A week [1] and [1](https://acme.com) [9].", ["a"]),
        ("A week [1]. ```row``` [ghost]", ["a"]),
        ("A week [says].", ["The page says: seven days."]),
        ("A week [the] [1].", ["The page says: seven days."]),
        ("A week [days].", ["See [days] of it, and valid: days"]),
        ("A week [days].", [json.dumps({"text": "days", "idea": "days"})]),
        ("A week [30].", ["Within 30 days."]),
        ("A week [Tage].", ["Tage, täglich"]),
        ("A week [jeden] [täglich].", ["täglich"]),
    ],
)
def test_invented_citations(text: str, sources: list[str]) -> None:
    """Whatever else is cited beside them."""
    assert "a source that there is not" in said(Citations(), text, *sources)
    assert "a source that there is not" in said(Citations(required=False), text, *sources)


@pytest.mark.parametrize(
    "text", ["A week.", "[A week](https://acme.com)", "- [x] a week", "`a[1]`", "<PERSON_1>"]
)
def test_an_answer_without_a_citation(text: str) -> None:
    """Refused, unless none is required."""
    assert "cites no source" in said(Citations(), text, "a")
    assert said(Citations(required=False), text, "a") == ""


def test_a_stand_in_is_no_citation() -> None:
    """Not even in square brackets, where its name stands in a source."""
    assert "cites no source" in said(Citations(), "Write to [PERSON_1].", "<PERSON_1> asks for a refund.")


def test_each_paragraph_needs_one() -> None:
    """But no heading, greeting or block of code does."""
    good = "# Refunds of orders and of vouchers\n\nHello Jane,\n\nA refund takes one week at most [1].\n\n"
    validator = Citations(each_paragraph=True)
    assert said(validator, good + "```\none two three four five six\n```", "a") == ""
    bad = good + "You may also ask for a voucher.\n\nVouchers are sent the same day [1]."
    assert said(validator, bad, "a") == "a paragraph cites no source; name where each is from"
    result: Any = validator.validate(bad, {"sources": ["a"]})
    assert [bad[one.start : one.end] for one in result.error_spans] == ["You may also ask for a voucher."]


def test_a_pattern_of_ones_own() -> None:
    """With one group; a pattern that takes for ever is a no, not a hang."""
    assert said(Citations(pattern=r"\(see (\w+)\)"), "A week (see faq).", "source: faq") == ""
    assert said(Citations(pattern=r"\(see (\w+)\)"), "A week (see blog).", "source: faq")
    assert "in time" in said(Citations(pattern=r"((?:a|aa|a)+)!"), "a" * 5_000, "a")
    for pattern, fault in (("(", "no regular expression"), ("a", "one group"), ("(a)(b)", "one group")):
        with pytest.raises(ValueError, match=fault):
            Citations(pattern=pattern)


@given(
    st.lists(
        st.sampled_from(["[1]", "[2]", "[9]", "[a]", " ", "\n", "`", "- [x]", "(", "word ", "[", "]"])
    ).map("".join)
)
def test_more_sources_refuse_nothing(text: str) -> None:
    """What may be cited of two sources may be cited of more."""
    if not said(Citations(), text, "x", "y"):
        assert said(Citations(), text, "x", "y", *"abcdefg") == ""


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("It comes to 1,234.50 EUR.", "total: 1234.5"),
        ("Das macht 1.234,50 €.", '{"total": 1234.50}'),
        ("Das macht CHF 1'234.50.", "1234.5"),
        ("About 1.2 million users.", "1,234,567 users"),
        ("2,5 Mio. Euro", "2500000"),
        ("$50k", "50,000"),
        ("1 234 567 people", "1234567"),
        ("A share of 12 %.", '{"share": 0.1234}'),
        ("A share of 12.3 percent.", "0.12345"),
        ("A share of 0.12", "12%"),
        ("It grew by 25 bps.", "0.0025"),
        ("Pi is 3.14.", "3.14159"),
        ("It lost -15 points, or +15.0.", "15"),
        ("There are 12 of them.", "twelve"),
        ("There are 12 of them.", "zwölf Stück"),
        ("Order 1182 is on its way.", '{"order": 1182}'),
        ("Order-1182, order #1182, 1182's", "1182"),
        ("Invoice INV-2024-001", "inv-2024-001 of today"),
        ("https://acme.com/orders/1182", "1182"),
        ("On March 5, 2024", "2024-03-05"),
        ("On 5 March", "2024-03-05T10:00:00Z"),
        ("In March 2024", "05.03.2024"),
        ("am 5. März 2024", "3/5/2024"),
        ("le 5 mars 2024", "2024/03/05"),
        ("On 5 March 2024", "5 March; the year is 2024"),
        ("At 3 pm, at 15:00, um 15 Uhr", "15:00"),
        ("At 14:30", "2026-03-05T14:30:00Z"),
        ("Boxes 10,20,30", "boxes 10, 20 and 30"),
        ("A 30-day window", "within 30 days"),
        ("１２３４", "1234"),
        ("+49 170 1234567", "+49-170-1234567"),
        ("Version 1.2.3", "v1.2.3, 1.2.3"),
        ("We refund 100-million EUR, or 100 MILLION.", "100 million EUR"),
        ("We refund $100m, or 100m EUR.", "100,000,000"),
        ("A wall of 100 m", "100 metres"),
        ("They have 5 crore users.", "50000000"),
        ("An order of 5 000 EUR", "5000"),
        ("Orders 1182 and 1183", "Order 1182 B, order 1183-B"),
    ],
)
def test_numbers_that_were_read(text: str, source: str) -> None:
    """However they were written there, and rounded to what is said."""
    assert ungrounded(text, source) == []
    assert ungrounded(text, "nothing", source) == []
    assert ungrounded(text, question=source) == []
    assert ungrounded(text)


@pytest.mark.parametrize(
    ("text", "source", "bare"),
    [
        ("It comes to 1,234.60 EUR.", "1234.5", ["1,234.60"]),
        ("About 1.3 million users.", "1,234,567", ["1.3"]),
        ("A share of 13 %.", "0.12", ["13"]),
        ("Pi is 3.15.", "3.14159", ["3.15"]),
        ("Pi is 3.14159.", "3.14", ["3.14159"]),
        ("3.14", "3 and 14", ["3.14"]),
        ("Order 1183 and 1182", "1182", ["1183"]),
        ("Invoice INV-2024-001", "2024, 001", ["INV-2024-001"]),
        ("On 6 March 2024", "2024-03-05", ["6 March 2024"]),
        ("On 5 March 2025", "2024-03-05", ["5 March 2025"]),
        ("At 4 pm", "14:30", ["4 pm"]),
        ("Boxes 10,20,30", "10 20", ["10,20,30"]),
        ("It takes 3 days.", "soon", ["3"]),
        ("It costs $5, or 5 €.", "a little", ["5", "5"]),
        ("A 31-day window", "30 days", ["31"]),
        ("9" * 40, "9" * 41, ["9" * 40]),
        ("We refund 100 million EUR.", "100 EUR", ["100"]),
        ("We refund 100 EUR.", "100 million EUR", ["100"]),
        ("We refund 100 of them.", "100 million EUR", ["100"]),
        ("We refund 100-million EUR.", "100 EUR", ["100"]),
        ("We refund 100 MILLION EUR.", "100 EUR", ["100"]),
        ("We refund 100  *million* EUR.", "100 EUR", ["100"]),
        ("We refund 100\nmillion EUR.", "100", ["100"]),
        ("We refund 100k EUR.", "100", ["100"]),
        ("We refund $100m.", "$100", ["100"]),
        ("We refund 1.5 bn.", "1.5", ["1.5"]),
        ("We refund 100 bps.", "100 million", ["100"]),
        ("We refund 1,5 Mio. Euro.", "1,5 Euro", ["1,5"]),
        ("We refund 5 000 EUR.", "5 EUR", ["5 000"]),
        ("There are 5 000 people.", "people", ["5 000"]),
        ("There are 10,20,30 million.", "10 20 30", ["10,20,30"]),
    ],
)
def test_numbers_that_were_not(text: str, source: str, bare: list[str]) -> None:
    """Each in its place."""
    assert ungrounded(text, source) == bare


@pytest.mark.parametrize(
    "text",
    [
        "There are 3 ways, and 9 more.",
        "1. Open it.\n2. Close it.\n10. Done.\n  11) Really.",
        "## 2.1 Returns\n# 12. More",
        "© 2024 Acme, Copyright (c) 2019-2024",
        "It is so [12].",
        "Write to <PERSON_12> or <PHONE_NUMBER_4711.2> about <ORDER_1182's>.",
        "H2O, MP3 and COVID-19",
        "no number",
        "",
    ],
)
def test_what_does_not_count(text: str) -> None:
    """Small counting numbers, lists, copyrights, citations, stand-ins, words."""
    assert ungrounded(text) == []


def test_what_is_small_is_an_option() -> None:
    """From there on, every number counts."""
    assert said(GroundedNumbers(smallest=0), "There are 3 ways.")
    assert said(GroundedNumbers(smallest=100), "There are 42 ways.") == ""


@given(
    number=st.decimals(min_value=10, max_value=10**9, places=2),
    style=st.sampled_from(["{:,.2f}", "{:.2f}", "{:.3f}", "{:.2f} €", "${:,.2f}"]),
)
def test_any_amount_is_found_in_any_style(number: Any, style: str) -> None:
    """And one that is a tenth more is not."""
    assert ungrounded(style.format(number), str(number)) == []
    assert ungrounded(style.format(number), f"{number:,.2f}".translate(str.maketrans(",.", ".,"))) == []
    assert ungrounded(f"{number + number / 10:.2f}", str(number))


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "piece",
    [
        "1,",
        "1 234 ",
        "a1-",
        "March ",
        "1",
        "1:",
        "(c) ",
        "#",
        " ",
        "5 ",
        "3/5/2024 ",
        "<A_",
        "[a]",
        "[",
        "- [ ]\n",
        "- ",
    ],
)
def test_long_texts_are_judged_in_time(piece: str) -> None:
    """100 KB of anything, against as much that was read."""
    text = (piece * 100_000)[:100_000]
    said(GroundedNumbers(), text, text)
    said(Citations(each_paragraph=True), text, text)
    said(GroundedNumbers(), "copyright" + text + "1", "[" * 100_000)


def test_other_values() -> None:
    """What is no text is a no; odd metadata counts for nothing and is left as it is."""
    assert said(Citations(), 5) == "it is no text"
    assert said(GroundedNumbers(), None) == "it is no text"
    metadata = {"sources": "1182", "question": 1182}
    assert GroundedNumbers().validate("Order 1182", dict(metadata)).outcome == "fail"
    assert GroundedNumbers().validate("Order 1182", {"sources": [None, "1182"]}).outcome == "pass"
    assert Citations().validate("[1]", dict(metadata)).outcome == "fail"
    with pytest.raises(ValueError, match="smallest must be"):
        GroundedNumbers(smallest=-1)


def test_messages_quote_nothing() -> None:
    """Neither the text nor the sources."""
    assert "1183" not in said(GroundedNumbers(), "Order 1183", "1182")
    assert "ghost" not in said(Citations(), "[ghost]", "doc-3")


async def test_in_a_guard_of_guardrails_ai() -> None:
    """Its metadata reaches them."""
    guard = guardrails.AsyncGuard().use(GroundedNumbers(on_fail="noop"))
    for source, status in (("1182", "pass"), ("1183", "fail")):
        outcome = await guard.validate("Order 1182", metadata={"sources": [source]})
        assert [one.validator_status for one in outcome.validation_summaries] in ([status], [])


def test_their_traits() -> None:
    """Both judge whole replies beside what was read; numbers count as they really are."""
    assert traits_of(GroundedNumbers()).sees_values
    for validator in (Citations(), GroundedNumbers()):
        traits = traits_of(validator)
        assert (traits.reads, traits.window, traits.uses_context) == (Reads.CONTENT, Window.REPLY, True)
