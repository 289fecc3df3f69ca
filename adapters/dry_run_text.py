"""What would happen to one text at a door, and why."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from ringfence.adapters.dry_run import DryRun
from ringfence.adapters.dry_run_hearing import Watched, hearings
from ringfence.adapters.dry_run_outcome import Asked, Kind, Outcome
from ringfence.errors import GuardrailTripped
from ringfence.guardrails.clean_text import clean_text
from ringfence.guardrails.enforcement import tripped_by
from ringfence.guardrails.findings import Finding
from ringfence.guardrails.injection import Scan, scan
from ringfence.guardrails.judging import Judged, judge_all
from ringfence.guardrails.masking import Masker
from ringfence.guardrails.passages import CONTENT, Part, PartKind, Passage, Point
from ringfence.guardrails.suspicions import Suspicions
from ringfence.guardrails.vault import Vault
from ringfence.guardrails.verdicts import Allow, Rewrite

MASK, CLEANING = "pii", "cleaning"
"""Who rewrites beside the guardrails: the mask, and what takes invisible characters out before it."""


@dataclass(frozen=True)
class TextTrial:
    """What would happen to one text, and why."""

    passage: Passage
    findings: tuple[tuple[Finding, str], ...]
    """The personal data in the cleaned text, with what becomes of it."""
    masked: str | None
    """None when it was not masked, because something said no before or the mask itself did."""
    scanned: Scan
    """Signs of an attack in the text as given."""
    asked: tuple[Asked, ...]
    outcome: Outcome
    suspicion: str = ""
    """Not empty: from then on a person decides on every consequential call."""
    notes: tuple[str, ...] = ()

    @property
    def kinds_of_signs(self) -> frozenset[str]:
        """The signs of an attack."""
        return frozenset(sign.kind for sign in self.scanned.signs)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        found = [
            {"type": one.entity, "start": one.start, "end": one.end, "score": one.score, "action": action}
            for one, action in self.findings
        ]
        passage = self.passage
        place = {"at": passage.point.value, "agent": passage.agent, "argument": passage.part.argument}
        place["tool"] = passage.tool or passage.part.tool
        signs = [asdict(one) for one in self.scanned.signs]
        return {
            "passage": {key: value for key, value in place.items() if value},
            "personal_data": found,
            "masked": self.masked,
            "injection": {"risk": self.scanned.risk, "signs": signs},
            "guardrails": [one.as_dict() for one in self.asked],
            "outcome": self.outcome.as_dict(),
            "suspicion": self.suspicion or None,
            "notes": list(self.notes),
        }


def passage_at(
    point: Point,
    text: str,
    *,
    agent: str = "",
    tool: str = "",
    argument: str = "",
    questions: tuple[str, ...] = (),
    sources: tuple[str, ...] = (),
    history: tuple[str, ...] = (),
) -> Passage:
    """A text as it stands at a door. At `message`, a tool is one that the model asks for with it."""
    is_argument = point is Point.TOOL_CALL or (point is Point.MESSAGE and bool(tool or argument))
    wanted = tool if point is Point.MESSAGE else ""
    return Passage(
        text,
        point,
        agent=agent,
        tool=tool if point in {Point.TOOL_CALL, Point.TOOL_RESULT} else "",
        part=Part(PartKind.ARGUMENT, argument, wanted) if is_argument else CONTENT,
        questions=questions,
        sources=sources,
        history=history,
    )


async def try_text(run: DryRun, passage: Passage) -> TextTrial:
    """Take a text through the door of its point, in a conversation of its own."""
    vault, masker = run.conversation()
    notes: list[str] = []
    passage = await _beside_masked(passage, masker, notes)
    trial = _Trial(run, passage, vault, masker)
    error = await trial.refusal()
    judgements = [one for judged in trial.judged for one in judged.judgements]
    suspicions = Suspicions()
    if error is None:
        outcome = trial.passed()
        for one in judgements:
            if one.counts and isinstance(one.verdict, Allow) and one.verdict.risk:
                suspicions.note(passage, one.verdict)
    else:
        heard = await hearings(error, passage, reasks=run.policy.reasks, masker=masker)
        outcome = Outcome.refused(error, trial.judged[-1].verdict, heard)
    return TextTrial(
        passage=passage,
        findings=await _findings(run, passage.text),
        masked=trial.masked,
        scanned=scan(passage.text),
        asked=run.rows(judgements, [passage], stopped_by=error.guardrail if error else ""),
        outcome=outcome,
        suspicion=str(suspicions),
        notes=tuple(notes),
    )


class _Trial:
    """One text on its way through a door."""

    def __init__(self, run: DryRun, passage: Passage, vault: Vault, masker: Masker) -> None:
        self._run = run
        self._passage = passage
        self._vault = vault
        self._masker = masker
        self.judged: list[Judged] = []
        self.masked: str | None = None
        self._text = ""

    async def refusal(self) -> GuardrailTripped | None:
        """What the door would raise; None when the text goes on."""
        point = self._passage.point
        scanned = await judge_all(self._passage, self._run.scanners_at(point))
        self.judged.append(scanned)
        if error := tripped_by(scanned.verdict, point):
            return error
        try:
            # Arguments were masked at the model door, before the guardrails of `tool_call` see them.
            self.masked = await self._masker.mask(self._passage.text, point=point.value)
            masked = replace(self._passage, text=self.masked)
            door = Watched(masker=self._masker)
            try:
                self._text = await door.pass_on(masked, self._run.guardrails_at(point))
            finally:
                self.judged += door.judged
            if point is Point.TOOL_CALL:
                self._text = await self._masker.mask(self._text, point=point.value)
        except GuardrailTripped as error:
            return error
        return None

    def passed(self) -> Outcome:
        """What goes on."""
        text, given = self._text, self._passage.text
        if self._passage.point is Point.OUTPUT:
            text = self._vault.reveal(text, self._run.policy.pii.reveal_to_user)
        if text == given:
            return Outcome(Kind.ALLOW, text=text)
        return Outcome(Kind.REWRITE, tuple(dict.fromkeys(self._rewriters(given))), text=text)

    def _rewriters(self, given: str) -> Iterator[str]:
        cleaned = clean_text(given)
        if cleaned != given:
            yield CLEANING
        if self.masked != cleaned:
            yield MASK
        for judged in self.judged:
            rewrote = (one for one in judged.judgements if one.counts and isinstance(one.verdict, Rewrite))
            yield from (one.guardrail.name for one in rewrote)


async def _beside_masked(passage: Passage, masker: Masker, notes: list[str]) -> Passage:
    """What was read and said before, as the agents had it: masked."""

    async def masked(kind: str, texts: tuple[str, ...], point: Point) -> tuple[str, ...]:
        kept: list[str] = []
        for number, text in enumerate(texts, 1):
            try:
                kept.append(await masker.mask(text, point=point.value))
            except GuardrailTripped as tripped:
                notes.append(f"no agent would have read {kind} {number}: {tripped.reason}")
        return tuple(kept)

    return replace(
        passage,
        questions=await masked("question", passage.questions, Point.INPUT),
        sources=await masked("source", passage.sources, Point.TOOL_RESULT),
        history=await masked("earlier reply", passage.history, passage.point),
    )


async def _findings(run: DryRun, text: str) -> tuple[tuple[Finding, str], ...]:
    rules = run.compiled.finder.rules
    try:
        found = await run.compiled.finder.find_all(clean_text(text))
    except Exception:  # the mask has said it already
        return ()
    return tuple((one, rules[one.entity].action.value) for one in found)
