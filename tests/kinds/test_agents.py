"""Agents, memories and model clients of each kind that AutoGen has."""

from collections.abc import Callable, Sequence
from typing import Any

import openai
import pytest
from autogen_agentchat.agents import (
    AssistantAgent,
    BaseChatAgent,
    MessageFilterAgent,
    MessageFilterConfig,
    PerSourceFilter,
    UserProxyAgent,
)
from autogen_agentchat.base import Response
from autogen_agentchat.messages import BaseChatMessage, TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import CancellationToken
from autogen_core.memory import ListMemory, MemoryContent
from autogen_ext.agents.openai import OpenAIAgent, OpenAIAssistantAgent
from autogen_ext.models.cache import ChatCompletionCache
from autogen_ext.models.replay import ReplayChatCompletionClient
from fenced import EMAIL, agent, canaries_in, recording, reply_of
from kinds import RESULT, asks, fenced, is_refused, refused, runs_once_approved
from scripted import Scripted, call

from ringfence import Fence, Ringfence, Status

House = Callable[..., Ringfence]


def alone(one: Any) -> RoundRobinGroupChat:
    """A team of one."""
    return RoundRobinGroupChat([one], max_turns=1)


@fenced(
    "Agents",
    "`AssistantAgent`",
    "`AssistantAgent(name, fence.model_client(...), workbench=fence.workbench(...))`",
)
async def test_an_assistant(house: House) -> None:
    """Also one that thinks over what a tool gave it."""
    act, model = recording(answer=RESULT), asks()

    def factory(fence: Fence) -> Any:
        return alone(agent(fence, model, tools=[act.function], reflect_on_tool_use=True))

    await runs_once_approved(house(), factory, act.calls, model)


@fenced("Agents", "A single agent without a team", "the factory returns the agent")
async def test_a_single_agent(house: House) -> None:
    """It runs as a team of one would."""
    act, model = recording(answer=RESULT), asks()

    def factory(fence: Fence) -> Any:
        return agent(fence, model, tools=[act.function], max_tool_iterations=3)

    await runs_once_approved(house(), factory, act.calls, model)


@fenced("Agents", "`MessageFilterAgent`", "the agent within is fenced")
async def test_a_filter(house: House) -> None:
    """What it does not hear does not matter."""
    act, model = recording(answer=RESULT), asks()

    def factory(fence: Fence) -> Any:
        inner: Any = agent(fence, model, tools=[act.function], max_tool_iterations=3)
        hears = MessageFilterConfig(per_source=[PerSourceFilter(source="user")])
        return alone(MessageFilterAgent("desk", inner, hears))

    await runs_once_approved(house(), factory, act.calls, model)


@fenced("Agents", "`UserProxyAgent`", "`UserProxyAgent(name, input_func=fence.user_input())`")
async def test_a_user_proxy(house: House) -> None:
    """The question waits as an approval does; the answer is masked before a model reads it."""
    model = Scripted("I see.")

    def factory(fence: Fence) -> Any:
        person = UserProxyAgent("person", input_func=fence.user_input())
        return RoundRobinGroupChat([person, agent(fence, model)], max_turns=2)

    conversation = house().conversation(factory)
    await conversation.run(task="Go")
    assert (conversation.status, model.calls) == (Status.WAITING_FOR_ANSWER, 0)
    await conversation.answer(conversation.pending_questions[0].id, f"Write to {EMAIL}")
    await conversation.resume()
    assert conversation.status is Status.DONE
    assert "Write to <EMAIL_ADDRESS_1>" in model.seen
    assert not canaries_in(model.seen)


class OwnAgent(BaseChatAgent):
    """An agent of somebody's own, which may call whatever it likes."""

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """Texts."""
        return (TextMessage,)

    async def on_messages(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> Response:
        """Say something."""
        return Response(chat_message=TextMessage(content="hm", source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Nothing to forget."""


@refused("Agents", "An agent of your own kind", "may call models and tools of its own; use `AssistantAgent`")
async def test_an_agent_of_ones_own(house: House) -> None:
    """A class that nobody knows."""
    await is_refused(house(), lambda _: alone(OwnAgent("own", "Own.")), "use AssistantAgent")


@refused("Agents", "`OpenAIAgent`", "calls OpenAI's SDK itself, past the model door")
async def test_an_openai_agent(house: House) -> None:
    """Its client is no model client of AutoGen's."""
    client = openai.AsyncOpenAI(api_key="none")
    made = lambda _: alone(OpenAIAgent("own", "Own.", client, "gpt-4o", "Be kind."))  # noqa: E731 - a factory
    await is_refused(house(), made, "OpenAIAgent may call models and tools of its own")


@refused("Agents", "`OpenAIAssistantAgent`", "calls OpenAI's SDK itself; its tools run at OpenAI")
async def test_an_openai_assistant(house: House) -> None:
    """Likewise."""
    client = openai.AsyncOpenAI(api_key="none")
    made = lambda _: alone(OpenAIAssistantAgent("own", "Own.", client, "gpt-4o", "Be kind."))  # noqa: E731 - as above
    await is_refused(house(), made, "OpenAIAssistantAgent may call models and tools of its own")


SURFERS = ("FileSurfer", "MultimodalWebSurfer", "VideoSurfer", "AzureAIAgent")


@refused(
    "Agents",
    "`FileSurfer`, `MultimodalWebSurfer`, `VideoSurfer`, `AzureAIAgent`, and so `MagenticOne`",
    "run tools of their own past the tool door; give an `AssistantAgent` fenced tools",
)
async def test_agents_with_tools_of_their_own(house: House) -> None:
    """Known by what they are not: one of the agents that the walk can look into."""
    for name in SURFERS:
        kind = type(name, (OwnAgent,), {"__module__": "autogen_ext.agents"})
        made = lambda _, kind=kind: alone(kind("own", "Own."))  # noqa: E731 - a factory
        await is_refused(house(), made, f"{name} may call models and tools of its own")


# Memories


@fenced("Memory", "`ListMemory` and every other `Memory`", "`memory=[fence.memory(memory)]`")
async def test_a_memory(house: House) -> None:
    """What it recalls is masked, and is no origin that clears a call."""
    act, model = recording(answer=RESULT), asks()

    def factory(fence: Fence) -> Any:
        memory = ListMemory(memory_contents=[MemoryContent(content=f"Ask {EMAIL}", mime_type="text/plain")])
        desk = agent(fence, model, tools=[act.function], max_tool_iterations=3, memory=[fence.memory(memory)])
        return alone(desk)

    await runs_once_approved(house(), factory, act.calls, model)
    assert "Ask <EMAIL_ADDRESS_1>" in model.seen


@fenced("Memory", "`TextCanvasMemory` and its tools", "`fence.memory(canvas)`, and its tools as `BaseTool`s")
async def test_a_canvas(house: House) -> None:
    """A change of the canvas is a call, which the policy may allow."""
    canvas = pytest.importorskip("autogen_ext.memory.canvas", reason="needs unidiff")
    memory = canvas.TextCanvasMemory()
    arguments = '{"filename": "note.md", "new_content": "hello"}'
    model = Scripted([call("update_file", arguments)], "Done.")

    def factory(fence: Fence) -> Any:
        tools: list[Any] = [memory.get_update_file_tool()]
        return alone(agent(fence, model, tools=tools, max_tool_iterations=3, memory=[fence.memory(memory)]))

    conversation = house(tools={"update_file": {}}).conversation(factory)
    await conversation.run(task="Go")
    assert (conversation.status, memory.canvas.list_files()) == (Status.WAITING_FOR_APPROVAL, {})
    await conversation.approve(conversation.pending_approvals[0].id, by="bob")
    await conversation.resume()
    assert memory.canvas.list_files() == {"note.md": 1}


@refused("Memory", "A bare memory", "brings text in past the doors; wrap it: `fence.memory(...)`")
async def test_a_bare_memory(house: House) -> None:
    """The advice stands in the fault."""
    made = lambda fence: alone(agent(fence, Scripted("x"), memory=[ListMemory()]))  # noqa: E731 - a factory
    await is_refused(house(), made, "fence.memory(...)")


# Models


@fenced(
    "Models",
    "Every `ChatCompletionClient`",
    "`fence.model_client(client)`, or a tier of the policy by its name",
)
async def test_a_model_client(house: House) -> None:
    """What it says is checked, and what it is shown is masked."""
    model = ReplayChatCompletionClient([f"Write to {EMAIL}"])

    def factory(fence: Fence) -> Any:
        return alone(AssistantAgent("desk", fence.model_client(model, model="scripted")))

    conversation = house().conversation(factory)
    assert EMAIL in reply_of(await conversation.run(task="Go"))
    assert not canaries_in(str(await conversation.save_state()))


@fenced(
    "Models",
    "`ChatCompletionCache`",
    "around the bare client: `fence.model_client(ChatCompletionCache(client))`",
)
async def test_a_cache_inside(house: House) -> None:
    """It keeps what passed the mask."""
    act, model = recording(answer=RESULT), asks()

    def factory(fence: Fence) -> Any:
        client = fence.model_client(ChatCompletionCache(model), model="scripted")
        bench = fence.workbench([act.function])
        return alone(AssistantAgent("desk", client, workbench=bench, max_tool_iterations=3))

    await runs_once_approved(house(), factory, act.calls, model)


@refused("Models", "A bare client, or a cache around a fenced one", "calls a model past the model door")
async def test_a_bare_client(house: House) -> None:
    """Wherever it is: in an agent, a selector, a tool, a condition or a model context."""

    def cached(fence: Fence) -> Any:
        return alone(
            AssistantAgent("desk", ChatCompletionCache(fence.model_client(Scripted("x"), model="scripted")))
        )

    await is_refused(
        house(), lambda _: alone(AssistantAgent("desk", Scripted("x"))), "fence.model_client(...)"
    )
    await is_refused(house(), cached, "ChatCompletionCache")
