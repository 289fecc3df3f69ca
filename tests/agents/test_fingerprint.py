"""A team's fingerprint is the same in every process, and another one when the team is."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from autogen_agentchat.teams import DiGraphBuilder, GraphFlow, RoundRobinGroupChat, SelectorGroupChat
from autogen_agentchat.tools import AgentTool
from fenced import agent
from pydantic import BaseModel
from scripted import Bench, Scripted
from stepped import KINDS, Factory, Script, runner_of, walk

from ringfence import Ringfence, tool

House = Callable[..., Ringfence]
TESTS = Path(__file__).parents[1]


class Fruit(BaseModel):
    """What an agent answers with."""

    name: str


class Berry(BaseModel):
    """What it answers with later."""

    name: str
    is_ripe: bool


@tool(consequential=False)
def look(thing: str) -> str:
    """Look at a thing."""
    return thing


def team(**other: Any) -> Factory:
    """A team of a clerk with a tool and a helper; `other` changes parts of it."""

    def factory(fence: Any) -> Any:
        helper = agent(fence, Scripted("hi"), name="helper", system_message=other.get("deep", "Help."))
        tools = [other.get("tool", look), AgentTool(helper)]
        clerk = agent(
            fence,
            Scripted("hi"),
            name=other.get("name", "clerk"),
            tools=tools,
            description=other.get("description", "A clerk."),
            system_message=other.get("system_message", "You are the clerk."),
            output_content_type=other.get("answers"),
        )
        second = agent(fence, Scripted("hi"), name="b")
        members: list[Any] = [second, clerk] if other.get("turned") else [clerk, second]
        if "selector_prompt" in other:
            chooser = fence.model_client(Scripted("b"), model="scripted")
            return SelectorGroupChat(members, chooser, selector_prompt=other["selector_prompt"])
        return RoundRobinGroupChat(members, max_turns=other.get("turns", 1))

    return factory


async def fingerprint(house: House, factory: Factory) -> Any:
    """The fingerprint of a fresh team, as JSON."""
    return json.loads(json.dumps(await (await runner_of(house(), factory)).fingerprint()))


async def test_it_names_parts_models_and_tools_and_shows_no_prompt(house: House) -> None:
    """Everything that is reached, also through tools, by its path."""
    taken = await fingerprint(house, team(system_message="A secret of the house."))
    assert taken["team"] == [
        "team: RoundRobinGroupChat",
        "team › clerk: AssistantAgent",
        "team › clerk › helper › helper: AssistantAgent",
        "team › b: AssistantAgent",
    ]
    assert set(taken["prompts"]) == {line.rpartition(": ")[0] for line in taken["team"]}
    assert taken["models"] == dict.fromkeys(list(taken["prompts"])[1:], "scripted")
    assert set(taken["tools"]) == {"look", "helper"}
    assert "secret" not in json.dumps(taken)


@tool(consequential=False)
def look_closer(thing: str, closely: bool) -> str:
    """Look at a thing."""
    return thing


look_closer.__name__ = "look"

CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "a system message": ({"system_message": "You are the boss."}, "prompts"),
    "a description": ({"description": "A boss."}, "prompts"),
    "the system message of an agent within a tool": ({"deep": "Help more."}, "prompts"),
    "what an agent answers with": ({"answers": Fruit}, "prompts"),
    "the order of the members": ({"turned": True}, "team"),
    "a tool's arguments": ({"tool": look_closer}, "tools"),
}


@pytest.mark.parametrize("case", CHANGES)
async def test_a_change_shows_where_it_is(house: House, case: str) -> None:
    """And only there."""
    change, section = CHANGES[case]
    before, after = await fingerprint(house, team()), await fingerprint(house, team(**change))
    assert [name for name in before if before[name] != after[name]] == [section]


async def test_more_changes_that_show(house: House) -> None:
    """A schema of answers, a selector's prompt, a name, a graph."""
    one, other = [await fingerprint(house, team(answers=kind)) for kind in (Fruit, Berry)]
    assert one["prompts"] != other["prompts"]
    one, other = [await fingerprint(house, team(selector_prompt=text)) for text in ("{roles}", "{history}")]
    assert [path for path in one["prompts"] if one["prompts"][path] != other["prompts"][path]] == ["team"]
    assert (await fingerprint(house, team(name="boss")))["team"][1] == "team › boss: AssistantAgent"

    def flow(*edges: tuple[int, int]) -> Factory:
        def factory(fence: Any) -> GraphFlow:
            members = [agent(fence, Scripted("hi"), name=name) for name in "abc"]
            graph = DiGraphBuilder()
            for member in members:
                graph.add_node(member)
            for start, end in edges:
                graph.add_edge(members[start], members[end])
            return GraphFlow(list(members), graph.build())

        return factory

    one, other = [await fingerprint(house, flow(*edges)) for edges in ([(0, 1), (1, 2)], [(0, 1), (0, 2)])]
    assert [name for name in one if one[name] != other[name]] == ["team"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_run_does_not_change_it(house: House, kind: str) -> None:
    """It is told before and after, and by another team of the same factory, the same."""
    factory = KINDS[kind](Script())
    runner = await runner_of(house(), factory)
    before = await runner.fingerprint()
    await walk(runner)
    assert await runner.fingerprint() == before == await fingerprint(house, factory)


async def test_more_turns_are_no_other_team(house: House) -> None:
    """How long a team may go on says nothing about what it is."""
    assert await fingerprint(house, team(turns=9)) == await fingerprint(house, team())


async def test_tools_of_a_server_are_asked_for(house: House) -> None:
    """A workbench that is none of AutoGen's own lists its tools when it is asked."""
    taken = await fingerprint(house, lambda fence: agent(fence, Scripted("hi"), tools=Bench()))
    assert set(taken["tools"]) == {"act"}


_IN_A_PROCESS = """
import asyncio, json, sys, tempfile
from pathlib import Path
sys.path[:0] = sys.argv[1:]
from fenced import make
from stepped import KINDS, Script, runner_of

async def main():
    ringfence = make(Path(tempfile.mkdtemp()))
    taken = {}
    for kind, made in KINDS.items():
        taken[kind] = await (await runner_of(ringfence, made(Script()))).fingerprint()
    await ringfence.close()
    print(json.dumps(taken))

asyncio.run(main())
"""


def test_it_is_the_same_in_two_processes() -> None:
    """Nothing in it hangs on addresses, ids or the seed of hashes."""
    paths = [str(TESTS.parent), str(TESTS / "support")]
    said = [
        subprocess.run(
            [sys.executable, "-c", _IN_A_PROCESS, *paths], check=True, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    ]
    assert said[0] == said[1]
    assert json.loads(said[0])
