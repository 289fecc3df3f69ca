"""Inputs made to take long, each with something personal behind it, which has to be found all the same."""

import asyncio
import base64
import hashlib
from collections.abc import Iterator
from time import process_time
from typing import NamedTuple

from benchmarks.pii.tables import print_table
from benchmarks.pii.texts import TextMaker
from ringfence.guardrails.pii import PiiSettings
from ringfence.guardrails.presidio import Finding, PiiFinder, TextTooLongError

SIZE = 100_000
MOST_SECONDS = 1.0
HIDDEN = {
    "EMAIL_ADDRESS": "mara.lindqvist@posteo.example.com",
    "IBAN_CODE": "DE89370400440532013000",
    "PHONE_NUMBER": "+1 212-555-0143",
}
_TAIL = "\nWrite to {EMAIL_ADDRESS}, pay to {IBAN_CODE}, call {PHONE_NUMBER}".format_map(HIDDEN)
_REPEATED = {
    ":": ":",
    "(": "(",
    '"': '"',
    "a.": "a.",
    "1.": "1.",
    "www.": "www.",
    "@": "@",
    "a@a-": "a@a-",
    "a": "a",
    "digits": "8274619350",
    "1:": "1:",
    "123-45-6789": "123-45-6789 ",
    "+1 212-555-01": "+1 212-555-01",
    "e-mails": "ab@cd.com ",
    "spaces": " ",
    "newlines": "\n",
    "backslashes": "\\",
    "backticks": "`",
    "underscores": "_",
    "%40": "%40",
    "emoji": "👩‍🚀🎉",
    "capitals": "Anna ",
    "<PERSON_1>": "<PERSON_1> ",
    "letter + digit": "a1",
    "ä1": "ä1",
    "-----BEGIN": "-----BEGIN ",
    "://": "a://b:c@",
}


class Outcome(NamedTuple):
    """What became of an input."""

    seconds: float
    """CPU time."""
    missed: tuple[str, ...] = ()
    refused: str = ""
    """The limit that refused it."""

    @property
    def words(self) -> str:
        """In a few words."""
        slow = "" if self.seconds <= MOST_SECONDS else "; TOO SLOW"
        if self.refused:
            return f"refused: {self.refused}{slow}"
        return ("MISSED " + ", ".join(self.missed) if self.missed else "all found") + slow


def hostile_inputs(size: int = SIZE) -> Iterator[tuple[str, str]]:
    """Each with its name; what is to be found stands at the end of each."""
    for name, piece in _REPEATED.items():
        yield name, (piece * (size // len(piece) + 1))[:size]
    noise = b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(size // 32 + 1))
    yield "hex", noise.hex()[:size]
    yield "base64", base64.b64encode(noise).decode()[:size]
    yield "prose", TextMaker().text(size)


def judge(finder: PiiFinder, text: str) -> Outcome:
    """Look for what stands behind a text, and at the clock."""
    started = process_time()
    try:
        found = asyncio.run(finder.find(text + _TAIL))
    except TimeoutError:
        return Outcome(process_time() - started, refused="pii.timeout_seconds")
    except TextTooLongError:
        return Outcome(process_time() - started, refused="pii.max_characters")
    seconds = process_time() - started
    return Outcome(seconds, tuple(name for name in HIDDEN if not _is_found(name, text, found)))


def measure_hostile() -> None:
    """Print what becomes of each input."""
    finder = PiiFinder(PiiSettings())
    if missed := judge(finder, "").missed:
        raise RuntimeError(f"even when it stands alone, nothing finds the {', '.join(missed)}")
    outcomes = {name: judge(finder, text) for name, text in hostile_inputs()}
    good = sum(not one.missed and one.seconds <= MOST_SECONDS for one in outcomes.values())
    print_table(
        f"Hostile inputs of {SIZE:,} characters: {good} of {len(outcomes)} in {MOST_SECONDS:g} CPU second, "
        "and all found or refused",
        ("input", "CPU s", ""),
        [(name, f"{one.seconds:.2f}", one.words) for name, one in outcomes.items()],
    )


def _is_found(entity: str, text: str, found: tuple[Finding, ...]) -> bool:
    """Whether the whole value will be masked, whatever it was taken for."""
    start = len(text) + _TAIL.index(HIDDEN[entity])
    return any(one.start <= start and one.end >= start + len(HIDDEN[entity]) for one in found)
