"""What several guardrails say of one passage, and in which order they are asked.

First those that may rewrite, one after another in the policy's order: each sees the text as the one before
left it. Then all others, on the text as it came out: the quick ones in the policy's order, then the rest, all
at once. The first Block or Halt ends it, and what is still running is given up; otherwise the strictest
verdict counts, the first of equals. Guardrails in shadow mode are asked with the others, and their word does
not count.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

from ringfence.errors import RingfenceError
from ringfence.guardrails.heard import Heard
from ringfence.guardrails.passages import Passage
from ringfence.guardrails.verdicts import Allow, Block, Guardrail, Halt, Rewrite, Verdict, strictest


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one guardrail said, and how long it took."""

    guardrail: Guardrail
    verdict: Verdict
    seconds: float

    @property
    def counts(self) -> bool:
        """Whether it is enforced."""
        return not self.guardrail.terms.shadow

    @property
    def changes(self) -> bool:
        """Whether the text goes on as another one."""
        return self.counts and isinstance(self.verdict, Rewrite)

    @property
    def stops(self) -> bool:
        """Whether nothing more has to be asked."""
        return self.counts and isinstance(self.verdict, Block | Halt)


@dataclass(slots=True)
class Judged:
    """What became of a passage."""

    passage: Passage
    """With the text as the guardrails left it."""
    judgements: list[Judgement] = field(default_factory=list)
    """In the order in which they were given."""

    @property
    def verdict(self) -> Verdict:
        """The strictest that counts; a Rewrite is in the passage already."""
        counting = [one.verdict for one in self.judgements if one.counts]
        return strictest(verdict for verdict in counting if not isinstance(verdict, Rewrite))

    @property
    def risk(self) -> float:
        """The greatest that was seen."""
        allowed = [one.verdict for one in self.judgements if one.counts]
        return max((one.risk for one in allowed if isinstance(one, Allow)), default=0.0)


async def judge_all(passage: Passage, guardrails: Sequence[Guardrail], heard: Heard | None = None) -> Judged:
    """Ask every guardrail that the passage concerns."""
    judged = Judged(passage)
    first: list[Guardrail] = []
    others: list[Guardrail] = []
    for guardrail in guardrails:
        if guardrail.terms.fit(passage):
            rewrites = guardrail.terms.rewrites and not guardrail.terms.shadow
            (first if rewrites else others).append(guardrail)
    if await _ask_in_turn(first, judged, heard) or await _ask_again(judged, heard):
        return judged
    quick = [one for one in others if one.terms.runs_inline(judged.passage)]
    if await _ask_in_turn(quick, judged, heard):
        return judged
    slow = [one for one in others if one not in quick] if len(quick) < len(others) else []
    if len(slow) == 1:
        await _ask_in_turn(slow, judged, heard)
    elif slow:
        await _ask_at_once(slow, judged, heard)
    return judged


async def judge(guardrail: Guardrail, passage: Passage) -> Verdict:
    """What the guardrail says; a crash or a time-out is a Block that says so."""
    try:
        verdict: object = await _answered(guardrail, passage)
    except TimeoutError:
        reason = f"it did not answer within {guardrail.timeout_seconds:g} s"
        return Block(guardrail.name, reason, crashed=True)
    except RingfenceError as error:  # one of ours quotes nobody
        return Block(guardrail.name, f"it failed: {error}", crashed=True)
    except (Exception, SystemExit) as error:  # its text may quote the passage
        return Block(guardrail.name, f"it failed with {type(error).__name__}", crashed=True)
    if isinstance(verdict, Rewrite) and verdict.text == passage.text:
        return Allow(verdict.guardrail, verdict.reason, verdict.evidence)
    if isinstance(verdict, Rewrite) and not guardrail.terms.rewrites:
        return Block(guardrail.name, "it rewrote the text, and had not said that it may", crashed=True)
    if isinstance(verdict, Verdict):
        return verdict
    return Block(guardrail.name, f"it answered with a {type(verdict).__name__}, not a verdict", crashed=True)


async def _answered(guardrail: Guardrail, passage: Passage) -> Verdict:
    if guardrail.terms.runs_inline(passage):
        return await guardrail.check(passage)
    async with asyncio.timeout(guardrail.timeout_seconds) as time_box:
        verdict = await guardrail.check(passage)
    if time_box.expired():  # it did not let itself be stopped
        raise TimeoutError
    return verdict


async def _timed(guardrail: Guardrail, passage: Passage, heard: Heard | None) -> Judgement:
    if heard is not None and guardrail.terms.traits.uses_context:
        passage = heard.beside(passage)
    started = perf_counter()
    verdict = await judge(guardrail, passage)
    return Judgement(guardrail, verdict, perf_counter() - started)


async def _ask_in_turn(guardrails: Sequence[Guardrail], judged: Judged, heard: Heard | None) -> bool:
    """Whether one of them stopped it."""
    for guardrail in guardrails:
        judgement = await _timed(guardrail, judged.passage, heard)
        judged.judgements.append(judgement)
        if judgement.stops:
            return True
        if judgement.changes and isinstance(judgement.verdict, Rewrite):
            judged.passage = replace(judged.passage, text=judgement.verdict.text)
    return False


async def _ask_again(judged: Judged, heard: Heard | None) -> bool:
    """Ask those about the final text that saw another one; whether one of them stopped it."""
    last = max((n for n, one in enumerate(judged.judgements) if one.changes), default=0)
    for earlier in judged.judgements[:last]:
        judgement = await _timed(earlier.guardrail, judged.passage, heard)
        if judgement.changes:
            # They undo each other's work: no order of them would do.
            name = earlier.guardrail.name
            said = Block(name, "what a later guardrail made of the text does not pass it")
            judgement = replace(judgement, verdict=said)
        judged.judgements.append(judgement)
        if judgement.stops:
            return True
    return False


async def _ask_at_once(guardrails: Sequence[Guardrail], judged: Judged, heard: Heard | None) -> None:
    asked = [asyncio.ensure_future(_timed(one, judged.passage, heard)) for one in guardrails]
    try:
        for answer in asyncio.as_completed(asked):
            judgement = await answer
            judged.judgements.append(judgement)
            if judgement.stops:
                return
    finally:
        for one in asked:
            one.cancel()
