"""MagenticOne turn by turn: AutoGen's orchestrator cannot be started without a new task."""

# ruff: noqa: SLF001 - AutoGen offers no other way in; the names are pinned in tests/edges/

from collections.abc import Callable
from typing import Any

from autogen_agentchat.teams import MagenticOneGroupChat
from autogen_agentchat.teams._group_chat._events import GroupChatStart
from autogen_agentchat.teams._group_chat._magentic_one._magentic_one_orchestrator import (
    MagenticOneOrchestrator,
)
from autogen_core import MessageContext, rpc


class SteppedOrchestrator(MagenticOneOrchestrator):
    """Goes on with its inner loop when it is started without messages."""

    @rpc
    async def handle_start(self, message: GroupChatStart, ctx: MessageContext) -> None:  # type: ignore[override]  # AutoGen's, too
        """Begin with a task, or go on after an agent's turn."""
        if message.messages is not None:
            await super().handle_start(message, ctx)  # type: ignore[call-arg]  # AutoGen's decorator hides the method
        else:
            await self._orchestrate_step(ctx.cancellation_token)


def go_by_steps(team: MagenticOneGroupChat) -> None:
    """Give a team that was not initialised yet an orchestrator that can go on."""

    def factory(**given: Any) -> Callable[[], SteppedOrchestrator]:
        return lambda: SteppedOrchestrator(
            **given,
            model_client=team._model_client,
            max_stalls=team._max_stalls,
            final_answer_prompt=team._final_answer_prompt,
            emit_team_events=team._emit_team_events,
        )

    team._base_group_chat_manager_class = SteppedOrchestrator
    team._create_group_chat_manager_factory = factory  # type: ignore[assignment, method-assign]  # AutoGen names all it hands over
