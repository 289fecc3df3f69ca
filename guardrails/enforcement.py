"""The one middleware that runs guardrails and acts on what they say."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from ringfence.errors import GuardrailTripped
from ringfence.guardrails.calls import Delivery, Emit, ModelCall, ToolCall
from ringfence.guardrails.heard import Heard
from ringfence.guardrails.judging import Judged, Judgement, judge_all
from ringfence.guardrails.masking import Masker
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.passages import CONTENT, FIELD, Part, PartKind, Passage, Point
from ringfence.guardrails.records import Record
from ringfence.guardrails.suspicions import Suspicions
from ringfence.guardrails.texts import UncheckableContentError, map_parts, parts_of
from ringfence.guardrails.validator_traits import Window
from ringfence.guardrails.verdicts import Allow, Block, Guardrail, Halt, Rewrite, Verdict

_WINDOW = 500
"""Characters that went out before a piece and are judged with it: what is forbidden may stand across both."""
_GAP = re.compile(r"[ \t]{2,}")
_LONGEST_NAME = 40
_FEW = 4
"""Underscores of a name; with more of them it may be a sentence."""
Checks = tuple[Point, Sequence[Guardrail]]


class Enforce:
    """Checks every text of a call at one point, and every text of the reply at another."""

    def __init__(
        self,
        *,
        record: Record,
        before: Checks | None = None,
        after: Checks | None = None,
        heard: Heard | None = None,
        suspicions: Suspicions | None = None,
        masker: Masker | None = None,
    ) -> None:
        """Check calls with `before` and replies with `after`.

        Args:
            record: Where verdicts are written down.
            before: The point of the call, and its guardrails.
            after: The point of the reply, and its guardrails.
            heard: What was read and said so far; None when no guardrail compares.
            suspicions: Where passages are noted that were let through with a risk.
            masker: Masks what guardrails write, and shows the real values to those that see them.
        """
        self._record = record
        self._before = before
        self._after = after
        self._heard = heard
        self._suspicions = suspicions
        self._masker = masker

    async def __call__(self, call: Any, call_next: Handler[Any, Any]) -> Any:
        """Check the call, answer it, check the reply.

        Raises:
            GuardrailTripped: A guardrail blocked, escalated where nobody can be asked, crashed or timed out,
                or there is content that nobody can read.
        """
        if self._heard is not None and isinstance(call, ModelCall):
            self._heard.read(call)
        checked = await self._checked(call, self._before, call)
        written: list[str] = []
        if self._after is not None and isinstance(checked, ModelCall) and checked.emit is not None:
            checked = replace(checked, emit=self._watched(checked.emit, self._after, call, written))
        reply = await call_next(checked)
        if self._after is not None and (shown := "".join(written)) and shown != reply.content:
            # What went out in pieces may be another text than the one that the client calls its reply.
            await self.pass_on(replace(_base(call, self._after[0]), text=shown), self._after[1])
        return await self._checked(reply, self._after, call)

    async def _checked(self, value: Any, checks: Checks | None, call: Any) -> Any:
        if checks is None or not (checks[1] or self._heard):
            return value
        point, guardrails = checks
        base = _base(call, point)
        if isinstance(value, Delivery) and value.before is not None:
            await self._check_window(value.before, value.piece, guardrails, base)
            return value
        changed: dict[tuple[str, Part], str] = {}
        try:
            for text, part in self._read(value):
                changed[text, part] = await self.pass_on(_placed(base, text, part, value), guardrails)
            if any(text != passed for (text, _), passed in changed.items()):
                value = map_parts(value, lambda text, part: changed.get((text, part), text))
            for text, part in _wholes(value):
                await self._judge_only(replace(base, text=text, part=part), guardrails, self._heard)
        except UncheckableContentError as error:
            raise GuardrailTripped(guardrail="texts", point=point.value, reason=f"it holds {error}") from None
        return value

    def _read(self, value: Any) -> Iterable[tuple[str, Part]]:
        return dict.fromkeys(parts_of(value))

    async def pass_on(self, passage: Passage, guardrails: Sequence[Guardrail]) -> str:
        """The text that goes on in place of this one.

        Raises:
            GuardrailTripped: It goes no further.
        """
        judged = await judge_all(passage, guardrails, self._heard)
        self._act(judged)
        passed = judged.passage
        if self._masker is not None and passed.text != passage.text:
            # What a guardrail writes, or leaves when it takes something out, may be somebody's value.
            masked = await self._masker.mask(passed.text, point=passed.point.value)
            passed = replace(passed, text=masked)
        await self._judge_real_values(passed, guardrails)
        if self._heard is not None:
            self._heard.note(passed)
        return passed.text

    async def _judge_real_values(self, passage: Passage, guardrails: Sequence[Guardrail]) -> None:
        """Ask those that see values about the text that a reader or tool will get."""
        seeing = [one for one in guardrails if one.terms.traits.sees_values]
        if not seeing or self._masker is None:
            return
        reveal = self._masker.reveal
        real = reveal(passage.text)
        if real == passage.text:
            return
        beside = passage if self._heard is None else self._heard.beside(passage)
        await self._judge_only(
            replace(
                beside,
                text=real,
                sources=tuple(map(reveal, beside.sources)),
                questions=tuple(map(reveal, beside.questions)),
                history=tuple(map(reveal, beside.history)),
            ),
            seeing,
            None,
        )

    async def _judge_only(
        self, passage: Passage, guardrails: Sequence[Guardrail], heard: Heard | None
    ) -> None:
        """Judge a text that goes on in another form, so that a Rewrite of it is a no."""
        judged = await judge_all(passage, guardrails, heard)
        self._act(judged)
        for one in judged.judgements:
            if one.changes:
                name, reason = one.guardrail.name, one.verdict.reason
                raise GuardrailTripped(guardrail=name, point=passage.point.value, reason=reason)

    def _act(self, judged: Judged) -> None:
        for judgement in judged.judgements:
            self._note(judgement, judged.passage)
            said = judgement.verdict
            if judgement.counts and isinstance(said, Allow) and said.risk and self._suspicions is not None:
                self._suspicions.note(judged.passage, said)
        tripped = tripped_by(judged.verdict, judged.passage.point)
        if tripped is not None:
            raise tripped

    def _note(self, judgement: Judgement, passage: Passage) -> None:
        verdict = judgement.verdict
        if isinstance(verdict, Allow) and not verdict.reason and not verdict.risk:
            return
        self._record(
            "guardrail",
            point=passage.point.value,
            agent=passage.agent,
            tool=passage.tool,
            guardrail=judgement.guardrail.name,
            verdict=type(verdict).__name__.lower(),
            mode="enforce" if judgement.counts else "shadow",
            reason=verdict.reason,
            evidence=[[one.start, one.end, one.label] for one in verdict.evidence],
            seconds=round(judgement.seconds, 6),
        )

    def _watched(self, emit: Emit, checks: Checks, call: ModelCall, written: list[str]) -> Emit | None:
        """Lets a piece of a reply out once it was checked; None when the whole reply has to be seen first."""
        point, guardrails = checks
        base = _base(call, point)
        if needs_whole(guardrails, base):
            return None
        before = ""

        async def checked(piece: str) -> None:
            nonlocal before
            await self._check_window(before, piece, guardrails, base)
            before = last_words(before + piece)
            written.append(piece)
            await emit(piece)

        return checked

    async def _check_window(
        self, before: str, piece: str, guardrails: Sequence[Guardrail], base: Passage
    ) -> None:
        window = replace(base, text=before + piece)
        quick = [one for one in guardrails if _judges_windows(one)]
        if quick:
            self._act(await judge_all(window, quick, self._heard))
            await self._judge_real_values(window, quick)


class Scan(Enforce):
    """Looks at texts as they came in, before a mask takes values and hidden signs away."""

    def _read(self, value: Any) -> Iterable[tuple[str, Part]]:
        # A plain name says nothing, and each message has some.
        return [one for one in super()._read(value) if not _is_name(*one)]


def last_words(text: str) -> str:
    """What of a text that went out is judged again with what follows it; no word is cut."""
    # A gap of a thousand spaces parts nothing for who reads it.
    text = _GAP.sub(" ", text)
    tail = text[-_WINDOW:]
    return tail if len(text) <= _WINDOW else tail[tail.find(" ") + 1 :]


def tripped_by(verdict: Verdict, point: Point) -> GuardrailTripped | None:
    """The error that a verdict leads to at this point; None when the passage goes on."""
    if isinstance(verdict, Allow | Rewrite):
        return None
    return GuardrailTripped(
        guardrail=verdict.guardrail,
        point=point.value,
        reason=verdict.reason,
        crashed=isinstance(verdict, Block) and verdict.crashed,
        reask=isinstance(verdict, Block) and verdict.reask,
        halt=isinstance(verdict, Halt),
        hint=verdict.hint if isinstance(verdict, Block) else "",
    )


def needs_whole(guardrails: Sequence[Guardrail], passage: Passage) -> bool:
    """Whether nothing of a text may go out before all of it was judged.

    That is so when a guardrail cannot judge a sentence, and when its no changes what was written or has it
    written anew, if only for a call at its end: what went out is never taken back.
    """
    enforced = [one.terms for one in guardrails if not one.terms.shadow]
    reasks = any(one.reasks and replace(one, tools=(), arguments=()).fit(passage) for one in enforced)
    concerned = [one for one in enforced if one.fit(passage)]
    return reasks or any(one.rewrites or one.traits.window is Window.REPLY for one in concerned)


def _judges_windows(guardrail: Guardrail) -> bool:
    return guardrail.terms.traits.window is Window.SENTENCE and not guardrail.terms.shadow


def _base(call: Any, point: Point) -> Passage:
    match call:
        case ModelCall():
            return Passage("", point, agent=call.agent)
        case ToolCall():
            return Passage("", point, agent=call.agent, tool=call.tool)
        case Delivery():
            return Passage("", point, agent=str(getattr(call.message, "source", "")))
    return Passage("", point)


def _placed(base: Passage, text: str, part: Part, value: Any) -> Passage:
    is_said = not isinstance(value, Delivery) or value.is_answer
    # An event tells of what was said elsewhere: whoever demands a form of an answer does not mean it.
    part = part if is_said or part.kind is not PartKind.CONTENT else FIELD
    return Passage(text, base.point, base.agent, base.tool, part)


def _is_name(text: str, part: Part) -> bool:
    is_short = len(text) <= _LONGEST_NAME and text.isascii() and text.isidentifier()
    return part.kind is PartKind.LABEL and is_short and text.count("_") < _FEW


def _wholes(value: Any) -> Iterator[tuple[str, Part]]:
    """What only together has a form: a structured answer, and the arguments of a call."""
    match value:
        case Delivery(message=message, is_answer=True):
            content = getattr(message, "content", None)
            if isinstance(content, BaseModel):
                yield content.model_dump_json(), CONTENT
        case ToolCall(arguments=arguments):
            yield _json(dict(arguments)), Part(PartKind.CALL)
            for name, one in arguments.items():
                yield one if isinstance(one, str) else _json(one), Part(PartKind.CALL, argument=name)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
