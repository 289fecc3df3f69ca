"""Phrases are found in whatever spelling, at their place in the text as given."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.guardrails.phrase_patterns import Phrase, folded, pattern_of, replaced


class TestFolded:
    """One form for all spellings, with the way back."""

    @pytest.mark.parametrize(
        ("text", "form"),
        [
            ("Plain ASCII", "plain ascii"),
            ("Straße", "strasse"),
            ("ＦＵＬＬ", "full"),
            ("u\u0308ber", "über"),
            ("in\u200bvis\u00adi\ufe0fble", "invisible"),
        ],
    )
    def test_one_form(self, text: str, form: str) -> None:
        """Case, width, composition and invisible signs make no difference."""
        assert folded(text).text == form

    def test_a_place_is_of_the_text_as_given(self) -> None:
        """With the invisible signs inside of it."""
        text = "a Stra\u200bße b"
        known = folded(text)
        start, end = known.span(*re.search("strasse", known.text).span())  # type: ignore[union-attr]  # it is there
        assert text[start:end] == "Stra\u200bße"

    @given(st.text())
    def test_every_place_exists(self, text: str) -> None:
        """In order, one for each sign and one for the end."""
        known = folded(text)
        assert len(known.places) == len(known.text) + 1
        assert [*known.places] == sorted(known.places)
        assert known.places[-1] == len(text)


class TestPatternOf:
    """A phrase as it is written."""

    def test_spaces_are_all_the_same(self) -> None:
        """Line breaks, too."""
        assert re.search(pattern_of("top secret"), "a top \n secret b")

    def test_no_part_of_a_word(self) -> None:
        """A sign that is no letter ends any word."""
        assert not re.search(pattern_of("art"), "party")
        assert re.search(pattern_of("@all"), "hello@all")


class TestPhrase:
    """A phrase with what English and German append to words."""

    @pytest.mark.parametrize(
        ("phrase", "text"),
        [
            ("bet", "he was betting"),
            ("lottery", "two lotteries"),
            ("gamble", "she gambled"),
            ("gamble", "gambling"),
            ("loan", "LOANS"),
            ("invest", "investing"),
            ("Kredit", "mit Krediten"),
            ("Aktie", "die Aktien"),
            ("interest rate", "interest-rates"),
            ("interest rate", "interest\n  rate"),
            ("彩票", "我买彩票了"),
            ("C++", "in C++, too"),
        ],
    )
    def test_is_found(self, phrase: str, text: str) -> None:
        """In the plural, with -ing, -ed, -en."""
        assert Phrase(phrase).is_in(folded(text).text)

    @pytest.mark.parametrize(
        ("phrase", "text"),
        [("bet", "a better way"), ("war", "the ware"), ("car", "caring"), ("art", "party"), ("rate", "rats")],
    )
    def test_another_word_is_not(self, phrase: str, text: str) -> None:
        """However near it is."""
        assert not Phrase(phrase).is_in(text)

    def test_none_is_no_phrase(self) -> None:
        """Nor are invisible signs."""
        with pytest.raises(ValueError, match="empty"):
            Phrase(" \u200b ")


class TestReplaced:
    """Something else at some places."""

    def test_a_text_or_asterisks(self) -> None:
        """The rest stays as it is."""
        assert replaced("one two three", [(8, 13), (0, 3)], "x") == "x two x"
        assert replaced("one two", [(4, 7)], None) == "one ***"

    def test_a_place_inside_another_goes_with_it(self) -> None:
        """Nothing is replaced twice."""
        assert replaced("one two", [(0, 7), (4, 7)], "x") == "x"
