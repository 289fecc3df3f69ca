"""The model door: whatever a model replies, the run ends, and nothing happens that was not cleared."""

import asyncio
import json
from collections.abc import AsyncIterable, Callable
from decimal import Decimal
from typing import Any, cast

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import Handoff
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.messages import HandoffMessage
from autogen_agentchat.teams import Swarm
from autogen_core.models import CreateResult, RequestUsage
from fenced import (
    CANARIES,
    EMAIL,
    EVERY_CANARY,
    agent,
    audit,
    canaries_in,
    every_word,
    left_behind,
    recording,
    reply_of,
    team_of,
    texts,
)
from pydantic import BaseModel
from scripted import Scripted, call, created

from ringfence import (
    ApprovalRequest,
    Approved,
    ConversationInterrupted,
    Fence,
    GuardrailTripped,
    ModelCallFailed,
    Rejected,
    Ringfence,
    RingfenceError,
    Status,
    TeamFactory,
    tool,
)

House = Callable[..., Ringfence]
CARD = "4111111111111111"
NOT_PLAIN = "not one plain JSON object"


def arguments(what: object) -> str:
    """The arguments of a call of `act`."""
    return json.dumps({"what": what})


def odd(**fields: Any) -> CreateResult:
    """A reply that pydantic would not have let through."""
    whole: dict[str, Any] = {
        "content": "hi",
        "finish_reason": "stop",
        "usage": RequestUsage(prompt_tokens=1, completion_tokens=1),
        "cached": False,
        "thought": None,
        "logprobs": None,
    }
    return CreateResult.model_construct(**whole | fields)


@pytest.mark.parametrize(
    ("calls", "says"),
    [
        pytest.param([call(arguments='{"what": ')], NOT_PLAIN, id="arguments that are cut off"),
        pytest.param([call(arguments="")], NOT_PLAIN, id="no arguments at all"),
        pytest.param([call(arguments='["x"]')], NOT_PLAIN, id="a list as arguments"),
        pytest.param([call(arguments='"x"')], NOT_PLAIN, id="a text as arguments"),
        pytest.param([call(arguments="null")], NOT_PLAIN, id="null as arguments"),
        pytest.param([call(arguments='{"what": %s}' % ("9" * 5000))], NOT_PLAIN, id="5000 digits"),
        pytest.param(
            [call(arguments='{"what": "x", "what": "y"}')], NOT_PLAIN, id="a key that is there twice"
        ),
        pytest.param([call(arguments='{"what": NaN}')], NOT_PLAIN, id="NaN"),
        pytest.param([call(arguments='{"what": -Infinity}')], NOT_PLAIN, id="minus infinity"),
        pytest.param(
            [call(arguments='{"what": %s}' % ("[" * 100_000))], NOT_PLAIN, id="100000 open brackets"
        ),
        pytest.param([call(arguments=f'{{"what": "{EVERY_CANARY}')], NOT_PLAIN, id="personal data, cut off"),
        pytest.param([call(arguments='{"whta": "x"}')], "no argument `whta`", id="a misspelt argument"),
        pytest.param([call("nope")], "nope", id="a tool that does not exist"),
        pytest.param([call("other")], "other", id="a tool of another agent"),
        pytest.param([call("transfer_to_bob")], "transfer_to_bob", id="a handoff to somebody unknown"),
        pytest.param([call("")], "", id="a tool without a name"),
        pytest.param([call(f"act {EMAIL}")], "<EMAIL_ADDRESS_1>", id="personal data as a name"),
        pytest.param([call("denied")], "the policy denies denied", id="a tool that the policy denies"),
    ],
)
async def test_a_call_that_makes_no_sense_is_refused_and_the_model_hears_why(
    house: House, logs: pytest.LogCaptureFixture, calls: list[Any], says: str
) -> None:
    """Nothing runs, the model gets a result that it can use, and the run goes on to its end."""
    act, other, denied = (recording(name, consequential=False) for name in ("act", "other", "denied"))
    model = Scripted(calls, "I see.")
    ringfence = house(tools={"denied": {"decision": "deny"}})

    def two_agents(fence: Fence) -> Swarm:
        desk = agent(fence, model, tools=[act.function, denied.function], max_tool_iterations=2)
        return Swarm(
            [desk, agent(fence, Scripted("never"), name="helper", tools=[other.function])],
            termination_condition=MaxMessageTermination(2),
        )

    conversation = ringfence.conversation(two_agents)
    result = await conversation.run(task="Go")
    (told,) = model.tool_results()
    assert says in told
    assert reply_of(result) == "I see."
    assert [act.calls, other.calls, denied.calls] == [[], [], []]
    assert not canaries_in(model.seen + await left_behind(conversation, ringfence, logs))


@pytest.mark.parametrize(
    ("reply", "error", "says"),
    [
        pytest.param(None, ModelCallFailed, "nothing", id="None"),
        pytest.param(object(), ModelCallFailed, "nothing", id="an object"),
        pytest.param(b"hello", ModelCallFailed, "nothing", id="bytes"),
        pytest.param(odd(content=None), ConversationInterrupted, "TypeError", id="no content"),
        pytest.param(odd(content=5), ConversationInterrupted, "TypeError", id="a number as content"),
        pytest.param(odd(content=["act"]), ConversationInterrupted, "AttributeError", id="texts for calls"),
        pytest.param([call(arguments=cast(str, {}))], ConversationInterrupted, "TypeError", id="a mapping"),
        pytest.param(ValueError("boom"), ModelCallFailed, "ValueError", id="an exception"),
        pytest.param(ValueError(EVERY_CANARY), ModelCallFailed, "ValueError", id="one with personal data"),
        pytest.param(TimeoutError(EVERY_CANARY), ModelCallFailed, "no answer in time", id="a time-out"),
        pytest.param(MemoryError(), ModelCallFailed, "MemoryError", id="no memory"),
        pytest.param(RecursionError(), ModelCallFailed, "RecursionError", id="no stack"),
        pytest.param(
            asyncio.CancelledError(), ModelCallFailed, "CancelledError", id="a cancellation of its own"
        ),
        pytest.param(
            [call(arguments='{"what": %s}' % ("[" * 200 + "]" * 200))],
            GuardrailTripped,
            "nested too deeply",
            id="arguments 200 levels deep",
        ),
        pytest.param(
            f"My number is {EVERY_CANARY}, 536-22-8726", GuardrailTripped, "US_SSN", id="blocked data"
        ),
    ],
)
async def test_a_reply_that_is_none_ends_the_run_with_a_typed_error(
    house: House, logs: pytest.LogCaptureFixture, reply: Any, error: type[RingfenceError], says: str
) -> None:
    """The error says what happened and quotes nobody, nothing ran, and a fresh team takes the next task."""
    act = recording()
    entities = dict.fromkeys(CANARIES, "pseudonymize") | {"US_SSN": "block"}
    ringfence = house(pii={"entities": entities})
    model = Scripted(reply, "Better now.")
    conversation = ringfence.conversation(team_of(model, [act.function]))
    with pytest.raises(error, match=says) as failed:
        await conversation.run(task="Go")
    assert act.calls == []
    assert conversation.status is (Status.BLOCKED if error is GuardrailTripped else Status.FAILED)
    assert not canaries_in(await left_behind(conversation, ringfence, logs, failed.value))
    assert reply_of(await conversation.run(task="Again")) == "Better now."


@pytest.mark.parametrize(
    ("reply", "shows"),
    [
        pytest.param("", "", id="an empty text"),
        pytest.param([], "[The model's reply was empty.]", id="an empty list of calls"),
        pytest.param("Hi \ud800\x00 there", "Hi \ufffd there", id="surrogates and control characters"),
        pytest.param("x" * 1_000_000, "x" * 1_000_000, id="a million characters"),
    ],
)
async def test_an_odd_text_is_put_right(house: House, reply: Any, shows: str) -> None:
    """What is odd and harmless reaches the user in a form that can be shown and stored."""
    conversation = house(limits={"tokens": None}).conversation(team_of(Scripted(reply)))
    assert reply_of(await conversation.run(task="Go")) == shows


@pytest.mark.parametrize(
    ("reply", "runs_with"),
    [
        pytest.param(EVERY_CANARY, [], id="in a text"),
        pytest.param(created("ok", thought=EVERY_CANARY), [], id="in a thought"),
        pytest.param(created([call()], thought=EVERY_CANARY), [""], id="in a thought beside a call"),
        pytest.param([call(arguments=arguments(EMAIL))], ["<EMAIL_ADDRESS_1>"], id="in an argument"),
        pytest.param(
            [call(arguments='{"what": "jane.doe\\u0040acme-canary.com"}')],
            ["<EMAIL_ADDRESS_1>"],
            id="in an argument, escaped",
        ),
        pytest.param([call(arguments=json.dumps({EMAIL: "x"}))], [], id="as the name of an argument"),
        pytest.param([call(arguments=arguments({"deep": [EMAIL]}))], None, id="deep in an argument"),
        pytest.param([call(arguments=f'{{"what": {CARD}}}')], None, id="as a number"),
        pytest.param([call(id=CARD)], [""], id="as the id of a call"),
        pytest.param([call(CARD)], [], id="as the name of a tool"),
    ],
)
async def test_personal_data_in_a_reply_is_masked_before_an_agent_reads_it(
    house: House, logs: pytest.LogCaptureFixture, reply: Any, runs_with: list[str] | None
) -> None:
    """A model may know or guess personal data: contexts, state, transcript, audit and logs stay clean."""
    act = recording(consequential=False)
    ringfence = house()
    model = Scripted(reply, "ok")
    conversation = ringfence.conversation(team_of(model, [act.function], max_tool_iterations=2))
    await conversation.run(task="Go")
    await conversation.run(task="And again")
    everything = model.seen + str(act.calls) + await left_behind(conversation, ringfence, logs)
    assert not canaries_in(everything)
    assert CARD not in everything
    if runs_with is not None:
        assert [one["what"] for one in act.calls] == runs_with


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        pytest.param((7, 3), (7, 3), id="as reported"),
        pytest.param((0, 0), (None, 1024), id="none: the worst case"),
        pytest.param((-5, -7), (None, 1024), id="less than none: the worst case"),
        pytest.param((-5, 7), (None, 7), id="partly less than none"),
        pytest.param((10**12, 10**12), (10**12, 10**12), id="more than anybody has"),
    ],
)
async def test_a_reported_usage_never_lowers_what_was_spent(
    house: House, usage: tuple[int, int], counts: tuple[int | None, int]
) -> None:
    """What cannot be true counts as the worst case, and a huge usage stops the next call."""
    price = {"input_usd_per_million_tokens": 1, "output_usd_per_million_tokens": 1}
    model = Scripted(created("hi", usage=usage), "more")
    conversation = house(prices={"scripted": price}).conversation(team_of(model, turns=2))
    await conversation.run(task="Go")
    first = conversation.steps[0].usage
    assert first.input_tokens == (counts[0] or first.input_tokens)
    assert first.output_tokens == counts[1]
    assert first.input_tokens > 0
    assert first.usd == Decimal(first.tokens) / 1_000_000
    assert conversation.usage.usd > 0
    is_huge = usage[0] > 10**6
    assert conversation.status is (Status.LIMIT_REACHED if is_huge else Status.DONE)
    assert model.calls == (1 if is_huge else 2)


@pytest.mark.parametrize("ids", [("same", "same"), ("", ""), ("x" * 500, "x" * 500), ("a b", "a\nb")])
async def test_each_call_has_a_clearance_of_its_own(house: House, ids: tuple[str, str]) -> None:
    """Two calls under one id, or under none, both run once, with their own arguments and results."""
    act = recording(consequential=False, answer="done")
    calls = [call(arguments=arguments(str(number)), id=id_) for number, id_ in enumerate(ids)]
    model = Scripted(calls, "ok")
    await house().conversation(team_of(model, [act.function], max_tool_iterations=2)).run(task="Go")
    assert sorted(one["what"] for one in act.calls) == ["0", "1"]
    results = model.prompts[-1][-1].content
    assert len({result.call_id for result in results}) == 2  # type: ignore[union-attr]


async def test_an_id_that_was_used_before_does_not_renew_a_clearance(house: House) -> None:
    """A model that repeats the id of an approved call, with other arguments, is judged afresh."""
    act = recording()
    model = Scripted(
        [call(arguments=arguments("ten dollars"), id="pay")],
        [call(arguments=arguments("all"), id="pay")],
        "ok",
    )
    asked: list[object] = []

    async def once(request: ApprovalRequest) -> Approved | Rejected:
        asked.append(request.arguments["what"])
        return Approved("bob") if len(asked) == 1 else Rejected("bob")

    conversation = house().conversation(team_of(model, [act.function], max_tool_iterations=3), approver=once)
    await conversation.run(task="Go")
    assert asked == ["ten dollars", "all"]
    assert act.calls == [{"what": "ten dollars"}]


async def test_fifty_parallel_calls_all_run_once(house: House) -> None:
    """Clearances are kept apart when a reply asks for many calls at once."""
    act = recording(consequential=False)
    calls = [call(arguments=arguments(str(number)), id=f"call-{number}") for number in range(50)]
    model = Scripted(calls, "ok")
    await house().conversation(team_of(model, [act.function], max_tool_iterations=2)).run(task="Go")
    assert sorted(int(one["what"]) for one in act.calls) == list(range(50))
    assert model.tool_results() == ["done"] * 50


async def test_good_calls_run_beside_refused_ones(house: House) -> None:
    """One bad call of a reply does not take the others with it, and each gets its own answer."""
    act = recording(consequential=False)
    model = Scripted(
        [call("nope", id="1"), call(arguments=arguments("x"), id="2"), call(arguments="{", id="3")], "ok"
    )
    await house().conversation(team_of(model, [act.function], max_tool_iterations=2)).run(task="Go")
    assert act.calls == [{"what": "x"}]
    assert [NOT_PLAIN in text for text in model.tool_results()] == [False, False, True]


async def test_personal_data_in_an_operators_prompt_stays_in_the_house(house: House) -> None:
    """System prompts and descriptions of tools are masked like any text on its way to a provider."""

    @tool(consequential=False)
    def act(what: str) -> str:
        """Do it."""
        return what

    act.__doc__ = f"Do it as {EMAIL} says."
    model = Scripted("ok")
    factory = team_of(model, [act], system_message=f"Your boss is {EVERY_CANARY}.")
    await house().conversation(factory).run(task="Go")
    assert not canaries_in(model.seen)


# Handoffs, which AutoGen runs past the workbench


def swarm(desk_model: Scripted, bob_model: Scripted, *handoffs: Any) -> TeamFactory:
    """A desk that may hand over to bob."""

    def factory(fence: Fence) -> Swarm:
        desk = agent(fence, desk_model, handoffs=list(handoffs) or ["bob"])
        bob = agent(fence, bob_model, name="bob")
        return Swarm([desk, bob], termination_condition=MaxMessageTermination(4))

    return factory


async def test_a_handoff_goes_through(house: House) -> None:
    """A handoff that the policy says nothing of changes the speaker."""
    bob = Scripted("Bob here.")
    result = await house().conversation(swarm(Scripted([call("transfer_to_bob")]), bob)).run(task="Go")
    assert any(isinstance(message, HandoffMessage) for message in result.messages)
    assert reply_of(result) == "Bob here."


@pytest.mark.parametrize("name", ["transfer_to_bob", "transfer_*", "*"])
@pytest.mark.parametrize("decision", ["deny", "approve"])
async def test_a_handoff_that_the_policy_denies_does_not_happen(
    house: House, name: str, decision: str
) -> None:
    """Denied by its name or by a glob: the desk keeps the floor, and bob's model is never called."""
    desk, bob = Scripted([call("transfer_to_bob")], "I stay."), Scripted("Bob here.")
    conversation = house(tools={name: {"decision": decision}}).conversation(swarm(desk, bob))
    result = await conversation.run(task="Go")
    assert not any(isinstance(message, HandoffMessage) for message in result.messages)
    assert bob.calls == 0
    assert "does not allow the handoff" in texts(result)[1]


async def test_a_denied_handoff_does_not_take_a_good_call_with_it(house: House) -> None:
    """The call that may run does, the handoff beside it does not."""
    act = recording(consequential=False)
    bob = Scripted("Bob here.")

    def factory(fence: Fence) -> Swarm:
        model = Scripted([call("transfer_to_bob", id="1"), call(id="2")], "I stay.")
        desk = agent(fence, model, handoffs=["bob"], tools=[act.function])
        return Swarm([desk, agent(fence, bob, name="bob")], termination_condition=MaxMessageTermination(3))

    await house(tools={"transfer_*": {"decision": "deny"}}).conversation(factory).run(task="Go")
    assert (len(act.calls), bob.calls) == (1, 0)


async def test_a_handoff_to_an_agent_outside_the_team_ends_in_a_typed_error(house: House) -> None:
    """The swarm itself fails on it; what comes out is ours, and the next run works."""
    handoff = Handoff(target="ghost", name="transfer_to_ghost")
    desk = Scripted([call("transfer_to_ghost")], "I stay.")
    conversation = house().conversation(swarm(desk, Scripted("Bob here."), handoff))
    with pytest.raises(ConversationInterrupted):
        await conversation.run(task="Go")
    assert conversation.status is Status.FAILED


async def test_personal_data_in_the_arguments_of_a_handoff_is_gone(
    house: House, logs: pytest.LogCaptureFixture
) -> None:
    """The next agent gets the context of the handoff without real values."""
    ringfence, bob = house(), Scripted("Bob here.")
    desk = Scripted([call("transfer_to_bob", json.dumps({"why": EMAIL}))])
    conversation = ringfence.conversation(swarm(desk, bob))
    await conversation.run(task=f"I am {EMAIL}")
    assert not canaries_in(bob.seen + await left_behind(conversation, ringfence, logs))


# Guardrails and structure


async def test_a_guardrail_at_message_lets_the_model_try_again(house: House) -> None:
    """A reply that is refused with `reask` is asked for again, and only the good one reaches the team."""
    model = Scripted("We guarantee it.", "We will try.")
    ringfence = house(guardrails=[no_promises("reask")])
    conversation = ringfence.conversation(team_of(model))
    result = await conversation.run(task="Go")
    assert texts(result)[1:] == ["We will try."]
    assert "not accepted" in str(model.prompts[1][-1].content)
    assert conversation.usage.model_calls == 2
    assert [line["event"] for line in audit(ringfence)].count("reask") == 1


async def test_a_model_that_does_not_mend_its_ways_is_stopped(house: House) -> None:
    """After the allowed number of tries the run ends with GuardrailTripped."""
    model = Scripted("We guarantee it.")
    conversation = house(guardrails=[no_promises("reask")], reasks=2).conversation(team_of(model))
    with pytest.raises(GuardrailTripped) as tripped:
        await conversation.run(task="Go")
    assert (model.calls, tripped.value.point) == (3, "message")
    assert conversation.status is Status.BLOCKED


async def test_a_guardrail_at_message_reads_arguments_too(house: House) -> None:
    """What may not be said may not be done either: a forbidden phrase in an argument blocks the reply."""
    act = recording(consequential=False)
    model = Scripted([call(arguments=arguments("we guarantee it"))])
    conversation = house(guardrails=[no_promises("exception")]).conversation(team_of(model, [act.function]))
    with pytest.raises(GuardrailTripped):
        await conversation.run(task="Go")
    assert act.calls == []


class Answer(BaseModel):
    """What the agent has to answer."""

    number: int


async def test_a_reply_must_fit_the_structure_that_was_asked_for(house: House) -> None:
    """A reply that does not parse is asked for again; the user gets the one that does."""
    model = Scripted('{"number": "many"}', '{"number": 7}')
    conversation = house().conversation(lambda fence: agent(fence, model, output_content_type=Answer))
    result = await conversation.run(task="Go")
    assert result.messages[-1].model_dump()["content"] == {"number": 7}


async def test_a_reply_that_never_fits_is_a_tripped_guardrail(house: House) -> None:
    """The error names what is wrong, and quotes nothing."""
    model = Scripted(json.dumps({"number": EMAIL}))
    conversation = house().conversation(lambda fence: agent(fence, model, output_content_type=Answer))
    with pytest.raises(GuardrailTripped, match="number") as tripped:
        await conversation.run(task="Go")
    assert not canaries_in(every_word(tripped.value))


async def test_streamed_text_leaves_only_when_all_of_it_has_passed(house: House) -> None:
    """With `model_client_stream` an address is never seen in pieces, and a blocked text not at all."""
    ringfence = house(guardrails=[no_promises("exception")])
    good = team_of(Scripted(f"Write to {EMAIL} soon."), model_client_stream=True)
    conversation = ringfence.conversation(good)
    kinds = [type(event).__name__ async for event in conversation.run_stream(task="Go")]
    assert kinds == ["TextMessage", "ModelClientStreamingChunkEvent", "TextMessage", "TaskResult"]
    assert [entry.text for entry in conversation.transcript][1:] == ["Write to <EMAIL_ADDRESS_1> soon."] * 2
    bad = ringfence.conversation(team_of(Scripted("We guarantee it."), model_client_stream=True))
    seen: list[object] = []
    with pytest.raises(GuardrailTripped):
        await note(bad.run_stream(task="Go"), seen)
    assert "guarantee" not in str(seen)


async def test_an_agent_that_is_not_in_a_team_is_fenced_as_well(house: House) -> None:
    """A factory may return one agent; the doors are the same."""
    act = recording()

    def one(fence: Fence) -> AssistantAgent:
        return agent(fence, Scripted([call(arguments=arguments(EMAIL))], "ok"), tools=[act.function])

    conversation = house().conversation(one)
    await conversation.run(task=EMAIL)
    assert conversation.status is Status.WAITING_FOR_APPROVAL
    assert act.calls == []
    assert not canaries_in(str(conversation.transcript))


async def note(events: AsyncIterable[object], seen: list[object]) -> None:
    """Keep the events of a stream that may break off."""
    async for event in events:
        seen.append(event)  # noqa: PERF401 - what came before the break is to be kept


def no_promises(on_fail: str) -> dict[str, Any]:
    """The entry of a policy that bans a promise from replies."""
    return {
        "use": "ringfence/banned_phrases",
        "at": ["message"],
        "on_fail": on_fail,
        "with": {"phrases": ["we guarantee"]},
    }
