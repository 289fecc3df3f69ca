"""Where each value of a call first appeared, and what follows from it for the call."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ringfence.guardrails.asking_words import requests_of
from ringfence.guardrails.call_values import TooMuchError, Value, as_followed, values_of
from ringfence.guardrails.fetch_targets import is_page_number, is_target
from ringfence.guardrails.noted_texts import NotedTexts
from ringfence.guardrails.sources import Source, SourceKind, Trace
from ringfence.guardrails.tool_spec import ToolSpec
from ringfence.guardrails.value_kinds import ValueKind
from ringfence.guardrails.value_rules import traced

__all__ = ["ArgumentTerms", "Provenance", "Source", "SourceKind", "Trace"]


@dataclass(frozen=True, slots=True)
class ArgumentTerms:
    """What is said of a tool's arguments beforehand."""

    suppliers: Mapping[str, Collection[SourceKind]] = field(default_factory=dict)
    """Argument → who alone may have supplied its value."""
    listed: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Argument → values that the tool's schema or the policy lists, and names that the schema gives."""
    targets: Collection[str] = ()
    """Arguments of which the tool's schema says that they are links, hosts and the like."""


_AT_THE_USER_DOOR = frozenset({SourceKind.USER, SourceKind.UNTRUSTED})
_FOLLOWED = frozenset({ValueKind.LINK, ValueKind.ADDRESS})
"""What a tool may follow that only reads: `user@host` is a link without its scheme."""
_MOST_SAVED = 200_000
"""Characters of what was said that are written down with each step; the newest."""
_NO_TERMS = ArgumentTerms()


class Provenance:
    """What one conversation has read, by source. Holds texts as the agents see them, masked."""

    def __init__(self) -> None:
        self._texts = NotedTexts()
        self.since = 0
        """The turn after which it begins: what was read before was forgotten."""
        self.version = 0
        """Another one whenever a trace may have become another one."""
        self.is_loaded = False
        """The agents remember what they read elsewhere, and nobody can tell any more who wrote it."""

    def note(self, text: str, source: Source) -> None:
        """Remember a text that an agent may have read."""
        self.version += 1
        self._texts.add(text, source)

    def clear(self, *, since: int = 0) -> None:
        """Forget everything, because the agents forget what they read, too."""
        self.version += 1
        self._texts.clear()
        self.since, self.is_loaded = since, False

    def trace(
        self,
        tool: str,
        spec: ToolSpec,
        arguments: Mapping[str, Any],
        *,
        terms: ArgumentTerms = _NO_TERMS,
        suspicious: Collection[str] = (),
    ) -> tuple[Trace, ...]:
        """Where the values of a call came from; the arguments are masked, as the agents wrote them.

        Args:
            tool: Its name.
            spec: What it does.
            arguments: What it is called with.
            terms: What is said of the arguments beforehand.
            suspicious: Tools and memories whose results look like an attack: these excuse no value, although
                the user named them. With an empty name among them, no source does.
        """
        if spec.composite or not self._concerns(spec, terms):
            return ()
        given = {name: value for name, value in arguments.items() if name not in spec.supplied}
        try:
            values = [*values_of(given, free_text=spec.free_text)]
        except TooMuchError:
            said = "there is more in the arguments than can be traced"
            return (Trace("", "", "call", None, escalates=True, why=said),)
        traces = [*self._traces(values, spec, terms, suspicious=suspicious)]
        if spec.consequential and self._texts.has_untrusted:
            traces += self._unasked(tool, spec, traces)
        return tuple(traces)

    def _concerns(self, spec: ToolSpec, terms: ArgumentTerms) -> bool:
        is_in_force = self._texts.has_untrusted and (spec.consequential or spec.open_world)
        return is_in_force or bool(terms.suppliers)

    def _traces(
        self, values: list[Value], spec: ToolSpec, terms: ArgumentTerms, suspicious: Collection[str]
    ) -> Iterator[Trace]:
        whole: tuple[Value, Trace] | None = None
        if not spec.consequential and spec.open_world:
            values = [_followed(one, terms) for one in values]
        for value in values:
            suppliers = terms.suppliers.get(value.name)
            # To read a page sends its address out, and whatever was put into it.
            goes_out = spec.consequential or (spec.open_world and value.kind in _FOLLOWED)
            if suppliers is None and not (goes_out and self._texts.has_untrusted):
                continue
            trace = traced(
                value,
                self._texts,
                listed=terms.listed.get(value.name, ()),
                suppliers=suppliers,
                is_reading=not spec.consequential,
                suspicious=suspicious,
            )
            if not value.is_part:
                whole = value, trace
            elif whole and not spec.open_world and _is_in_a_name(value, *whole):
                continue
            yield trace

    def _unasked(self, tool: str, spec: ToolSpec, traces: list[Trace]) -> Iterator[Trace]:
        has_users_value = any(one.source and one.source.kind is SourceKind.USER for one in traces)
        if has_users_value and not spec.destructive:
            return
        asks = requests_of(tool, spec.words, is_strict=spec.destructive)
        if not self._texts.user_asks_for(asks):
            said = f"nothing that the user wrote asks for {tool}"
            yield Trace("", "", "call", None, escalates=True, why=said)

    # What is written down

    def saved(self) -> dict[str, Any]:
        """What the journal's rows do not hold: what was said and handed in at the user door."""
        handed_in = [
            one for one in self._texts.kept() if not one.source.name and one.source.kind in _AT_THE_USER_DOOR
        ]
        kept: list[dict[str, str]] = []
        room = _MOST_SAVED
        is_cut = False
        for one in reversed(handed_in):
            room -= len(one.text.text)
            if room < 0:
                is_cut |= one.source.kind is SourceKind.UNTRUSTED
                continue
            kept.append({"kind": one.source.kind.value, "text": one.text.text})
        return {
            "said": kept[::-1],
            "since": self.since,
            "is_loaded": self.is_loaded,
            "is_incomplete": self._texts.is_incomplete or is_cut,
        }

    def load(self, saved: Mapping[str, Any]) -> None:
        """Take up what `saved` gave."""
        self.version += 1
        self.since, self.is_loaded = int(saved.get("since", 0)), bool(saved.get("is_loaded"))
        self._texts.is_incomplete |= bool(saved.get("is_incomplete"))
        for one in saved.get("said", ()):
            self.note(str(one["text"]), Source(SourceKind(one["kind"])))


def _followed(value: Value, terms: ArgumentTerms) -> Value:
    """The value as a tool takes it that fetches; what is listed, and the number of a page, is what it is."""
    if value.is_key or value.key in terms.listed.get(value.name, ()):
        return as_followed(value)
    is_there = value.name in terms.targets or is_target(value.argument)
    return as_followed(value, is_target=is_there and not is_page_number(value.argument, value.written))


def _is_in_a_name(part: Value, whole: Value, trace: Trace) -> bool:
    """Whether a link stands in the name of a thing, such as a channel, which nobody follows or writes to.

    The name is a whole field of a closed source that the user named, and the link is the lesser part of it.
    """
    source = trace.source
    is_excused = source is not None and source.kind is SourceKind.UNTRUSTED and not trace.escalates
    is_others = len(whole.written) > 2 * len(part.written)
    return is_excused and source is not None and not source.open_world and is_others and bool(trace.place)


def in_shadow(traces: Collection[Trace]) -> tuple[Trace, ...]:
    """The same traces, none of which escalates."""
    return tuple(replace(one, escalates=False) for one in traces)
