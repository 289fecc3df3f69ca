"""The tools of servers, held to what was first said of them: a server may say something else at any time."""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from ringfence.guardrails.json_schema_check import SchemaCheck

_MOST_STEPS = 50_000
_FIRST, _CHANGED = "first", "changed"


class ToolListings:
    """What servers said of their tools when one conversation first saw them; a change is for good."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._changed: set[str] = set()
        self._schemas: dict[str, Mapping[str, Any]] = {}
        self._checks: dict[tuple[str, frozenset[str]], SchemaCheck | None] = {}

    def note(self, name: str, said: Mapping[str, Any], schema: Mapping[str, Any] | None) -> bool:
        """Remember a tool as it is listed now; whether it is another one than it was, which is told once.

        Args:
            name: The tool's name, as agents call it.
            said: All that the server says of it.
            schema: The JSON Schema of its arguments; None when it has none.
        """
        digest = _digest(said)
        before = self._first.setdefault(name, digest)
        if before == digest:
            if schema is not None:
                self._schemas.setdefault(name, schema)
            return False
        is_news = name not in self._changed
        self._changed.add(name)
        return is_news

    def change(self, tool: str) -> str:
        """That a server says something else of a tool than it first did; empty when it does not."""
        if tool not in self._changed:
            return ""
        return f"the server says something else of {tool} than when this conversation first saw it"

    def fault(self, tool: str, arguments: Mapping[str, Any], supplied: Collection[str] = ()) -> str:
        """Why a call of a listed tool may not be sent; names no value, and is empty when it may.

        Args:
            tool: The tool's name.
            arguments: As the tool would get them, without what the fence fills in.
            supplied: The names of the arguments that the fence fills in.
        """
        if change := self.change(tool):
            return change
        if tool not in self._schemas:
            return ""
        check = self._check(tool, frozenset(supplied))
        if check is None:
            return f"the server's schema of {tool} cannot be checked"
        faults = check.faults(dict(arguments), most_steps=_MOST_STEPS)
        return f"the arguments of {tool} do not fit its schema: {'; '.join(faults)}" if faults else ""

    def saved(self) -> dict[str, Any]:
        """What is written down, as JSON."""
        return {_FIRST: dict(self._first), _CHANGED: sorted(self._changed)}

    def load(self, saved: Mapping[str, Any]) -> None:
        """Take up what was written down."""
        self._first = dict(saved.get(_FIRST, {}))
        self._changed = set(saved.get(_CHANGED, ()))

    def _check(self, tool: str, supplied: frozenset[str]) -> SchemaCheck | None:
        key = (tool, supplied)
        if key not in self._checks:
            # Servers name older drafts, too, whose everyday words mean the same.
            schema = {name: said for name, said in self._schemas[tool].items() if name != "$schema"}
            required = schema.get("required")
            if isinstance(required, list):
                schema["required"] = [name for name in required if name not in supplied]
            try:
                self._checks[key] = SchemaCheck(schema)
            except (ValueError, TypeError, RecursionError):
                self._checks[key] = None
        return self._checks[key]


def _digest(said: Mapping[str, Any]) -> str:
    text = json.dumps(said, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
