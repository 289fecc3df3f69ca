"""What the guards of the user door and of the tool door cost for a passage, beside AutoGen's own cost."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from autogen_agentchat.messages import TextMessage
from autogen_core.models import ChatCompletionClient

from benchmarks import overhead
from benchmarks.guardrails.measuring import Aim, Times, cpu_seconds_of, milliseconds, steady
from benchmarks.guardrails.texts import KINDS, SIZE, passages
from benchmarks.pii.tables import print_table
from ringfence import Policy
from ringfence.agents.compiled_policy import CompiledPolicy, compile_policy
from ringfence.agents.fence import Fence
from ringfence.agents.sessions import new_session
from ringfence.agents.team_runner import task_messages
from ringfence.conversations.audit import AuditLog
from ringfence.conversations.session import Session
from ringfence.errors import GuardrailTripped
from ringfence.guardrails.calls import ToolCall, UserTurn
from ringfence.guardrails.enforcement import Enforce
from ringfence.guardrails.masking import Mask
from ringfence.guardrails.middleware import Handler, Middleware, door
from ringfence.guardrails.pii import PiiSettings
from ringfence.guardrails.texts import TextResultContent, ToolResult

NEW = Aim(1.5, "ms")
SEEN = Aim(0.05, "ms")
_WARM_UP = 150
"""The search for injections compiles a rule when a text first holds its words."""
_TURNS = 100
_ROUNDS = 5

Pass = Callable[[str], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Stack:
    """The guards of a door."""

    name: str
    guards: Sequence[Middleware[Any, Any]]
    take: Pass
    """Takes a passage through them, and answers with what comes out."""

    @property
    def parts(self) -> str:
        """The guards by name, the first one outermost."""
        return " > ".join(type(one).__name__ for one in self.guards)


def no_names() -> Policy:
    """The default policy, in which patterns alone find personal data."""
    return Policy(pii=PiiSettings(detection="patterns"))


def session_of(compiled: CompiledPolicy) -> Session:
    """A new conversation's session, without an audit file."""
    return new_session(
        compiled,
        id="benchmark",
        user="user",
        approver=None,
        audit=AuditLog(None),
        tier_client=_no_model,
    )


def stacks(compiled: CompiledPolicy) -> list[Stack]:
    """The guards of both doors, out of one conversation's session and fence."""
    session = session_of(compiled)
    fence = Fence(session=session, compiled=compiled, tier_client=_no_model, task_messages=task_messages)
    tools = fence.workbench([look_up])._middlewares  # noqa: SLF001 - the door as it is built, not one like it
    user_guards, tool_guards = _guards(session.user_door), _guards(tools)

    async def take_turn(passage: str) -> UserTurn:
        enter: Handler[UserTurn, UserTurn] = door(user_guards, _no_team)
        return await enter(UserTurn((TextMessage(content=passage, source="user"),)))

    async def take_result(passage: str) -> ToolResult:
        async def tool(call: ToolCall) -> ToolResult:
            return ToolResult(name=call.tool, result=[TextResultContent(content=passage)])

        enter: Handler[ToolCall, ToolResult] = door(tool_guards, tool)
        return await enter(ToolCall("desk", "look_up", {"number": 7}, "call-1"))

    return [
        Stack("user door", user_guards, take_turn),
        Stack("tool door, result", tool_guards, take_result),
    ]


async def measure_doors(count: int) -> None:
    """Print what a new passage and one seen before take at each door."""
    beside = await autogen_seconds()
    compiled = compile_policy(no_names())
    rows: list[tuple[str, ...]] = []
    left_out: list[str] = []
    made: list[Stack] = []
    for number, kind in enumerate(KINDS):
        # Of its own for each kind: a mask remembers what it let through.
        made = stacks(compiled)
        for place, stack in enumerate(made):
            texts = passages(kind, _WARM_UP + count, 1 + 10 * number + place)
            await timed(stack, texts[:_WARM_UP])
            fresh = await timed(stack, texts[_WARM_UP:])
            again = await timed(stack, [*fresh])
            for what, spent, aim in (("new", fresh, NEW), ("seen before", again, SEEN)):
                times = Times(tuple(spent.values()))
                rows.append(_row(f"{stack.name}, {kind}, {what}", times, beside, aim))
            if blocked := count - len(fresh):
                said = "hold what the policy blocks, and their times are left out"
                left_out.append(f"{stack.name}, {kind}: {blocked} of {count} passages {said}")
    print_table(
        f"Guards of the default policy without names, passages of {SIZE:,} characters, CPU ms a passage "
        f"({count} each)",
        ("what", "p50", "p95", "× AutoGen", ""),
        [("AutoGen's own cost of a message", milliseconds(beside), "", "1.00", ""), *rows],
    )
    for stack in made:
        print(f"  {stack.name}: {stack.parts}")
    print("  Seen before: the same passage once more in the same conversation, in a new message.")
    print("  Left out: what records, meters, clears or approves; no garbage is collected in between.")
    for one in left_out:
        print(f"  {one}")


async def autogen_seconds() -> float:
    """AutoGen's own CPU time for a message, in the chat of `overhead.py` without a fence."""
    await overhead.bare(_TURNS, 0)
    spent = [await overhead.cpu_seconds(overhead.bare(_TURNS, seed)) for seed in range(1, _ROUNDS + 1)]
    return median(spent) / _TURNS


async def timed(stack: Stack, texts: Sequence[str]) -> dict[str, float]:
    """CPU seconds of each passage that got through."""
    blocked: set[str] = set()

    async def take(passage: str) -> None:
        try:
            await stack.take(passage)
        except GuardrailTripped as error:
            if error.crashed:
                raise
            blocked.add(passage)

    with steady():
        seconds = [await cpu_seconds_of(take, text) for text in texts]
    return {text: spent for text, spent in zip(texts, seconds, strict=True) if text not in blocked}


def _row(what: str, times: Times, beside: float, aim: Aim) -> tuple[str, ...]:
    ratio = f"{times.p50 / beside:.2f}"
    verdict = aim.words(1000 * times.p50)
    return (what, milliseconds(times.p50), milliseconds(times.p95), ratio, verdict)


def _guards(middlewares: Sequence[Middleware[Any, Any]]) -> list[Middleware[Any, Any]]:
    # A Scan is an Enforce.
    return [one for one in middlewares if isinstance(one, Mask | Enforce)]


def look_up(number: int) -> str:
    """Look up an order."""
    return str(number)


def _no_model(name: str) -> ChatCompletionClient:
    raise LookupError(name)


async def _no_team(turn: UserTurn) -> UserTurn:
    return turn
