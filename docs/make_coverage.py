"""Makes docs/coverage.md of what the tests in tests/kinds/ say of themselves."""

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "coverage.md"
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from kinds import GROUPS, ROWS, Row  # noqa: E402 - found by the path above

_HEAD = """\
<!-- Made by docs/make_coverage.py of the tests in tests/kinds/; do not edit. -->
# What is fenced

Every kind of part that AutoGen 0.7.5 has. Before a run the walk over the team refuses what it cannot
fence, with a list and with advice; nothing of a refused team runs. Each row is a test. Where a fenced part
can lead to a call, its test shows that a consequential call waits for a person and runs once when the
person agrees, and that personal data in its result reaches no model.
"""
_FOOT = """\
## What the table does not say

- Every other `BaseTool`, such as `AzureAISearchTool`, is fenced as a `BaseTool`. What a tool's own code
  does, such as asking a model by itself, nobody sees but the tool.
- The fence decides whether tools and code run. Where they run is up to the tool or the code executor; the
  fence is no sandbox.
- MCP's annotations are read from `McpWorkbench` itself, not through a workbench that wraps it.
- What a server said of a tool when a conversation first saw it holds for all of that conversation, over
  restarts, too. If the server says something else later, the audit log has a line `tool_changed`, no model
  is shown the new words, and the tool is refused until there is a new conversation.
- Arguments that do not fit the JSON Schema that a server listed are refused before anybody is asked.
- A call's idempotency key goes into the argument that a tool names (`idempotency_key="key"`), and into the
  header `Idempotency-Key` of an `HttpTool`. A function that sets headers itself reads
  `ringfence.idempotency_key()`.
"""


def page() -> str:
    """The page as the tests make it now."""
    for path in sorted((ROOT / "tests" / "kinds").glob("test_*.py")):
        importlib.import_module(f"tests.kinds.{path.stem}")
    return "\n".join([_HEAD, *(_table(group, _rows(group)) for group in GROUPS), _FOOT])


def _rows(group: str) -> list[Row]:
    """What is fenced first, else in the order of the tests."""
    return sorted((row for row in ROWS.values() if row.group == group), key=lambda row: not row.is_fenced)


def _table(group: str, rows: Iterable[Row]) -> str:
    lines = [f"## {group}", "", "| | Kind | How, or why not | Shown by |", "| --- | --- | --- | --- |"]
    for row in rows:
        file, _, name = row.test.partition("::")
        sign = "fenced" if row.is_fenced else "**refused**"
        lines.append(f"| {sign} | {row.kind} | {row.how} | [{name}](../tests/kinds/{file}) |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE} has {len(ROWS)} rows")
