"""What the policy says of a call is a pure function of its rules and the call's real arguments."""

import warnings
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ringfence.guardrails.argument_rules import ArgumentRule
from ringfence.guardrails.decision import Decision
from ringfence.guardrails.tool_policy import ToolPolicy
from ringfence.guardrails.tool_rules import ToolRule
from ringfence.guardrails.tool_spec import ToolSpec, spec_of, tool
from ringfence.guardrails.verdicts import Allow, Block, Escalate, Verdict

READ_ONLY, CONSEQUENTIAL = ToolSpec(consequential=False, described=True), ToolSpec(described=True)


def rule(**fields: Any) -> ToolRule:
    return ToolRule.model_validate(fields)


def fault(value: object, **fields: Any) -> str:
    return ArgumentRule.model_validate(fields).fault(value)


class TestSpec:
    """What a tool says about itself."""

    def test_a_function_says_it(self) -> None:
        """The function itself stays as it is."""

        @tool(consequential=False, idempotent=True, reveals={"to": ["EMAIL_ADDRESS"]})
        def look_up(to: str) -> str:
            return to

        assert look_up("a") == "a"
        spec = ToolSpec(
            described=True, consequential=False, idempotent=True, reveals={"to": ("EMAIL_ADDRESS",)}
        )
        assert spec_of(look_up) == spec

    def test_a_tool_that_says_nothing(self) -> None:
        """Is consequential, does things twice when called twice, and sees no real value."""

        class Pretends:
            __ringfence_tool__ = "harmless, believe me"

        @tool()
        def refund() -> None: ...

        for candidate in (len, object(), Pretends()):
            assert spec_of(candidate) == ToolSpec(consequential=True, idempotent=False, reveals={})
        assert spec_of(refund) == ToolSpec(described=True)

    def test_without_parentheses(self) -> None:
        """The decorator means what it means with none given; what is no function is told so."""

        @tool
        def refund(order: str) -> str:
            return order

        assert refund("a") == "a"
        assert spec_of(refund) == ToolSpec(described=True)
        with pytest.raises(TypeError, match="@tool stands on a function"):
            tool("refund")  # type: ignore[call-overload]  # as somebody would who does not check types

    @pytest.mark.parametrize("read_only", [None, True, False])
    @pytest.mark.parametrize("consequential", [True, False])
    def test_the_policy_knows_better(self, *, read_only: bool | None, consequential: bool) -> None:
        """Where it says something; the rest is the tool's own word."""
        spec = ToolSpec(consequential=consequential, idempotent=True, reveals={"to": ("PERSON",)})
        described = rule(read_only=read_only).describe(spec)
        assert described.consequential is (consequential if read_only is None else not read_only)
        assert (described.idempotent, described.reveals) == (True, {"to": ("PERSON",)})
        assert rule(reveals={}).describe(spec).reveals == {}

    def test_what_the_fence_fills_in(self) -> None:
        """The key's argument is the policy's to name; what else the tool is stays as it was."""

        @tool(idempotency_key="key", transaction="db")
        async def refund(key: str, db: object) -> None: ...

        spec = spec_of(refund)
        assert (spec.supplied, ToolSpec().supplied) == (("key", "db"), ())
        assert rule(read_only=False).describe(spec) == spec
        assert rule(idempotency_key="request_id").describe(spec).supplied == ("request_id", "db")
        composite = ToolSpec(composite=True, described=True)
        assert rule(idempotency_key="key").describe(composite) == replace(composite, idempotency_key="key")

    def test_an_argument_has_a_name(self) -> None:
        """A key that goes nowhere would be believed to go somewhere."""
        with pytest.raises(ValidationError, match="at least 1 character"):
            rule(idempotency_key="")


class TestDecisions:
    """Allow, ask a person, or block."""

    @pytest.mark.parametrize(
        ("decision", "spec", "verdict", "reason"),
        [
            (None, READ_ONLY, Allow, ""),
            (None, CONSEQUENTIAL, Escalate, "refund is consequential"),
            ("allow", READ_ONLY, Allow, ""),
            ("allow", CONSEQUENTIAL, Allow, ""),
            ("approve", READ_ONLY, Escalate, "the policy asks a person before each call of refund"),
            ("approve", CONSEQUENTIAL, Escalate, "the policy asks a person before each call of refund"),
            ("deny", READ_ONLY, Block, "the policy denies refund"),
            ("deny", CONSEQUENTIAL, Block, "the policy denies refund"),
        ],
    )
    def test_the_table(
        self, decision: str | None, spec: ToolSpec, verdict: type[Verdict], reason: str
    ) -> None:
        """Without a rule, what changes the world waits for a person."""
        said = ToolPolicy({"refund": rule(decision=decision)}).judge("refund", spec, {})
        assert type(said) is verdict
        assert (said.guardrail, said.reason) == ("tool_policy", reason)

    @pytest.mark.parametrize("decision", [None, *Decision])
    def test_a_wrong_argument_is_blocked_whoever_is_asked(self, decision: str | None) -> None:
        """Not even a person is asked about it; the reason names the argument and does not quote it."""
        rules = {"amount": {"maximum": 50}}
        policy = ToolPolicy({"refund": rule(decision=decision, arguments=rules)})
        said = policy.judge("refund", CONSEQUENTIAL, {"amount": 4711})
        assert isinstance(said, Block)
        assert "4711" not in said.reason
        if decision != "deny":
            assert said.reason == "argument `amount` of refund is above 50"

    @pytest.mark.parametrize(
        ("decision", "verdict"), [(None, Allow), ("allow", Allow), ("approve", Block), ("deny", Block)]
    )
    def test_handoffs(self, decision: str | None, verdict: type[Verdict]) -> None:
        """They only change who speaks, and nobody can be asked about them."""
        assert (
            type(ToolPolicy({"transfer_*": rule(decision=decision)}).judge_handoff("transfer_to_bob"))
            is verdict
        )

    def test_a_handoff_without_a_rule(self) -> None:
        """Passes."""
        assert ToolPolicy({}).judge_handoff("transfer_to_bob") == Allow("tool_policy")


class TestWhichRule:
    """A tool's own name before the first glob that fits."""

    policy = ToolPolicy(
        {
            "send_*": rule(decision="approve"),
            "*": rule(decision="deny"),
            "send_note": rule(decision="allow"),
            "[x]": rule(decision="allow"),
        }
    )

    @pytest.mark.parametrize(
        ("name", "decision"),
        [
            ("send_note", "allow"),
            ("send_mail", "approve"),
            ("send_", "approve"),
            ("Send_mail", "deny"),
            ("resend_mail", "deny"),
            ("send_note ", "approve"),
            ("send_note\n", "approve"),
            ("ѕend_note", "deny"),
            ("x", "deny"),
            ("[x]", "allow"),
            ("", "deny"),
        ],
    )
    def test_names_and_globs(self, name: str, decision: str) -> None:
        """Case counts, look-alikes are other names, and a name is never read as a glob."""
        assert self.policy.rule(name).decision == decision

    def test_no_rule(self) -> None:
        """An empty one stands in its place."""
        assert ToolPolicy({"refund": rule(decision="allow")}).rule("refunds") == ToolRule()


class TestArguments:
    """What one argument may be."""

    @pytest.mark.parametrize("value", [10, 50, 10.5, "10", "50.00", " 49 ", "+12", "1e1"])
    def test_numbers_within_the_bounds(self, value: object) -> None:
        """Also when they are spelled as a text, as models do."""
        assert fault(value, minimum=10, maximum=50) == ""

    @pytest.mark.parametrize(
        ("value", "what"),
        [
            *[(9, "is below 10"), ("9.99", "is below 10"), (-50, "is below 10"), ("-1e400", "is below 10")],
            *[
                (51, "is above 50"),
                ("50.01", "is above 50"),
                (10**400, "is above 50"),
                (1e300, "is above 50"),
            ],
            *[
                ("1e999999999", "is above 50"),
                ("9" * 5000, "is above 50"),
                (50.00000000000001, "is above 50"),
            ],
        ],
    )
    def test_numbers_out_of_bounds(self, value: object, what: str) -> None:
        """However large, and however they are spelled."""
        assert fault(value, minimum=10, maximum=50) == what

    @pytest.mark.parametrize(
        "value",
        [
            *(float("nan"), float("inf"), -float("inf"), "nan", "sNaN", "inf", "-Infinity", True, False),
            *(None, "", " ", "ten", "0x14", "1,000", "10 000", "2_0", "２０", "٢٠", "1e99999999999999999999"),
            *([20], {"amount": 20}, b"20", 10**5000),
        ],
        ids=lambda value: repr(value)[:20] if not isinstance(value, int) else type(value).__name__,
    )
    @pytest.mark.parametrize("bounds", [{"minimum": 10}, {"maximum": 50}])
    def test_what_is_no_number(self, value: object, bounds: dict[str, float]) -> None:
        """Not finite, a truth value, a list, or spelled as not every reader reads it."""
        assert fault(value, **bounds) == "is not a number"

    @given(st.decimals(-1000, 1000, places=2))
    def test_a_bound_counts_as_it_is_written(self, bound: Decimal) -> None:
        """19.99 as a float is less than 19.99, and a refund of 19.99 may pass all the same."""
        one = ArgumentRule(minimum=float(bound), maximum=float(bound))
        assert [one.fault(float(bound)), one.fault(str(bound))] == ["", ""]
        assert one.fault(str(bound + Decimal("0.001"))).startswith("is above")
        assert one.fault(str(bound - Decimal("0.001"))).startswith("is below")

    @pytest.mark.parametrize(
        ("pattern", "value", "passes"),
        [
            (r"[A-Z]\d+", "A1182", True),
            (r"[A-Z]\d+", "A1182\n", False),
            (r"^[A-Z]\d+$", "A1182\n", False),
            (r"[A-Z]\d+", "A1182; DROP", False),
            (r"[A-Z]\d+", "xA1182", False),
            (r"a|b", "ab", False),
            (r".*", "two\nlines", False),
            (r"\d+", 1182, False),
            (r"", "", True),
            (r".*", None, False),
            (r"True", True, False),
        ],
    )
    def test_a_pattern_must_match_the_whole_text(self, pattern: str, value: object, *, passes: bool) -> None:
        """Nothing before, behind or below it, and nothing that is no text."""
        assert fault(value, pattern=pattern) == ("" if passes else "does not match what the policy allows")

    @pytest.mark.parametrize(
        ("allowed", "value", "passes"),
        [
            ([1, "a"], 1, True),
            ([1, "a"], "a", True),
            ([1, "a"], 1.0, True),
            ([1, "a"], "1", False),
            ([1, "a"], True, False),
            ([0], False, False),
            ([True], 1, False),
            ([True], True, True),
            ([1, True], True, True),
            (["a"], "a ", False),
            (["a"], ["a"], False),
            (["a"], None, False),
            ([0.5], float("nan"), False),
        ],
    )
    def test_one_of(self, allowed: list[Any], value: object, *, passes: bool) -> None:
        """Equal and of the same kind: Python takes True for 1, a policy does not."""
        what = "is none of the values that the policy allows"
        assert fault(value, one_of=allowed) == ("" if passes else what)

    def test_every_condition_counts(self) -> None:
        """One that is met does not stand in for another."""
        assert fault("60", one_of=["60", "40"], maximum=50) == "is above 50"
        assert fault("40", pattern=r"\d", maximum=50) == "does not match what the policy allows"
        assert fault(object()) == ""

    @pytest.mark.parametrize("rules", [{"pattern": ".*"}, {"one_of": ["a"]}, {"minimum": 0}, {"maximum": 0}])
    def test_an_argument_that_is_left_out(self, rules: dict[str, Any]) -> None:
        """What the policy constrains has to be there: the tool's own default is none of the policy's."""
        policy = ToolPolicy({"refund": rule(decision="allow", arguments={"amount": rules})})
        assert isinstance(policy.judge("refund", READ_ONLY, {"Amount": 1}), Block)

    def test_arguments_without_a_rule(self) -> None:
        """Are the tool's business."""
        policy = ToolPolicy({"refund": rule(decision="allow", arguments={"amount": {}})})
        assert isinstance(policy.judge("refund", CONSEQUENTIAL, {"note": "hello"}), Allow)


class TestTheRulesThemselves:
    """Rules that could never do what they say are refused when the policy is read."""

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"pattern": "("}, "is no regular expression"),
            ({"pattern": "[[a]"}, "is no regular expression"),
            ({"minimum": 2, "maximum": 1}, "no value would ever pass"),
            ({"one_of": []}, "no value would ever pass"),
            ({"minimum": float("nan")}, "finite number"),
            ({"maximum": float("inf")}, "finite number"),
            ({"patern": "a"}, "not permitted"),
        ],
    )
    def test_they_are_refused(self, fields: dict[str, Any], said: str) -> None:
        """With a word on what is wrong."""
        with warnings.catch_warnings(action="error"), pytest.raises(ValidationError, match=said):
            ArgumentRule.model_validate(fields)

    def test_a_bound_may_be_the_only_value(self) -> None:
        """As long as one would pass."""
        assert fault(1, minimum=1, maximum=1) == ""

    def test_null_says_nothing(self) -> None:
        """As a key that is left out."""
        assert fault("a", pattern=None, one_of=None, minimum=None, maximum=None) == ""


@pytest.mark.parametrize(
    "rule",
    [
        {"one_of": [1, 2], "minimum": 3},
        {"one_of": ["EUR"], "pattern": "[a-z]+"},
        {"one_of": ["x"], "maximum": 1},
    ],
)
def test_a_rule_that_contradicts_itself(rule: dict[str, Any]) -> None:
    """No value would ever pass, so nobody means it."""
    with pytest.raises(ValidationError, match="no value would ever pass"):
        ArgumentRule.model_validate(rule)
