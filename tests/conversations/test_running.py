"""A conversation runs like an AutoGen team: results, events in order, turns, state."""

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent, SocietyOfMindAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination
from autogen_agentchat.messages import (
    MemoryQueryEvent,
    TextMessage,
    ThoughtEvent,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
    ToolCallSummaryMessage,
)
from autogen_agentchat.teams import (
    DiGraphBuilder,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
)
from autogen_agentchat.ui import Console
from autogen_core.memory import ListMemory, MemoryContent, MemoryMimeType
from fenced import EMAIL, EVERY_CANARY, agent, canaries_in, recording, reply_of, team_of, texts
from scripted import Scripted, call, created

from ringfence import ConversationInterrupted, Fence, Ringfence, Status, TaskError

House = Callable[..., Ringfence]


def pair(first: Scripted, second: Scripted, *, turns: int = 2) -> Callable[[Fence], RoundRobinGroupChat]:
    """Two agents that speak in turn."""

    def factory(fence: Fence) -> RoundRobinGroupChat:
        return RoundRobinGroupChat(
            [agent(fence, first, name="a"), agent(fence, second, name="b")], max_turns=turns
        )

    return factory


async def test_run_answers_with_autogens_own_result(house: House) -> None:
    """Messages, sources and the stop reason are those of the team."""
    conversation = house().conversation(pair(Scripted("one"), Scripted("two")))
    assert [conversation.status] == [Status.READY]
    result = await conversation.run(task="Go")
    assert isinstance(result, TaskResult)
    assert [(one.source, one.to_text()) for one in result.messages] == [
        ("user", "Go"),
        ("a", "one"),
        ("b", "two"),
    ]
    assert result.stop_reason == "Maximum number of turns 2 reached."
    assert conversation.status is Status.DONE


async def test_the_events_of_a_run_come_in_their_order(house: House) -> None:
    """A thought, a call, its result, the summary, the next agent: as AutoGen has them, the result last."""
    act = recording(consequential=False)
    model = Scripted(created([call()], thought="Let me see."))

    def factory(fence: Fence) -> RoundRobinGroupChat:
        first = agent(fence, model, name="a", tools=[act.function])
        return RoundRobinGroupChat([first, agent(fence, Scripted("two"), name="b")], max_turns=2)

    events = [event async for event in house().conversation(factory).run_stream(task="Go")]
    assert [type(event) for event in events] == [
        TextMessage,
        ThoughtEvent,
        ToolCallRequestEvent,
        ToolCallExecutionEvent,
        ToolCallSummaryMessage,
        TextMessage,
        TaskResult,
    ]
    assert events[-1].messages == events[:-1]  # type: ignore[union-attr]


async def test_the_console_of_autogen_shows_a_conversation(house: House) -> None:
    """`Console` takes the stream, and the user reads real values."""
    conversation = house().conversation(team_of(Scripted("Wrote to <EMAIL_ADDRESS_1>.")))
    with redirect_stdout(io.StringIO()) as shown:
        result = await Console(conversation.run_stream(task=f"Mail {EMAIL}"))
    assert f"Wrote to {EMAIL}." in shown.getvalue()
    assert isinstance(result, TaskResult)


async def test_task_messages_can_be_left_out(house: House) -> None:
    """With `output_task_messages=False` the task is worked on, and not repeated."""
    model = Scripted("one")
    conversation = house().conversation(team_of(model))
    result = await conversation.run(task="Go", output_task_messages=False)
    assert texts(result) == ["one"]
    assert "Go" in model.seen


async def test_the_next_task_goes_on_where_the_last_one_ended(house: House) -> None:
    """Agents remember earlier runs, pseudonyms stay the same, usage adds up, and turns count afresh."""
    model = Scripted("one", "two", "Reach <EMAIL_ADDRESS_1>.")
    conversation = house(limits={"turns": 2}).conversation(team_of(model))
    for task in ("Go", "On", f"Mail {EMAIL}"):
        result = await conversation.run(task=task)
    assert reply_of(result) == f"Reach {EMAIL}."
    assert [text in model.seen for text in ("Go", "one", "On", "two")] == [True] * 4
    usage = conversation.usage
    assert (usage.model_calls, usage.turns, usage.input_tokens, usage.output_tokens) == (3, 3, 300, 30)
    assert [(step.agent, step.model) for step in conversation.steps] == [("desk", "scripted")] * 3


async def test_the_transcript_has_everything_in_pseudonyms(house: House) -> None:
    """Sources, kinds and texts of all messages of all runs, as the agents saw them."""
    act = recording(consequential=False, answer=EMAIL)
    model = Scripted([call(arguments=f'{{"what": "{EMAIL}"}}')], "ok", "<EMAIL_ADDRESS_1>")
    conversation = house().conversation(team_of(model, [act.function], max_tool_iterations=2))
    await conversation.run(task=EVERY_CANARY)
    await conversation.run(task="And?")
    assert [(entry.source, entry.kind) for entry in conversation.transcript] == [
        ("user", "TextMessage"),
        ("desk", "ToolCallRequestEvent"),
        ("desk", "ToolCallExecutionEvent"),
        ("desk", "TextMessage"),
        ("user", "TextMessage"),
        ("desk", "TextMessage"),
    ]
    assert conversation.transcript[1].text == 'act {"what": "<EMAIL_ADDRESS_1>"}'
    assert conversation.transcript[1].as_dict()["source"] == "desk"
    assert not canaries_in(str(conversation.transcript))


async def test_a_state_goes_on_in_another_conversation(house: House) -> None:
    """What `save_state` gives can be stored as JSON, holds no personal data, and `load_state` takes it up."""
    import json

    first = house().conversation(team_of(Scripted("one")))
    assert await first.save_state() == {}
    await first.run(task=f"Remember {EMAIL}")
    stored = json.dumps(await first.save_state())
    assert EMAIL not in stored
    model = Scripted("two")
    second = house().conversation(team_of(model))
    await second.load_state(json.loads(stored))
    assert reply_of(await second.run()) == "two"
    assert "Remember <EMAIL_ADDRESS_1>" in model.seen


async def test_a_name_out_of_another_conversation_means_nobody_here(house: House) -> None:
    """A loaded state's pseudonyms are not given to somebody else."""
    first = house().conversation(team_of(Scripted("one")))
    await first.run(task=f"Remember {EMAIL}")
    model = Scripted("<EMAIL_ADDRESS_1> and <EMAIL_ADDRESS_2>")
    second = house().conversation(team_of(model))
    await second.load_state(await first.save_state())
    assert reply_of(await second.run(task="I am bob@acme.com")) == "<EMAIL_ADDRESS_1> and bob@acme.com"


async def test_reset_forgets_what_was_said_and_not_what_was_spent(house: House) -> None:
    """The team starts anew; usage stays, because the money is gone."""
    model = Scripted("one", "two")
    conversation = house().conversation(team_of(model))
    await conversation.run(task="Remember")
    await conversation.reset()
    assert (conversation.status, conversation.transcript, await conversation.save_state()) == (
        Status.READY,
        (),
        {},
    )
    with pytest.raises(TaskError, match="nothing was said"):
        await conversation.run()
    await conversation.run(task="Go")
    assert "Remember" not in str(model.prompts[-1])
    assert conversation.usage.model_calls == 2


async def test_reset_withdraws_what_waits_for_a_person(house: House) -> None:
    """What nobody remembers cannot be approved any more."""
    act = recording()
    conversation = house().conversation(team_of(Scripted([call()], "ok"), [act.function]))
    await conversation.run(task="Go")
    await conversation.reset()
    assert conversation.pending_approvals == ()


async def test_a_state_cannot_be_changed_under_a_running_team(house: House) -> None:
    """`load_state` and `reset` are refused while a run is under way."""
    conversation = house().conversation(team_of(Scripted("one")))
    async for _ in conversation.run_stream(task="Go"):
        if conversation.status is Status.RUNNING:
            with pytest.raises(ConversationInterrupted, match="running"):
                await conversation.load_state({})
            with pytest.raises(ConversationInterrupted, match="running"):
                await conversation.reset()
    assert conversation.status is Status.DONE


# All kinds of teams


async def test_a_selectors_own_calls_are_fenced_and_counted(house: House) -> None:
    """The model that picks the speaker sees pseudonyms, and its tokens are on the bill."""
    selector, model = Scripted("b"), Scripted("I am b.")

    def factory(fence: Fence) -> SelectorGroupChat:
        agents: list[Any] = [agent(fence, Scripted("never"), name="a"), agent(fence, model, name="b")]
        return SelectorGroupChat(
            agents,
            model_client=fence.model_client(selector, model="scripted"),
            termination_condition=MaxMessageTermination(2),
        )

    conversation = house().conversation(factory)
    result = await conversation.run(task=f"Help {EMAIL}")
    assert reply_of(result) == "I am b."
    assert "<EMAIL_ADDRESS_1>" in selector.seen
    assert not canaries_in(selector.seen + model.seen)
    assert conversation.usage.model_calls == 2


async def test_a_society_of_mind_is_fenced_all_the_way_down(house: House) -> None:
    """Inner and outer models see pseudonyms, and all of their calls count."""
    inner, outer = Scripted(f"Ask {EMAIL}"), Scripted("Asked.")

    def factory(fence: Fence) -> RoundRobinGroupChat:
        team = RoundRobinGroupChat([agent(fence, inner, name="thinker")], max_turns=1)
        mind = SocietyOfMindAgent("mind", team, fence.model_client(outer, model="scripted"))
        return RoundRobinGroupChat([mind], max_turns=1)

    conversation = house().conversation(factory)
    result = await conversation.run(task=f"Help {EMAIL}")
    assert reply_of(result) == "Asked."
    assert conversation.usage.model_calls == 2
    assert not canaries_in(inner.seen + outer.seen + str(conversation.transcript))


async def test_a_team_within_a_team_is_fenced(house: House) -> None:
    """A team as a participant of another: its agents are in the audit's and the ledger's eyes, too."""
    inner = Scripted(f"Ask {EMAIL}")

    def factory(fence: Fence) -> RoundRobinGroupChat:
        team = RoundRobinGroupChat([agent(fence, inner, name="thinker")], max_turns=1, name="inner")
        return RoundRobinGroupChat([team, agent(fence, Scripted("Done."), name="last")], max_turns=2)

    conversation = house().conversation(factory)
    assert reply_of(await conversation.run(task=f"Help {EMAIL}")) == "Done."
    assert {step.agent for step in conversation.steps} == {"thinker", "last"}
    assert not canaries_in(inner.seen + str(conversation.transcript))


async def test_magentic_one_is_fenced(house: House) -> None:
    """The orchestrator plans with pseudonyms, and each of its calls counts."""
    import json

    ledger = {
        key: {"answer": answer, "reason": "so"}
        for key, answer in {
            "is_request_satisfied": True,
            "is_in_loop": False,
            "is_progress_being_made": True,
            "next_speaker": "desk",
            "instruction_or_question": "Go on.",
        }.items()
    }
    orchestrator = Scripted("facts", "plan", json.dumps(ledger), f"Done for {EMAIL}.")

    def factory(fence: Fence) -> MagenticOneGroupChat:
        client = fence.model_client(orchestrator, model="scripted")
        return MagenticOneGroupChat([agent(fence, Scripted("hm"))], model_client=client, max_turns=3)

    conversation = house().conversation(factory)
    result = await conversation.run(task=f"Help {EMAIL}")
    assert reply_of(result) == f"Done for {EMAIL}."
    assert conversation.usage.model_calls == orchestrator.calls == 4
    assert not canaries_in(orchestrator.seen + str(conversation.transcript))


async def test_a_graph_of_agents_is_fenced(house: House) -> None:
    """A flow along edges ends as the graph says."""

    def factory(fence: Fence) -> GraphFlow:
        first, second = agent(fence, Scripted("one"), name="a"), agent(fence, Scripted("two"), name="b")
        graph = DiGraphBuilder()
        graph.add_node(first).add_node(second).add_edge(first, second)
        return GraphFlow(graph.get_participants(), graph=graph.build())

    assert "two" in texts(await house().conversation(factory).run(task="Go"))


async def test_what_a_memory_recalls_is_masked(house: House) -> None:
    """Personal data out of a memory does not reach the model, the transcript or the state."""
    memory = ListMemory()
    await memory.add(MemoryContent(content=f"Her address is {EMAIL}.", mime_type=MemoryMimeType.TEXT))
    model = Scripted("ok")
    conversation = house().conversation(lambda fence: team_of(model, memory=[fence.memory(memory)])(fence))
    result = await conversation.run(task="Go")
    assert any(isinstance(event, MemoryQueryEvent) for event in result.messages)
    assert not canaries_in(model.seen + str(conversation.transcript) + str(await conversation.save_state()))


async def test_a_teams_own_termination_still_holds(house: House) -> None:
    """The fence's condition stands beside the team's, and the team's stop reason is kept."""

    def factory(fence: Fence) -> RoundRobinGroupChat:
        return RoundRobinGroupChat(
            [agent(fence, Scripted("one", "DONE"))], termination_condition=TextMentionTermination("DONE")
        )

    conversation = house().conversation(factory)
    result = await conversation.run(task="Go")
    assert "DONE" in str(result.stop_reason)
    assert (conversation.status, conversation.usage.turns) == (Status.DONE, 2)


async def test_a_run_that_ends_by_itself_in_its_last_turn_is_done(house: House) -> None:
    """The turn limit stops a run that wants to go on; one that is finished was not stopped by it."""

    def factory(fence: Fence) -> RoundRobinGroupChat:
        return RoundRobinGroupChat(
            [agent(fence, Scripted("one", "DONE"))], termination_condition=TextMentionTermination("DONE")
        )

    conversation = house(limits={"turns": 2}).conversation(factory)
    result = await conversation.run(task="Go")
    assert "DONE" in str(result.stop_reason)
    assert conversation.status is Status.DONE


async def test_a_factory_may_return_a_single_agent(house: House) -> None:
    """An agent without a team runs, remembers, and goes on."""
    model = Scripted("one", "two")

    def factory(fence: Fence) -> AssistantAgent:
        return agent(fence, model)

    conversation = house().conversation(factory)
    assert texts(await conversation.run(task="Go")) == ["Go", "one"]
    assert texts(await conversation.run(task="On")) == ["On", "two"]
    assert "one" in str(model.prompts[-1])


async def test_a_factory_that_fails_says_so_and_blocks_nothing(house: House) -> None:
    """An error of the user's own code comes out as it is, and the next run asks the factory again."""
    tries: list[Any] = []

    def factory(fence: Fence) -> RoundRobinGroupChat:
        tries.append(fence)
        if len(tries) == 1:
            raise ZeroDivisionError("mine")
        return team_of(Scripted("one"))(fence)  # type: ignore[return-value]  # it is a round robin

    conversation = house().conversation(factory)
    with pytest.raises(ZeroDivisionError):
        await conversation.run(task="Go")
    assert conversation.status is Status.FAILED
    assert reply_of(await conversation.run(task="Go")) == "one"
