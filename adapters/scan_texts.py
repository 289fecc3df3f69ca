"""What a scan finds in a text, and what it says of it."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.adapters.scan_lines import Line
from ringfence.errors import GuardrailTripped
from ringfence.guardrails.clean_text import clean_text
from ringfence.guardrails.masking import Masker
from ringfence.guardrails.pii import PiiAction, PiiSettings
from ringfence.guardrails.presidio import Finding, PiiFinder, TextTooLongError
from ringfence.guardrails.vault import Vault

__all__ = ["Found", "Recorder", "ToldFinder", "as_line", "error_record", "look_into", "was_scanned"]

FAILED, TIMEOUT, TOO_LONG = "failed", "timeout", "too_long"
"""Flags of a text that was not analysed, or not to its end."""

_HALF = re.compile("[\ud800-\udfff]")
"""Half a character, which JSON can spell and no encoding holds."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a text. It holds no text, so that it may travel."""

    given: tuple[Finding, ...] = ()
    """In the text as it was given."""
    cleaned: tuple[Finding, ...] = ()
    """In the text as it will be masked: without invisible characters, with escapes spelled out."""
    failure: str = ""


async def look_into(finder: PiiFinder, text: str) -> Found:
    """Find what there is, allowed or not; a failure is part of the answer."""
    try:
        readable, cleaned = _HALF.sub("\ufffd", text), clean_text(text)
        given = await finder.find_all(readable)
        return Found(given, given if cleaned == readable else await finder.find_all(cleaned))
    except TextTooLongError:
        return Found(failure=TOO_LONG)
    except TimeoutError:
        return Found(failure=TIMEOUT)
    except Exception:
        return Found(failure=FAILED)


class ToldFinder(PiiFinder):
    """A finder that may be told what is in a text, and looks itself into any other."""

    def __init__(self, settings: PiiSettings) -> None:
        super().__init__(settings)
        self._told: tuple[str, tuple[Finding, ...]] | None = None

    def tell(self, text: str, findings: tuple[Finding, ...]) -> None:
        """Say what `find_all` has found in a text, until the next one."""
        self._told = text, findings

    async def find(self, text: str) -> tuple[Finding, ...]:
        """What is in a text; of one that was told, also what is allowed, which the masker passes over."""
        if self._told is not None and self._told[0] == text:
            return self._told[1]
        return await super().find(text)


class Recorder:
    """Masks texts by what was found in them, one after the other, and says so in records."""

    def __init__(self, finder: ToldFinder, settings: PiiSettings, *, one_conversation: bool = False) -> None:
        """With `one_conversation`, the same value has the same stand-in in all texts."""
        self._finder = finder
        self._settings = settings
        self._actions = {name: rule.action for name, rule in settings.rules().items()}
        self._shared = self._masker() if one_conversation else None

    async def record(self, line: Line, text: str, found: Found) -> dict[str, Any]:
        """The record of one text, for JSON; `masked` is None for a text that must not go further."""
        given, cleaned = (
            Counter(one.entity for one in findings) for findings in (found.given, found.cleaned)
        )
        flags = self._flags("allowed", given, PiiAction.ALLOW)
        flags += [f"hidden:{name}" for name in sorted(cleaned - given)]
        masked, failure = None, found.failure
        if not failure:
            self._finder.tell(clean_text(text), found.cleaned)
            try:
                masked = await (self._shared or self._masker()).mask(text, point="input")
            except GuardrailTripped as tripped:
                blocked = self._flags("blocked", given | cleaned, PiiAction.BLOCK)
                flags = [*blocked, *flags]
                failure = FAILED if tripped.crashed or not blocked else ""
            except Exception:
                failure = FAILED
        return {
            "id": line.id,
            "entities": [
                {"type": one.entity, "start": one.start, "end": one.end, "score": round(one.score, 2)}
                for one in found.given
            ],
            "flags": [failure, *flags] if failure else flags,
            "masked": masked,
        }

    def _masker(self) -> Masker:
        return Masker(finder=self._finder, settings=self._settings, vault=Vault())

    def _flags(self, word: str, types: Iterable[str], action: PiiAction) -> list[str]:
        return [f"{word}:{name}" for name in sorted(types) if self._actions[name] is action]


def was_scanned(record: Mapping[str, Any]) -> bool:
    """Whether a record says all that is in its text."""
    return "error" not in record and not {FAILED, TIMEOUT, TOO_LONG}.intersection(record["flags"])


def error_record(line: Line, problem: str) -> dict[str, Any]:
    """What stands in place of the record of a line; it quotes nothing of it."""
    return {"id": line.id, "error": {"line": line.number, "message": f"line {line.number}: {problem}"}}


def as_line(record: Mapping[str, Any]) -> str:
    """A line of the output, in ASCII, so that no encoding and no half of a character can break it."""
    return json.dumps(record) + "\n"
