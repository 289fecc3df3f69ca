"""How a line of words becomes a rule."""

import pytest

from ringfence.guardrails.injection_rules import Rule, plain, read_rules

WORDS = {"FRUIT": "apple red_pear"}


def matches(elements: str, text: str) -> bool:
    """Whether a rule of these elements matches at the beginning of the text."""
    return Rule(f"kind 0.5 {elements}", WORDS).pattern.match(plain(text)) is not None


@pytest.mark.parametrize(
    ("elements", "text"),
    [
        ("eat @FRUIT", "Eat apple"),
        ("eat @FRUIT|plum", "eat plum"),
        ("eat ~2 @FRUIT", "eat one more red\npear"),
        ("eat ?the apple", "eat the apple"),
        ("eat ?the apple", "eat apple"),
        ("eat appl*", "eat apples"),
        ("eat apple =\\s*!", "eat apple !"),
        ("öffne ~1 tür", "Offne die TÜR"),
    ],
)
def test_elements_match_their_words(elements: str, text: str) -> None:
    """Lists, gaps, words that may be missing, endings, and what comes behind."""
    assert matches(elements, text)


@pytest.mark.parametrize(
    ("elements", "text"),
    [
        ("eat @FRUIT", "eat apples"),
        ("eat ~2 @FRUIT", "eat one two three apple"),
        ("eat ~2 @FRUIT", "eat. An apple"),
        ("eat apple =\\s*!", "eat apple?"),
    ],
)
def test_other_words_do_not_match(elements: str, text: str) -> None:
    """Not a longer word, not a wider gap, not over the end of a sentence."""
    assert not matches(elements, text)


def test_a_rule_is_tried_only_where_all_its_words_are() -> None:
    """Which makes most texts cheap."""
    rule = Rule("kind 0.5 eat ~2 @FRUIT", WORDS)
    assert rule.is_possible({"eat", "red"})
    assert not rule.is_possible({"eat", "plum"})


def test_a_rule_must_begin_with_whole_words() -> None:
    """Because it is looked up by them."""
    with pytest.raises(ValueError, match="must begin with whole words"):
        Rule("kind 0.5 eat* apple", WORDS)


def test_comments_and_empty_lines_are_no_rules() -> None:
    """The rest of a table is."""
    [rule] = read_rules("# fruit\n\nkind 0.25 eat apple\n", {})
    assert (rule.kind, rule.weight) == ("kind", 0.25)


def test_plain_text_is_as_long_as_the_text() -> None:
    """So that a place in one is a place in the other."""
    text = "Çà İst „größer“ — Ёлка"
    assert plain(text) == 'ca ist "groser" — елка'
    assert len(plain(text)) == len(text)
