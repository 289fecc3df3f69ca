"""Personal data is found offline, in bounded time, wherever it stands in a text."""

import re
import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
import tldextract

from ringfence.errors import PolicyError
from ringfence.guardrails import pii, presidio
from ringfence.guardrails.pii import PiiSettings
from ringfence.guardrails.presidio import Finding, PiiFinder, TextTooLongError
from ringfence.guardrails.vault import Vault

EMAIL = "jane@acme.com"
WINDOW, STEP = 2_000, 1_680


def finder(**settings: Any) -> PiiFinder:
    # Without the network, so that no example depends on what it takes for a name.
    return PiiFinder(PiiSettings.model_validate({"detection": "patterns", **settings}))


async def found(text: str, **settings: Any) -> list[tuple[str, str]]:
    """What is found in a text: entity types and values."""
    return [(one.entity, text[one.start : one.end]) for one in await finder(**settings).find(text)]


def real_analyzer() -> Any:
    """The analyzer of the default settings."""
    return presidio._analyzer(finder()._made_from)


class Analyzer:
    """Stands in for Presidio: finds what its patterns match, each with its score, and counts its work."""

    def __init__(self, *patterns: tuple[str, str, float]) -> None:
        self.patterns = patterns
        self.windows: list[str] = []

    def analyze(self, text: str, **_: object) -> Iterator[SimpleNamespace]:
        """The results."""
        self.windows.append(text)
        for entity, pattern, score in self.patterns:
            for match in re.finditer(pattern, text):
                start, end = match.span()
                yield SimpleNamespace(entity_type=entity, start=start, end=end, score=score)

    def get_supported_entities(self, _language: str) -> list[str]:
        """The types of its patterns."""
        return [entity for entity, _, _ in self.patterns]

    @property
    def nlp_engine(self) -> Mock:
        """Cuts no words, because nothing here asks for them."""
        return Mock()


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Analyzer:
    """An analyzer that finds one address and nothing else."""
    analyzer = Analyzer(("EMAIL_ADDRESS", re.escape(EMAIL), 1.0))
    monkeypatch.setattr(presidio, "_analyzer", lambda _made_from: analyzer)
    return analyzer


ONLY_EMAIL = {"EMAIL_ADDRESS": "pseudonymize"}


class TestWhatIsFound:
    """With Presidio itself."""

    @pytest.mark.parametrize(
        ("text", "entity", "value"),
        [
            ("Write to jane@acme.com.", "EMAIL_ADDRESS", EMAIL),
            ("<mailto:jane+x@desk.intranet.local>", "EMAIL_ADDRESS", "jane+x@desk.intranet.local"),
            ("jane@desk.example", "EMAIL_ADDRESS", "jane@desk.example"),
            ("JANE@ACME.COM", "EMAIL_ADDRESS", "JANE@ACME.COM"),
            ("jané@exämple.de", "EMAIL_ADDRESS", "jané@exämple.de"),
            ("call +1 415 555 2671", "PHONE_NUMBER", "+1 415 555 2671"),
            ("card 4111-1111-1111-1111", "CREDIT_CARD", "4111-1111-1111-1111"),
            ("DE89 3704 0044 0532 0130 00", "IBAN_CODE", "DE89 3704 0044 0532 0130 00"),
            ("from 10.0.0.1", "IP_ADDRESS", "10.0.0.1"),
        ],
    )
    async def test_by_default(self, text: str, entity: str, value: str) -> None:
        """The types of the default settings; e-mail addresses of internal and reserved domains among them."""
        assert await found(text) == [(entity, value)]

    @pytest.mark.parametrize(
        ("text", "entity"),
        [
            ("jane＠acme．com", "EMAIL_ADDRESS"),
            ("jane%40acme.com", "EMAIL_ADDRESS"),
            ("jane&#64;acme.com", "EMAIL_ADDRESS"),
            ("jane&#X40;acme.com", "EMAIL_ADDRESS"),
            ("jane&commat;acme.com", "EMAIL_ADDRESS"),
            (r"jane\x40acme.com", "EMAIL_ADDRESS"),
            ("𝐣𝐚𝐧𝐞@acme.com", "EMAIL_ADDRESS"),
            ("４１１１ １１１１ １１１１ １１１１", "CREDIT_CARD"),
            ("٤١١١١١١١١١١١١١١١", "CREDIT_CARD"),
            ("4111\u20111111\u20131111\u20141111", "CREDIT_CARD"),
        ],
    )
    async def test_in_other_signs(self, text: str, entity: str) -> None:
        """Full-width, of URLs and HTML: people and models read them alike. The finding has their place."""
        assert await found(f"ﬁ {text} ½") == [(entity, text)]

    async def test_behind_an_escape(self) -> None:
        """The letter of an escape is not one of the value's."""
        text = r"{\"mail\":\"jane@acme.com\\nbob@acme.com\tcarol@acme.com\"}"
        assert [value for _, value in await found(text)] == [EMAIL, "bob@acme.com", "carol@acme.com"]

    async def test_context_words_raise_the_score(self) -> None:
        """With a colon or without; a number alone stays below the threshold."""
        entities = {"US_SSN": "pseudonymize"}
        for text in ("219099999", "order 219099999"):
            assert await found(text, entities=entities) == []
        for text in (
            "ssn 219099999",
            "SSN: 219099999",
            "ssn:219099999",
            "social security no.: 219099999",
        ):
            assert await found(text, entities=entities) == [("US_SSN", "219099999")]

    async def test_thresholds(self) -> None:
        """Of the whole section, or of one type."""
        text, action = "219-09-9999", "pseudonymize"
        assert await found(text, entities={"US_SSN": action}) != []
        assert await found(text, entities={"US_SSN": action}, threshold=0.6) == []
        assert await found(text, entities={"US_SSN": {"action": action, "threshold": 0.6}}) == []
        strict = {"US_SSN": {"action": action, "threshold": 0.5}}
        assert await found(text, entities=strict, threshold=0.9) != []

    async def test_what_is_allowed_is_reported_apart(self) -> None:
        """It stays in the text; a scan and a benchmark see it."""
        text = f"{EMAIL} on 2024-05-01, see https://acme.com/?user=bob@acme.com"
        masked = await finder().find(text)
        assert [one.entity for one in masked] == ["EMAIL_ADDRESS"] * 2
        reported = await finder().find_all(text)
        assert {*masked} < {*reported}
        assert [one.entity for one in reported if one not in masked] == ["DATE_TIME", "URL"]

    async def test_a_type_that_the_policy_does_not_name_keeps_its_default(self) -> None:
        """Naming one does not switch off the others; `allow` does."""
        text = f"{EMAIL} 10.0.0.1 2024-05-01"
        switched = {"DATE_TIME": "mask", "IP_ADDRESS": "allow"}
        assert [entity for entity, _ in await found(text, entities=switched)] == [
            "EMAIL_ADDRESS",
            "DATE_TIME",
        ]

    async def test_nothing_stands_in_an_empty_text(self) -> None:
        """Nor between its lines."""
        assert await found(" \n ") == []

    async def test_a_text_that_is_too_long_is_refused(self) -> None:
        """With the setting that says so, and without the text."""
        with pytest.raises(TextTooLongError, match=r"pii\.max_characters allows \(20\)$"):
            await finder(max_characters=20).find("x" * 21)
        assert await finder(max_characters=20).find("x" * 20) == ()

    async def test_allowed_values(self) -> None:
        """Whole and in any case; never as a part of something else."""
        allow = ("Support@Acme.com", "a.support@acme.com", "10.0.0.1")
        text = "support@acme.COM a.support@acme.com 10.0.0.1 10.0.0.12 support@acme.com.evil.org"
        assert await found(text, allow=allow) == [
            ("IP_ADDRESS", "10.0.0.12"),
            ("EMAIL_ADDRESS", "support@acme.com.evil.org"),
        ]

    async def test_an_allowed_value_is_allowed_in_pieces(self) -> None:
        """A domain is a URL of its own to Presidio."""
        entities = {"EMAIL_ADDRESS": "mask", "URL": "mask"}
        text = "support@acme.com www.acme.com"
        assert await found(text, entities=entities, allow=["support@acme.com"]) == [("URL", "www.acme.com")]

    @pytest.mark.parametrize("name", ["PERSON", "LOCATION", "EMAIL_ADRESS", "person"])
    def test_a_type_that_nothing_finds_is_refused(self, name: str) -> None:
        """Also those that need a network for names, which would be missed in silence."""
        with pytest.raises(
            PolicyError, match=r"no recognizer finds this; (known: .*CREDIT_CARD|did you mean `[A-Z_]+`\?)"
        ) as caught:
            finder(entities={name: "mask", "URL": "mask"}, detection="patterns")
        assert [fault.where for fault in caught.value.faults] == [f"pii.entities.{name}"]

    def test_every_fault_is_told_at_once(self) -> None:
        """A model, a language and a type that are not there; types that a model finds are none of them."""
        with pytest.raises(PolicyError) as caught:
            finder(
                detection="spacy:no_model", languages=["en", "xx"], entities={"A": "mask", "PERSON": "mask"}
            )
        places = [fault.where for fault in caught.value.faults]
        assert places == ["pii.detection", "pii.languages[1]", "pii.entities.A"]

    def test_every_type_can_be_turned_back(self) -> None:
        """Whatever a recognizer calls its type, the vault knows the name again."""
        for entity in real_analyzer().get_supported_entities("en"):
            vault = Vault()
            assert vault.reveal(vault.pseudonym(entity, "value"), [entity]) == "value"

    def test_presidio_gets_all_that_it_may_ask_of_a_language_engine(self) -> None:
        """Every method of its interface answers."""
        engine = real_analyzer().nlp_engine
        engine.load()
        ((text, artifacts),) = engine.process_batch(["To be, or not"], "en")
        assert (text, artifacts.lemmas) == ("To be, or not", ["to", "be", ",", "or", "not"])
        assert artifacts.keywords == set()
        assert (engine.is_loaded(), engine.get_supported_languages()) == (True, ["en"])
        assert engine.get_supported_entities() == []


@pytest.fixture
def fresh_analyzer() -> Iterator[None]:
    """The analyzer is made in this test, and again in the next."""
    presidio._analyzer.cache_clear()
    yield
    presidio._analyzer.cache_clear()


@pytest.mark.usefixtures("fresh_analyzer")
async def test_no_connection_is_even_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not when the analyzer is made, nor with the first URL, which needs the public suffix list."""
    tried: list[object] = []

    def refuse(*args: object, **_: object) -> None:
        tried.append(args)
        raise OSError("no network here")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    online = tldextract.TLDExtract(suffix_list_urls=("http://list.example/psl",), cache_dir=None)
    monkeypatch.setattr(tldextract.tldextract, "TLD_EXTRACTOR", online)
    text = "jane@acme.com or https://www.acme.com/jane or acme.co.uk"
    assert len(await found(text, entities={"URL": "mask"})) == 3
    # Presidio's own recognizer of addresses asks this; those of other versions may, too.
    assert tldextract.extract("https://www.acme.co.uk/jane").suffix == "co.uk"
    assert tried == []


class TestWindows:
    """Long texts are cut into windows that overlap."""

    async def test_at_every_place_of_a_text_around_the_window_size(self, stand_in: Analyzer) -> None:
        """One finding, at its place, whatever stands before and behind it."""
        for tail in ("", " " * 300, " " * 2_500):
            for start in [*range(STEP - 40, WINDOW + 40), *range(2 * STEP - 40, STEP + WINDOW + 40)]:
                text = f"{' ' * start}{EMAIL}{tail}"
                (only,) = finder(entities=ONLY_EMAIL)._analyze(text)
                assert (only.start, only.end) == (start, start + len(EMAIL))
        assert max(len(window) for window in stand_in.windows) == WINDOW

    @pytest.mark.parametrize(
        "start", [STEP - 13, STEP - 5, STEP, WINDOW - 13, WINDOW - 5, WINDOW, STEP * 2 - 5]
    )
    async def test_on_a_border_with_presidio(self, start: int) -> None:
        """A value that a window cuts is one finding, not two."""
        text = ("word " * 1_000)[: start - 1] + f" {EMAIL} " + "word " * 200
        assert await found(text) == [("EMAIL_ADDRESS", EMAIL)]

    async def test_an_allowed_value_on_a_border_is_allowed(self) -> None:
        """A window that begins in the middle of it sees another value."""
        text = ("word " * 1_000)[: STEP - 4] + f" support@acme.com and {EMAIL} " + "word " * 200
        assert await found(text, allow=["support@acme.com"]) == [("EMAIL_ADDRESS", EMAIL)]


class TestOverlaps:
    """Findings that share characters become one, so that nothing of either stays visible."""

    @pytest.mark.parametrize(
        ("first", "second", "name"),
        [
            ("pseudonymize", "pseudonymize", "WIDE"),
            ("pseudonymize", "mask", "NARROW"),
            ("mask", "hash", "NARROW"),
            ("hash", "redact", "NARROW"),
            ("redact", "block", "NARROW"),
            ("block", "redact", "WIDE"),
        ],
    )
    async def test_the_strictest_rule_counts(
        self, monkeypatch: pytest.MonkeyPatch, first: str, second: str, name: str
    ) -> None:
        """Then the wider finding; the span is that of both."""
        analyzer = Analyzer(("WIDE", "abcd", 0.5), ("NARROW", "de", 0.9))
        monkeypatch.setattr(presidio, "_analyzer", lambda _made_from: analyzer)
        only = await finder(entities={"WIDE": first, "NARROW": second}).find("-abcde-")
        assert only == (Finding(name, 1, 6, 0.9),)

    async def test_a_chain_is_one_finding_and_neighbours_are_two(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What only touches is not joined."""
        analyzer = Analyzer(("A", "abc", 0.5), ("B", "cd", 0.5), ("C", "de", 0.5), ("D", "f", 0.5))
        monkeypatch.setattr(presidio, "_analyzer", lambda _made_from: analyzer)
        chain = await finder(entities=dict.fromkeys("ABCD", "mask")).find("abcdef")
        assert [(one.entity, one.start, one.end) for one in chain] == [("A", 0, 5), ("D", 5, 6)]

    async def test_what_is_allowed_neither_hides_nor_widens_what_is_not(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is reported beside it; inside of it, it is left out."""
        analyzer = Analyzer(("WIDE", "abcd", 0.9), ("NARROW", "de", 0.5), ("INNER", "e", 0.9))
        monkeypatch.setattr(presidio, "_analyzer", lambda _made_from: analyzer)
        both = finder(entities={"WIDE": "allow", "NARROW": "mask", "INNER": "allow"})
        masked = Finding("NARROW", 4, 6, 0.5)
        assert await both.find("-abcde-") == (masked,)
        assert await both.find_all("-abcde-") == (Finding("WIDE", 1, 5, 0.9), masked)

    async def test_a_blocked_type_inside_a_milder_one(self) -> None:
        """A card number in a URL is blocked as a card number."""
        entities = {"URL": "pseudonymize", "CREDIT_CARD": "block"}
        text = "https://shop.com/pay/4111111111111111"
        assert await found(text, entities=entities) == [("CREDIT_CARD", text)]


HOSTILE = [
    *(":", "(", '"', "a.", "1.", "www.", "123-45-6789 ", "1", "@", "a", "a@a-", "1:", "+1 415 555 2671 "),
    *(
        "0 ",
        "1 2",
        "a.b@",
        "\\",
        "<",
        "é",
        "\u0661",
        "f0",
        "-",
        " ",
        "`",
        "```\n",
        "::",
        "QUJD",
        "GB82 WEST ",
    ),
    *("1.1.1.1 ", "https://", '"a"@', "请1", "%40", "4111 1111 1111 1111 "),
]


class TestHostileTexts:
    """Texts that are made to take long."""

    @pytest.mark.parametrize("piece", HOSTILE)
    async def test_they_end_and_hide_nothing(self, piece: str) -> None:
        """What is found alone is found behind 50 KB of them, within the policy's time."""
        text = (piece * 50_000)[:50_000] + f" {EMAIL}"
        spans = [text[one.start : one.end] for one in await finder().find_all(text)]
        assert any(EMAIL in span for span in spans)

    async def test_what_takes_too_long_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Presidio would go on without the expression that took too long, and miss what it finds."""
        # As if the expression had been let through when the policy was read.
        monkeypatch.setattr(pii, "problem_of", lambda _expression: None)
        slow = {"SLOW": {"regex": r"(\d+)*x"}}
        with pytest.raises(TimeoutError):
            await finder(patterns=slow, timeout_seconds=0.05).find("1" * 400 + "\0x")

    async def test_an_analysis_that_hangs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The event loop does not wait for it."""
        release = threading.Event()
        hanging = Mock(**{"get_supported_entities.return_value": ["EMAIL_ADDRESS"]})
        hanging.analyze = lambda *_, **__: release.wait(50)
        monkeypatch.setattr(presidio, "_analyzer", lambda _made_from: hanging)
        try:
            with pytest.raises(TimeoutError):
                await finder(entities=ONLY_EMAIL, timeout_seconds=0.01).find("x" * 501)
        finally:
            release.set()

    async def test_a_thread_gives_up_by_itself(
        self, monkeypatch: pytest.MonkeyPatch, stand_in: Analyzer
    ) -> None:
        """A thread cannot be stopped, so it looks at the clock before each window."""
        clock = iter(range(0, 1_000, 4))
        monkeypatch.setattr(presidio, "monotonic", lambda: next(clock))
        with pytest.raises(TimeoutError):
            await finder(entities=ONLY_EMAIL, timeout_seconds=10).find("x" * 100_000)
        assert len(stand_in.windows) == 1


class TestCache:
    """Each text is analysed once."""

    async def test_the_same_text_is_analysed_once(self, stand_in: Analyzer) -> None:
        """A group chat sends the same history to every member at every turn."""
        shared = finder(entities=ONLY_EMAIL)
        assert await shared.find(EMAIL) == await shared.find(EMAIL) == (Finding("EMAIL_ADDRESS", 0, 13, 1.0),)
        assert stand_in.windows == [EMAIL]

    async def test_it_is_bounded(self, monkeypatch: pytest.MonkeyPatch, stand_in: Analyzer) -> None:
        """What was not used for longest goes first."""
        monkeypatch.setattr(presidio, "_CACHED_TEXTS", 2)
        shared = finder(entities=ONLY_EMAIL)
        for text in ("a", "b", "a", "c", "a", "b"):
            await shared.find(text)
        assert stand_in.windows == ["a", "b", "c", "b"]

    async def test_it_holds_no_text(self) -> None:
        """Neither what was said nor what was found in it."""
        shared = finder()
        await shared.find(f"Write to {EMAIL}")
        assert all(len(key) == 32 for key in shared._seen)
        assert "jane" not in repr(vars(shared))

    async def test_what_failed_is_not_kept(self, stand_in: Analyzer) -> None:
        """A failure may pass."""
        shared = finder(entities=ONLY_EMAIL)
        stand_in.patterns = (("EMAIL_ADDRESS", "(", 1.0),)
        with pytest.raises(re.error):
            await shared.find(EMAIL)
        stand_in.patterns = (("EMAIL_ADDRESS", "jane", 1.0),)
        assert len(await shared.find(EMAIL)) == 1


@pytest.mark.parametrize(
    "around",
    ["我的号码是{}请处理", "เบอร์{}ครับ", "_{}_", "invoice_{}_final.pdf", "a%20{}%20b", "номер{}конец"],
)
@pytest.mark.parametrize("value", ["4111111111111111", "536-90-4399", "10.20.30.40", "jane.doe@acme.com"])
async def test_a_value_is_found_where_no_space_stands_around_it(around: str, value: str) -> None:
    """Recognizers look for the borders of words, which many scripts, file names and URLs do not write."""
    text = around.format(value)
    findings = await finder().find(text)
    assert any(
        one.start <= text.index(value) and text.index(value) + len(value) <= one.end for one in findings
    )


@pytest.mark.parametrize("text", ["jane@acme.comé", "éjane@acme.com", "ajané@acme.com", "a_jane@acme.com"])
async def test_letters_that_do_write_spaces_belong_to_the_value(text: str) -> None:
    """Nothing of an address stays visible for being no plain letter."""
    assert await found(f"是{text}请") == [("EMAIL_ADDRESS", f"是{text}请")]
    assert await found(f"to {text} now") == [("EMAIL_ADDRESS", text)]


async def test_two_values_among_letters_without_spaces() -> None:
    """Each is found by itself."""
    text = "是jane@acme.com请给bob@acme.com"
    assert [value for _, value in await found(text)] == [EMAIL, "bob@acme.com"]


async def test_an_address_among_letters_without_spaces_is_found_as_it_is() -> None:
    """A pseudonym must not come to stand for an address with the neighbouring letters."""
    text = "是jane.doe@acme.com请"
    (finding,) = await finder().find(text)
    assert text[finding.start : finding.end] == "jane.doe@acme.com"


@pytest.mark.parametrize("before", ["1000 ", "order 1182 1234 ", "4111 "])
async def test_digits_in_front_of_a_card_do_not_hide_it(before: str) -> None:
    """They are taken for its beginning, and the whole would fail the checksum."""
    text = f"{before}4111 1111 1111 1111"
    findings = await finder().find(text)
    assert any(one.end == len(text) and one.start <= len(before) for one in findings)


@pytest.mark.parametrize("number", ["123-45-6789", "078-05-1120", "123 45 6789"])
async def test_a_sample_social_security_number_counts(number: str) -> None:
    """Numbers that were published as examples are what people type who try the filter out."""
    findings = await PiiFinder(PiiSettings()).find(f"my SSN is {number}")
    assert [one.entity for one in findings] == ["US_SSN"]
