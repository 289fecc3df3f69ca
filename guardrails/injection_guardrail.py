"""The search for injected instructions as a guardrail, and the `injection` section of the policy file."""

from collections import OrderedDict
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ringfence.guardrails.guardrail_use import Mode
from ringfence.guardrails.injection import scan
from ringfence.guardrails.passages import Passage, Point
from ringfence.guardrails.validator_traits import Traits, Window
from ringfence.guardrails.verdicts import Allow, Block, Evidence, Terms, Verdict
from ringfence.settings import Section

_NAME = "injection"
_MOST_EVIDENCE = 20
_REMEMBERED = 2_000


class OnFind(StrEnum):
    """What follows from a text that looks like an attack."""

    TIGHTEN = "tighten"
    """The text passes, and from then on a person decides on every consequential call of the conversation."""
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
        self.terms = Terms(
            traits=Traits(window=Window.SENTENCE, quick=True),
            rewrites=False,
            shadow=settings.mode is Mode.SHADOW,
        )
        self._known: OrderedDict[int, Verdict] = OrderedDict()

    async def check(self, passage: Passage) -> Verdict:
        """Judge the passage by its text alone."""
        key = hash(passage.text)
        if (known := self._known.get(key)) is not None:
            return known
        verdict = self._judged(passage.text)
        self._known[key] = verdict
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return verdict

    def _judged(self, text: str) -> Verdict:
        found = scan(text)
        if found.risk < self._settings.threshold:
            return Allow(_NAME)
        strongest = sorted(found.signs, key=lambda sign: -sign.weight)[:_MOST_EVIDENCE]
        evidence = tuple(Evidence(sign.start, sign.end, sign.kind) for sign in strongest)
        kinds = ", ".join(dict.fromkeys(sign.kind for sign in strongest))
        reason = f"it shows signs of an attack: {kinds}"
        if self._settings.on_find is OnFind.BLOCK:
            return Block(_NAME, reason, evidence)
        return Allow(_NAME, reason, evidence, risk=found.risk)
