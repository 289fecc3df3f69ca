"""Topics, competitors and swear words are judged by words alone."""

from typing import Any

import pytest

from ringfence.guardrails.guardrails_ai import quiet_guardrails
from ringfence.guardrails.validator_traits import Window, traits_of

quiet_guardrails()

from ringfence.guardrails.topic_validators import (  # noqa: E402 - guardrails-ai must be quiet first
    AllowedTopics,
    BannedTopics,
    Competitors,
    Profanity,
)

ORDERS = {"orders": ["order", "refund", "delivery", "Bestellung"]}
GAMBLING = {"gambling": ["bet", "lottery", "casino"], "arms": ["rifle", "ammunition"]}


def passes(validator: Any, text: object) -> bool:
    """Whether a validator says yes."""
    return bool(validator.validate(text, {}).outcome == "pass")


def fix(validator: Any, text: str) -> Any:
    """What a validator would make of a text that fails."""
    return validator.validate(text, {}).fix_value


@pytest.mark.parametrize(
    "validator",
    [
        AllowedTopics(topics=ORDERS),
        BannedTopics(topics=GAMBLING),
        Competitors(names=["Globex"]),
        Profanity(),
    ],
)
def test_only_a_text_can_pass(validator: Any) -> None:
    """Anything else is a no, and no error."""
    assert not passes(validator, 5)
    assert not passes(validator, None)


class TestAllowedTopics:
    """A text belongs to a topic."""

    def test_one_topic_suffices(self) -> None:
        """A phrase of it in any form."""
        validator = AllowedTopics(topics=ORDERS)
        assert passes(validator, "I have refunded the whole amount to your card, as you asked me to.")
        assert passes(validator, "Vielen Dank, Ihre Bestellungen sind gestern aus unserem Lager abgegangen.")
        assert not passes(validator, "The capital of Australia is Canberra, which many people do not know.")

    def test_a_short_text_is_about_nothing(self) -> None:
        """So it passes; one without spaces is not short for that."""
        validator = AllowedTopics(topics=ORDERS)
        assert passes(validator, "Thank you!")
        assert not passes(validator, "one two three four five six seven eight")
        assert not passes(validator, "x" * 100)
        assert not passes(validator, "澳大利亚的首都是堪培拉很多人不知道")
        assert not passes(AllowedTopics(topics=ORDERS, shortest_words=0), "Hello")

    def test_more_hits_may_be_asked_for(self) -> None:
        """Of different phrases: the same one twice is one."""
        validator = AllowedTopics(topics=ORDERS, minimum_hits=2, shortest_words=0)
        assert not passes(validator, "An order is an order.")
        assert passes(validator, "The order has a delivery date.")

    def test_the_reason_keeps_the_topics_to_itself(self) -> None:
        """A model would learn the policy."""
        result: Any = AllowedTopics(topics=ORDERS, shortest_words=0).validate("Canberra", {})
        assert result.error_message == "it is about none of the topics that belong here"
        assert result.fix_value is None


class TestBannedTopics:
    """A text does not belong to a topic."""

    def test_a_phrase_and_where_it_is(self) -> None:
        """Each place is told, the phrase is not."""
        text = "Try the lotteries, or a CASINO."
        result: Any = BannedTopics(topics=GAMBLING).validate(text, {})
        assert [text[span.start : span.end] for span in result.error_spans] == ["lotteries", "CASINO"]
        assert {span.reason for span in result.error_spans} == {"banned_topic"}
        assert "casino" not in result.error_message.lower()

    def test_hits_count_within_a_topic(self) -> None:
        """One of each topic makes no two of one."""
        validator = BannedTopics(topics=GAMBLING, minimum_hits=2)
        assert passes(validator, "I bet he has a rifle.")
        assert passes(validator, "I bet, you bet.")
        assert not passes(validator, "I bet on the lottery.")

    @pytest.mark.parametrize("text", ["A better day.", "Abet nobody.", "The casinovian coast."])
    def test_other_words_pass(self, text: str) -> None:
        """A word that holds a banned one is another word."""
        assert passes(BannedTopics(topics=GAMBLING), text)

    def test_a_spelling_hides_nothing(self) -> None:
        """Invisible signs and full-width letters are read as people read them."""
        validator = BannedTopics(topics=GAMBLING)
        assert not passes(validator, "a cas\u200bino")
        assert not passes(validator, "ａ ｃａｓｉｎｏ")

    def test_a_sentence_shows_it_only_if_one_phrase_suffices(self) -> None:
        """Two phrases may stand in two sentences."""
        assert traits_of(BannedTopics(topics=GAMBLING)).window is Window.SENTENCE
        assert traits_of(BannedTopics(topics=GAMBLING, minimum_hits=2)).window is Window.REPLY
        assert traits_of(BannedTopics).window is Window.REPLY


@pytest.mark.parametrize("make", [AllowedTopics, BannedTopics])
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"topics": {}}, "at least one"),
        ({"topics": ["bet"]}, "must map"),
        ({"topics": {"a": "bet"}}, "must be a list of texts"),
        ({"topics": {"a": []}}, "at least one"),
        ({"topics": {"a": ["?"]}}, "letter or digit"),
        ({"topics": {"a": ["bet"]}, "minimum_hits": 0}, "whole number from 1"),
        ({"topics": {"a": ["bet", "BET"]}, "minimum_hits": 2}, "fewer different phrases"),
    ],
)
def test_topics_that_cannot_be_kept(make: Any, options: dict[str, Any], reason: str) -> None:
    """They are refused with a sentence."""
    with pytest.raises(ValueError, match=reason):
        make(**options)


class TestCompetitors:
    """Names that are not to be named."""

    @pytest.mark.parametrize(
        ("text", "fixed"),
        [
            ("Ask Acme Corp.", "Ask another company."),
            ("ACME-CORP's offer", "another company's offer"),
            ("AcmeCorp", "another company"),
            ("Ａcme\n Corp", "another company"),
            ("Glo\u00adbex’s", "another company’s"),
            ("my_globex", "my_another company"),
            ("Globexs Angebot", "another company Angebot"),
        ],
    )
    def test_each_spelling_is_replaced(self, text: str, fixed: str) -> None:
        """With spaces, hyphens or nothing between; a genitive stays one."""
        assert fix(Competitors(names=["Acme Corp", "Globex"]), text) == fixed

    @pytest.mark.parametrize("text", ["Macme Corp", "Acme", "Globexia", "the acme of a corps"])
    def test_other_names_pass(self, text: str) -> None:
        """A name inside of a name is another one."""
        assert passes(Competitors(names=["Acme Corp", "Globex"]), text)

    def test_a_name_has_to_be_one(self) -> None:
        """A single text is no list."""
        for names in ("Globex", [], [""], ["--"], [5]):
            with pytest.raises(ValueError, match="names must"):
                Competitors(names=names)  # type: ignore[arg-type]  # what a policy file may hold


class TestProfanity:
    """Swear words, and words that only hold one."""

    @pytest.mark.parametrize(
        "text",
        [
            "fuck",
            "FUCKING",
            "fuuuuck",
            "f*ck",
            "f u c k",
            "f.u.c.k",
            "sh1t",
            "$h!t",
            "a$$hole",
            "shi\u00adt",
            "ｆuck",
            *("Scheiße", "Arschloch", "fickt", "enculé", "putain", "cabrón", "hijo de puta", "bullshit_"),
        ],
    )
    def test_a_disguise_hides_nothing(self, text: str) -> None:
        """Digits, signs, gaps and drawn-out letters are read as people read them."""
        assert not passes(Profanity(), f"you {text} there")

    @pytest.mark.parametrize(
        "text",
        [
            "Scunthorpe",
            "assess the assets",
            "Dickens",
            "cocktail",
            "Hancock",
            "shiitake",
            "class, bass",
            "as so",
            "Take the A55 for 455 miles",
            "part SH17",
            "Arsen",
            "ein dickes Buch",
            "putative",
            "push it",
            "Assen",
        ],
    )
    def test_ordinary_words_pass(self, text: str) -> None:
        """In which a swear word is nothing but letters."""
        assert passes(Profanity(), text)

    def test_the_fix_is_asterisks(self) -> None:
        """As many as there were signs; the reason quotes nothing."""
        result: Any = Profanity().validate("What the fuck, Jane?", {})
        assert result.fix_value == "What the ****, Jane?"
        assert [(span.start, span.end, span.reason) for span in result.error_spans] == [(9, 13, "profanity")]
        assert "fuck" not in result.error_message

    def test_words_of_your_own(self) -> None:
        """More that must not occur, and others that may, alone or in a phrase."""
        assert not passes(Profanity(extra=["blimey"]), "Bl1mey!")
        assert passes(Profanity(allow=["ass"]), "The ASS brays.")
        validator = Profanity(allow=["pussy riot"])
        assert passes(validator, "a song of Pussy  Riot")
        assert not passes(validator, "a pussy")

    def test_words_have_to_be_words(self) -> None:
        """A single text is no list."""
        with pytest.raises(ValueError, match="extra must"):
            Profanity(extra="blimey")
        with pytest.raises(ValueError, match="allow must"):
            Profanity(allow=["!"])


def test_what_forbids_is_asked_of_real_values_too() -> None:
    """A name or a topic may stand behind a stand-in; what demands a topic is asked once."""
    forbidding = (BannedTopics(topics=GAMBLING), Competitors(names=["Globex"]), Profanity())
    assert all(traits_of(one).sees_values and traits_of(one).quick for one in forbidding)
    assert not traits_of(AllowedTopics(topics=GAMBLING)).sees_values
