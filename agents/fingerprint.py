"""What a team is made of, told so that another process can say whether its own is the same."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import ChatAgent, Team
from autogen_agentchat.teams import GraphFlow

from ringfence.agents.coverage import Coverage
from ringfence.agents.model_client import FencedModelClient

_TEXTS = (
    "_description",
    "_system_messages",
    "_tool_call_summary_format",
    "_instruction",
    "_response_prompt",
    "_selector_prompt",
    "_final_answer_prompt",
    "_output_content_type",
)
"""The attributes in which AutoGen's agents and teams keep what a model is told."""


async def fingerprint(coverage: Coverage) -> dict[str, Any]:
    """Kinds and names of all parts, hashes of their prompts and tools, and their models, as JSON.

    Asks each workbench for its tools. Nothing in it depends on the process, and it shows no prompt.
    """
    parts = coverage.parts.items()
    schemas = [schema for workbench in coverage.workbenches for schema in await workbench.list_tools()]
    for part in coverage.parts.values():
        if isinstance(part, AssistantAgent):
            schemas += [tool.schema for tool in part._handoff_tools]  # noqa: SLF001 - AutoGen tells it no other way
    return {
        "team": [f"{path}: {_kind(part)}" for path, part in parts],
        "prompts": {path: _hash(_prompts(part)) for path, part in parts},
        "models": {
            path: client._model  # noqa: SLF001 - the name by which it is priced
            for path, part in parts
            if isinstance(client := getattr(part, "_model_client", None), FencedModelClient)
        },
        "tools": {name: _hash(known) for name, known in _by_name(schemas).items()},
    }


def _kind(part: Team | ChatAgent) -> str:
    kind = type(part).__name__
    if not isinstance(part, GraphFlow):
        return kind
    graph = part._graph.model_dump(mode="json")  # noqa: SLF001 - AutoGen tells it no other way
    return f"{kind} {_hash(graph)}"


def _prompts(part: Team | ChatAgent) -> dict[str, str]:
    return {name: _text(value) for name in _TEXTS if (value := getattr(part, name, None)) is not None}


def _text(value: Any) -> str:
    if isinstance(value, type):
        return json.dumps(value.model_json_schema(), sort_keys=True)  # type: ignore[attr-defined]  # a pydantic model
    if isinstance(value, list):
        return "\n".join(_text(item) for item in value)
    return str(getattr(value, "content", value))


def _by_name(schemas: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    known: dict[str, set[str]] = {}
    for schema in schemas:
        known.setdefault(schema["name"], set()).add(json.dumps(schema, sort_keys=True, default=str))
    return {name: sorted(known[name]) for name in sorted(known)}


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
