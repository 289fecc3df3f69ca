"""At the doors, what agents are about to read is noted with where it came from. Nothing is changed."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from ringfence.errors import GuardrailTripped
from ringfence.guardrails.calls import ModelCall, ToolCall, UserTurn
from ringfence.guardrails.masking import Masker
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.noted_texts import TOOL_LISTING
from ringfence.guardrails.provenance import Provenance, Source, SourceKind
from ringfence.guardrails.texts import ToolResult, UncheckableContentError, texts_of
from ringfence.guardrails.tool_spec import ToolSpec

USER = Source(SourceKind.USER)
OTHERS = Source(SourceKind.UNTRUSTED)
"""Whoever else handed something in at the user door."""


class NoteUser:
    """Notes what the user says, once it has passed the user door."""

    def __init__(self, provenance: Provenance, *, user: str) -> None:
        self._provenance = provenance
        self._users = {"user", user}

    async def __call__(self, call: UserTurn, call_next: Handler[UserTurn, Any]) -> Any:
        """Note the messages, and go on."""
        for message in call.messages:
            is_users = str(getattr(message, "source", "")) in self._users
            content = getattr(message, "content", message)
            note_all(self._provenance, content, USER if is_users else OTHERS)
        return await call_next(call)


class NoteResults:
    """Notes what a tool gave, as the agents read it."""

    def __init__(self, provenance: Provenance, *, spec_of: Callable[[str], ToolSpec]) -> None:
        self._provenance = provenance
        self._spec_of = spec_of

    async def __call__(self, call: ToolCall, call_next: Handler[ToolCall, ToolResult]) -> ToolResult:
        """Answer the call, and note the answer."""
        result = await call_next(call)
        spec = self._spec_of(call.tool)
        given = {name: value for name, value in call.arguments.items() if name not in spec.supplied}
        note_result(self._provenance, result, call.tool, given, origin_of(spec))
        return result


class NoteRecalls:
    """Notes what a memory recalled."""

    def __init__(self, provenance: Provenance, *, trusts: Callable[[str], bool]) -> None:
        self._provenance = provenance
        self._trusts = trusts

    async def __call__(self, call: ToolCall, call_next: Handler[ToolCall, Any]) -> Any:
        """Recall, and note what was recalled."""
        recalled = await call_next(call)
        note_recall(self._provenance, recalled, call.tool, is_trusted=self._trusts(call.tool))
        return recalled


class NoteDescriptions:
    """Notes what a server says of its tools."""

    def __init__(self, provenance: Provenance, masker: Masker) -> None:
        self._provenance = provenance
        self._masker = masker

    async def __call__(self, call: ToolCall, call_next: Handler[ToolCall, Any]) -> Any:
        """List the tools, and note what is said of them."""
        listed = await call_next(call)
        with suppress(GuardrailTripped):  # the mask of the model door says so, on record
            masked = await self._masker.mask(listed, point="prompt")
            note_all(self._provenance, masked, Source(SourceKind.UNTRUSTED, TOOL_LISTING))
        return listed


class NotePrompts:
    """Notes the system prompts of the agents, as the models see them.

    What a prompt holds of what was read, as a selector's does, is no word of the operator's: these are the
    prompts that the agents were built with. Noted with the first call, after the user's own words got their
    pseudonyms.
    """

    def __init__(self, provenance: Provenance, masker: Masker, prompts: list[object]) -> None:
        self._provenance = provenance
        self._masker = masker
        self._prompts = prompts
        """Those that were not noted yet."""

    async def __call__(self, call: ModelCall, call_next: Handler[ModelCall, Any]) -> Any:
        """Note what is new, and go on."""
        new = [*self._prompts]
        self._prompts.clear()
        for prompt in new:
            with suppress(GuardrailTripped):  # the mask of the model door says so, on record
                masked = await self._masker.mask(prompt, point="prompt")
                note_all(self._provenance, masked, Source(SourceKind.OPERATOR))
        return await call_next(call)


def origin_of(spec: ToolSpec) -> dict[str, Any]:
    """What the journal keeps of a tool, so that its result can be noted again in another process."""
    if spec.composite:
        return {"composite": True}  # an agent's own words are no origin
    return {
        "trusted": spec.trusted,
        "open_world": spec.open_world,
        "words": [*spec.words],
    }


def note_result(
    provenance: Provenance, result: Any, tool: str, arguments: Mapping[str, Any], origin: Mapping[str, Any]
) -> None:
    """Note the result of a tool, with what `origin_of` gave; as untrusted when that is nothing."""
    if origin.get("composite"):
        return
    kind = SourceKind.TRUSTED if origin.get("trusted") is True else SourceKind.UNTRUSTED
    source = Source(
        kind,
        tool,
        arguments,
        open_world=bool(origin.get("open_world", True)),
        words=tuple(origin.get("words", ())),
    )
    note_all(provenance, result.result if isinstance(result, ToolResult) else result, source)


def note_row(
    provenance: Provenance, kind: str, name: str, request: Mapping[str, Any], outcome: Mapping[str, Any]
) -> None:
    """Note what a row of the journal says that agents have read."""
    if kind == "tool" and "answered" in outcome:
        result = ToolResult.model_validate(outcome["answered"])
        note_result(provenance, result, name, request.get("arguments", {}), request.get("origin", {}))
    elif kind == "memory":
        note_recall(provenance, dict(outcome), name, is_trusted=bool(request.get("trusted")))


def note_recall(provenance: Provenance, recalled: Any, memory: str, *, is_trusted: bool) -> None:
    """Note what a memory recalled."""
    kind = SourceKind.TRUSTED if is_trusted else SourceKind.UNTRUSTED
    note_all(provenance, recalled, Source(kind, memory))


def note_all(provenance: Provenance, value: Any, source: Source) -> None:
    """Note every text of a message or reply."""
    with suppress(UncheckableContentError):  # the doors let nothing of the kind pass
        note_texts(provenance, texts_of(value), source)


def note_texts(provenance: Provenance, texts: Iterable[str], source: Source) -> None:
    """Note texts of one source."""
    for text in dict.fromkeys(texts):
        provenance.note(text, source)
