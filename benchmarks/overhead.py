"""What the fence costs: the same two-agent chat, bare and fenced, side by side in one run.

    python benchmarks/overhead.py [--turns 200] [--rounds 5]

Prints messages per CPU-second of each, their ratio, and where a fenced message's time goes. AutoGen's own
replay client stands in for the model and answers at once, so all that is measured is AutoGen and the fence.
Every message is new text, as in a chat; one in ten holds personal data.
"""

import argparse
import asyncio
import cProfile
import gc
import logging
import pstats
import statistics
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.model_context import BufferedChatCompletionContext
from autogen_core.models import ChatCompletionClient
from autogen_ext.models.replay import ReplayChatCompletionClient

from ringfence import Fence, Limits, Policy, Ringfence
from ringfence.policy import AuditSettings, LoadedPolicy

# The first that fits a file names the place of its functions' own time.
PLACES = {
    "finding personal data": ("presidio", "phonenumbers", "spacy", "/regex/", "thinc", "stdnum"),
    "counting tokens": ("tiktoken", "token_count"),
    "audit log": ("structlog", "audit.py", "json/encoder"),
    "the doors": ("/ringfence/guardrails/", "/budgets/", "/conversations/", "/ringfence/agents/"),
    "AutoGen and its models": ("autogen_", "pydantic"),
}
REST = "the rest (event loop, Python)"


def sentences(turns: int, seed: int) -> list[str]:
    """So many different messages; one in ten holds an e-mail address and a phone number."""
    return [
        f"Step {seed}-{number}: the parcel of order {1000 + number} has left the depot and is on its way."
        + (f" Tell customer{number}@example.com, +1 212-555-{number:04}." if number % 10 == 0 else "")
        for number in range(turns)
    ]


def team(
    wrap: Callable[[ChatCompletionClient], ChatCompletionClient], turns: int, seed: int
) -> RoundRobinGroupChat:
    """Two agents that take turns, each with the last ten messages as its context."""
    replies = sentences(turns, seed)
    agents = [
        AssistantAgent(
            name,
            wrap(ReplayChatCompletionClient(replies[start::2])),
            model_context=BufferedChatCompletionContext(10),
        )
        for name, start in (("one", 0), ("two", 1))
    ]
    return RoundRobinGroupChat(list(agents), max_turns=turns)


async def bare(turns: int, seed: int) -> TaskResult:
    """The chat as AutoGen runs it."""
    return await team(lambda client: client, turns, seed).run(task="Go.")


async def fenced(ringfence: Ringfence, turns: int, seed: int) -> TaskResult:
    """The same chat behind the fence."""

    def factory(fence: Fence) -> RoundRobinGroupChat:
        return team(fence.model_client, turns, seed)

    return await ringfence.conversation(factory).run(task="Go.")


async def cpu_seconds(run: Coroutine[Any, Any, TaskResult]) -> float:
    """CPU time of one run, without the garbage of the one before."""
    gc.collect()
    started = time.process_time()
    await run
    return time.process_time() - started


def places(profile: cProfile.Profile) -> dict[str, float]:
    """Own time by place, as shares that add up to 1; a built-in's time counts where it was called."""
    shares: dict[str, float] = {}
    for (file, _, _), (_, _, own, _, callers) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        built_in = file == "~" and callers
        spent = [(caller[0], times[2]) for caller, times in callers.items()] if built_in else [(file, own)]
        for where, seconds in spent:
            place = next(
                (name for name, parts in PLACES.items() if any(part in where for part in parts)), REST
            )
            shares[place] = shares.get(place, 0.0) + seconds
    total = sum(shares.values())
    return {place: seconds / total for place, seconds in shares.items()}


async def measure(turns: int, rounds: int, folder: Path) -> None:
    """Run both chats in turn, and print what came out."""
    unbounded = Limits(turns=None, model_calls=None, tokens=None, usd=None, seconds=None)
    policy = Policy(limits=unbounded, audit=AuditSettings(path="audit.jsonl"))
    ringfence = Ringfence(LoadedPolicy(policy, folder / "policy", folder, "benchmark"))
    await bare(turns, 0)
    await fenced(ringfence, turns, 0)
    without, behind = [], []
    for seed in range(1, rounds + 1):
        without.append(await cpu_seconds(bare(turns, seed)))
        behind.append(await cpu_seconds(fenced(ringfence, turns, seed)))
    profile = cProfile.Profile()
    profile.enable()
    await fenced(ringfence, turns, rounds + 1)
    profile.disable()
    slow, fast = statistics.median(behind), statistics.median(without)
    print(f"{turns} messages between two agents, median of {rounds} rounds, CPU time")
    print(f"  bare AutoGen   {turns / fast:7.0f} messages/s   {1000 * fast / turns:6.2f} ms a message")
    print(f"  fenced         {turns / slow:7.0f} messages/s   {1000 * slow / turns:6.2f} ms a message")
    print(f"  ratio          {slow / fast:7.1f}")
    print("Where a fenced message's time goes (profiled, so only the shares count):")
    for place, share in sorted(places(profile).items(), key=lambda item: -item[1]):
        print(f"  {share:5.0%}  {place}")
    await ringfence.close()


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description="What the fence costs")
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with TemporaryDirectory() as folder:
        asyncio.run(measure(arguments.turns, arguments.rounds, Path(folder)))


if __name__ == "__main__":
    main()
