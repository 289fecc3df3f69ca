"""A text is read as people and models read it, place by place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.guardrails.readings import is_glued, readable, unglued

PIECES = st.sampled_from(
    ["%40", "&#64;", "&commat;", r"\\x40", r"\n", "\\", "_", "%2", "１", "ﬁ", "½", "é", "٣", "—"]
)


@given(st.text() | st.lists(PIECES).map("".join))
def test_a_reading_is_as_long_as_the_text(text: str) -> None:
    """So that a finding has its place in both."""
    assert len(readable(text)) == len(unglued(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("plain, as it is: 4-1", "plain, as it is: 4-1"),
        ("１２\u2011٣４", "12-34"),
        ("ｊａｎｅ＠ａｃｍｅ．ｃｏｍ", "jane@acme.com"),
        ("a\u00a0b ﬁ ½ Ω 是", "a b ﬁ ½ Ω 是"),
        (r"a%40b &#64; &#X40; \\x40", "a__@b ____@ _____@ ____@"),
        (r"a\nb\\tc\u12abd \q C:\dir", r"a  b   c      d \q C:\dir"),
    ],
)
def test_signs_become_plain(text: str, reading: str) -> None:
    """Where there is one plain sign for one; an escape becomes spaces."""
    assert readable(text) == reading


@pytest.mark.timeout(20)
@pytest.mark.parametrize("run", ["\\", "\\x4", "%4", "&", "@", "_", "é", "a@", "_a", "é1", "&#"])
def test_reading_takes_linear_time_on_hostile_runs(run: str) -> None:
    """Each place of a long text is looked at a bounded number of times."""
    text = run * 200_000
    assert len(unglued(readable(text))) == len(text)
    assert is_glued(text) in {True, False}


@pytest.mark.parametrize(
    ("text", "glued"),
    [
        ("jane@acme.com 4111 a_b é", False),
        ("_4111", True),
        ("4111_", True),
        ("%2041", True),
        ("41%20", True),
        ("号4111", True),
        ("4111号", True),
        ("_jane@acme.com", True),
        ("jane@acme.com请", True),
        ("é jane@acme.com é", False),
    ],
)
def test_what_stands_beside_a_value(text: str, *, glued: bool) -> None:
    """Digits and addresses with something at them that recognizers take for a part."""
    assert is_glued(text) is glued


def test_what_is_unglued() -> None:
    """Only that; what is plain stays."""
    assert unglued("a_b%20c号d-e.f%zz") == "a b   c d-e.f%zz"
