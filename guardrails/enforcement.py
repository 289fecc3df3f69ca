"""The one middleware that runs guardrails and acts on what they say."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ringfence.errors import GuardrailTripped
from ringfence.guardrails.calls import ModelCall, ToolCall
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.records import Record
from ringfence.guardrails.texts import CreateResult, UserMessage, map_text, texts_of
from ringfence.guardrails.verdicts import (
    Allow,
    Block,
    Guardrail,
    Halt,
    Passage,
    Point,
    Rewrite,
    Verdict,
)


class Enforce:
    """Checks every text of a call at one point, and every text of the reply at another."""

    def __init__(
        self,
        *,
        record: Record,
        before: tuple[Point, Sequence[Guardrail]] | None = None,
        after: tuple[Point, Sequence[Guardrail]] | None = None,
    ) -> None:
        self._record = record
        self._before = before
        self._after = after

    async def __call__(self, call: Any, call_next: Handler[Any, Any]) -> Any:
        """Check the call, answer it, check the reply.

        Raises:
            GuardrailTripped: A guardrail blocked, escalated where nobody can be asked, crashed or timed out.
        """
        reply = await call_next(await self._checked(call, self._before, call))
        return await self._checked(reply, self._after, call)

    async def _checked(self, value: Any, checks: tuple[Point, Sequence[Guardrail]] | None, call: Any) -> Any:
        if checks is None or not checks[1]:
            return value
        point, guardrails = checks
        agent = call.agent if isinstance(call, ModelCall | ToolCall) else ""
        tool = call.tool if isinstance(call, ToolCall) else ""
        changed: dict[str, str] = {}
        for text in dict.fromkeys(texts_of(value)):
            passage = Passage(text, point, agent=agent, tool=tool)
            changed[text] = await self._passed(passage, guardrails)
        return map_text(value, changed.__getitem__)

    async def _passed(self, passage: Passage, guardrails: Sequence[Guardrail]) -> str:
        for guardrail in guardrails:
            verdict = await judge(guardrail, passage)
            if not isinstance(verdict, Allow) or verdict.reason:
                self._record(
                    "guardrail",
                    point=passage.point.value,
                    agent=passage.agent,
                    tool=passage.tool,
                    guardrail=guardrail.name,
                    verdict=type(verdict).__name__.lower(),
                    reason=verdict.reason,
                    evidence=[[one.start, one.end, one.label] for one in verdict.evidence],
                )
            match verdict:
                case Allow():
                    pass
                case Rewrite(text=text):
                    passage = Passage(text, passage.point, agent=passage.agent, tool=passage.tool)
                case _:
                    raise GuardrailTripped(
                        guardrail=guardrail.name,
                        point=passage.point.value,
                        reason=verdict.reason,
                        crashed=isinstance(verdict, Block) and verdict.crashed,
                        reask=isinstance(verdict, Block) and verdict.reask,
                        halt=isinstance(verdict, Halt),
                    )
        return passage.text


async def judge(guardrail: Guardrail, passage: Passage) -> Verdict:
    """What the guardrail says; a crash or a time-out is a Block that says so."""
    try:
        verdict: object = await asyncio.wait_for(guardrail.check(passage), guardrail.timeout_seconds)
    except TimeoutError:
        return Block(
            guardrail.name, f"it did not answer within {guardrail.timeout_seconds:g} s", crashed=True
        )
    except Exception as error:  # its text may quote the passage
        return Block(guardrail.name, f"it failed with {type(error).__name__}", crashed=True)
    if isinstance(verdict, Verdict):
        return verdict
    return Block(guardrail.name, f"it answered with a {type(verdict).__name__}, not a verdict", crashed=True)


class Reask:
    """Lets a model answer again when a guardrail asks for it, a bounded number of times."""

    def __init__(self, *, times: int, record: Record) -> None:
        self._times = times
        self._record = record

    async def __call__(self, call: ModelCall, call_next: Handler[ModelCall, CreateResult]) -> CreateResult:
        """Answer the call; on a refusal that may be mended, say why and ask again.

        Raises:
            GuardrailTripped: The last answer was refused, too.
        """
        for _ in range(self._times):
            try:
                return await call_next(call)
            except GuardrailTripped as tripped:
                if not tripped.reask:
                    raise
                self._record("reask", agent=call.agent, model=call.model, guardrail=tripped.guardrail)
                correction = f"Your last reply was not accepted: {tripped.reason}. Write it again."
                call = replace(
                    call, messages=(*call.messages, UserMessage(content=correction, source="ringfence"))
                )
        return await call_next(call)
