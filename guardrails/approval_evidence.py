"""Where the values of a call came from, in words for the person who decides."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ringfence.guardrails.sources import Source, SourceKind, Trace
from ringfence.guardrails.value_kinds import CONTACTS
from ringfence.guardrails.vault import Vault

_OWN_NAME = re.compile(r"[^.\[]*")
"""The argument's own name, in the path of a value within it."""
_LONGEST_VALUE = 200
_LONGEST_ARGUMENT = 60


def evidence_of(
    traces: Iterable[Trace], *, reveals: Mapping[str, tuple[str, ...]], vault: Vault
) -> tuple[str, ...]:
    """A line for each value, as real as its tool may see it; first those that a person has to look at.

    Of those, links, addresses, accounts and phones come first: by them something gets to somebody.

    >>> note = Source(SourceKind.UNTRUSTED, "read_note", {"order_id": 7})
    >>> trace = Trace("to", "eve@x.org", "address", note, "notes[1].body", escalates=True)
    >>> evidence_of([trace], reveals={}, vault=Vault())
    ('`to` = eve@x.org came from notes[1].body of read_note(order_id=7), not from the user',)
    """
    lines: dict[str, None] = {}
    for trace in sorted(traces, key=_urgency):
        match = _OWN_NAME.match(trace.argument)
        types = reveals.get(match[0] if match else "", ())
        lines[vault.reveal(_line(trace), types)] = None
    return tuple(lines)


def _urgency(trace: Trace) -> int:
    if not trace.escalates:
        return 2
    return 0 if trace.kind in CONTACTS else 1


def trace_content(trace: Trace) -> dict[str, Any]:
    """A trace for the store, with pseudonyms."""
    source = trace.source
    return {
        "argument": trace.argument,
        "value": trace.value,
        "kind": trace.kind,
        "source": None if source is None else _source_content(source),
        "place": trace.place,
        "escalates": trace.escalates,
        "why": trace.why,
    }


def trace_of(content: Mapping[str, Any]) -> Trace:
    """A trace again."""
    kept = content["source"]
    known = kept and {**kept, "kind": SourceKind(kept["kind"]), "words": tuple(kept["words"])}
    source = None if known is None else Source(**known)
    return Trace(**{**content, "source": source})


def _source_content(source: Source) -> dict[str, Any]:
    return {
        "kind": source.kind.value,
        "name": source.name,
        "arguments": dict(source.arguments),
        "open_world": source.open_world,
        "words": list(source.words),
    }


def _line(trace: Trace) -> str:
    if not trace.argument:
        return trace.why  # it is about the call as a whole
    said = f"`{trace.argument}` = {_short(trace.value, _LONGEST_VALUE)}"
    if not trace.escalates:
        return f"{said} {_origin(trace)}"
    if trace.source is None:
        return f"{said}: {trace.why}"
    is_told = trace.source.kind is SourceKind.UNTRUSTED
    return f"{said} {_origin(trace)}{'' if is_told else f': {trace.why}'}"


def _origin(trace: Trace) -> str:
    source = trace.source
    if source is None:
        return "was said by nobody before; the model made it up"
    match source.kind:
        case SourceKind.USER:
            return "came from the user"
        case SourceKind.OPERATOR:
            return "came from the operator's prompts or policy"
        case SourceKind.TRUSTED:
            return f"came from {_place(trace, source)}, which the policy trusts"
        case SourceKind.UNTRUSTED:
            return f"came from {_place(trace, source)}, not from the user"


def _place(trace: Trace, source: Source) -> str:
    given = ", ".join(
        f"{name}={_short(one if isinstance(one, str) else _json(one), _LONGEST_ARGUMENT)}"
        for name, one in source.arguments.items()
    )
    called = f"{source.name or 'what was read'}{f'({given})' if given else ''}"
    return f"{trace.place} of {called}" if trace.place else called


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
