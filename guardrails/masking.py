"""Personal data leaves a text where it comes in, and comes back only at the trusted doors."""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from ringfence.errors import GuardrailTripped
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.pii import PiiAction, PiiRule, PiiSettings
from ringfence.guardrails.presidio import Finding, PiiFinder
from ringfence.guardrails.texts import UncheckableContentError, clean_text, map_text, texts_of
from ringfence.guardrails.tool_policy import ToolSpec
from ringfence.guardrails.vault import Vault

if TYPE_CHECKING:
    from presidio_anonymizer import AnonymizerEngine

T = TypeVar("T")

_GUARDRAIL = "pii"
_SHORT = 8
"""Characters of a value of which four would tell too much."""


class Masker:
    """Masks the texts of one conversation by the policy and its vault."""

    def __init__(self, *, finder: PiiFinder, settings: PiiSettings, vault: Vault) -> None:
        self._finder = finder
        self._rules: dict[str, PiiRule] = settings.rules()
        self._vault = vault
        self._salt = secrets.token_hex(16)

    async def mask(self, value: T, *, point: str) -> T:
        """A copy of a message, call or reply in which no text holds what the policy hides.

        Raises:
            GuardrailTripped: The policy blocks something that was found, the analysis failed or took too
                long, or there is content that nobody can read.
        """
        try:
            texts = {text: clean_text(text) for text in texts_of(value)}
            for text in texts.values():
                # Before any of them is masked: a name that one of them holds was written without a meaning.
                self._vault.reserve(text)
            masked = {text: await self._mask_text(clean, point) for text, clean in texts.items()}
            return map_text(value, masked.__getitem__)
        except UncheckableContentError as error:
            raise GuardrailTripped(guardrail=_GUARDRAIL, point=point, reason=f"it holds {error}") from None

    async def _mask_text(self, text: str, point: str) -> str:
        try:
            findings = await self._finder.find(text)
        except Exception as error:
            kind = type(error).__name__
            reason = f"the search for personal data failed ({kind}), so nothing of it may pass"
            raise GuardrailTripped(guardrail=_GUARDRAIL, point=point, reason=reason, crashed=True) from None
        blocked = {one.entity for one in findings if self._rules[one.entity].action is PiiAction.BLOCK}
        if blocked:
            names = ", ".join(sorted(blocked))
            raise GuardrailTripped(guardrail=_GUARDRAIL, point=point, reason=f"the policy blocks {names}")
        return "".join(self._pieces(text, findings))

    def _pieces(self, text: str, findings: Iterable[Finding]) -> Iterable[str]:
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
        reply = await call_next(await self._masker.mask(call, point=self._point))
        if self._reply_point is None:
            return reply
        return await self._masker.mask(reply, point=self._reply_point)


def reveal_arguments(call: ToolCall, spec: ToolSpec, vault: Vault) -> ToolCall:
    """The call with the real values of just those entity types that the tool may see in each argument."""

    def revealed(name: str, value: Any) -> Any:
        types = spec.reveals.get(name, ())
        return map_text(value, lambda text: vault.reveal(text, types))

    arguments = {name: revealed(name, value) for name, value in call.arguments.items()}
    return replace(call, arguments=arguments)


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
