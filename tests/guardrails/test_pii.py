"""What the policy says of personal data is read strictly, and every mistake is told at its place."""

import pytest

from ringfence.errors import PolicyError
from ringfence.guardrails.custom_patterns import problem_of
from ringfence.guardrails.pii import DEFAULT_ENTITIES, PiiAction, PiiRule, PiiSettings
from ringfence.guardrails.presidio import PiiFinder
from ringfence.policy_file import load_text


def faults_of(text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(PolicyError) as caught:
        load_text(text, PiiSettings)
    return [(fault.line, fault.where, fault.message) for fault in caught.value.faults]


async def found(text: str, **settings: object) -> list[tuple[str, str]]:
    # Without the network, so that no example depends on what it takes for a name.
    finder = PiiFinder(PiiSettings.model_validate({"detection": "patterns", **settings}))
    return [(one.entity, text[one.start : one.end]) for one in await finder.find(text)]


def test_defaults() -> None:
    """Data is pseudonymized, what agents work with is allowed, secrets are blocked."""
    rules = PiiSettings().rules()
    assert {name: rule.action for name, rule in rules.items()} == DEFAULT_ENTITIES
    assert rules["PERSON"].action is rules["IBAN_CODE"].action is PiiAction.PSEUDONYMIZE
    assert {name for name, rule in rules.items() if rule.action is PiiAction.ALLOW} == {
        "DATE_TIME",
        "URL",
        "TITLE",
    }
    assert rules["API_KEY"].action is PiiAction.BLOCK


def test_a_rule_of_the_policy_takes_the_place_of_the_default() -> None:
    """Type by type; a type of one's own is pseudonymized unless a rule says otherwise."""
    settings = PiiSettings.model_validate(
        {
            "entities": {"URL": {"action": "mask", "threshold": 0.9}, "EMPLOYEE_ID": "block"},
            "patterns": {"EMPLOYEE_ID": {"regex": r"E-\d{5}"}, "TICKET": {"regex": r"T-\d+"}},
            "deny": {"PROJECT_NAME": ["Bluebird"]},
        }
    )
    rules = settings.rules()
    assert rules["URL"] == PiiRule(action=PiiAction.MASK, threshold=0.9)
    assert rules["EMPLOYEE_ID"].action is PiiAction.BLOCK
    assert rules["TICKET"].action is rules["PROJECT_NAME"].action is PiiAction.PSEUDONYMIZE
    assert rules["EMAIL_ADDRESS"].action is PiiAction.PSEUDONYMIZE


def test_every_mistake_is_told_with_its_line() -> None:
    """All of them at once."""
    text = r"""
detection: spacey
languages: []
patterns:
  EMPLOYEE_ID: {regex: '(a+)+$', score: 2}
  B: {regex: '('}
deny: {x: [a], Y: [], Z: [b, " "]}
max_characters: 0
"""
    faults = faults_of(text)
    assert [(line, where) for line, where, _ in faults] == [
        (2, "detection"),
        (3, "languages"),
        (5, "patterns.EMPLOYEE_ID.regex"),
        (5, "patterns.EMPLOYEE_ID.score"),
        (6, "patterns.B.regex"),
        (7, "deny.x"),
        (7, "deny.Y"),
        (7, "deny.Z[1]"),
        (8, "max_characters"),
    ]
    said = {where: message for _, where, message in faults}
    assert "spacy:<model>" in said["detection"]
    assert "takes too long" in said["patterns.EMPLOYEE_ID.regex"]
    assert said["patterns.B.regex"] == "is no regular expression: it fails at character 2"


def test_a_type_of_ones_own_is_named_so_that_it_can_be_turned_back() -> None:
    """As the vault's stand-ins are."""
    assert faults_of("patterns: {employee: {regex: 'E-1'}}") == [
        (1, "patterns.employee", "a type is named in capitals, such as EMPLOYEE_ID")
    ]


def test_a_value_is_not_both_allowed_and_denied() -> None:
    """In whatever case."""
    assert faults_of("deny: {P: [Bluebird]}\nallow: [a, bluebird]") == [
        (2, "allow[1]", "stands in `deny`, too")
    ]


@pytest.mark.parametrize("expression", [r"(a+)+$", r"(\d+)*x", r"([A-Z]+-?)+\d", r"(a|aa)+b", r"(x+x+)+y"])
def test_an_expression_that_runs_away_is_refused(expression: str) -> None:
    """Before it meets a text that somebody made for it."""
    assert "hostile" in (problem_of(expression) or "")


@pytest.mark.parametrize(
    "expression", [r"E-\d{5}", r"\bACME-\d+-[a-z]+\b", r"(?:E-\d+)+!", r"[a-z]+@[a-z]+\.com"]
)
def test_a_sound_expression_is_let_through(expression: str) -> None:
    """Also one with repetitions."""
    assert problem_of(expression) is None


def test_an_expression_that_matches_nothing_at_all_is_refused() -> None:
    """It would be everywhere."""
    assert "empty text" in (problem_of("a*") or "")


async def test_patterns_of_the_policy() -> None:
    """Found from their score on; a context word raises it."""
    id_ = {"regex": r"E-\d{5}", "score": 0.3, "context": ["employee"]}
    assert await found("see E-12345", patterns={"EMPLOYEE_ID": id_}) == []
    assert await found("employee E-12345", patterns={"EMPLOYEE_ID": id_}) == [("EMPLOYEE_ID", "E-12345")]
    sure = {"regex": r"E-\d{5}"}
    assert await found("see E-12345", patterns={"EMPLOYEE_ID": sure}) == [("EMPLOYEE_ID", "E-12345")]


async def test_a_pattern_for_a_known_type_adds_to_it() -> None:
    """And is looked for everywhere, not only where Presidio's numbers may be."""
    patterns = {"PHONE_NUMBER": {"regex": r"ext:x\d"}}
    values = [
        value for text in ("ext:x5", "+1 415 555 2671") for _, value in await found(text, patterns=patterns)
    ]
    assert values == ["ext:x5", "+1 415 555 2671"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("about BLUEBIRD.", "BLUEBIRD"),
        ("about Red\n  kite!", "Red\n  kite"),
        ("_bluebird_v2", "bluebird"),
        ("项目bluebird请", "bluebird"),
        ("`bluebird`", "bluebird"),
        ("```\nbluebird\n```", "bluebird"),
        ("ｂｌｕｅｂｉｒｄ", "ｂｌｕｅｂｉｒｄ"),
        ("c++!", "c++"),
    ],
)
async def test_denied_values_are_always_found(text: str, value: str) -> None:
    """In any case, over lines, in code, and beside letters of a script without spaces."""
    deny = {"PROJECT_NAME": ["Bluebird", "Red Kite", "C++"]}
    assert await found(text, deny=deny) == [("PROJECT_NAME", value)]


async def test_a_denied_value_inside_a_word_is_another_word() -> None:
    """Unless it is written as a part of its own."""
    assert await found("bluebirds inkbluebird", deny={"PROJECT_NAME": ["Bluebird"]}) == []


async def test_languages_bring_their_numbers() -> None:
    """Spanish identity numbers with es only; the American ones, like cards, in every language."""
    text = "DNI 12345678Z, ssn 219-09-9999"
    assert [entity for entity, _ in await found(text)] == ["US_SSN"]
    assert [entity for entity, _ in await found(text, languages=["en", "es"])] == ["ES_NIF", "US_SSN"]
    assert [entity for entity, _ in await found(text, languages=["es"])] == ["ES_NIF", "US_SSN"]


async def test_a_type_that_presidio_leaves_off_is_found_when_asked_for() -> None:
    """Its noisy ones stay silent otherwise."""
    for entity, text in (
        ("US_DRIVER_LICENSE", "license D1234567"),
        ("US_BANK_NUMBER", "account 12345678901"),
    ):
        assert await found(text) == []
        assert [one for one, _ in await found(text, entities={entity: "mask"})] == [entity]


def test_a_finder_says_which_rules_have_an_effect() -> None:
    """A language that is not chosen has no numbers to find, and a tier without names no names."""
    german = PiiFinder(PiiSettings(detection="patterns", languages=("de",))).rules
    assert {"EMAIL_ADDRESS", "DE_TAX_ID"} <= german.keys()
    assert not {"PERSON", "TR_NATIONAL_ID"} & german.keys()
