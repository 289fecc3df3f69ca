"""Rule 3: AutoGen's termination conditions look between turns only, and not at every client."""

import json

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import TokenUsageTermination
from autogen_agentchat.teams import MagenticOneGroupChat, RoundRobinGroupChat, SelectorGroupChat
from scripted import TOKENS_A_CALL, Bench, Scripted, call, speaker

pytestmark = pytest.mark.timeout(20)


async def test_a_tool_loop_spends_a_multiple_of_the_budget() -> None:
    """TokenUsageTermination waits for the turn's end: ten model calls are made on a budget of one.

    The fence relies on it: the budget is enforced at the model door, before each call.
    """
    model = Scripted([call()])
    agent = AssistantAgent("a", model_client=model, workbench=Bench(), max_tool_iterations=10)
    budget = TokenUsageTermination(max_total_token=TOKENS_A_CALL)
    outcome = await RoundRobinGroupChat([agent], termination_condition=budget).run(task="go")
    assert model.calls == 10
    assert outcome.stop_reason is not None
    assert outcome.stop_reason.startswith("Token usage limit reached")


async def test_selector_calls_are_not_counted() -> None:
    """The selector's calls carry no usage into the chat: on a budget of three calls twelve are made.

    The fence relies on it: the selector's client is fenced like any other.
    """
    selector = Scripted("nobody that I know")
    members = [speaker(name) for name in ("a", "b", "c")]
    budget = TokenUsageTermination(max_total_token=3 * TOKENS_A_CALL)
    team = SelectorGroupChat(list(members), model_client=selector, termination_condition=budget)
    outcome = await team.run(task="go")
    counted = [message.models_usage for message in outcome.messages if message.models_usage]
    assert len(counted) == 3
    assert selector.calls == 9, "three attempts a turn, beside the three counted calls"


async def test_orchestrator_calls_are_not_counted() -> None:
    """MagenticOne's orchestrator spends as it likes; a budget of one token never fires.

    The fence relies on it: the orchestrator's client is fenced like any other.
    """
    keys = [
        "is_request_satisfied",
        "is_progress_being_made",
        "is_in_loop",
        "instruction_or_question",
        "next_speaker",
    ]
    ledger = json.dumps({key: {"reason": "done", "answer": True} for key in keys})
    orchestrator = Scripted("facts", "plan", ledger, "final answer")
    budget = TokenUsageTermination(max_total_token=1)
    team = MagenticOneGroupChat([speaker("a")], model_client=orchestrator, termination_condition=budget)
    outcome = await team.run(task="go")
    assert orchestrator.calls == 4
    assert not any(message.models_usage for message in outcome.messages)
    assert outcome.stop_reason == "done"


async def test_the_count_starts_afresh_with_each_run() -> None:
    """A run that ends, here by max_turns, resets the condition: its budget is per run.

    The fence relies on it: its ledger outlives runs and processes.
    """
    budget = TokenUsageTermination(max_total_token=2 * TOKENS_A_CALL)
    team = RoundRobinGroupChat([speaker("a")], termination_condition=budget, max_turns=1)
    reasons = [(await team.run(task="go")).stop_reason for _ in range(4)]
    assert reasons == ["Maximum number of turns 1 reached."] * 4
