"""Calls that pass the whole gate and are not run."""

from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.standing import Bounds
from ringfence.guardrails.texts import TextResultContent, ToolResult
from ringfence.guardrails.tool_directory import ToolDirectory
from ringfence.guardrails.tool_policy import ToolPolicy

_SAID = (
    "Dry run: this call of {} passed every check, and was not run. Nothing was done and nothing was changed; "
    "do not report it as done."
)


class StopDryRuns:
    """Answers in the place of tools that the policy, or the conversation, only tries out.

    A conversation that is a dry run reads, and asks agents within, or there would be nothing to try.
    """

    def __init__(self, policy: ToolPolicy, bounds: Bounds, directory: ToolDirectory) -> None:
        self._policy = policy
        self._bounds = bounds
        self._directory = directory

    async def __call__(self, call: ToolCall, call_next: Handler[ToolCall, ToolResult]) -> ToolResult:
        """Answer the call, or say that it was not run."""
        spec = self._directory.specs[call.tool]
        changes = spec.consequential and not spec.composite
        if not (self._policy.rule(call.tool).dry_run or (self._bounds.dry_run and changes)):
            return await call_next(call)
        said = TextResultContent(content=_SAID.format(call.tool))
        return ToolResult(name=call.tool, result=[said], is_error=False)
