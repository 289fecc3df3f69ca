"""The runtime that a factory made for its team alone: started, waited for between turns, and stopped."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from autogen_agentchat.teams import BaseGroupChat
from autogen_core import CancellationToken, SingleThreadedAgentRuntime

from ringfence.errors import ConversationInterrupted


def has_others(runtime: SingleThreadedAgentRuntime, teams: Iterable[BaseGroupChat]) -> bool:
    """Whether agents are registered on a runtime that are in none of these teams."""
    own = {
        name
        for team in teams
        for name in (*team._participant_topic_types, team._group_chat_manager_topic_type)  # noqa: SLF001 - AutoGen tells it no other way
    }
    return bool(runtime._known_agent_names - own)  # noqa: SLF001 - likewise


def start(runtimes: Iterable[SingleThreadedAgentRuntime]) -> None:
    """Start those that the factory did not start."""
    for runtime in runtimes:
        if runtime._run_context is None:  # noqa: SLF001 - AutoGen tells it no other way
            runtime.start()


@contextmanager
def watched(
    runtimes: Sequence[SingleThreadedAgentRuntime], token: CancellationToken
) -> Iterator[CancellationToken]:
    """A token for a turn that is cancelled, too, when a runtime stops, because the turn would never end.

    Raises:
        ConversationInterrupted: A runtime stopped in the middle of the turn.
    """
    if not runtimes:
        yield token
        return
    own = CancellationToken()
    token.add_callback(own.cancel)

    def stopped(_: object) -> None:
        own.cancel()

    contexts = [runtime._run_context for runtime in runtimes]  # noqa: SLF001 - AutoGen tells it no other way
    pumps = [context._run_task for context in contexts if context is not None]  # noqa: SLF001 - likewise
    for pump in pumps:
        pump.add_done_callback(stopped)
    try:
        yield own
    except asyncio.CancelledError:
        if token.is_cancelled() or not any(pump.done() for pump in pumps):
            raise
        raise ConversationInterrupted("The team's runtime was stopped in the middle of a turn") from None
    finally:
        for pump in pumps:
            pump.remove_done_callback(stopped)


async def wait_until_idle(runtimes: Iterable[SingleThreadedAgentRuntime], token: CancellationToken) -> None:
    """Wait until every message is handled, so that what is saved then belongs together.

    AutoGen does the same with the runtime that it makes for a team itself.
    """
    for runtime in runtimes:
        idle = asyncio.ensure_future(runtime._message_queue.join())  # noqa: SLF001 - AutoGen can only stop when idle
        token.link_future(idle)
        await idle


async def stop(runtimes: Iterable[SingleThreadedAgentRuntime]) -> None:
    """Stop them at once, with whatever is still at work in them."""
    for runtime in runtimes:
        at_work = set(runtime._background_tasks)  # noqa: SLF001 - AutoGen leaves them to themselves
        for task in at_work:
            task.cancel()
        if runtime._run_context is not None:  # noqa: SLF001 - stop() raises for one that was not started
            with suppress(Exception, asyncio.CancelledError):
                await runtime.stop()
        await asyncio.gather(*at_work, return_exceptions=True)
