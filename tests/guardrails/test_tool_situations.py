"""What follows for a call from its arguments, the user, the hour, the level, and the calls before it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ringfence.guardrails.argument_rules import ArgumentRule
from ringfence.guardrails.made_calls import MadeCall, MadeCalls
from ringfence.guardrails.sources import Trace
from ringfence.guardrails.tool_policy import Situation, ToolPolicy
from ringfence.guardrails.tool_rules import ToolRule
from ringfence.guardrails.tool_spec import ToolSpec
from ringfence.guardrails.verdicts import Allow, Block, Escalate, Verdict

READS, ACTS = ToolSpec(consequential=False, described=True), ToolSpec(described=True)
NOW = datetime(2026, 7, 6, 10, tzinfo=UTC)
DOUBT = Trace("to", "x@y.example", "address", None, escalates=True, why="`to` came from a web page")


def policy(autonomy: int = 2, /, **rules: Any) -> ToolPolicy:
    return ToolPolicy(
        {name: ToolRule.model_validate(rule) for name, rule in rules.items()}, autonomy=autonomy
    )


def judged(rule: dict[str, Any], spec: ToolSpec = ACTS, /, *, autonomy: int = 2, **around: Any) -> Verdict:
    """Of a call of `refund` with the arguments in `around`, or none."""
    arguments = around.pop("arguments", {})
    situation = Situation(**{"now": NOW, **around})
    return policy(autonomy, refund=rule).judge("refund", spec, arguments, situation)


class TestAutonomy:
    """How much is done unasked."""

    @pytest.mark.parametrize(
        ("level", "reads", "acts"),
        [(1, Escalate, Escalate), (2, Allow, Escalate), (3, Allow, Allow), (4, Allow, Allow)],
    )
    @pytest.mark.parametrize("where", ["of the policy", "of the tool", "of the conversation"])
    def test_the_levels(self, level: int, reads: type[Verdict], acts: type[Verdict], where: str) -> None:
        """Mean the same, whoever says them; the conversation's word makes it only stricter."""
        rule = {} if where == "of the policy" else {"autonomy": level if where == "of the tool" else 4}
        said: dict[str, Any] = {"ceiling": level} if where == "of the conversation" else {}
        general = level if where == "of the policy" else 1
        assert type(judged(rule, READS, autonomy=general, **said)) is reads
        assert type(judged(rule, ACTS, autonomy=general, **said)) is acts

    @pytest.mark.parametrize(
        ("rule", "ceiling", "level"),
        [
            ({}, 4, 2),
            ({"autonomy": 3}, 4, 3),
            ({"autonomy": 3}, 1, 1),
            ({"decision": "allow"}, 4, 4),
            ({"decision": "allow"}, 2, 2),
            ({"decision": "allow", "autonomy": 1}, 4, 1),
            ({"decision": "approve"}, 4, 2),
        ],
    )
    def test_the_level_of_a_tool(self, rule: dict[str, Any], ceiling: int, level: int) -> None:
        """Its own before the policy's; `allow` lifts it; never above the conversation's."""
        assert policy(refund=rule).level("refund", ceiling) == level

    @pytest.mark.parametrize("level", [1, 2, 3, 4])
    def test_what_no_level_changes(self, level: int) -> None:
        """`approve` always asks, `deny` never runs, and suspicions and doubtful values go to a person."""
        assert isinstance(judged({"decision": "approve"}, READS, autonomy=level), Escalate)
        assert isinstance(judged({"decision": "deny"}, READS, autonomy=level), Block)
        assert isinstance(judged({}, autonomy=level, suspicion="a page lied"), Escalate)
        assert isinstance(judged({"decision": "allow"}, autonomy=level, traces=[DOUBT]), Escalate)

    def test_reading_is_not_suspicious(self) -> None:
        """Unless it sends out a value of doubtful origin: an address that is fetched tells its server."""
        assert isinstance(judged({}, READS, suspicion="a page lied"), Allow)
        assert judged({}, READS, suspicion="a page lied", traces=[DOUBT]) == Escalate(
            "tool_policy", DOUBT.why
        )

    def test_the_reason_says_all_of_it(self) -> None:
        """For the person who decides."""
        said = judged({}, suspicion="a page lied", traces=[DOUBT, DOUBT])
        assert said.reason == f"refund is consequential, and a page lied; {DOUBT.why}"

    @pytest.mark.parametrize(("rule", "level"), [({"decision": "allow"}, 2), ({}, 4)])
    def test_an_allowed_call_waits_for_its_doubts_alone(self, rule: dict[str, Any], level: int) -> None:
        """That it is consequential is no reason, because the policy lets such calls run."""
        said = judged(rule, autonomy=level, suspicion="a page lied", traces=[DOUBT])
        assert said.reason == f"a page lied; {DOUBT.why}"


def test_a_tool_that_nobody_described() -> None:
    """Is refused, with both cures for the operator alone; a rule, also an empty one, describes it."""
    said = ToolPolicy({}).judge("refund", ToolSpec(), {})
    assert isinstance(said, Block)
    assert said.hint == "nobody described refund, so it cannot be used"
    assert "tools.refund" in said.reason
    assert "believe_hints=True" in said.reason
    for name in ("refund", "ref*"):
        rules = ToolPolicy({name: ToolRule()})
        assert isinstance(rules.judge("refund", rules.describe("refund", ToolSpec()), {}), Escalate)
    within = ToolSpec(composite=True)
    assert isinstance(ToolPolicy({}).judge("ask_the_team", within, {}), Escalate)


class TestRolesAndHours:
    """Who may call, and when."""

    @pytest.mark.parametrize(
        ("roles", "verdict"),
        [
            ({"clerk"}, Block),
            (set(), Block),
            (None, Block),
            ({"manager"}, Allow),
            ({"clerk", "owner"}, Allow),
        ],
    )
    def test_roles(self, roles: set[str] | None, verdict: type[Verdict]) -> None:
        """One of them is enough; without an answer the user has none."""
        rule = {"decision": "allow", "roles": ["manager", "owner"]}
        assert type(judged(rule, roles=None if roles is None else frozenset(roles))) is verdict

    @pytest.mark.parametrize(("otherwise", "verdict"), [("deny", Block), ("approve", Escalate)])
    def test_outside_the_hours(self, otherwise: str, verdict: type[Verdict]) -> None:
        """The policy says what follows; within one of the windows nothing does."""
        morning, evening = (
            {"from": one, "to": other, "zone": "UTC"}
            for one, other in (("06:00", "09:00"), ("18:00", "22:00"))
        )
        rule = {"decision": "allow", "hours": [morning, evening], "otherwise": otherwise}
        assert type(judged(rule)) is verdict
        assert isinstance(judged(rule, now=NOW.replace(hour=20)), Allow)

    def test_a_call_that_is_not_about_to_run(self) -> None:
        """Is judged without clock, roles and totals: one that is played again has its result already."""
        hours = [{"to": "01:00", "zone": "UTC"}]
        totals = {"amount": {"total_maximum": 1}}
        rule = {"decision": "allow", "roles": ["manager"], "hours": hours, "arguments": totals}
        assert isinstance(judged(rule, now=None, arguments={"amount": 5}), Allow)


class TestArguments:
    """What follows from each argument."""

    @pytest.mark.parametrize(
        ("rule", "value", "verdict"),
        [
            ({"maximum": 50, "decision": "allow"}, 20, Allow),
            ({"maximum": 50, "decision": "allow"}, 60, Block),
            ({"maximum": 50, "decision": "allow", "otherwise": "approve"}, 60, Escalate),
            ({"maximum": 50, "otherwise": "approve"}, 20, Escalate),
            ({"decision": "deny"}, "x", Block),
            ({"decision": "approve"}, "x", Escalate),
        ],
    )
    def test_decisions(self, rule: dict[str, Any], value: object, verdict: type[Verdict]) -> None:
        """What the argument's rule says when the value fits, and when it does not."""
        assert type(judged({"arguments": {"amount": rule}}, arguments={"amount": value})) is verdict

    @pytest.mark.parametrize("value", [None, "", [], {}])
    def test_an_argument_that_is_not_given(self, value: object) -> None:
        """Nothing is decided of it: a tool's default is often an empty text."""
        rule = {"decision": "allow", "arguments": {"cc": {"decision": "deny"}}}
        assert isinstance(judged(rule, arguments={"cc": value}), Allow)
        assert isinstance(judged(rule), Allow)

    def test_false_and_zero_are_given(self) -> None:
        """They are values like others."""
        rule = {"decision": "allow", "arguments": {"cc": {"decision": "deny"}}}
        for value in (0, False, 0.0):
            assert isinstance(judged(rule, arguments={"cc": value}), Block)

    def test_the_strictest_counts(self) -> None:
        """A denial before a question, and a question before leave."""
        rules = {"a": {"decision": "allow"}, "b": {"decision": "approve"}, "c": {"decision": "deny"}}
        said = [
            judged({"arguments": rules}, arguments=dict.fromkeys(names, 1)) for names in ("a", "ab", "abc")
        ]
        assert [type(one) for one in said] == [Allow, Escalate, Block]

    def test_leave_by_an_argument_is_no_more_than_the_rest_allows(self) -> None:
        """The tool's own words, the conversation's level and suspicions stand above it."""
        small = {"arguments": {"amount": {"maximum": 50, "decision": "allow"}}}
        amount = {"amount": 20}
        for rule in ({"decision": "approve"}, {"autonomy": 2}):
            assert isinstance(judged(small | rule, arguments=amount), Escalate)
        assert isinstance(judged(small, arguments=amount, ceiling=2), Escalate)
        assert isinstance(judged(small, arguments=amount, suspicion="a page lied"), Escalate)

    def test_globs_of_arguments(self) -> None:
        """The exact name comes first, and a glob needs no argument to be there."""
        rules = {"*_note": {"maximum_length": 3}, "own_note": {"maximum_length": 9}}
        rule = {"decision": "allow", "arguments": rules}
        assert isinstance(judged(rule, arguments={"own_note": "nine char"}), Allow)
        said = judged(rule, arguments={"own_note": "x", "other_note": "nine char"})
        assert said == Block("tool_policy", "argument `other_note` of refund is longer than 3")
        assert isinstance(judged({"decision": "allow", "arguments": {"*_note": {"maximum": 3}}}), Allow)

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            ("four", "is longer than 3"),
            ([1, 2, 3, 4], "is longer than 3"),
            (1234, "is neither a text nor a list"),
            (None, "is neither a text nor a list"),
            ("", ""),
            ([1], ""),
        ],
    )
    def test_lengths(self, value: object, said: str) -> None:
        """Characters of a text, items of a list."""
        assert ArgumentRule(maximum_length=3).fault(value) == said

    def test_a_value_that_makes_a_pattern_run_for_ever(self) -> None:
        """It does not fit, because nobody waits for it."""
        assert (
            ArgumentRule(pattern=r"(a|a|b)*c").fault("ab" * 40 + "d")
            == "does not match what the policy allows"
        )


class TestTotals:
    """What the calls of a rule come to together."""

    @staticmethod
    def over(
        rule: dict[str, Any], amount: object, *made: MadeCall, tool: str = "refund", run: int = 1
    ) -> Verdict:
        rule = {"decision": "allow", "arguments": {"amount": rule}}
        rules = ToolPolicy({"re*": ToolRule.model_validate(rule), "pay": ToolRule()})
        return rules.judge(tool, ACTS, {"amount": amount}, Situation(now=NOW, made=made, run=run))

    @pytest.mark.parametrize(
        ("before", "amount", "verdict"),
        [
            ([], 200, Allow),
            ([], "200.00", Allow),
            ([], 200.01, Block),
            ([150], 50, Allow),
            ([150], "50.01", Block),
            (["0.1"] * 3, "199.7", Allow),
            ([0.1] * 3, 199.7, Allow),
            ([200], 0, Allow),
            (["nonsense", None, -500, "１００", "1_000"], 200, Allow),
        ],
    )
    def test_the_sum(self, before: list[Any], amount: object, verdict: type[Verdict]) -> None:
        """To the cent, however the numbers are spelled; what is less than nothing makes no room."""
        made = [MadeCall("refund", 1, {"amount": one}) for one in before]
        assert type(self.over({"total_maximum": 200}, amount, *made)) is verdict

    @pytest.mark.parametrize(
        "amount",
        ["nan", "inf", "-1", -1, "1e400", "1_000", "２０", "1e99999999999999999999", None, True, [5]],
    )
    def test_amounts_that_do_not_fit(self, amount: object) -> None:
        """What nobody can add up, or would lower the total, does not fit at all."""
        assert isinstance(self.over({"total_maximum": 200}, amount), Block)

    def test_a_rule_counts_all_tools_that_it_decides_of(self) -> None:
        """A glob is one rule; a tool with a rule of its own is another matter."""
        made = [MadeCall("return", 1, {"amount": 150}), MadeCall("pay", 1, {"amount": 900})]
        assert isinstance(self.over({"total_maximum": 200}, 50, *made), Allow)
        assert isinstance(self.over({"total_maximum": 200}, 51, *made), Block)

    def test_per_run(self) -> None:
        """What other runs have done does not count, where the policy says so."""
        made = MadeCall("refund", 1, {"amount": 150})
        for per, verdict in (("run", Allow), ("conversation", Block)):
            assert type(self.over({"total_maximum": 200, "per": per}, 100, made, run=2)) is verdict

    def test_a_person_may_let_it_pass(self) -> None:
        """Where the policy says so; the reason names the total and none of the amounts."""
        said = self.over({"total_maximum": 200, "otherwise": "approve"}, 4711)
        what = "argument `amount` of refund would bring the total of this conversation above 200"
        assert said == Escalate("tool_policy", what)

    @given(st.lists(st.decimals(0, 100, places=2), max_size=20))
    def test_what_runs_never_comes_to_more(self, amounts: list[Decimal]) -> None:
        """Whatever is asked for, and in whatever order."""
        made = MadeCalls(lambda: (1, 1))
        for number, amount in enumerate(amounts):
            call_id = str(number)
            if isinstance(self.over({"total_maximum": 200}, str(amount), *made.but(call_id)), Allow):
                made.note(call_id, "refund", {"amount": str(amount)})
        assert sum(Decimal(str(one.values["amount"])) for one in made.but("")) <= 200


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"autonomy": 0}, "greater than or equal to 1"),
        ({"autonomy": 5}, "less than or equal to 4"),
        ({"hours": []}, "at least 1 item"),
        ({"roles": []}, "at least 1 item"),
        ({"roles": [""]}, "at least 1 character"),
        ({"read_only": True, "destructive": True}, "contradict"),
        ({"otherwise": "allow"}, "'approve' or 'deny'"),
        ({"arguments": {"a": {"otherwise": "allow"}}}, "'approve' or 'deny'"),
        ({"arguments": {"a": {"total_maximum": -1}}}, "greater than or equal to 0"),
        ({"arguments": {"a": {"total_maximum": "nan"}}}, "finite"),
        ({"arguments": {"a": {"total_maximum": 5, "minimum": -1}}}, "never fits a total_maximum"),
        ({"arguments": {"a": {"per": "run"}}}, "no total_maximum"),
        ({"arguments": {"a": {"maximum_length": -1}}}, "greater than or equal to 0"),
        ({"arguments": {"a": {"from": []}}}, "at least 1 item"),
        ({"arguments": {"a": {"from": ["anybody"]}}}, "'user', 'operator'"),
    ],
)
def test_rules_that_nobody_can_mean(rule: dict[str, Any], said: str) -> None:
    """Are refused when the policy is read."""
    with pytest.raises(ValidationError, match=said):
        ToolRule.model_validate(rule)
