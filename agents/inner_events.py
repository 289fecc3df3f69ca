"""What happens within a tool while it runs, such as the talk of a team that is a tool, shown to the user."""

from collections.abc import Sequence
from typing import Any

from autogen_agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    HandoffMessage,
    MessageFactory,
    ModelClientStreamingChunkEvent,
)

from ringfence.errors import GuardrailTripped, RingfenceError
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.middleware import Middleware, door
from ringfence.guardrails.stop import StopSignal
from ringfence.guardrails.tool_spec import ToolSpec

Event = BaseAgentEvent | BaseChatMessage
_KNOWN = MessageFactory()


class InnerEvents:
    """Lets an event of a running tool go on when it passed what the tool's result has to pass.

    Managers show inner messages to their models and keep them in the team's state.
    """

    def __init__(
        self,
        *,
        of_tools: Sequence[Middleware[ToolCall, Any]],
        of_agents: Sequence[Middleware[ToolCall, Any]],
        stop: StopSignal,
    ) -> None:
        self._of_tools = of_tools
        self._of_agents = of_agents
        """For what agents and teams that run as tools say, which passed the doors of their own parts."""
        self._stop = stop

    async def passed(self, call: ToolCall, spec: ToolSpec, event: object) -> Event | None:
        """The event as it may go on; None when it may not. Never raises but when it is cancelled."""
        if not _can_go_on(event, spec):
            return None

        async def happened(_call: ToolCall) -> Any:
            return event

        middlewares = self._of_agents if spec.composite else self._of_tools
        try:
            passed: Event = await door(middlewares, happened)(call)
        except GuardrailTripped as error:
            if error.halt:
                self._stop.set(error)
            return None
        except RingfenceError as error:
            self._stop.set(error)
            return None
        except Exception:  # what could not be checked is not shown; the tool's result has its own say
            return None
        return passed


def _can_go_on(event: object, spec: ToolSpec) -> bool:
    """Whether a team can take this in: it fails on types that it does not know.

    A handoff within a tool is none of the team around it. Pieces of a text are judged by a model door only.
    """
    match event:
        case HandoffMessage():
            return False
        case ModelClientStreamingChunkEvent():
            return spec.composite
        case BaseAgentEvent() | BaseChatMessage():
            return bool(_KNOWN.is_registered(type(event)))
        case _:
            return False
