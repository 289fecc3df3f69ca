"""A code executor behind the tool door: each block of code is a consequential call of a tool."""

from collections.abc import Callable
from copy import copy
from typing import Self

from autogen_core import CancellationToken, Component, ComponentModel
from autogen_core.code_executor import CodeBlock, CodeExecutor, CodeResult
from pydantic import BaseModel

from ringfence.agents.code_workbench import CodeWorkbench
from ringfence.agents.model_client import current_agent
from ringfence.agents.workbench import FencedWorkbench
from ringfence.errors import ConversationInterrupted, RingfenceError
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.stop import StopSignal

Clear = Callable[[ToolCall], ToolCall]
"""Decides a call that no model door saw, and gives it its id."""
_FAILED = 1


class FencedCodeExecutorConfig(BaseModel):
    """What is saved of a fenced code executor: the executor inside, never the fence."""

    executor: ComponentModel


class FencedCodeExecutor(CodeExecutor, Component[FencedCodeExecutorConfig]):
    """Runs code only through the tool door. Made by `fence.code_executor(...)`.

    Blocks run one after the other, and none after one that failed, as AutoGen's own executors do it.
    """

    component_config_schema = FencedCodeExecutorConfig
    component_provider_override = "ringfence.agents.code_executor.FencedCodeExecutor"

    def __init__(
        self,
        executor: CodeExecutor,
        *,
        bench: FencedWorkbench | None,
        clear: Clear,
        stop: StopSignal,
        fence: object,
    ) -> None:
        self._executor = executor
        self.bench = bench
        """Where the code runs; None when the executor was loaded, and belongs to no fence."""
        self._clear = clear
        self._stop = stop
        self.fence = fence
        """The fence that this executor belongs to; another conversation's fence does not accept it."""
        self.agent = ""
        """Whose it is; empty until the fence has taken the team in."""

    def of(self, agent: str) -> Self:
        """The same executor, for one agent."""
        own = copy(self)
        own.agent = agent
        return own

    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        """What the code wrote, masked and checked. Never raises: a refusal is an exit code of 1."""
        said: list[str] = []
        for block in code_blocks:
            text, failed = await self._run(block, cancellation_token)
            said.append(text)
            if failed:
                return CodeResult(exit_code=_FAILED, output="\n".join(said))
        return CodeResult(exit_code=0, output="\n".join(said))

    async def _run(self, block: CodeBlock, token: CancellationToken) -> tuple[str, bool]:
        if self.bench is None:
            return "Refused: this code executor was loaded from a saved definition and is not fenced.", True
        arguments = {"language": block.language, "code": block.code}
        name = self.bench_name
        try:
            call = self._clear(ToolCall(self.agent or current_agent(), name, arguments, ""))
        except Exception as error:  # what could not be decided does not run
            failed = ConversationInterrupted(f"The code could not be cleared: {type(error).__name__}")
            self._stop.set(error if isinstance(error, RingfenceError) else failed)
            return "Refused: the code could not be cleared. It was not run.", True
        result = await self.bench.run_call(call, token)
        return result.to_text(), result.is_error

    @property
    def bench_name(self) -> str:
        """The name by which the policy knows the tool."""
        inside = self.bench and self.bench._workbench  # noqa: SLF001 - what this executor was made with
        return inside.name if isinstance(inside, CodeWorkbench) else ""

    async def start(self) -> None:
        """Start the executor inside."""
        await self._executor.start()

    async def stop(self) -> None:
        """Stop the executor inside."""
        await self._executor.stop()

    async def restart(self) -> None:
        """Restart the executor inside."""
        await self._executor.restart()

    def _to_config(self) -> FencedCodeExecutorConfig:
        return FencedCodeExecutorConfig(executor=self._executor.dump_component())

    @classmethod
    def _from_config(cls, config: FencedCodeExecutorConfig) -> Self:
        inner = CodeExecutor.load_component(config.executor)
        return cls(inner, bench=None, clear=lambda call: call, stop=StopSignal(), fence=None)
