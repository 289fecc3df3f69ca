"""Guardrails AI validators and guards at the doors."""

import copy
import json
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from ringfence.errors import PolicyError
from ringfence.guardrails.daemon_threads import DaemonThreads
from ringfence.guardrails.guard_calls import ask_guard
from ringfence.guardrails.guardrail_use import GuardrailUse, Mode, OnFail
from ringfence.guardrails.guardrails_ai import load_validator
from ringfence.guardrails.passages import PartKind, Passage
from ringfence.guardrails.quotes import unquoted
from ringfence.guardrails.shipped_validators import MODULES
from ringfence.guardrails.texts import parse_arguments
from ringfence.guardrails.validator_traits import Reads, Traits, traits_of
from ringfence.guardrails.verdicts import Allow, Block, Evidence, Rewrite, Terms, Verdict

Ask = Callable[[str], Awaitable[str]]
"""Asks a language model: the prompt in, its reply out."""

WITHHELD = "[withheld]"
_LONGEST_REASON = 300
_MOST_EVIDENCE = 20
_MOST_THREADS = 16
_REMEMBERED = 2_000
_SHORTEST_SECRET = 3
"""Characters of an option that a model must not be told."""
_KNOWN_METADATA = frozenset({"sources", "question", "history", "llm_callable", "point", "agent", "tool"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a validator or guard said of a text."""

    passed: bool
    text: str | None = None
    """In its place: the fix of a no, or what a yes is for."""
    reason: str = ""
    spans: tuple[Evidence, ...] = ()
    full_reason: str = ""
    """However long it is."""


class ValidatorGuardrail:
    """A validator or guard of guardrails-ai as a guardrail.

    A validator is asked by itself, never with others in one Guard: two that fix corrupt the text there and
    hide each other's failures. What follows from its word is Ringfence's own.
    """

    def __init__(
        self, use: GuardrailUse, *, folder: Path | None = None, given: Mapping[str, Any] | None = None
    ) -> None:
        """Make the validator that a policy names.

        Raises:
            PolicyError: There is none, or it cannot be made with these options.
        """
        self.name = use.known_as
        self.timeout_seconds = use.timeout_seconds
        self._use = use
        judge = load_validator(use.use, use.options, folder=folder or Path.cwd(), given=given)
        self._is_guard = not hasattr(judge, "rail_alias")
        self._judge = judge
        needed = {*getattr(judge, "required_metadata_keys", ())} - _KNOWN_METADATA
        if needed:
            raise PolicyError(f"{use.use} needs metadata that is not there: {', '.join(sorted(needed))}")
        self._quotes = use.use not in MODULES
        stated = _traits_of_guard(judge) if self._is_guard else traits_of(judge)
        # A Guard passes what it validated, and some validators put another value in place of what they pass.
        changes = self._is_guard or bool(getattr(judge, "override_value_on_pass", False))
        self.terms = _terms(use, stated, rewrites=changes)
        self._threads = DaemonThreads(_MOST_THREADS)
        self._known: OrderedDict[int, Verdict] = OrderedDict()
        self._ask: Ask | None = None

    @property
    def model(self) -> str | None:
        """The model tier that it asks; None when it asks none."""
        model = getattr(self._judge, "model", None)
        return model if isinstance(model, str) else None

    def asking(self, ask: Ask) -> Self:
        """The same guardrail, which asks a model at one conversation's cost."""
        asking = copy.copy(self)
        asking._ask = ask  # noqa: SLF001 - its own kind
        return asking

    async def check(self, passage: Passage) -> Verdict:
        """Judge the passage; an empty one passes, because guardrails-ai fails every empty text."""
        if not passage.text.strip():
            return Allow(self.name)
        if not self.terms.traits.quick:
            return await self._checked(passage)
        key = hash(passage)
        if (known := self._known.get(key)) is not None:
            return known
        verdict = await self._checked(passage)
        self._known[key] = verdict
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return verdict

    async def _checked(self, passage: Passage) -> Verdict:
        outcome = await self._outcome(passage)
        if outcome.passed:
            if outcome.text is None or outcome.text == passage.text:
                return Allow(self.name)
            settled = await self._outcome(replace(passage, text=outcome.text))
            if not settled.passed or settled.text not in {None, outcome.text}:
                return Block(self.name, "what it makes of the text does not pass either")
            if not self.terms.rewrites:
                return Block(self.name, "it puts another value in place of what it passes; use on_fail: fix")
            return Rewrite(self.name, outcome.text, "it is passed on as it was validated", outcome.spans)
        rewritten = self._rewritten(passage, outcome)
        if rewritten is not None and rewritten != WITHHELD:
            again = await self._outcome(replace(passage, text=rewritten)) if rewritten.strip() else None
            if again is not None and not again.passed:
                rewritten = None
        if self._use.on_fail is OnFail.NOOP:
            return Allow(self.name, outcome.reason, outcome.spans)
        if rewritten is not None:
            return Rewrite(self.name, rewritten, outcome.reason, outcome.spans)
        reask = self._use.on_fail is OnFail.REASK
        return Block(self.name, outcome.reason, outcome.spans, reask=reask, hint=self._hint(outcome, passage))

    def _rewritten(self, passage: Passage, outcome: Outcome) -> str | None:
        match self._use.on_fail:
            case OnFail.FIX:
                return outcome.text
            case OnFail.FILTER | OnFail.REFRAIN if passage.part.kind is PartKind.ARGUMENT:
                return None  # a call without one of its words is another call
            case OnFail.FILTER:
                return _without(passage.text, outcome.spans)
            case OnFail.REFRAIN:
                return WITHHELD
            case _:
                return None

    def _hint(self, outcome: Outcome, passage: Passage) -> str:
        if self._use.hint is not None:
            return self._use.hint
        if self._is_guard:
            return "it did not pass a check"  # what its validators were made with is not known
        hint = outcome.full_reason
        for word in sorted(_words_of(self._use.options), key=len, reverse=True):
            # What the model wrote itself it may hear again; the rest of the policy is not its business.
            if word.casefold() not in passage.text.casefold():
                hint = re.sub(re.escape(word), "…", hint, flags=re.IGNORECASE)
        return "" if hint == outcome.full_reason else hint[:_LONGEST_REASON]

    async def _outcome(self, passage: Passage) -> Outcome:
        outcome = await self._asked(passage)
        if outcome.passed or not self._quotes:
            return outcome
        # Somebody else's words may quote what nobody shall read.
        full = unquoted(outcome.full_reason, passage.text)
        return replace(outcome, reason=full[:_LONGEST_REASON], full_reason=full)

    async def _asked(self, passage: Passage) -> Outcome:
        metadata = _metadata(passage, self._ask)
        if self._is_guard:
            return await self._asked_guard(passage.text, metadata)
        from guardrails.validator_base import Validator

        if type(self._judge).async_validate is not Validator.async_validate:
            return _outcome_of(await self._judge.async_validate(passage.text, metadata), passage.text)
        if self.terms.runs_inline(passage):
            return _outcome_of(self._judge.validate(passage.text, metadata), passage.text)
        said = await self._threads.run(lambda: self._judge.validate(passage.text, metadata))
        return _outcome_of(said, passage.text)

    async def _asked_guard(self, text: str, metadata: dict[str, Any]) -> Outcome:
        from guardrails.errors import ValidationError

        try:
            said = await self._threads.run(lambda: ask_guard(self._judge, text, metadata))
        except ValidationError as error:
            return _no(str(error))
        return _outcome_of_guard(said, text)


def _terms(use: GuardrailUse, stated: Traits, *, rewrites: bool) -> Terms:
    traits = replace(stated, reads=use.reads or stated.reads, window=use.window or stated.window)
    return Terms(
        traits=traits,
        rewrites=rewrites or use.on_fail in {OnFail.FIX, OnFail.FILTER, OnFail.REFRAIN},
        reasks=use.on_fail is OnFail.REASK,
        shadow=use.mode is Mode.SHADOW,
        tools=use.tools or (),
        agents=use.agents or (),
        arguments=use.arguments or (),
    )


def _traits_of_guard(guard: Any) -> Traits:
    output_type = str(getattr(guard._output_type, "value", guard._output_type))  # noqa: SLF001 - a Guard does not tell it otherwise
    wants_text = output_type == "str"
    return Traits(reads=Reads.EVERYTHING if wants_text else Reads.CONTENT, structured=not wants_text)


def _metadata(passage: Passage, ask: Ask | None) -> dict[str, Any]:
    # Made anew for each check: what a validator does to it, no other sees.
    metadata: dict[str, Any] = {
        "sources": list(passage.sources),
        "question": "\n".join(passage.questions),
        "history": list(passage.history),
        "point": passage.point.value,
        "agent": passage.agent,
        "tool": passage.tool,
    }
    return metadata if ask is None else metadata | {"llm_callable": ask}


def _outcome_of(said: Any, text: str) -> Outcome:
    # The base of both kinds that there are: guardrails-ai has its own, and the hub's validators another.
    from guardrails_ai.types import FailResult, PassResult

    match said:
        case PassResult():
            override = said.value_override
            return Outcome(passed=True, text=override if isinstance(override, str) else None)
        case FailResult():
            fix = said.fix_value
            reason = said.error_message or "it did not pass"
            return _no(reason, fix if isinstance(fix, str) else None, _spans(said, text))
    raise TypeError("a validator answers with a PassResult or a FailResult")


def _outcome_of_guard(said: Any, text: str) -> Outcome:
    output = said.validated_output
    if not said.validation_passed or output is None:
        failed = [
            str(one.failure_reason)
            for one in said.validation_summaries or ()
            if one.validator_status == "fail"
        ]
        failed += [str(one.error_message) for one in getattr(said.reask, "fail_results", None) or ()]
        return _no("; ".join(failed) or "it did not pass")
    if isinstance(output, str):
        return Outcome(passed=True, text=output)
    # What passes is what was validated: a Guard drops what its schema does not know, and text around JSON.
    validated = text if _is_json_of(text, output) else json.dumps(output, ensure_ascii=False)
    return Outcome(passed=True, text=validated)


def _no(reason: str, fix: str | None = None, spans: tuple[Evidence, ...] = ()) -> Outcome:
    return Outcome(False, fix, reason[:_LONGEST_REASON], spans, reason)


def _is_json_of(text: str, output: Any) -> bool:
    # Only what has one reading: of two keys of one name, the next reader may take the other.
    return bool(parse_arguments(text) == output) if isinstance(output, dict) else False


def _spans(said: Any, text: str) -> tuple[Evidence, ...]:
    spans = [one for one in said.error_spans or () if 0 <= one.start < one.end <= len(text)]
    return tuple(Evidence(one.start, one.end, _label(one.reason)) for one in spans[:_MOST_EVIDENCE])


def _label(reason: Any) -> str:
    # Somebody's validator may quote the text there.
    label = str(reason or "")
    return label if label.isidentifier() else ""


def _without(text: str, spans: tuple[Evidence, ...]) -> str:
    kept, done = "", 0
    for span in sorted(spans, key=lambda one: one.start):
        kept += text[done : span.start] if span.start > done else ""
        done = max(done, span.end)
    kept += text[done:]
    return kept if spans and kept.strip() else WITHHELD


def _words_of(options: Any) -> set[str]:
    """Every text in a validator's options that is long enough to give something away."""
    match options:
        case str():
            return {options} if len(options) >= _SHORTEST_SECRET else set()
        case Mapping():
            return set().union(*(_words_of(part) for part in options.values()))
        case list() | tuple():
            return set().union(*(_words_of(part) for part in options))
    return set()
