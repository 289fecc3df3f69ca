"""Texts without personal data, and without secrets, as Ringfence's own recognizers know them."""

import asyncio
import re
from abc import abstractmethod
from bisect import bisect_left
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, ClassVar

from guardrails.classes.validation.validation_result import (
    ErrorSpan,
    FailResult,
    PassResult,
    ValidationResult,
)
from guardrails.validator_base import Validator, register_validator
from pydantic import ValidationError

from ringfence.errors import PolicyError
from ringfence.guardrails.findings import Finding
from ringfence.guardrails.pii import DEFAULT_ENTITIES, PiiAction, PiiSettings
from ringfence.guardrails.placeholders import label_of, reader_of
from ringfence.guardrails.presidio import PiiFinder, TextTooLongError, unknown_type
from ringfence.guardrails.secret_values import SECRET_ENTITIES
from ringfence.guardrails.validator_traits import Reads, Traits, Window

OnFail = Any
"""One of guardrails-ai's words, such as "fix", or a function; its own hint leaves the words out."""

_REPLACED = re.compile("<([A-Z][A-Z0-9_]{0,63})>")
"""What this validator's own fix leaves."""
_MOST_STAND_INS = 9_999
_GENITIVE = " \t\r\n'’ʼ´`s"
"""What may stand between a stand-in and the end of what was found around it, and is nobody's data."""


class _WithoutFindings(Validator):
    """A text in which a finder finds nothing."""

    _finder: PiiFinder
    _reason: ClassVar[str]

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002 - its base's
        if not isinstance(value, str):
            return FailResult(error_message="it is no text")
        return _finished(self._judge(value))

    async def async_validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002 - its base's
        """Judge on the event loop, which a long text leaves for a thread."""
        if not isinstance(value, str):
            return FailResult(error_message="it is no text")
        return await self._judge(value)

    async def _judge(self, text: str) -> ValidationResult:
        # A lone half of a surrogate pair has no bytes, which the finder remembers a text by.
        encodable = text.encode("utf-8", "replace").decode()
        try:
            found = [*_outside_stand_ins(await self._finder.find(encodable), text, self._finder.types)]
        except TextTooLongError:
            return FailResult(error_message="it is too long to be searched")
        except TimeoutError:
            return FailResult(error_message="it took too long to search it")
        if not found:
            return PassResult()
        return FailResult(
            error_message=self._said(found),
            fix_value="".join(_pieces(text, found, self._replacement)),
            error_spans=[ErrorSpan(start=one.start, end=one.end, reason=self._reason) for one in found],
        )

    @abstractmethod
    def _said(self, found: Sequence[Finding]) -> str:
        """Why the text does not pass."""

    @abstractmethod
    def _replacement(self, finding: Finding) -> str:
        """What takes a value's place."""


@register_validator(name="ringfence/no_personal_data", data_type="string")
class NoPersonalData(_WithoutFindings):
    """Nobody's data in a text. Fix: the type in place of each value, such as `<EMAIL_ADDRESS>`.

    A stand-in such as `<PERSON_1>` is nobody's data.
    """

    traits: ClassVar[Traits] = Traits(reads=Reads.EVERYTHING, window=Window.REPLY)
    _reason = "personal_data"

    def __init__(
        self,
        types: Sequence[str] | None = None,
        threshold: float = 0.35,
        detection: str = "basic",
        languages: Sequence[str] = ("en",),
        on_fail: OnFail = None,
    ) -> None:
        """Take what is looked for.

        Args:
            types: Presidio's entity types; None means all that a policy hides or blocks unless it says
                something else.
            threshold: Least score of a finding, from 0 to 1.
            detection: What finds names, as in the policy's `pii.detection`.
            languages: Whose national numbers are known, as in the policy's `pii.languages`.
            on_fail: What guardrails-ai does about a text that does not pass.
        """
        chosen = None if types is None else _texts("types", types)
        settings = {
            "threshold": threshold,
            "detection": detection,
            "languages": _texts("languages", languages),
        }
        self._finder = _finder(chosen, settings)
        super().__init__(on_fail=on_fail, types=chosen, use_local=True, **settings)

    def _said(self, found: Sequence[Finding]) -> str:
        return f"it contains personal data ({', '.join(sorted({one.entity for one in found}))})"

    def _replacement(self, finding: Finding) -> str:
        return f"<{finding.entity}>"


@register_validator(name="ringfence/no_secrets", data_type="string")
class NoSecrets(_WithoutFindings):
    """No keys, tokens, passwords and connection strings in a text. Fix: `***` in place of each."""

    traits: ClassVar[Traits] = Traits(reads=Reads.EVERYTHING, window=Window.REPLY)
    _reason = "secret"

    def __init__(self, threshold: float = 0.35, on_fail: OnFail = None) -> None:
        self._finder = _finder([*SECRET_ENTITIES], {"threshold": threshold, "detection": "patterns"})
        super().__init__(on_fail=on_fail, threshold=threshold, use_local=True)

    def _said(self, found: Sequence[Finding]) -> str:
        kinds = sorted({one.entity.lower().replace("_", " ") for one in found})
        return f"it contains a secret ({', '.join(kinds)})"

    def _replacement(self, finding: Finding) -> str:  # noqa: ARG002 - the same for all
        return "***"


def _texts(option: str, texts: Any) -> list[str]:
    is_list = isinstance(texts, Sequence) and not isinstance(texts, str)
    if not is_list or not texts or not all(isinstance(one, str) for one in texts):
        raise ValueError(f"{option} must be a list of texts, at least one")
    return [*texts]


def _finder(types: Sequence[str] | None, options: Mapping[str, Any]) -> PiiFinder:
    """A finder of these types and no others."""
    known = _made(options).types
    hidden = {name for name, action in DEFAULT_ENTITIES.items() if action is not PiiAction.ALLOW} & known
    chosen = hidden if types is None else set(types)
    for name in sorted(chosen - known):
        raise ValueError(f"types: {name}: {unknown_type(name, known)}")
    others = dict.fromkeys((known & DEFAULT_ENTITIES.keys()) - chosen, PiiAction.ALLOW)
    return _made({**options, "entities": {**others, **dict.fromkeys(sorted(chosen), PiiAction.REDACT)}})


def _made(options: Mapping[str, Any]) -> PiiFinder:
    try:
        return PiiFinder(PiiSettings.model_validate(options))
    except ValidationError as error:
        said = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False))
        raise ValueError("; ".join(said)) from None
    except PolicyError as error:
        said = (f"{one.where.removeprefix('pii.')}: {one.message}" for one in error.faults)
        raise ValueError("; ".join(said)) from None


def _finished(work: Coroutine[Any, Any, ValidationResult]) -> ValidationResult:
    # Always in a thread of its own: this one may have a running loop, or get one from guardrails-ai.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def _outside_stand_ins(found: Iterable[Finding], text: str, types: Iterable[str]) -> Iterator[Finding]:
    """What was found, without the stand-ins and the replaced values in it."""
    labels = frozenset(map(label_of, types))
    # A long number behind a label could be the value itself.
    stand_ins = reader_of(labels).known(text, lambda one: one.number <= _MOST_STAND_INS)
    replaced = (one.span() for one in _REPLACED.finditer(text) if one[1] in labels)
    nobodys = sorted([*((one.start, one.end) for one in stand_ins), *replaced])
    starts = [start for start, _ in nobodys]
    for one in found:
        first = max(bisect_left(starts, one.start) - 1, 0)
        inside = [span for span in nobodys[first : bisect_left(starts, one.end)] if span[1] > one.start]
        edges = [one.start, *chain.from_iterable(inside), one.end]
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            if start < end and (not inside or text[start:end].strip(_GENITIVE)):
                yield Finding(one.entity, start, end, one.score)


def _pieces(text: str, found: Iterable[Finding], replacement: Any) -> Iterator[str]:
    done = 0
    for finding in found:
        yield text[done : finding.start]
        yield replacement(finding)
        done = finding.end
    yield text[done:]
