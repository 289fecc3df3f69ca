"""A reply is JSON of the form that a schema states, or the reason tells where it is not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.guardrails.guardrails_ai import quiet_guardrails

quiet_guardrails()

from ringfence.guardrails.json_validators import ValidJson  # noqa: E402 - guardrails-ai must be quiet first

SCHEMA = {
    "type": "object",
    "required": ["orders"],
    "additionalProperties": False,
    "properties": {
        "orders": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": {"type": "string", "pattern": "^[A-Z][0-9]*$"},
                    "amount": {"type": "number", "minimum": 0},
                    "tags": {"type": ["array", "null"], "uniqueItems": True},
                },
            },
        }
    },
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def reason(text: object, **options: Any) -> str:
    """Why a text does not pass; empty if it does."""
    result: Any = ValidJson(**options).validate(text, {})
    return "" if result.outcome == "pass" else str(result.error_message)


def fix(text: str, **options: Any) -> Any:
    """What the validator would make of a text that fails."""
    result: Any = ValidJson(**options).validate(text, {})
    assert result.outcome == "fail"
    return result.fix_value


class TestForm:
    """What is JSON."""

    @given(VALUES)
    def test_what_json_writes_passes(self, value: Any) -> None:
        """Any value, with or without a code fence."""
        text = json.dumps(value)
        assert not reason(text)
        assert not reason(f"```json\n{text}\n```\n")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "expecting value in line 1, column 1"),
            ("{'a': 1}", "expecting property name"),
            ('{"a": 1, "a": 2}', "a key occurs twice in one object"),
            ('{"a": NaN}', "no NaN"),
            ("[-Infinity]", "no Infinity"),
            ("1e999", "a number is too large"),
            ("[" + "9" * 5_000 + "]", "more than 300 digits"),
            ("[0." + "9" * 5_000 + "]", "more than 300 digits"),
            ("[" * 65 + "]" * 65, "deeper than 64 levels"),
            ("[" * 500_000, "deeper than 64 levels"),
            ('["' + '\\"' * 100_000, "unterminated string"),
            (" " * 1_000_001, "more than 1000000 characters"),
        ],
    )
    def test_what_is_none(self, text: str, said: str) -> None:
        """Nothing crashes, nothing is quoted."""
        assert said in reason(text)

    def test_brackets_inside_of_a_text_are_no_levels(self) -> None:
        """64 levels are allowed."""
        assert not reason(json.dumps({"a": "[{" * 100}))
        assert not reason("[" * 64 + "]" * 64)

    def test_only_a_text_can_pass(self) -> None:
        """Anything else is a no, and no error."""
        assert reason({"a": 1}) == reason(None) == "it is no text"

    def test_where_it_ends_to_be_json(self) -> None:
        """The place counts from the start of the whole text, fence and all."""
        text = '```json\n{"a" 1}\n```'
        result: Any = ValidJson().validate(text, {})
        (span,) = result.error_spans
        assert text[span.start : span.end] == "1"


class TestFix:
    """The bare JSON, if there is only something around it."""

    def test_around_it(self) -> None:
        """Words, or a fence that is not wanted."""
        assert fix('Here it is: {"a": [1]} Anything else?') == '{"a": [1]}'
        assert fix("```json\n[1]\n```", code_fence=False) == "[1]"
        assert fix("Sure:\n```json\n[1]\n```\nDone.") == "[1]"

    @pytest.mark.parametrize(
        "text",
        [
            '{"a": 1} and {"b": 2}',
            '{"a": [1], b}',
            "see [1",
            "[see] {1}",
            '{"a": {"b": 1}',
            "[1] ]",
            "just words",
        ],
    )
    def test_several_or_a_broken_one(self, text: str) -> None:
        """Which part was meant is not guessed."""
        assert fix(text) is None

    def test_one_that_does_not_fit(self) -> None:
        """It would fail again."""
        assert fix('Here: {"a": 1}', schema=SCHEMA) is None
        assert fix('Here: {"orders": []}', schema=SCHEMA) == '{"orders": []}'


class TestSchema:
    """What the schema asks for."""

    def test_one_that_fits(self) -> None:
        """1 and true are different items."""
        assert not reason('{"orders": [{"id": "A1", "amount": 1.5, "tags": [1, true, "1"]}]}', schema=SCHEMA)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("[]", "the whole: must be an object"),
            ("{}", "the whole: lacks orders"),
            ('{"orders": [], "jane@acme.com": 1}', "the whole: has a key that is not allowed"),
            ('{"orders": [{"id": "A", "amount": "jane"}]}', "orders[0].amount: must be a number"),
            ('{"orders": [{"id": "A"}, {"id": "A", "amount": -7}]}', "orders[1].amount: must be at least 0"),
            ('{"orders": [{"id": "jane"}]}', "orders[0].id: must have the form that the schema states"),
            ('{"orders": [{"id": "A", "tags": [1, 1.0]}]}', "orders[0].tags: must have no item twice"),
            ('{"orders": [{"id": "A", "tags": 5}]}', "orders[0].tags: must be a list or null"),
        ],
    )
    def test_the_place_and_what_is_asked_for(self, text: str, said: str) -> None:
        """And not what stands there instead."""
        assert reason(text, schema=SCHEMA) == f"it does not fit the schema: {said}"

    def test_keys_by_their_form(self) -> None:
        """Those of another form are free, unless others are forbidden."""
        numbers = {"patternProperties": {"^x": {"type": "integer"}}}
        assert not reason('{"x1": 1, "y": "z"}', schema=numbers)
        assert not reason('{"x1": 1}', schema={**numbers, "additionalProperties": False})
        assert "not allowed" in reason('{"y": 1}', schema={**numbers, "additionalProperties": False})

    def test_five_faults_are_enough(self) -> None:
        """A model can mend the rest afterwards."""
        orders = json.dumps({"orders": [{"id": "A", "amount": "x"}] * 50})
        assert reason(orders, schema=SCHEMA).count("must be a number") == 5

    def test_a_key_that_the_schema_does_not_name_is_not_told(self) -> None:
        """It is the text's own."""
        schema = {"additionalProperties": {"type": "integer"}}
        assert reason('{"jane": "x"}', schema=schema).endswith("*: must be a whole number")

    @pytest.mark.parametrize(
        ("schema", "text"),
        [
            ({"const": 1}, "2"),
            ({"enum": [1]}, "2"),
            ({"not": {"type": "integer"}}, "2"),
            ({"anyOf": [{"minimum": 3}, {"type": "string"}]}, "2"),
            ({"properties": {"a": False}}, '{"a": 1}'),
            ({"dependentRequired": {"a": ["b"]}}, '{"a": 1}'),
            ({"patternProperties": {"^x": {"type": "string"}}}, '{"x": 1}'),
            ({"multipleOf": 0.5}, "0.75"),
        ],
    )
    def test_other_keywords(self, schema: dict[str, Any], text: str) -> None:
        """Each leads to a sentence of its own, without the value."""
        said = reason(text, schema=schema)
        assert said.startswith("it does not fit the schema: ")
        assert text not in said


class TestHostileTexts:
    """A text cannot keep the schema busy."""

    def test_a_pattern_has_an_end(self) -> None:
        """One that takes the square of the length or more."""
        schema = {"items": {"pattern": "^a*a*[bc]$"}}
        assert "too intricate" in reason(json.dumps(["a" * 200_000]), schema=schema)

    def test_nor_has_one_of_keys(self) -> None:
        """Whatever it decides."""
        patterns = {"^a*a*[bc]$": {"type": "string"}}
        long_key = json.dumps({"a" * 200_000: 1})
        assert "too intricate" in reason(long_key, schema={"patternProperties": patterns})
        assert "too intricate" in reason(
            long_key, schema={"additionalProperties": False, "patternProperties": patterns}
        )

    def test_a_schema_that_refers_to_itself_twice(self) -> None:
        """Each level would double the work."""
        node = {
            "oneOf": [
                {"properties": {"kind": {"const": kind}, "left": {"$ref": "#"}}, "required": ["kind"]}
                for kind in ("sum", "product")
            ]
        }
        assert not reason('{"kind": "sum", "left": {"kind": "product"}}', schema=node)
        deep = '{"kind": "x", "left": ' * 60 + "{}" + "}" * 60
        assert "too intricate" in reason(deep, schema=node)

    def test_a_schema_that_is_nothing_but_itself(self) -> None:
        """It never ends, so nothing fits it."""
        assert "too intricate" in reason("1", schema={"$ref": "#"})

    def test_many_items_are_compared_at_once(self) -> None:
        """Not each with each."""
        items = json.dumps([{"a": [number]} for number in range(20_000)])
        assert not reason(items, schema={"uniqueItems": True})


class TestMaking:
    """A schema that cannot be kept is refused."""

    @pytest.mark.parametrize(
        ("schema", "said"),
        [
            ({"type": "text"}, "no JSON Schema"),
            ([], "must be a mapping"),
            ({"$schema": "http://json-schema.org/draft-07/schema#"}, "Draft 2020-12"),
            ({"$ref": "https://example.com/order.json"}, "nothing is fetched"),
            ({"properties": {"a": {"$ref": "#/$defs/b"}}}, "nothing is fetched"),
            ({"pattern": "("}, "no JSON Schema"),
            ({"pattern": "(a+)+$"}, "takes too long"),
            ({"$defs": {"a": {"patternProperties": {"(x*)*y": {}}}}}, "takes too long"),
            (
                {"allOf": [{"patternProperties": {"^x": {}}}], "unevaluatedProperties": False},
                "must not have both",
            ),
        ],
    )
    def test_what_is_wrong(self, schema: Any, said: str) -> None:
        """In a sentence."""
        with pytest.raises(ValueError, match=said):
            ValidJson(schema=schema)

    def test_a_flag_is_a_flag(self) -> None:
        """No text."""
        with pytest.raises(ValueError, match="true or false"):
            ValidJson(code_fence="no")  # type: ignore[arg-type]  # what a policy file may hold

    def test_what_stands_in_the_schema_may_be_referred_to(self) -> None:
        """So may the draft itself."""
        schema = {"$defs": {"a": {"type": "integer"}}, "items": {"$ref": "#/$defs/a"}}
        assert reason("[1.5]", schema=schema) == "it does not fit the schema: [0]: must be a whole number"
        assert not reason("{}", schema={"$ref": "https://json-schema.org/draft/2020-12/schema"})
