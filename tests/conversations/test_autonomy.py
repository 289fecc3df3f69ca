"""How a conversation was begun holds in every process: its level of autonomy, and that it is a dry run."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.tools import AgentTool
from fenced import EMAIL, agent, audit, policy_file, recording, reply_of, team_of
from scripted import Scripted, call

from ringfence import Fence, Policy, PolicyError, Ringfence, Status, TeamFactory
from ringfence.guardrails.tool_rules import ToolRule

House = Callable[..., Ringfence]
Process = Callable[..., Ringfence]
ID = "ticket-7"
FULL = {"*": {"autonomy": 4}}
MANAGERS = {"act": {"decision": "allow", "roles": ["manager"]}}


def desk(*replies: Any, **spec: Any) -> tuple[TeamFactory, list[Any]]:
    """A team of a model with these replies, and the calls of its tool."""
    act = recording(**spec)
    return team_of(Scripted(*replies), [act.function], max_tool_iterations=3), act.calls


def only(*replies: Any) -> tuple[TeamFactory, list[Any]]:
    """As `desk`, of an agent that says what its call gave back."""
    act = recording()
    return team_of(Scripted(*replies), [act.function]), act.calls


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[Process]:
    """Each call is one more process on the same store."""
    path = policy_file(tmp_path, tools=FULL, provenance={"mode": "off"})
    ringfences: list[Ringfence] = []

    def begin(**more: Any) -> Ringfence:
        ringfences.append(Ringfence.from_file(path, **more))
        return ringfences[-1]

    yield begin
    for ringfence in ringfences:
        await ringfence.close()


class TestAutonomy:
    """The level of a conversation."""

    @pytest.mark.parametrize(
        ("level", "consequential", "runs"),
        [(None, True, True), (4, True, True), (2, True, False), (2, False, True), (1, False, False)],
    )
    async def test_it_bounds_the_policy(
        self, process: Process, level: int | None, *, consequential: bool, runs: bool
    ) -> None:
        """Which lets the tool run unasked."""
        factory, calls = desk([call()], "ok", consequential=consequential)
        talk = process().conversation(factory, autonomy=level)
        await talk.run(task="Go")
        assert (len(calls) == 1, talk.status is Status.DONE) == (runs, runs)

    async def test_it_never_makes_the_policy_less_strict(self, house: House) -> None:
        """A tool that is asked about is asked about."""
        factory, calls = desk([call()], "ok")
        talk = house().conversation(factory, autonomy=4)
        await talk.run(task="Go")
        assert (calls, talk.status) == ([], Status.WAITING_FOR_APPROVAL)

    @pytest.mark.parametrize("later", [None, 4])
    async def test_it_stays(self, process: Process, later: int | None) -> None:
        """Whoever takes the conversation up cannot loosen it, or forget it."""
        await process().conversation(desk("hi")[0], id=ID, autonomy=2).run(task="Go")
        factory, calls = desk([call()], "ok")
        talk = process().conversation(factory, id=ID, autonomy=later)
        await talk.run(task="More")
        assert (calls, talk.status) == ([], Status.WAITING_FOR_APPROVAL)

    async def test_it_can_become_stricter(self, process: Process) -> None:
        """And stays so."""
        await process().conversation(desk("hi")[0], id=ID).run(task="Go")
        await process().conversation(desk("hi")[0], id=ID, autonomy=1).run(task="Go")
        factory, calls = desk([call()], "ok", consequential=False)
        await (await process().open(ID, team=factory)).run(task="More")
        assert calls == []

    async def test_a_changed_policy_leaves_it(self, process: Process) -> None:
        """The new one is bounded, too."""
        ringfence = process()
        factory, calls = desk("hi", [call()], "ok")
        talk = ringfence.conversation(factory, autonomy=2)
        await talk.run(task="Go")
        ringfence.reload(ringfence.policy.model_copy(update={"tools": {"act": ToolRule(autonomy=4)}}))
        await talk.run(task="More")
        assert (calls, talk.status) == ([], Status.WAITING_FOR_APPROVAL)

    @pytest.mark.parametrize("level", [0, 5, True, 2.5, "2"])
    def test_what_is_no_level(self, house: House, level: Any) -> None:
        """Is refused at once."""
        with pytest.raises(ValueError, match="from 1 to 4"):
            house().conversation(desk("hi")[0], autonomy=level)


class TestReviews:
    """Calls at level 3 of which some are noted."""

    async def noted(self, house: House, share: float, *, level: int = 3, **spec: Any) -> list[dict[str, Any]]:
        ringfence = house(tools={"act": {"autonomy": level}}, reviews=share)
        call_of = call("act", json.dumps({"what": "<EMAIL_ADDRESS_1>"}))
        factory, calls = desk([call_of], "ok", **spec)
        await ringfence.conversation(factory, id=ID).run(task=f"Act for {EMAIL}")
        assert len(calls) == 1
        return [line for line in audit(ringfence) if line["event"] == "review"]

    async def test_what_is_noted(self, house: House) -> None:
        """Which call it was, with what, masked."""
        (line,) = await self.noted(house, 1.0, reveals={"what": ["EMAIL_ADDRESS"]})
        assert (line["tool"], line["agent"], line["failed"]) == ("act", "desk", False)
        assert line["arguments"] == {"what": "<EMAIL_ADDRESS_1>"}

    async def test_what_is_not_noted(self, house: House) -> None:
        """Nothing at share 0, at level 4, or of tools that only read."""
        assert await self.noted(house, 0.0) == []
        assert await self.noted(house, 1.0, level=4) == []
        assert await self.noted(house, 1.0, consequential=False) == []


class TestDryRuns:
    """Calls that pass every check and are not run."""

    async def test_a_tool_of_the_policy(self, house: House) -> None:
        """The agent hears that nothing was done; it is no failure, and no success either."""
        factory, calls = only([call()])
        rule = {"act": {"decision": "allow", "dry_run": True}}
        ended = await house(tools=rule).conversation(factory).run(task="Go")
        assert calls == []
        assert "was not run" in reply_of(ended)

    async def test_every_check_is_made(self, house: House) -> None:
        """What is refused without a dry run is refused in it; what waits for a person waits."""
        for rule, said in (
            ({"arguments": {"what": {"pattern": "x"}}}, "does not match"),
            ({"decision": "deny"}, "denies"),
        ):
            factory, _ = only([call()])
            dry = {"act": {"dry_run": True, **rule}}
            assert said in reply_of(await house(tools=dry).conversation(factory).run(task="Go"))
        factory, calls = only([call()])
        talk = house(tools={"act": {"dry_run": True}}).conversation(factory)
        await talk.run(task="Go")
        await talk.approve(talk.pending_approvals[0].id, by="bob")
        assert "was not run" in reply_of(await talk.resume())
        assert calls == []

    async def test_a_conversation(self, process: Process) -> None:
        """It reads, and does nothing; and whoever takes it up does not make it real."""
        look = recording("look", consequential=False)
        act = recording()
        tools = [look.function, act.function]
        factory = team_of(Scripted([call("look", id="1"), call("act", id="2")], "ok"), tools)
        await process().conversation(factory, id=ID, dry_run=True).run(task="Go")
        factory = team_of(Scripted([call("act", id="3")], "ok"), tools)
        await process().conversation(factory, id=ID).run(task="Go")
        assert (len(look.calls), act.calls) == (1, [])

    async def test_an_agent_as_a_tool(self, process: Process) -> None:
        """It is asked, and what it wants to do is not done."""
        act, said = recording(), []

        def factory(fence: Fence) -> AssistantAgent:
            inner = agent(fence, Scripted([call(id="in-1")], "I did."), name="helper", tools=[act.function])
            outer = Scripted([call("helper", '{"task": "Act"}', id="out-1")], "ok")
            said.append(outer)
            return agent(fence, outer, tools=[AgentTool(inner)], reflect_on_tool_use=True)

        await process().conversation(factory, dry_run=True).run(task="Go")
        assert act.calls == []
        assert "Dry run" in said[0].seen


class TestRoles:
    """Which users may call a tool."""

    @pytest.mark.parametrize(("user", "runs"), [("bob@contoso.com", True), ("eve@contoso.com", False)])
    async def test_of_the_policy(self, house: House, user: str, *, runs: bool) -> None:
        """The user of the conversation needs one of them; the agent hears which."""
        factory, calls = only([call()])
        ringfence = house(tools=MANAGERS, roles={"manager": ["bob@*"]})
        ended = await ringfence.conversation(factory, user=user).run(task="Go")
        assert (len(calls) == 1) is runs
        assert ("needs a user with the role manager" in reply_of(ended)) is not runs

    @pytest.mark.parametrize(
        ("roles", "runs"),
        [
            (lambda user: {"manager"} if user == "amy" else (), True),
            (lambda _: (), False),
            (lambda _: "manager", False),
            (lambda _: None, False),
            (lambda user: {}[user], False),
        ],
        ids=["has it", "has none", "a text", "nothing", "fails"],
    )
    async def test_of_the_service(self, roles: Any, *, runs: bool) -> None:
        """What fails, or answers in another way, gives nobody a role."""
        factory, calls = only([call()])
        rules = {name: ToolRule.model_validate(rule) for name, rule in MANAGERS.items()}
        ringfence = Ringfence(Policy(prices={"scripted": "free"}, tools=rules), roles=roles)
        await ringfence.conversation(factory, user="amy").run(task="Go")
        await ringfence.close()
        assert (len(calls) == 1) is runs

    async def test_one_that_is_taken_away_before_the_call_runs(self) -> None:
        """An approval that was given meanwhile does not stand in for it."""
        known = {"manager"}
        factory, calls = only([call()])
        rule = ToolRule.model_validate({"roles": ["manager"]})
        ringfence = Ringfence(Policy(prices={"scripted": "free"}, tools={"act": rule}), roles=lambda _: known)
        talk = ringfence.conversation(factory)
        await talk.run(task="Go")
        known.clear()
        await talk.approve(talk.pending_approvals[0].id, by="bob")
        ended = await talk.resume()
        await ringfence.close()
        assert calls == []
        assert "needs a user" in reply_of(ended)

    def test_a_role_that_nobody_can_have(self, house: House) -> None:
        """A fault with its line, unless the service says who has which."""
        with pytest.raises(PolicyError) as caught:
            house(tools=MANAGERS, roles={"clerk": ["*"]})
        (fault,) = caught.value.faults
        assert (fault.where, fault.line > 0) == ("tools.act.roles", True)
        assert "there is: clerk" in fault.message
