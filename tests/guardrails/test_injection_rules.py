"""How a line of words becomes a rule."""

import pytest

from ringfence.guardrails.injection_rules import Rule, RuleTable, plain, read_rules

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
    rule = Rule("kind 0.5 eat ~2 @FRUIT ~1 raw", WORDS)
    table = RuleTable([rule])
    assert table.possible({"eat", "red", "raw"}) == {"eat": [rule]}
    assert table.possible({"eat", "red"}) == {}
    assert table.possible({"red", "raw"}) == {}


@pytest.mark.parametrize(
    ("elements", "text", "begins"),
    [
        ("eat ~2 @FRUIT", "eat one more apple", True),
        ("eat ~2 @FRUIT", "eat one two three apple", False),
        ("eat_up ?the_whole @FRUIT", "eat up the whole apple", True),
        ("eat_up ?the_whole @FRUIT", "eat up the whole of an apple", False),
        ("eat =\\s*!", "eat !", True),
        ("eat appl* raw", "eat nothing at all that is raw", True),
    ],
)
def test_a_rule_is_tried_only_where_its_next_word_comes_soon_enough(
    elements: str, text: str, *, begins: bool
) -> None:
    """Gaps, words that may be missing and words of a phrase count; what is not known is tried."""
    assert Rule(f"kind 0.5 {elements}", WORDS).begins(text.split(), 0) is begins


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


def test_a_rule_knows_every_word_that_it_looks_at() -> None:
    """A word spelled with digits for letters matters only if it is one of them."""
    rule = Rule("kind 0.5 eat_up ?the ~2 @FRUIT =\\s+(?:with|per)\\b|files?:", WORDS)
    assert rule.vocabulary >= {"eat", "up", "the", "apple", "red", "pear", "with", "per", "file", "files"}
