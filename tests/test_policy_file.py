"""A policy file is read whole or refused whole, with every fault and the line that it stands in."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ringfence.budgets.limits import Limits
from ringfence.errors import Fault, PolicyError
from ringfence.guardrails.pii import PiiAction, PiiRule
from ringfence.model_tier import Capabilities
from ringfence.policy import ModelTier, Policy, check_paths, json_schema, load_policy
from ringfence.policy_file import SectionError, load_section, load_text
from ringfence.settings import Section

GOOD = """\
version: 1
team: team.py:support_team
models:
  rehearsal: {provider: rehearsal, rules: rules.yaml, obedient: true}
  default: {provider: openai, model: gpt-4o-2024-08-06, max_output_tokens: 500}
  azure:
    provider: azure_openai
    model: gpt-4o-2024-08-06
    azure_endpoint: https://contoso.example.com
    azure_deployment: desk
    api_version: 2024-06-01
  local: {provider: ollama, model: llama3.1}
  house: {provider: openai_compatible, model: house-model, base_url: "http://models.example.com/v1"}
  newest: {provider: anthropic, model: claude-3-5-sonnet-latest, unpinned: true}
prices:
  house-model: free
  gpt-4.1: {input_usd_per_million_tokens: 2, output_usd_per_million_tokens: 8.5}
pii:
  entities: {EMAIL_ADDRESS: mask, US_SSN: {action: block, threshold: 0.5}}
guardrails:
  - {use: ringfence/length, at: [input, message], with: {limit: 100}}
tools:
  refund*: {decision: approve, arguments: {amount: {minimum: 0, maximum: 50}, order: {one_of: [1, "a"]}}}
limits: {usd: 0.5, turns: null}
"""


def faults_of(text: str, model: type[Section] = Policy) -> tuple[Fault, ...]:
    with pytest.raises(PolicyError) as caught:
        load_text(text, model)
    return caught.value.faults


def only_fault(text: str, model: type[Section] = Policy) -> Fault:
    (fault,) = faults_of(text, model)
    return fault


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "team.py").touch()
    (tmp_path / "rules.yaml").touch()
    (tmp_path / "ringfence.yaml").write_text(GOOD)
    return tmp_path


def test_a_good_file_becomes_a_policy_with_the_hash_of_its_bytes(folder: Path) -> None:
    """What the file says is what the policy holds, and the hash names this very version."""
    loaded = load_policy(folder / "ringfence.yaml")
    assert loaded.folder == folder.resolve()
    assert loaded.version_hash == hashlib.sha256(GOOD.encode()).hexdigest()[:12]
    assert loaded.policy.models["azure"].api_version == "2024-06-01"
    assert loaded.policy.pii.entities["EMAIL_ADDRESS"] is PiiAction.MASK
    assert loaded.policy.pii.entities["US_SSN"] == PiiRule(action=PiiAction.BLOCK, threshold=0.5)
    assert loaded.policy.tools["refund*"].arguments["order"].one_of == (1, "a")
    assert loaded.policy.limits.turns is None


def test_a_policy_can_be_made_in_code() -> None:
    """Every section has a default, and the schema describes them all."""
    assert Policy() == load_text("version: 1", Policy)
    assert set(json_schema()["properties"]) == set(Policy.model_fields)


BAD_YAML = [
    ("", 1, "", "empty"),
    ("# nothing but this\n", 1, "", "empty"),
    ("- 1\n", 1, "", "found a list"),
    ("just words", 1, "", "found text"),
    ("*team", 1, "", "aliases"),
    ("version: 1\nteam: 'x\n", 3, "", "quotation mark"),
    ("version: 1\nlimits:\n\tusd: 1\n", 3, "", "tab"),
    ("version: 1\nteam: a: b\n", 2, "", "second colon"),
    ("limits:\n    usd: 1\n  turns: 2\n", 3, "", "indentation"),
    ("version: 1\nstray\nreasks: 1\n", 3, "", "key: value"),
    ("pii: {allow: [a\n", 2, "", "bracket"),
    ("version: 1\n---\nversion: 1\n", 2, "", "second document"),
    ("version: 1\x00", 1, "", "control character"),
    ('version: 1\nteam: "\\UFFFFFFFF"', 2, "", "escape"),
    ("a: &x 1\nb: &x 2", 2, "", "quotes, brackets and indentation"),
    ("[" * 60, 1, "", "50 levels"),
    ("? " * 60, 1, "", "50 levels"),
    ("version: 1\nreasks: 1\nreasks: 2\n", 3, "reasks", "first in line 2"),
    ("version: 1\nteam: *team\n", 2, "team", "aliases"),
    ("pii: &pii\n  allow: *pii\n", 2, "pii.allow", "aliases"),
    ("team: !!python/object:os.system x\n", 1, "team", "tag"),
    ("limits: !!python/object {usd: 1}\n", 1, "limits", "tag"),
    ("team: !!bool perhaps\n", 1, "team", "tag"),
    ("<<: {version: 1}\n", 1, "<<", "merging"),
    ("version: 1\n*a : 1\n", 2, "", "plain text"),
    ("version: 1\n? [a]\n: 1\n", 2, "", "plain text"),
    ("tools:\n  on: {}\n", 2, "tools.on", "quotes"),
    ('tools:\n  "\\ud800": {}\n', 2, "tools.�", "half a character"),
    ('pii:\n  allow: ["\\ud800"]\n', 2, "pii.allow[0]", "half a character"),
    ("limits:\n  turns: 010\n", 2, "limits.turns", "plain decimal"),
    ("limits:\n  seconds: 1:30\n", 2, "limits.seconds", "plain decimal"),
    ("limits:\n  seconds: .inf\n", 2, "limits.seconds", "plain decimal"),
    ("limits:\n  seconds: 1.0e+400\n", 2, "limits.seconds", "too large"),
    (f"limits:\n  turns: {'9' * 5000}\n", 2, "limits.turns", "plain decimal"),
    (f"team: {'x' * 400_000}", 0, "", "longer than"),
]

BAD_SECTIONS = [
    ("version: 2\n", 1, "version", "expected `1`"),
    ("version: '1'\n", 1, "version", "found text"),
    ("\nlimit: {}\n", 2, "limit", "did you mean `limits`"),
    ("\nzebra: {}\n", 2, "zebra", "the keys here are version, team"),
    ("limits:\n  usdd: 1\n", 2, "limits.usdd", "did you mean `usd`"),
    (f"{'z' * 60}: 1", 1, "z" * 39 + "…", "unknown key"),
    ('"\\e[31m": 1', 1, '["�[31m"]', "unknown key"),
    ("limits:\n", 1, "limits", "found nothing"),
    ("limits: 3\n", 1, "limits", "found a whole number"),
    ("limits:\n  turns: many\n", 2, "limits.turns", "expected a whole number; found text"),
    ("limits:\n  turns: yes\n", 2, "limits.turns", "found true or false"),
    ("limits:\n  turns: 1.5\n", 2, "limits.turns", "found a number with a fraction"),
    ("limits:\n  turns: 0\n", 2, "limits.turns", "must be at least 1, and is 0"),
    ("limits:\n  tokens: 0\n", 2, "limits.tokens", "must be at least 1"),
    ("limits:\n  usd: []\n", 2, "limits.usd", "expected a number; found a list"),
    ("reasks: 6\n", 1, "reasks", "must be at most 5, and is 6"),
    ("pii:\n  threshold: 1.5\n", 2, "pii.threshold", "at most 1, and is 1.5"),
    ("pii:\n  allow: mail@example.com\n", 2, "pii.allow", "expected a list; found text"),
    ("pii:\n  allow:\n    - no\n", 3, "pii.allow[0]", "put it in quotes"),
    ("pii:\n  entities:\n    A: maskk\n", 3, "pii.entities.A", "Did you mean `mask`"),
    ("pii:\n  entities:\n    A:\n", 3, "pii.entities.A", "or a mapping with the keys action"),
    ("pii:\n  entities:\n    A: [mask]\n", 3, "pii.entities.A", "found a list"),
    ("pii:\n  entities:\n    A: {acton: mask, action: mask}\n", 3, "pii.entities.A.acton", "`action`"),
    ("pii:\n  entities:\n    A: {threshold: 1}\n", 3, "pii.entities.A.action", "missing; it takes one of"),
    ("prices:\n  gpt-4.1: cheap\n", 2, 'prices["gpt-4.1"]', "expected `free` or a mapping"),
    ("guardrails:\n  - use: a\n    at: [inputs]\n", 3, "guardrails[0].at[0]", "Did you mean `input`"),
    ("guardrails:\n  - use: a\n    at: input\n", 3, "guardrails[0].at", "expected a list"),
    ("guardrails:\n  - use: a\n    at: []\n", 3, "guardrails[0].at", "never run"),
    ("guardrails:\n\n  - at: [input]\n", 3, "guardrails[0].use", "missing; it takes text"),
    ("guardrails:\n  - {use: a, at: [input], options: {}}\n", 2, "guardrails[0].options", "unknown key"),
    (
        "tools:\n  a: {arguments: {b: {one_of: [~]}}}\n",
        2,
        "tools.a.arguments.b.one_of[0]",
        "text or a number",
    ),
    ("tools:\n  a: {arguments: {b: {pattern: '('}}}\n", 2, "tools.a.arguments.b.pattern", "regular"),
    ("tools:\n  a: {arguments: {b: {minimum: 2, maximum: 1}}}\n", 2, "tools.a.arguments.b", "minimum"),
    ("tools:\n  a: {arguments: {b: {one_of: []}}}\n", 2, "tools.a.arguments.b", "one_of"),
    ("team: team.support\n", 1, "team", "such as team.py:support_team"),
    ("team: .py:x\n", 1, "team", "such as team.py:support_team"),
    ("audit: {path: ''}\n", 1, "audit.path", "must not be empty"),
    ("approvals:\n  timeout_seconds: 0\n", 2, "approvals.timeout_seconds", "more than 0, and is 0"),
    ("approvals:\n  approvers: 0\n", 2, "approvals.approvers", "at least 1, and is 0"),
    ("approvals:\n  by: []\n", 2, "approvals.by", "must not be empty"),
    ("provenance:\n  mode: on\n", 2, "provenance.mode", "one of `enforce`, `shadow`, `off`"),
    ("provenance:\n  mode: offf\n", 2, "provenance.mode", "Did you mean `off`"),
    ("tools:\n  a: {approvals: {approver: 2}}\n", 2, "tools.a.approvals.approver", "`approvers`"),
]

BAD_MODELS = [
    ("{model: m}", "provider", "missing; it takes one of `rehearsal`"),
    ("{provider: opnai, model: m}", "provider", "Did you mean `openai`"),
    ("{provider: rehearsal}", "rules", "provider rehearsal needs it"),
    ("{provider: ollama}", "model", "provider ollama needs it"),
    ("{provider: openai_compatible, model: gpt-4o}", "base_url", "needs it"),
    ("{provider: ollama, model: m, rules: r}", "rules", "has no use for this key"),
    ("{provider: ollama, model: m, unpinned: true}", "unpinned", "has no use for this key"),
    ("{provider: openai, model: gpt-4o, base_urls: x}", "base_urls", "did you mean `base_url`"),
    ("{provider: openai, model: gpt-4o}", "model", "not pinned"),
    ("{provider: openai, model: gpt-4o-2024-13-06}", "model", "not pinned"),
    ("{provider: anthropic, model: claude-3-5-sonnet-20241022-latest}", "model", "claude-haiku-4-5-20251001"),
    ("{provider: openai, model: house-model, unpinned: true}", "model", "no known price"),
    ("{provider: openai_compatible, model: house-model, base_url: http://a/v1}", "model", "no known price"),
    ("{provider: openai_compatible, model: m, base_url: example.com}", "base_url", "an address such as"),
    ("{provider: ollama, model: m, base_url: 'http://[a'}", "base_url", "an address such as"),
    ("{provider: ollama, model: m, base_url: 'http://me:pw@a/'}", "base_url", "without a password"),
    ("{provider: ollama, model: m, max_output_tokens: 0}", "max_output_tokens", "must be at least 1"),
    ("{provider: ollama, model: m, capabilities: {sight: true}}", "capabilities.sight", "vision"),
    ("{provider: ollama, model: ''}", "model", "must not be empty"),
]


@pytest.mark.parametrize(
    ("text", "line", "where", "words"),
    BAD_YAML
    + BAD_SECTIONS
    + [(f"models:\n  m: {tier}\n", 2, f"models.m.{key}", words) for tier, key, words in BAD_MODELS],
)
def test_a_bad_file_is_told_where_and_what(text: str, line: int, where: str, words: str) -> None:
    """One fault stands in the file, one is told: its line, its key, and words that help."""
    matching = [fault for fault in faults_of(text) if fault.where == where and words in fault.message]
    assert [fault.line for fault in matching] == [line]


@pytest.mark.parametrize(("text", "line", "where", "words"), BAD_SECTIONS)
def test_one_mistake_is_one_fault(text: str, line: int, where: str, words: str) -> None:
    """Pydantic's several errors for one value of a union are folded into one."""
    assert only_fault(text).where == where


def test_the_column_is_the_one_of_the_value_or_of_the_unknown_key() -> None:
    """An editor can jump to the very place."""
    text = "limits: {turns: 0, usdd: 1}"
    assert [fault.column for fault in faults_of(text)] == [text.index("0") + 1, text.index("usdd") + 1]
    assert str(faults_of(text)[0]).startswith("<policy>:1:17: limits.turns: must be")


def test_a_missing_key_is_told_at_its_parent() -> None:
    """The parent is where the key has to be written."""
    fault = only_fault("models:\n\n  default:\n    model: m\n")
    assert (fault.line, fault.column, fault.where) == (3, 3, "models.default.provider")


def test_eight_faults_are_told_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    """Faults of fields, of checks across keys and sections, and of files hide none of the others."""
    path = tmp_path / "ringfence.yaml"
    path.write_text(
        """\
version: 3
team: nowhere.py:team
models:
  unpriced: {provider: openai_compatible, model: house-model, base_url: "http://models.example.com"}
  unpinned: {provider: openai, model: gpt-4o}
  typo: {provider: ollama, modelx: llama3.1}
  lost: {provider: rehearsal, rules: lost.yaml}
limits:
  turns: many
  turns: 3
pii: {entities: {EMAIL_ADDRESS: maskk}}
tools: *tools
guardrails: [{use: a, at: []}]
"""
    )
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    assert [(fault.line, fault.where) for fault in caught.value.faults] == [
        (1, "version"),
        (2, "team"),
        (4, "models.unpriced.model"),
        (5, "models.unpinned.model"),
        (6, "models.typo.modelx"),
        (7, "models.lost.rules"),
        (9, "limits.turns"),
        (10, "limits.turns"),
        (11, "pii.entities.EMAIL_ADDRESS"),
        (12, "tools"),
        (13, "guardrails[0].at"),
    ]
    assert all(fault.file == str(path) for fault in caught.value.faults)


def test_a_price_that_is_itself_faulty_is_not_also_called_missing() -> None:
    """The model has an entry; what is wrong is the entry."""
    text = "models: {a: {provider: openai, model: m-2024-01-01}}\nprices: {m-2024-01-01: fre}"
    assert only_fault(text).where == "prices.m-2024-01-01"


def test_several_models_without_a_price_are_each_told_once(tmp_path: Path) -> None:
    """The check runs in the model and over the file, and is heard once."""
    path = tmp_path / "ringfence.yaml"
    path.write_text(
        "models:\n  a: {provider: openai, model: m-0101}\n  b: {provider: openai, model: n-0101}\n"
    )
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    assert [fault.line for fault in caught.value.faults] == [2, 3]


def test_a_base_url_of_a_known_provider_takes_that_providers_prices() -> None:
    """The same model costs something else elsewhere, and elsewhere it may not be known at all."""
    tier = "{provider: openai_compatible, model: %s, base_url: '%s'}"
    load_text(f"models: {{a: {tier % ('deepseek-chat', 'https://api.deepseek.com')}}}", Policy)
    fault = only_fault(f"models: {{a: {tier % ('gpt-4o', 'https://api.deepseek.com')}}}")
    assert "no known price" in fault.message


@pytest.mark.parametrize("model", ["gpt-4-0613", "gpt-4o-2024-08-06", "ft:gpt-4o-2024-08-06:x::y"])
def test_a_dated_model_is_pinned(model: str) -> None:
    """The three ways in which providers write dates."""
    assert ModelTier(provider="openai", model=model).model == model


SECRET = "sk-live-4f9a8b7c"
TIER = "models:\n  a:\n    provider: openai\n    model: gpt-4o-2024-08-06\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{TIER}    api_key: {SECRET}",
        f"{TIER}    api_key_env: {SECRET}",
        f"{TIER}    base_url: https://me:{SECRET}@example.com",
        f"{TIER}    timeout_seconds: {SECRET}",
        f"{TIER}    token: [{SECRET}]",
        f"{TIER}    unpinned: !{SECRET} x",
        f"{TIER}    unpinned: !{SECRET}! x",
        f"{TIER}    unpinned: *{SECRET}",
        f"{TIER}    unpinned: &{SECRET} &{SECRET} x",
        f"models: {{a: {{provider: {SECRET}, model: x}}}}",
        f"models: {{a: {{provider: openai, model: {SECRET}}}}}",
        f"models: {{a: {{provider: openai, model: {SECRET}, unpinned: true}}}}",
        f"pii: {{entities: {{A: {SECRET}}}}}",
        f"tools: {{a: {{timeout_seconds: {SECRET}}}}}",
        f"password: '{SECRET}",
        f"password: {SECRET}: x",
        f"team: {SECRET}",
    ],
)
def test_a_secret_is_never_quoted(text: str) -> None:
    """Wherever in the file a secret has slipped, no fault repeats it."""
    with pytest.raises(PolicyError) as caught:
        load_text(text, Policy)
    assert "4f9a8b7c" not in str(caught.value)


def test_an_api_key_is_answered_with_the_way_to_hand_it_in() -> None:
    """The name of an environment variable belongs in the file, not the key."""
    assert "`api_key_env`" in only_fault(f"{TIER}    api_key: {SECRET}").message


def test_a_secret_is_not_quoted_when_a_tier_is_made_in_code() -> None:
    """Pydantic would quote the input."""
    with pytest.raises(ValidationError) as caught:
        ModelTier.model_validate({"provider": "openai", "model": "gpt-4o-0806", "api_key": SECRET})
    assert SECRET not in str(caught.value)


def test_a_file_that_cannot_be_read_is_a_fault_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path is shown as it was given, so a relative one stays relative."""
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("latin.yaml").write_bytes(b"version: 1\nteam: \xe9")
    Path("loop.yaml").symlink_to("loop.yaml")
    expected = {
        "./absent.yaml": (0, "no such file"),
        "folder": (0, "a folder"),
        "latin.yaml": (2, "UTF-8"),
        "loop.yaml": (0, "cannot be read"),
        "nul\0.yaml": (0, "not a path"),
    }
    for path, (line, words) in expected.items():
        with pytest.raises(PolicyError) as caught:
            load_section(path, Limits)
        (fault,) = caught.value.faults
        assert (fault.file, fault.line) == (path, line)
        assert words in fault.message
    Path("good.yaml").write_text("\ufeffturns: 3")
    assert load_section("good.yaml", Limits).turns == 3


def test_files_that_a_policy_names_must_be_there(tmp_path: Path) -> None:
    """Also for a policy that was made in code."""
    policy = Policy(
        team="team.py:team",
        models={"a": ModelTier(provider="rehearsal", rules="rules.yaml")},
        audit={"path": "."},
    )
    assert [fault.where for fault in check_paths(policy, tmp_path)] == [
        "team",
        "models.a.rules",
        "audit.path",
    ]


class Circle(Section):
    """A section in a union."""

    radius: int


class Point(Section):
    """A section with a check of its own."""

    x: int = 0

    def model_post_init(self, context: object) -> None:
        if self.x > 9:
            raise SectionError((("x",), "too far"), ((), "of no use"))


class Drawing(Section):
    """Kinds of fields that the policy does not have, or not yet."""

    shape: Circle | tuple[Point, ...] | int | None = None
    pair: tuple[int, str] = (0, "")
    either: Circle | Point | None = None
    anything: Any = None


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("shape: {radius: x}", "shape.radius", "expected a whole number; found text"),
        ("shape: [{y: 1}]", "shape[0].y", "unknown key; the keys here are x"),
        (
            "shape: x",
            "shape",
            "expected a list or a whole number or a mapping with the keys radius; found text",
        ),
        ("pair: [1, 2]", "pair[1]", "expected text"),
        ("pair: [x, x]", "pair[0]", "expected a whole number"),
        ("either: {z: 1}", "either", "keys radius or a mapping with the keys x; found a mapping"),
    ],
)
def test_unions_and_tuples_of_any_section_are_told_apart(text: str, where: str, words: str) -> None:
    """The words fit what stood there: the errors of the members that were not meant are left out."""
    fault = only_fault(text, Drawing)
    assert (fault.where, words in fault.message) == (where, True)


def test_a_check_of_a_section_can_name_several_keys() -> None:
    """Each key has its own fault; a problem of the whole section stands at its own key."""
    assert [(fault.where, fault.message) for fault in faults_of("shape: [{x: 10}]", Drawing)] == [
        ("shape[0]", "of no use"),
        ("shape[0].x", "too far"),
    ]


def nested() -> st.SearchStrategy[Any]:
    keys = [*Policy.model_fields, *ModelTier.model_fields, *Limits.model_fields, *Capabilities.model_fields]
    leaf = st.one_of(
        st.sampled_from(["openai", "free", "mask", "a.py:b", "", "("]),
        st.text() | st.none(),
        st.integers() | st.floats(),
        st.booleans(),
    )
    key = st.sampled_from([*keys, "pii", "entities", "use", "at", "arguments", "pattern"]) | st.text()
    return st.recursive(leaf, lambda inner: st.lists(inner) | st.dictionaries(key, inner), max_leaves=20)


@given(st.text() | st.text(alphabet=" \n:-[]{},&*!|>'\"%@`#?ab1.~<\\\t") | nested().map(json.dumps))
def test_any_text_is_a_policy_or_a_policy_error(text: str) -> None:
    """Nothing else ever comes out of the reader."""
    faults: tuple[Fault, ...] = ()
    try:
        assert isinstance(load_text(text, Policy), Policy)
    except PolicyError as error:
        faults = error.faults
    assert all(fault.line >= 1 and str(fault).encode() for fault in faults)


def test_guardrails_that_cannot_be_kept_are_told_beside_all_other_faults(tmp_path: Path) -> None:
    """The same name twice, and a reply to be written again where nobody is asked again."""
    path = tmp_path / "ringfence.yaml"
    path.write_text(
        "reasks: 0\n"
        "guardrails:\n"
        "  - use: ringfence/length\n"
        "    at: [message]\n"
        "    on_fail: reask\n"
        "    with: {maximum_words: 9}\n"
        "  - {use: ringfence/length, at: [output], with: {maximum_words: 99}}\n"
        "  - {use: ringfence/length, name: other, at: [output], with: {maximum_words: 99}}\n"
        "  - {use: ringfence/length, name: other, at: [input], with: {maximum_words: 99}}\n"
        "limts: {}\n"
    )
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    assert [(fault.line, fault.where) for fault in caught.value.faults] == [
        (5, "guardrails[0].on_fail"),
        (7, "guardrails[1].use"),
        (9, "guardrails[3].name"),
        (10, "limts"),
    ]


def test_the_same_validator_may_serve_twice_under_two_names() -> None:
    """Each with its own options."""
    use = "{use: ringfence/length, at: [output], name: %s, with: {maximum_words: %d}}"
    policy = load_text(f"guardrails: [{use % ('short', 9)}, {use % ('long', 99)}]", Policy)
    assert [one.known_as for one in policy.guardrails] == ["short", "long"]
