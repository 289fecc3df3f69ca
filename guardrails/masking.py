"""Personal data leaves a text where it comes in, and comes back only at the trusted doors."""

import re
import secrets
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from ringfence.errors import GuardrailTripped
from ringfence.guardrails.calls import Emit, ModelCall, ToolCall
from ringfence.guardrails.clean_text import clean_text
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.pii import PiiAction, PiiRule, PiiSettings
from ringfence.guardrails.placeholders import Mention
from ringfence.guardrails.presidio import Finding, PiiFinder, TextTooLongError
from ringfence.guardrails.streaming import StreamedMask
from ringfence.guardrails.texts import UncheckableContentError, map_text, texts_of
from ringfence.guardrails.tool_spec import ToolSpec
from ringfence.guardrails.vault import Vault

if TYPE_CHECKING:
    from presidio_anonymizer import AnonymizerEngine

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

_GUARDRAIL = "pii"
_NO_VALUE = re.compile(r"[\W_]*s?[\W_]*")
"""What may be left of a finding beside a stand-in and is nobody's data, such as the `'s` of a genitive."""
_REMEMBERED = 20_000
_CHANGED_REMEMBERED = 500
_SHORT = 8
"""Characters of a value of which four would tell too much."""


class _NewTextError(Exception):
    """A text was not masked before."""


class Masker:
    """Masks the texts of one conversation by the policy and its vault."""

    def __init__(self, *, finder: PiiFinder, settings: PiiSettings, vault: Vault) -> None:
        self._finder = finder
        self._rules: dict[str, PiiRule] = settings.rules()
        self._vault = vault
        self._salt = secrets.token_hex(16)
        self._masked: OrderedDict[int, None] = OrderedDict()
        """Hashes of what was masked: the next door does not judge it anew, without the names that it had."""
        self._changed: OrderedDict[tuple[int, int], str] = OrderedDict()
        """What became of texts, by the vault's epoch and the text's hash."""
        self._most_characters = settings.max_characters

    @property
    def types(self) -> frozenset[str]:
        """Every entity type that something could find."""
        return self._finder.types

    async def mask(self, value: T, *, point: str) -> T:
        """A copy of a message, call or reply in which no text holds what the policy hides.

        Raises:
            GuardrailTripped: The policy blocks something that was found, the analysis failed or took too
                long, or there is content that nobody can read.
        """
        try:
            with suppress(_NewTextError):
                return map_text(value, self._known)
            texts = dict.fromkeys(texts_of(value))
            masked = {text: known for text in texts if (known := self._remembered(text)) is not None}
            masked |= await self._mask_new([text for text in texts if text not in masked], point)
            return map_text(value, masked.__getitem__)
        except UncheckableContentError as error:
            raise GuardrailTripped(guardrail=_GUARDRAIL, point=point, reason=f"it holds {error}") from None

    def _remembered(self, text: str) -> str | None:
        key = hash(text)
        if key in self._masked:
            return text
        return self._changed.get((self._vault.epoch, key))

    def _known(self, text: str) -> str:
        known = self._remembered(text)
        if known is None:
            raise _NewTextError
        return known

    async def _mask_new(self, texts: Sequence[str], point: str) -> dict[str, str]:
        if sum(map(len, texts)) > self._most_characters:
            allowed = f"longer than pii.max_characters allows ({self._most_characters})"
            said = f"what is new in it is {allowed}, so nothing of it may pass"
            raise GuardrailTripped(guardrail=_GUARDRAIL, point=point, reason=said, crashed=True)
        clean = {text: clean_text(text) for text in texts}
        found = {text: await self._findings(text, point) for text in clean.values()}
        for text, findings in found.items():
            # Before any of them is masked: a name that one of them holds was written without a meaning.
            self._reserve(text, findings)
        masked = {text: self._mask_text(plain, found[plain]) for text, plain in clean.items()}
        for text, result in masked.items():
            if result != text:
                _remember(self._changed, (self._vault.epoch, hash(text)), result, most=_CHANGED_REMEMBERED)
        return masked

    def reveal(self, text: str) -> str:
        """The text with all real values; for what is trusted with them, never for a record."""
        return self._vault.reveal(text)

    def streamed(self, *, point: str) -> StreamedMask:
        """Masks a text that comes in pieces."""

        async def find(text: str) -> Sequence[Finding]:
            return await self._findings(text, point)

        def masked(text: str, findings: Sequence[Finding]) -> str:
            self._reserve(text, findings)
            # The door to the user sees the piece alone, and would judge it anew, without what stood before.
            return self._mask_text(text, findings)

        return StreamedMask(find=find, replace=masked)

    def _mask_text(self, text: str, findings: Sequence[Finding]) -> str:
        masked = "".join(self._pieces(text, findings))
        # What is left around a value that was taken out may be another one.
        if not any(self._rules[one.entity].action is PiiAction.REDACT for one in findings):
            _remember(self._masked, hash(masked), None, most=_REMEMBERED)
        return masked

    async def _findings(self, text: str, point: str) -> Sequence[Finding]:
        if hash(text) in self._masked:
            return ()
        try:
            found = [
                one
                for one in await self._finder.find(text)
                if self._rules[one.entity].action is not PiiAction.ALLOW
            ]
            findings = [*_outside(self._vault.stand_ins(text), found, text)]
        except Exception as error:
            reason = f"{_why_it_failed(error)}, so nothing of it may pass"
            raise GuardrailTripped(guardrail=_GUARDRAIL, point=point, reason=reason, crashed=True) from None
        blocked = {one.entity for one in findings if self._rules[one.entity].action is PiiAction.BLOCK}
        if blocked:
            names = ", ".join(sorted(blocked))
            raise GuardrailTripped(guardrail=_GUARDRAIL, point=point, reason=f"the policy blocks {names}")
        return findings

    def _reserve(self, text: str, findings: Iterable[Finding]) -> None:
        # Piece by piece, as they will stand between the stand-ins: `PERSON_1Jane` is no name, `PERSON_1` is.
        done = 0
        for finding in findings:
            self._vault.reserve(text[done : finding.start])
            done = finding.end
        self._vault.reserve(text[done:])

    def _pieces(self, text: str, findings: Iterable[Finding]) -> Iterator[str]:
        done = 0
        for finding in findings:
            yield text[done : finding.start]
            yield self._stand_in(finding.entity, text[finding.start : finding.end])
            done = finding.end
        yield text[done:]

    def _stand_in(self, entity: str, value: str) -> str:
        action = self._rules[entity].action
        if action is PiiAction.PSEUDONYMIZE:
            return self._vault.pseudonym(entity, value)
        return _anonymize(entity, value, action, self._salt)


class Mask:
    """Masks a call on its way in and the reply on its way back."""

    def __init__(self, masker: Masker, *, point: str, reply_point: str | None = None) -> None:
        self._masker = masker
        self._point = point
        self._reply_point = reply_point

    async def __call__(self, call: Any, call_next: Handler[Any, Any]) -> Any:
        """Mask the call, answer it, mask the reply."""
        masked = await self._masker.mask(call, point=self._point)
        if self._reply_point is None:
            return await call_next(masked)
        live: StreamedMask | None = None
        emit = masked.emit if isinstance(masked, ModelCall) else None
        if emit is not None:
            live = self._masker.streamed(point=self._reply_point)
            masked = replace(masked, emit=_masked_pieces(live, emit))
        reply = await call_next(masked)
        if live is not None and emit is not None and (rest := await live.finish()):
            await emit(rest)
        return await self._masker.mask(reply, point=self._reply_point)


def _remember(known: OrderedDict[K, V], key: K, value: V, *, most: int) -> None:
    known[key] = value
    known.move_to_end(key)
    if len(known) > most:
        known.popitem(last=False)


def _masked_pieces(live: StreamedMask, emit: Emit) -> Emit:
    async def masked(piece: str) -> None:
        if ready := await live.feed(piece):
            await emit(ready)

    return masked


def reveal_arguments(call: ToolCall, spec: ToolSpec, vault: Vault) -> ToolCall:
    """The call with the real values of just those entity types that the tool may see in each argument."""

    def revealed(name: str, value: Any) -> Any:
        types = spec.reveals.get(name, ())
        return map_text(value, lambda text: vault.reveal(text, types))

    arguments = {name: revealed(name, value) for name, value in call.arguments.items()}
    return replace(call, arguments=arguments)


def _outside(known: Iterable[Mention], findings: Iterable[Finding], text: str) -> Iterator[Finding]:
    """The findings without the stand-ins in them, which hold nobody's data and must not be masked again."""
    places = deque(known)
    for finding in findings:
        start = finding.start
        while places and places[0].end <= start:
            places.popleft()
        for mention in places:
            if mention.start >= finding.end:
                break
            if not _NO_VALUE.fullmatch(text, start, max(mention.start, start)):
                yield replace(finding, start=start, end=mention.start)
            start = mention.end
        if start == finding.start or not _NO_VALUE.fullmatch(text, start, max(finding.end, start)):
            yield replace(finding, start=start)


def _why_it_failed(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "the search for personal data took longer than pii.timeout_seconds allows"
        case TextTooLongError():
            return str(error)
        case _:
            # Its message may quote the text.
            return f"the search for personal data failed ({type(error).__name__})"


def _anonymize(entity: str, value: str, action: PiiAction, salt: str) -> str:
    from presidio_anonymizer.entities import OperatorConfig, RecognizerResult

    shown = 4 if len(value) > _SHORT else 0
    operators = {
        PiiAction.MASK: OperatorConfig(
            "mask", {"masking_char": "*", "chars_to_mask": len(value) - shown, "from_end": False}
        ),
        PiiAction.REDACT: OperatorConfig("redact"),
        PiiAction.HASH: OperatorConfig("hash", {"hash_type": "sha256", "salt": salt}),
    }
    found = [RecognizerResult(entity_type=entity, start=0, end=len(value), score=1.0)]
    return _anonymizer().anonymize(value, found, {entity: operators[action]}).text


@lru_cache(maxsize=1)
def _anonymizer() -> "AnonymizerEngine":
    from presidio_anonymizer import AnonymizerEngine

    return AnonymizerEngine()  # type: ignore[no-untyped-call]  # Presidio types its parameters only
