"""The JSON Schema of the policy file, as an editor uses it."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from small_team import POLICY

from ringfence.adapters.policy_schema import policy_schema
from ringfence.guardrails.provenance_settings import ProvenanceMode
from ringfence.policy import Policy
from ringfence.policy_file import load_text

DESK = Path(__file__).parents[2] / "examples" / "support_desk" / "ringfence.yaml"

GUARDRAIL = """
guardrails:
  - use: ringfence/banned_phrases
    at: [message, output]
    on_fail: reask
    with: {phrases: [legal advice]}
"""


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return policy_schema()


def faults(schema: dict[str, Any], text: str) -> list[str]:
    """Where a policy is not as the schema says."""
    return [one.json_path for one in Draft202012Validator(schema).iter_errors(yaml.safe_load(text))]


def test_it_is_a_sound_schema_and_the_policies_here_are_valid_by_it(schema: dict[str, Any]) -> None:
    """What loads is what an editor takes, with `with` under its name in the file."""
    Draft202012Validator.check_schema(schema)
    for text in (DESK.read_text(encoding="utf-8"), POLICY, GUARDRAIL):
        assert faults(schema, text) == []


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("limitz: {turns: 5}", "$"),
        ("limits: {turnz: 5}", "$.limits"),
        ("pii: {entities: {US_SSN: {action: block, thresholdz: 1}}}", "$.pii.entities.US_SSN"),
        ("guardrails: [{use: x, at: [inptu]}]", "$.guardrails[0].at[0]"),
        ("guardrails: [{use: x, at: []}]", "$.guardrails[0].at"),
        ("guardrails: [{use: x, at: [input], options: {}}]", "$.guardrails[0]"),
        ("tools: {refund: {decision: maybe}}", "$.tools.refund.decision"),
        ("version: 2", "$.version"),
    ],
)
def test_a_mistake_is_marked_where_it_stands(schema: dict[str, Any], text: str, where: str) -> None:
    """Unknown keys, wrong words, other versions: an editor underlines them while one writes."""
    assert faults(schema, text) == [where]


def test_it_says_what_each_word_means(schema: dict[str, Any]) -> None:
    """The docstrings of sections, keys and words, in the words of YAML."""
    definitions = schema["$defs"]
    assert schema["title"] == "Ringfence policy"
    assert set(schema["properties"]) == set(Policy.model_fields)
    assert "- `fix`: Rewrite the text to the validator's own fix" in definitions["OnFail"]["description"]
    assert "- `tool_call`: The arguments of a tool call." in definitions["Point"]["description"]
    assert definitions["ToolRule"]["properties"]["decision"]["description"].startswith("null: what")
    described = [one["description"] for one in definitions.values()]
    assert all(described)
    assert "ringfence/banned_phrases" in definitions["GuardrailUse"]["properties"]["use"]["examples"]


@pytest.mark.parametrize("mode", ["off", "false", '"off"', "shadow"])
def test_provenance_is_turned_off_without_quotes(schema: dict[str, Any], mode: str) -> None:
    """YAML reads `off` as false, and an editor and the loader take both."""
    text = f"provenance: {{mode: {mode}}}"
    assert faults(schema, text) == []
    is_off = load_text(text, Policy, "here").provenance.mode is ProvenanceMode.OFF
    assert is_off is (mode != "shadow")


def test_provenance_that_is_true_is_no_mode(schema: dict[str, Any]) -> None:
    """Nobody knows which is meant."""
    assert faults(schema, "provenance: {mode: on}") == ["$.provenance.mode"]
