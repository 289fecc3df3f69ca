"""A turn that stopped goes on where it stopped, and nothing that it did is done again."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from autogen_agentchat.agents import UserProxyAgent
from autogen_agentchat.messages import ToolCallExecutionEvent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import CancellationToken
from autogen_core.model_context import UnboundedChatCompletionContext
from autogen_core.models import LLMMessage, UserMessage
from fenced import EMAIL, EVERY_CANARY, Talk, agent, canaries_in, recording, reply_of, team_of, texts
from scripted import Scripted, call

from ringfence import (
    AnswerRequired,
    ApprovalRequired,
    ConversationChanged,
    ConversationInterrupted,
    Fence,
    ModelCallFailed,
    Ringfence,
    RingfenceError,
    Status,
    TaskError,
    TeamFactory,
    tool,
)

House = Callable[..., Ringfence]
STEPS = 20
ALLOWED = {"act": {"decision": "allow"}}


def act_on(what: object, name: str = "act") -> list[Any]:
    """The model wants to do something with something."""
    return [call(name, json.dumps({"what": str(what)}))]


def all_steps(*, fails_at: int = 0) -> list[Any]:
    """A model's replies: twenty calls and a last word; before one of them, the provider fails."""
    replies = [act_on(step) for step in range(1, STEPS + 1)]
    if fails_at:
        replies.insert(fails_at - 1, ValueError("boom"))  # type: ignore[arg-type]  # a reply that is raised
    return [*replies, "Done."]


IN_ONE_TURN = {"max_tool_iterations": STEPS + 1}
IN_TURNS_OF_THEIR_OWN = {"turns": STEPS + 1}
each_way = pytest.mark.parametrize(
    "way", [IN_ONE_TURN, IN_TURNS_OF_THEIR_OWN], ids=["in one turn", "in turns of their own"]
)


@each_way
async def test_a_failure_in_the_middle_repeats_nothing(house: House, way: dict[str, int]) -> None:
    """The transcript is the one of a conversation in which nothing failed."""
    limits = {"turns": STEPS + 1}
    smooth, calm = recording(), Scripted(*all_steps())
    undisturbed = house(tools=ALLOWED, limits=limits).conversation(
        team_of(calm, [smooth.function], **way), id="ticket-7"
    )
    await undisturbed.run(task="Go")
    act, model = recording(), Scripted(*all_steps(fails_at=7))
    conversation = house(tools=ALLOWED, limits=limits).conversation(
        team_of(model, [act.function], **way), id="ticket-7"
    )
    with pytest.raises(ModelCallFailed):
        await conversation.run(task="Go")
    assert len(act.calls) == 6
    assert conversation.status is Status.FAILED
    assert reply_of(await conversation.resume()) == "Done."
    assert act.calls == [{"what": str(step)} for step in range(1, STEPS + 1)]
    assert model.calls == calm.calls + 1
    assert conversation.transcript == undisturbed.transcript
    assert conversation.usage.tool_calls == undisturbed.usage.tool_calls == STEPS
    assert conversation.usage.turns == undisturbed.usage.turns


@each_way
async def test_the_user_gets_each_event_once(house: House, way: dict[str, int]) -> None:
    """What went out before the failure does not go out again."""
    act, model = recording(), Scripted(*all_steps(fails_at=7))
    ringfence = house(tools=ALLOWED, limits={"turns": STEPS + 1})
    conversation = ringfence.conversation(team_of(model, [act.function], **way))
    seen: list[Any] = []

    async def watch(events: Any) -> None:
        async for event in events:
            seen.append(event)  # noqa: PERF401 - what came before it failed counts

    with pytest.raises(ModelCallFailed):
        await watch(conversation.run_stream(task="Go"))
    before = len(seen)
    await watch(conversation.resume_stream())
    assert 0 < before < len(seen)
    shown = [(event.source, type(event).__name__) for event in seen[:-1]]
    assert shown == [(entry.source, entry.kind) for entry in conversation.transcript]
    assert len([event for event in seen if isinstance(event, ToolCallExecutionEvent)]) == STEPS


async def test_a_cancelled_run_goes_on(house: House) -> None:
    """The call that was under way is made again; those before it are not."""
    token, act = CancellationToken(), recording()

    async def cancel_the_third() -> None:
        if model.calls == 3 and not token.is_cancelled():
            token.cancel()
            await asyncio.Event().wait()

    replies = [act_on(1), act_on(2), "never heard", act_on(3), "Done."]
    model = Scripted(*replies, on_call=cancel_the_third)
    conversation = house(tools=ALLOWED).conversation(team_of(model, [act.function], max_tool_iterations=9))
    with pytest.raises(ConversationInterrupted, match="cancelled"):
        await conversation.run(task="Go", cancellation_token=token)
    assert reply_of(await conversation.resume()) == "Done."
    assert act.calls == [{"what": "1"}, {"what": "2"}, {"what": "3"}]
    assert model.calls == 5


async def test_what_is_done_needs_no_resuming(house: House) -> None:
    """Nor does a conversation in which nothing was said; the error says what to do."""
    conversation = house().conversation(team_of(Scripted("Done.")))
    with pytest.raises(TaskError, match=r"No turn is open .*run\(task="):
        await conversation.resume()
    await conversation.run(task="Go")
    with pytest.raises(TaskError, match="No turn is open"):
        await conversation.resume()


async def test_a_new_task_gives_the_failed_turn_up_and_the_team_hears_what_it_did(house: House) -> None:
    """What it only looked at is not told."""
    act, look = recording(answer="receipt 7"), recording("look", consequential=False)
    model = Scripted(act_on(1), act_on(1, "look"), ValueError("boom"), "I see.")
    conversation = house(tools=ALLOWED).conversation(
        team_of(model, [act.function, look.function], max_tool_iterations=9)
    )
    with pytest.raises(ModelCallFailed):
        await conversation.run(task="Go")
    assert reply_of(await conversation.run(task="Did you pay?")) == "I see."
    told = [str(message.content) for message in model.prompts[-1]]
    assert 'The run before did not end well, but in it act {"what": "1"}: receipt 7' in "\n".join(told)
    assert "look" not in "\n".join(told)
    assert len(act.calls) == 1


# Calls of which nobody knows whether they took effect


async def cut_off(house: House, **spec: Any) -> tuple[Talk, list[str], Scripted]:
    """A conversation that was cancelled while its tool, which the policy allows, was at work."""
    token, began = CancellationToken(), list[str]()

    @tool(**spec)
    async def pay(what: str = "", key: str = "") -> str:
        """Pay."""
        began.append(key or what)
        if len(began) == 1:
            token.cancel()
            await asyncio.Event().wait()
        return "paid"

    model = Scripted([call("pay", '{"what": "5 USD"}')], "Done.")
    ringfence = house(tools={"pay": {"decision": "allow"}})
    conversation = ringfence.conversation(team_of(model, [pay], max_tool_iterations=2))
    with pytest.raises(ConversationInterrupted):
        await conversation.run(task="Go", cancellation_token=token)
    assert len(began) == 1
    return conversation, began, model


async def test_a_call_of_unknown_outcome_waits_for_a_person(house: House) -> None:
    """Whoever decides is told what is not known, and where to look first."""
    conversation, began, _ = await cut_off(house, consequential=True)
    await conversation.resume()
    assert (conversation.status, len(began)) == (Status.WAITING_FOR_APPROVAL, 1)
    (request,) = conversation.pending_approvals
    assert (request.kind, request.tool, request.arguments["what"]) == ("doubt", "pay", "5 USD")
    assert "it is not known whether this call took effect" in request.reason
    assert "Look there first" in request.reason
    with pytest.raises(ApprovalRequired):
        await conversation.resume()
    assert len(began) == 1


async def test_an_approved_doubt_runs_the_call_again(house: House) -> None:
    """Once, and its result stands where it would have stood."""
    conversation, began, model = await cut_off(house, consequential=True)
    await conversation.resume()
    await conversation.approve(conversation.pending_approvals[0].id, by="bob")
    assert reply_of(await conversation.resume()) == "Done."
    assert (len(began), model.tool_results()) == (2, ["paid"])


async def test_a_rejected_doubt_tells_the_agent_what_was_found(house: House) -> None:
    """The call does not run again; the person's reason is its result."""
    conversation, began, model = await cut_off(house, consequential=True)
    await conversation.resume()
    doubt = conversation.pending_approvals[0].id
    await conversation.reject(doubt, by="bob", reason="the payment is there")
    assert reply_of(await conversation.resume()) == "Done."
    assert len(began) == 1
    (told,) = model.tool_results()
    assert "It is not known whether an earlier try took effect, and it was not run again." in told
    assert "the payment is there" in told


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"consequential": False}, id="read-only"),
        pytest.param({"consequential": True, "idempotent": True}, id="idempotent"),
        pytest.param({"consequential": True, "idempotency_key": "key"}, id="with an idempotency key"),
    ],
)
async def test_a_call_that_cannot_act_twice_is_made_again(house: House, spec: dict[str, Any]) -> None:
    """Nobody is asked; a service that takes a key gets the same one both times."""
    conversation, began, model = await cut_off(house, **spec)
    assert reply_of(await conversation.resume()) == "Done."
    assert model.tool_results() == ["paid"]
    assert len(began) == 2
    assert began[0] == began[1] != ""


async def test_an_approved_call_that_was_cut_off_is_in_doubt(house: House) -> None:
    """The first yes was for the first attempt, and the second needs one of its own."""
    token, began = CancellationToken(), list[int]()

    @tool(consequential=True)
    async def pay() -> str:
        """Pay."""
        began.append(1)
        if len(began) == 1:
            token.cancel()
            await asyncio.Event().wait()
        return "paid"

    conversation = house().conversation(team_of(Scripted([call("pay")], "Done."), [pay]))
    await conversation.run(task="Go")
    await conversation.approve(conversation.pending_approvals[0].id, by="bob")
    with pytest.raises(ConversationInterrupted):
        await conversation.resume(cancellation_token=token)
    await conversation.resume()
    assert [request.kind for request in conversation.pending_approvals] == ["doubt"]
    await conversation.approve(conversation.pending_approvals[0].id, by="bob")
    await conversation.resume()
    assert (len(began), conversation.status) == (2, Status.DONE)


# Questions to the user


def asking(model: Scripted) -> TeamFactory:
    """A desk that says something, a user who is asked, and the desk again."""

    def factory(fence: Fence) -> RoundRobinGroupChat:
        user = UserProxyAgent("customer", input_func=fence.user_input())
        return RoundRobinGroupChat([agent(fence, model), user], max_turns=3)

    return factory


async def test_a_question_waits_for_its_answer(house: House) -> None:
    """The conversation is suspended; with the answer it goes on, and the desk was not asked anew."""
    model = Scripted("Which order?", "Thank you.")
    conversation = house().conversation(asking(model))
    result = await conversation.run(task="A refund, please")
    assert conversation.status is Status.WAITING_FOR_ANSWER
    assert "customer" in str(result.stop_reason)
    (question,) = conversation.pending_questions
    assert question.agent == "customer"
    await conversation.answer(question.id, "Order 1182")
    assert conversation.pending_questions == ()
    result = await conversation.resume()
    assert texts(result)[-2:] == ["Order 1182", "Thank you."]
    assert (model.calls, conversation.status) == (2, Status.DONE)


async def test_an_answer_passes_the_users_door(house: House) -> None:
    """The models see pseudonyms; what a guardrail bans ends the run."""
    model = Scripted("Who are you?", "Thank you.")
    conversation = house().conversation(asking(model))
    await conversation.run(task="Hello")
    await conversation.answer(conversation.pending_questions[0].id, EVERY_CANARY)
    assert EMAIL in texts(await conversation.resume())[-2]
    assert "<EMAIL_ADDRESS_1>" in model.seen
    assert not canaries_in(model.seen)


async def test_what_is_no_answer_is_refused(house: House) -> None:
    """An empty one, one to no question, a second one, and going on without one."""
    conversation = house().conversation(asking(Scripted("Which order?", "Thank you.")))
    await conversation.run(task="A refund, please")
    (question,) = conversation.pending_questions
    with pytest.raises(AnswerRequired):
        await conversation.resume()
    with pytest.raises(TaskError, match="waits for a person"):
        await conversation.run(task="Order 1182")
    with pytest.raises(TaskError, match="empty"):
        await conversation.answer(question.id, "  ")
    with pytest.raises(RingfenceError, match="No question"):
        await conversation.answer("question-0", "Order 1182")
    await conversation.answer(question.id, "Order 1182")
    with pytest.raises(RingfenceError, match="No question"):
        await conversation.answer(question.id, "Order 1183")
    assert "Order 1182" in texts(await conversation.resume())


# What is not as it was


class Desk:
    """A team factory of which every part can be changed between two runs."""

    def __init__(self, *replies: Any) -> None:
        self.log, self.act = recording("log"), recording()
        self.model = Scripted(*replies)
        self.tools: list[Any] = [self.log.function, self.act.function]
        self.name, self.prompt, self.model_name = "desk", "Be kind.", "scripted"

    def __call__(self, fence: Fence) -> RoundRobinGroupChat:
        """Build it as it is now."""
        desk = agent(
            fence, self.model, name=self.name, tools=self.tools, system_message=self.prompt,
            max_tool_iterations=9,
        )  # fmt: skip
        desk._model_client._model = self.model_name  # type: ignore[attr-defined]  # as the factory would say
        return RoundRobinGroupChat([desk], max_turns=1)


def other_name(desk: Desk) -> None:
    """The team has another agent."""
    desk.name = "clerk"


def other_prompt(desk: Desk) -> None:
    """The agent is told something else."""
    desk.prompt = "Be strict."


def other_model(desk: Desk) -> None:
    """Another model answers."""
    desk.model_name = "scripted-2"


def other_tools(desk: Desk) -> None:
    """The agent has one more tool."""
    desk.tools = [*desk.tools, recording("more").function]


CHANGES = [
    pytest.param(other_name, "the team is made of other parts", id="team"),
    pytest.param(other_prompt, r"the prompts are other ones \(.*desk\)", id="prompts"),
    pytest.param(other_model, r"the models are other ones \(.*desk\)", id="models"),
    pytest.param(other_tools, r"the tools are other ones \(.*more.*\)", id="tools"),
]
PRICES = {"scripted": "free", "scripted-2": "free"}


async def half_done(house: House) -> tuple[Desk, Talk]:
    """A turn that has written into a log, and whose next call waits for a person."""
    desk = Desk(act_on("it", "log"), act_on("it"), "Done.")
    ringfence = house(tools={"log": {"decision": "allow"}}, prices=PRICES)
    conversation = ringfence.conversation(desk)
    await conversation.run(task="Go")
    assert conversation.status is Status.WAITING_FOR_APPROVAL
    return desk, conversation


@pytest.mark.parametrize(("change", "said"), CHANGES)
async def test_a_turn_does_not_go_on_with_another_team(
    house: House, change: Callable[[Desk], None], said: str
) -> None:
    """The error names what changed; with the team as it was, the turn goes on as if nothing had been."""
    desk, conversation = await half_done(house)
    (request,) = conversation.pending_approvals
    await conversation.approve(request.id, by="bob")
    before = dict(vars(desk))
    change(desk)
    with pytest.raises(ConversationChanged, match=said):
        await conversation.resume()
    assert conversation.status is Status.WAITING_FOR_APPROVAL
    vars(desk).update(before)
    assert reply_of(await conversation.resume()) == "Done."
    assert (len(desk.log.calls), len(desk.act.calls), desk.model.calls) == (1, 1, 3)


@pytest.mark.parametrize(("change", "said"), CHANGES)
async def test_a_changed_team_begins_the_turn_anew_when_that_is_allowed(
    house: House, change: Callable[[Desk], None], said: str
) -> None:
    """It hears the task, and what was done already; what waited was for another team, and does not run."""
    desk, conversation = await half_done(house)
    (request,) = conversation.pending_approvals
    await conversation.approve(request.id, by="bob")
    change(desk)
    with pytest.raises(ConversationChanged, match=said):
        await conversation.resume()
    assert reply_of(await conversation.resume(allow_changes=True)) == "Done."
    told = str(desk.model.prompts[-1])
    assert 'The run before did not end well, but in it log {"what": "it"}: done' in told
    assert "Go" in told
    assert (len(desk.log.calls), desk.act.calls) == (1, [])
    assert (conversation.status, conversation.pending_approvals) == (Status.DONE, ())


class Restless(UnboundedChatCompletionContext):
    """Shows the model something else in each team that is built."""

    built = 0

    async def get_messages(self) -> list[LLMMessage]:
        """What was said, and which team this is."""
        said = await super().get_messages()
        return [*said, UserMessage(content=f"This is team {Restless.built}.", source="context")]


async def test_a_turn_that_takes_another_course_when_it_is_played_again_stops(house: House) -> None:
    """Nothing of it can be told from what is new; it may begin anew, and hears what was done."""
    act, model = recording(), Scripted(act_on(1), ValueError("boom"), "Done.")

    def factory(fence: Fence) -> RoundRobinGroupChat:
        Restless.built += 1
        desk = agent(fence, model, tools=[act.function], max_tool_iterations=9, model_context=Restless())
        return RoundRobinGroupChat([desk], max_turns=1)

    conversation = house(tools=ALLOWED).conversation(factory)
    with pytest.raises(ModelCallFailed):
        await conversation.run(task="Go")
    with pytest.raises(ConversationChanged, match="desk asks its model something else"):
        await conversation.resume()
    with pytest.raises(ConversationChanged, match="took another course"):
        await conversation.resume()
    assert model.calls == 2
    assert reply_of(await conversation.resume(allow_changes=True)) == "Done."
    assert 'in it act {"what": "1"}: done' in str(model.prompts[-1])
    assert len(act.calls) == 1
