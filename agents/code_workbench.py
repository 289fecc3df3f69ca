"""Running a block of code as the one tool of a workbench."""

from collections.abc import Mapping
from typing import Any

from autogen_core import CancellationToken
from autogen_core.code_executor import CodeBlock, CodeExecutor
from autogen_core.tools import ParametersSchema, TextResultContent, ToolResult, ToolSchema, Workbench


class CodeWorkbench(Workbench):
    """One tool, which hands its code to a code executor. No agent lists it; the fence names its calls."""

    def __init__(self, executor: CodeExecutor, name: str) -> None:
        self._executor = executor
        self.name = name

    async def list_tools(self) -> list[ToolSchema]:
        """The one tool."""
        text = {"type": "string"}
        parameters = ParametersSchema(
            type="object",
            properties={"language": text, "code": text},
            required=["language", "code"],
            additionalProperties=False,
        )
        return [ToolSchema(name=self.name, description="Run a block of code.", parameters=parameters)]

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,  # noqa: ARG002 - AutoGen's interface
    ) -> ToolResult:
        """What the code wrote; an error when it failed. Raises what the executor raises."""
        given = arguments or {}
        block = CodeBlock(code=given["code"], language=given["language"])
        token = cancellation_token or CancellationToken()
        ran = await self._executor.execute_code_blocks([block], token)
        return ToolResult(
            name=name, result=[TextResultContent(content=ran.output)], is_error=ran.exit_code != 0
        )

    async def start(self) -> None:
        """Start the executor."""
        await self._executor.start()

    async def stop(self) -> None:
        """Stop the executor."""
        await self._executor.stop()

    async def reset(self) -> None:
        """Restart the executor."""
        await self._executor.restart()

    async def save_state(self) -> Mapping[str, Any]:
        """None: an executor tells none."""
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Nothing to load."""
