"""A person within a team is asked through the conversation."""

from collections.abc import Callable
from typing import Any

import pytest
from autogen_agentchat.agents import UserProxyAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from fenced import agent
from scripted import Scripted
from stepped import runner_of, walk

from ringfence import Ringfence
from ringfence.agents.user_input import FencedInput, fenced_input

House = Callable[..., Ringfence]


async def test_the_question_says_who_asks(house: House) -> None:
    """Two agents may share one input; each asks in its own name."""
    asked: list[tuple[str, str]] = []

    async def ask(name: str, prompt: str) -> str:
        asked.append((name, prompt))
        return f"answer {len(asked)}"

    def factory(fence: Any) -> RoundRobinGroupChat:
        both = FencedInput(ask, fence=fence).answer
        people: list[Any] = [UserProxyAgent(name, input_func=both) for name in ("ann", "bob")]
        return RoundRobinGroupChat(
            [*people, agent(fence, Scripted("thanks"))], termination_condition=MaxMessageTermination(4)
        )

    walked = await walk(await runner_of(house(), factory))
    assert [(source, said) for _, source, said in walked.said if source in {"ann", "bob", "desk"}][-1] == (
        "desk",
        "thanks",
    )
    assert asked == [("ann", "Enter your response: "), ("bob", "Enter your response: ")]
    assert ("TextMessage", "bob", "answer 2") in walked.said


async def test_what_asking_raises_ends_the_turn(house: House) -> None:
    """AutoGen wraps it, and its own message is still to be read."""

    async def ask(name: str, prompt: str) -> str:
        raise LookupError("nobody is there")

    def factory(fence: Any) -> RoundRobinGroupChat:
        return RoundRobinGroupChat([UserProxyAgent("ann", input_func=FencedInput(ask, fence=fence).answer)])

    with pytest.raises(RuntimeError, match="nobody is there"):
        await walk(await runner_of(house(), factory))


async def test_a_single_person_is_asked_by_name(house: House) -> None:
    """Without a team AutoGen's runtime does not know whose turn it is."""
    asked: list[str] = []

    async def ask(name: str, prompt: str) -> str:
        asked.append(name)
        return "here"

    walked = await walk(
        await runner_of(
            house(), lambda fence: UserProxyAgent("ann", input_func=FencedInput(ask, fence=fence).answer)
        )
    )
    assert (asked, walked.said[-1]) == (["ann"], ("TextMessage", "ann", "here"))


def test_no_other_function_passes_for_a_fenced_input() -> None:
    """Neither a function of one's own nor another method of the object."""

    async def ask(name: str, prompt: str) -> str:
        return ""

    asks = FencedInput(ask, fence=None)
    assert fenced_input(asks.answer) is asks
    assert fenced_input(ask) is None
    assert fenced_input(asks.of) is None
    assert fenced_input(input) is None
