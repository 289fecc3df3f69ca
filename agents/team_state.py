"""What AutoGen's state of a team leaves out, saved and loaded beside it.

Left out are: agents and teams within tools, the agent within a MessageFilterAgent, what a SocietyOfMindAgent
or a CodeExecutorAgent was told before, and which of its nodes a GraphFlow was about to start.
"""

# ruff: noqa: SLF001 - AutoGen tells it no other way; the names are pinned in tests/edges/

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from autogen_agentchat.agents import CodeExecutorAgent, SocietyOfMindAgent
from autogen_agentchat.base import ChatAgent, Team
from autogen_agentchat.teams import BaseGroupChat, GraphFlow
from autogen_agentchat.teams._group_chat._graph._digraph_group_chat import GraphFlowManager
from autogen_core import AgentId

from ringfence.agents.coverage import Coverage

_PARTS = "ringfence_parts"
_NOT_KNOWN = "No result of this call is known: it may have been run, or not."


async def save(team: Team | ChatAgent, coverage: Coverage) -> dict[str, Any]:
    """The whole state of a team that stands still, as JSON."""
    state = dict(await team.save_state())
    parts: dict[str, dict[str, Any]] = {}
    for path, part in _left_out(team, coverage):
        parts.setdefault(path, {})["state"] = await part.save_state()
    for path, part in coverage.parts.items():
        if isinstance(part, GraphFlow):
            groups = (await _manager(part))._triggered_activation_groups
            parts.setdefault(path, {})["triggered"] = {node: sorted(groups[node]) for node in groups}
        elif isinstance(part, SocietyOfMindAgent | CodeExecutorAgent):
            parts.setdefault(path, {})["context"] = await part.model_context.save_state()
    return {**state, _PARTS: parts} if parts else state


async def load(team: Team | ChatAgent, coverage: Coverage, state: Mapping[str, Any]) -> None:
    """Load what `save` gave, or AutoGen itself, into a fresh team; a part that was not saved stays fresh."""
    whole = _mended(dict(state))  # a copy: a graph goes on to write into what it is given
    parts = whole.pop(_PARTS, {})
    await team.load_state(whole)
    for path, part in _left_out(team, coverage):
        if "state" in parts.get(path, ()):
            await part.load_state(parts[path]["state"])
    for path, part in coverage.parts.items():
        saved = parts.get(path, {})
        if isinstance(part, GraphFlow) and "triggered" in saved:
            manager = await _manager(part)
            manager._triggered_activation_groups = {
                node: set(groups) for node, groups in saved["triggered"].items()
            }
        elif isinstance(part, SocietyOfMindAgent | CodeExecutorAgent) and "context" in saved:
            await part.model_context.load_state(saved["context"])


def _left_out(team: Team | ChatAgent, coverage: Coverage) -> Iterator[tuple[str, Team | ChatAgent]]:
    """The parts that are in no other part's state, outer ones first."""
    saved = {id(part) for part in _saved_with(team)}
    for path, part in coverage.parts.items():
        if id(part) not in saved:
            saved.update(id(inner) for inner in _saved_with(part))
            yield path, part


def _saved_with(part: object) -> Iterator[object]:
    yield part
    if isinstance(part, BaseGroupChat):
        for participant in part._participants:
            yield from _saved_with(participant)
    elif isinstance(part, SocietyOfMindAgent):
        yield from _saved_with(part._team)


async def _manager(team: GraphFlow) -> GraphFlowManager:
    runtime: Any = team._runtime
    own = AgentId(team._group_chat_manager_topic_type, team._team_id)
    manager: GraphFlowManager = await runtime.try_get_underlying_agent_instance(own, GraphFlowManager)
    return manager


def _mended(value: Any) -> Any:
    """The state with a result for each tool call of which none is known; providers refuse a prompt without.

    AutoGen saves such calls when it is asked to save in the middle of a turn.
    """
    if isinstance(value, dict):
        return {key: _mended(item) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    items = [_mended(item) for item in value]
    mended: list[Any] = []
    for item, following in zip_longest(items, items[1:]):
        mended.append(item)
        calls = item["content"] if _is(item, "AssistantMessage") and isinstance(item["content"], list) else []
        results = following["content"] if _is(following, "FunctionExecutionResultMessage") else []
        known = {result["call_id"] for result in results}
        unknown = [_no_result(call) for call in calls if call["id"] not in known]
        if unknown and results:
            results += unknown
        elif unknown:
            mended.append({"type": "FunctionExecutionResultMessage", "content": unknown})
    return mended


def _is(item: Any, kind: str) -> bool:
    return isinstance(item, dict) and item.get("type") == kind


def _no_result(call: Mapping[str, Any]) -> dict[str, Any]:
    return {"content": _NOT_KNOWN, "name": call["name"], "call_id": call["id"], "is_error": True}
