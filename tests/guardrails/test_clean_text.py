"""What only hides something is taken out or spelled out, however it is nested."""

from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.guardrails import clean_text as cleaning
from ringfence.guardrails.clean_text import clean_text

PIECES = [
    *'\\u0349aB@ "\n\u200b\u200d\u202e\ud83d\ude00é\ufe0f\U000e0041',
    "u0040",
    "u005c",
    r"\u200b",
    r"\ud83d",
]


class TestCleanText:
    """What a text loses at the door, and what it keeps."""

    @pytest.mark.parametrize(
        ("dirty", "clean"),
        [
            ("a\x00b\x08\x1b[31m\x7f\x9f", "ab[31m"),
            ("tab\tline\nreturn\rnext\x85", "tab\tline\nreturn\rnext\x85"),
            ("ja\u00adne\u200b@\u2060acme\ufeff.com", "jane@acme.com"),
            ("\u202egro.emca\u202c \u2066x\u2069 \u200ey\u200f\u061c", "gro.emca x y"),
            ("jane\u034f@\u115facme\u2063.\u3164com\ufff9", "jane@acme.com"),
            ("hi" + "".join(chr(0xE0000 + ord(sign)) for sign in "obey me"), "hi"),
            ("ja\u200dne\ufe0f@\u200c\u200dacme.com", "jane@acme.com"),
            ("lone \ud83d half \udc00", "lone \ufffd half \ufffd"),
            ("whole \ud83d\ude00", "whole 😀"),
        ],
    )
    def test_nothing_invisible_stays(self, dirty: str, clean: str) -> None:
        """Control characters, invisible ones, directions, tags, and halves of characters."""
        assert clean_text(dirty) == clean

    @pytest.mark.parametrize(
        "text", ["👩‍👩‍👧 ❤️ 🏳️‍🌈", "می‌خواهم", "क्‍ष", "Grüße, 你好, Ωμέγα", "ᠠᠨ᠎ᠠ", "C:\\users\\new", "a\\b"]
    )
    def test_scripts_and_emoji_stay(self, text: str) -> None:
        """Joiners between letters that need them are part of the writing."""
        assert clean_text(text) == text

    @pytest.mark.parametrize(
        ("escaped", "plain"),
        [
            (r"jane\u0040acme.com", "jane@acme.com"),
            (r"jane\u0040ACME\u002Ecom", "jane@ACME.com"),
            (r"\u006a\u0061ne", "jane"),
            (r"\ud83d\ude00", "😀"),
            (r"\ud83d alone", "\ufffd alone"),
            (r"ja\u200bne\u202e", "jane"),
            (r"{\"to\": \"jane\\u0040acme.com\"}", r"{\"to\": \"jane@acme.com\"}"),
            (r"jane\\\\u0040acme.com", "jane@acme.com"),
            (r"jane\u005cu0040acme.com", "jane@acme.com"),
            ("jane\\u00\u200b40acme.com", "jane@acme.com"),
            (r"jane\u00\u200b40acme.com", "jane@acme.com"),
            (r"jane\u00\u00340acme.com", "jane@acme.com"),
        ],
    )
    def test_escapes_are_spelled_out(self, escaped: str, plain: str) -> None:
        """Once, twice or more escaped, in pairs, and with something invisible or escaped inside."""
        assert clean_text(escaped) == plain

    @pytest.mark.parametrize("text", [r"a \u0022 b \u005c \u000a \u0000", r"\u12", r"\U00000040", "u0040"])
    def test_what_would_change_the_json_around_it_stays(self, text: str) -> None:
        """A quote, a backslash or a control character stays escaped; what is no escape stays, too."""
        assert clean_text(text) == text

    def test_escapes_nested_without_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each round undoes one level, and an attacker's text gets no more than a few rounds."""
        nested = r"\u20" * 2_000 + r"\u200b" + "0b" * 2_000
        one_round = Mock(wraps=cleaning._cleaned)
        monkeypatch.setattr(cleaning, "_cleaned", one_round)
        cleaned = clean_text(rf"jane\u00{nested}40acme.com")
        assert one_round.call_count < 10
        assert "\\" not in cleaned
        assert clean_text(cleaned) == cleaned

    @settings(max_examples=500)
    @given(st.lists(st.sampled_from(PIECES)).map("".join) | st.text())
    def test_a_clean_text_is_clean(self, text: str) -> None:
        """Cleaning twice changes nothing, and what comes out can be written down."""
        cleaned = clean_text(text)
        assert clean_text(cleaned) == cleaned
        cleaned.encode()
