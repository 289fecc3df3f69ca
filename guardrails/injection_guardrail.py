"""The search for injected instructions as a guardrail, and the `injection` section of the policy file."""

from collections import OrderedDict
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ringfence.guardrails.clean_text import clean_text
from ringfence.guardrails.daemon_threads import DaemonThreads
from ringfence.guardrails.guardrail_use import Mode
from ringfence.guardrails.injection import scan, warm_up
from ringfence.guardrails.passages import Passage, Point
from ringfence.guardrails.validator_traits import Traits, Window
from ringfence.guardrails.verdicts import Allow, Block, Evidence, Terms, Verdict
from ringfence.settings import Section

_NAME = "injection"
_MOST_EVIDENCE = 20
_REMEMBERED = 2_000
_MOST_CHARACTERS = 1_000_000
_MOST_THREADS = 2


class OnFind(StrEnum):
    """What follows from a text that looks like an attack."""

    TIGHTEN = "tighten"
    """The text passes, and from then on a person decides on every consequential call of the conversation."""
    TRACE = "trace"
    """The text passes, and its source excuses no value any more, although it was named; calls of which the
    user said every value still run."""
    BLOCK = "block"
    """The text goes no further."""


class InjectionSettings(Section):
    """The `injection` section."""

    at: tuple[Point, ...] = (Point.INPUT, Point.TOOL_RESULT)
    """Where texts from outside come in; what a memory recalls counts as a tool's result."""
    threshold: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Least risk that counts, from 0 to 1."""
    on_find: OnFind = OnFind.TIGHTEN
    mode: Mode = Mode.ENFORCE


class InjectionGuardrail:
    """Looks for instructions to the model and for hidden text. What it finds is a sign, never proof."""

    name = _NAME
    timeout_seconds = 10.0

    def __init__(self, settings: InjectionSettings) -> None:
        self._settings = settings
        warm_up()  # else the first texts of a process wait for it
        self.terms = Terms(
            traits=Traits(window=Window.SENTENCE, quick=True),
            rewrites=False,
            shadow=settings.mode is Mode.SHADOW,
        )
        self._threads = DaemonThreads(_MOST_THREADS)
        self._known: OrderedDict[int, Verdict] = OrderedDict()

    async def check(self, passage: Passage) -> Verdict:
        """Judge the passage by its text alone."""
        text = passage.text
        if len(text) > _MOST_CHARACTERS:
            return Block(_NAME, f"it has more than {_MOST_CHARACTERS:,} characters", crashed=True)
        key = hash(text)
        if (known := self._known.get(key)) is not None:
            return known
        if self.terms.runs_inline(passage):
            verdict = self._judged(text)
        else:
            verdict = await self._threads.run(lambda: self._judged(text))
        self._known[key] = verdict
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return verdict

    def _judged(self, text: str) -> Verdict:
        found, places = scan(text), True
        # The mask spells out what is escaped and takes out what nobody sees: agents read it so.
        if found.risk < self._settings.threshold and (plain := clean_text(text)) != text:
            found, places = scan(plain), False
        if found.risk < self._settings.threshold:
            return Allow(_NAME)
        strongest = sorted(found.signs, key=lambda sign: -sign.weight)[:_MOST_EVIDENCE]
        spans = ((sign.start, sign.end) if places else (0, len(text)) for sign in strongest)
        evidence = tuple(Evidence(*span, sign.kind) for span, sign in zip(spans, strongest, strict=True))
        kinds = ", ".join(dict.fromkeys(sign.kind for sign in strongest))
        reason = f"it shows signs of an attack: {kinds}"
        if self._settings.on_find is OnFind.BLOCK:
            return Block(_NAME, reason, evidence)
        return Allow(_NAME, reason, evidence, risk=found.risk)
