"""The input function of a UserProxyAgent that asks through the conversation."""

import asyncio
from collections.abc import Awaitable, Callable
from copy import copy
from typing import Self

from autogen_core import CancellationToken

from ringfence.agents.model_client import current_agent


class FencedInput:
    """Asks a person through the conversation. Made by `fence.user_input()`.

    An agent takes its method: `UserProxyAgent(..., input_func=FencedInput(...).answer)`. AutoGen would run an
    object that can be called in a thread.
    """

    def __init__(self, ask: Callable[[str, str], Awaitable[str]], *, fence: object) -> None:
        self._ask = ask
        self.fence = fence
        """The fence that this input belongs to; another conversation's fence does not accept it."""
        self.agent = ""
        """Who asks; empty until a runner has taken the team."""

    def of(self, agent: str) -> Self:
        """The same input, for one agent."""
        own = copy(self)
        own.agent = agent
        return own

    async def answer(self, prompt: str, cancellation_token: CancellationToken | None = None) -> str:
        """A person's answer to the prompt; whatever asking raises, AutoGen wraps in a RuntimeError."""
        work = self._ask(self.agent or current_agent(), prompt)
        if cancellation_token is None:
            return await work
        asked = asyncio.ensure_future(work)
        cancellation_token.link_future(asked)
        return await asked


def fenced_input(function: object) -> FencedInput | None:
    """The fenced input whose method a function is; None for every other function."""
    owner = getattr(function, "__self__", None)
    is_ours = type(owner) is FencedInput and getattr(function, "__func__", None) is FencedInput.answer
    return owner if is_ours else None
