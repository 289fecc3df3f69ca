"""Nothing that a model, a tool or a user wrote acts on the terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.adapters.harmless import harmless, one_line

ANYTHING = st.text(
    st.characters(codec=None) | st.sampled_from("\x1b\x9b\r\n\t\x07\u202e\u2066\u200b\ud800\U000e0041")
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("zwei Zeilen\nmit\tTab, Köln, 東京, 👍🏽", "zwei Zeilen\nmit\tTab, Köln, 東京, 👍🏽"),
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("safe\rfake", r"safe\rfake"),
        ("line\r\nend", "line\nend"),
        ("invoice\u202egnp.exe", r"invoice\u202egnp.exe"),
        ("hid\u200bden\U000e0041", r"hid\u200bden\U000e0041"),
        ("\x9b31m", r"\x9b31m"),
        ("\ud83d", r"\ud83d"),
        ("[bold]markup[/] :smile:", "[bold]markup[/] :smile:"),
    ],
)
def test_what_a_terminal_would_act_on_is_spelled_out(text: str, shown: str) -> None:
    """Escape sequences, returns, text turners and hidden characters become readable; the rest stays."""
    assert harmless(text) == shown


@given(ANYTHING)
def test_no_text_gets_through_that_acts_or_hides(text: str) -> None:
    """Whatever comes in, only line ends, tabs and the joiners of scripts are left of the unprintable."""
    kinds = {
        unicodedata.category(character) for character in harmless(text) if character not in "\n\t\u200c\u200d"
    }
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(ANYTHING, st.none() | st.integers(1, 20))
def test_one_line_is_one_line(text: str, most: int | None) -> None:
    """No line end is left, and what was cut is counted."""
    line = one_line(text, most=most)
    assert "\n" not in line
    assert most is None or len(line) <= most or line.endswith("more characters)")
