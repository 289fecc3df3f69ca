r"""Secrets as Presidio recognizers: keys, tokens, passwords, found beside personal data. Nobody is called.

From Kingfisher (MongoDB, Apache-2.0): the tokens of providers, by some 490 rules of the Betterleaks and Veles
catalogues, matched in linear time by Vectorscan, also inside base64. Of its calls that try a secret out or
revoke it, none is made. Yelp's detect-secrets was weighed and left: it knows no key of Anthropic, Google or
Hugging Face, imports an HTTP client, and its keyword plugin takes half a minute for 20 KB of one word.

Our own is what has a form instead of a prefix, or what the catalogue finds only beside a word: private keys,
connection strings, `Authorization`, assignments, and the few providers below. Entropy is Kingfisher's.

A text may be a window cut out of a longer one. What follows the head of a private key is the key, up to its
foot or the text's end. Base64 lines that lead to a foot are one, too. So are, at a lower score, those that a
text begins with, if they are as wide as PEM's or OpenSSH's (64, 70) and no certificate's foot follows. A JSON
Web Token may end with the text, or begin before it: 300 signs of base64 without + and / at the very start. A
key of several windows that was put on one line is known by its first and last window only.
"""

import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from kingfisher_sdk import Rules, Scanner
from presidio_analyzer import AnalysisExplanation, EntityRecognizer, RecognizerResult

from ringfence.guardrails.readings import readable
from ringfence.guardrails.secret_assignments import assignments, connection_strings
from ringfence.guardrails.secret_values import (
    API_KEY,
    CONNECTION_STRING,
    JSON_WEB_TOKEN,
    PASSWORD,
    PRIVATE_KEY,
    SECRET_ENTITIES,
    Secret,
    is_made_of_words,
    is_random,
)

_CERTAIN, _WEAK, _GUESSED = 0.97, 0.6, 0.45


def secret_recognizers(language: str = "en") -> list[EntityRecognizer]:
    """The recognizers of secrets; what they look for has no language of its own."""
    return [SecretRecognizer([*SECRET_ENTITIES], supported_language=language)]


class SecretRecognizer(EntityRecognizer):
    """Finds all types of secrets."""

    def load(self) -> None:
        """Compile the rules."""
        # Now rather than at the first text, which would wait for it.
        _scanner()

    def analyze(
        self,
        text: str,
        entities: list[str],
        nlp_artifacts: Any = None,  # noqa: ARG002 - Presidio's signature
    ) -> list[RecognizerResult]:
        """The secrets of these types, in no order; they may overlap."""
        name = type(self).__name__
        origin = {
            RecognizerResult.RECOGNIZER_NAME_KEY: name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        return [
            RecognizerResult(*secret, AnalysisExplanation(name, secret.score), origin)
            for secret in _secrets(readable(text))
            if secret.entity in entities
        ]


def _secrets(text: str) -> Iterator[Secret]:
    finders = (_catalogued, _tokens, _private_keys, _web_tokens, connection_strings, assignments)
    return chain.from_iterable(find(text) for find in finders)


# --- Kingfisher's catalogue ---

_FOREIGN = re.compile(r"[^\x00-\x7f]")
_PUNCTUATION = re.compile(r"[^\w+/=.:@%~\"'\s-]|[.:](?=\s|\Z)", re.ASCII)
"""What may follow a token in a sentence or a page, but not in the files for which the rules were written."""
_CONFIDENCES = {"high": 0.99, "medium": 0.95, "low": _WEAK}
_ENTITIES = {
    "betterleaks.jwt": JSON_WEB_TOKEN,
    "betterleaks.jwt-base64": JSON_WEB_TOKEN,
    "betterleaks.private-key": PRIVATE_KEY,
    "betterleaks.generic-credential-uri": CONNECTION_STRING,
    "betterleaks.curl-auth-user": PASSWORD,
}
"""What a rule finds, where it is no API key."""


@lru_cache(maxsize=1)
def _scanner() -> Scanner:
    # Compiled in three seconds, then kept where Python keeps compiled code, trusted as much; never in a home.
    chosen = os.environ.get("KF_RULE_CACHE_DIR")
    cache = Path(importlib.util.cache_from_source(__file__)).parent / "kingfisher"
    keep = bool(chosen) or not sys.dont_write_bytecode
    return Scanner(Rules(confidence="low", cache=keep, cache_dir=chosen or cache))


def _catalogued(text: str) -> Iterator[Secret]:
    # One byte for each character, so that the offsets are the text's; other scripts' letters would stick.
    plain = _FOREIGN.sub(" ", text)
    for reading in {plain, _PUNCTUATION.sub(" ", plain)}:
        for found in _scanner().scan(reading.encode("ascii")):
            # The others are what a rule wants to see beside a secret: names of accounts, ids.
            if found.visible:
                entity = _ENTITIES.get(found.rule_id, API_KEY)
                start, end = found.location["start_offset"], found.location["end_offset"]
                yield Secret(entity, start, end, _CONFIDENCES[found.confidence])


# --- Forms of our own ---


_TOKENS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    # OpenAI's, and those of the many who took over its prefix.
    (("sk-",), re.compile(r"(?<![A-Za-z0-9])sk-(?=[a-zA-Z_-]{0,64}\d)[\w-]{20,}+", re.ASCII)),
    (("AKIA", "ASIA", "ABIA", "ACCA"), re.compile(r"(?<![A-Z0-9])A(?:KI|SI|BI|CC)A[A-Z0-9]{16}(?![A-Z0-9])")),
    # Google's access tokens
    (("ya29.",), re.compile(r"(?<![A-Za-z0-9])ya29\.[\w-]{20,512}+", re.ASCII)),
    # Telegram
    ((":",), re.compile(r"(?<![\d.])\d{8,10}:(?=[\d_-]{0,34}[A-Za-z])[\w-]{35}(?![\w-])", re.ASCII)),
    # Discord
    ((".",), re.compile(r"(?<![\w-])[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,38}(?![\w-])", re.ASCII)),
    # Mailchimp
    (("-us",), re.compile(r"(?<![0-9a-zA-Z])[0-9a-f]{32}-us\d{1,2}(?!\d)", re.ASCII)),
    # Square
    (("sq0",), re.compile(r"sq0[a-z]{3}-[\w-]{22,60}", re.ASCII)),
)


def _tokens(text: str) -> Iterator[Secret]:
    for hints, pattern in _TOKENS:
        if any(hint in text for hint in hints):
            for match in pattern.finditer(text):
                if hints != ("sk-",) or not is_made_of_words(match.group()):
                    yield Secret(API_KEY, *match.span(), _CERTAIN)


_KEY_LINE = re.compile(
    r"-{4,5} ?(?P<edge>BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
    r"|-{4} ?(?P<ssh2>BEGIN|END) SSH2 ENCRYPTED PRIVATE KEY ?-{4}"
    r"|(?P<putty>Private-(?:Lines|MAC)): ?\w{1,80}"
)
_BODY = re.compile(r"[\s\"'+,>|\\]{0,40}[A-Za-z0-9+/=]{16}")
"""Key lines may be quoted, indented, or joined by a program's text."""
_WORD = re.compile(r"[^\s\"',>|\\]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_PEM_WIDTHS = (64, 70)
_FEWEST_LINES = 3
_SHORTEST_LINE = 40


def _private_keys(text: str) -> Iterator[Secret]:
    begun, last = -1, 0
    lines = list(_KEY_LINE.finditer(text)) if "PRIVATE KEY" in text or "Private-" in text else []
    for line in lines:
        begins = "BEGIN" in (line["edge"], line["ssh2"]) or line["putty"] == "Private-Lines"
        start = begun if begun >= 0 else _body_before(text, last, line.start())
        if begins:
            has_more = line.start() - start >= _SHORTEST_LINE
            begun = start if has_more else line.start() if _has_body(text, line) else -1
        else:
            if line.start() - start >= _SHORTEST_LINE:
                yield Secret(PRIVATE_KEY, start, line.end(), 0.99)
            begun = -1
        last = line.end()
    if begun >= 0:
        yield Secret(PRIVATE_KEY, begun, len(text), 0.99)
    if end := _end_of_first_lines(text):
        yield Secret(PRIVATE_KEY, 0, end, _GUESSED)


def _end_of_first_lines(text: str) -> int:
    """Where the base64 lines end with which a text begins, if it was cut out of a private key."""
    end = lines = 0
    for number, word in enumerate(_WORD.finditer(text)):
        length = len(word.group())
        if not _is_base64(word.group()) or length > max(_PEM_WIDTHS):
            break
        end = word.end()
        lines += length in _PEM_WIDTHS
        if number and length not in _PEM_WIDTHS:
            break
    is_certificate = text[end:].lstrip().startswith("-----END") and "PRIVATE" not in text[end : end + 40]
    return end if lines >= _FEWEST_LINES and not is_certificate else 0


def _has_body(text: str, head: re.Match[str]) -> bool:
    """Whether something follows: the next line, or a body on the same one. A head in a sentence is no key."""
    rest = text[head.end() : head.end() + 2]
    return not rest.strip(" ") or rest[0] in "\r\n" or _BODY.match(text, head.end()) is not None


def _body_before(text: str, first: int, foot: int) -> int:
    """Where the base64 lines begin that lead to a foot whose head was cut off."""
    start = foot
    for number, word in enumerate(reversed([*_WORD.finditer(text, first, foot)])):
        is_edge = number == 0 or word.start() == 0
        if not _is_base64(word.group()) or (len(word.group()) < _SHORTEST_LINE and not is_edge):
            break
        start = word.start()
    return start


def _is_base64(*words: str) -> bool:
    return all(_BASE64.fullmatch(word) for word in words)


_JWT = re.compile(
    r"(?<![A-Za-z0-9_-])eyJ[\w-]{8,}+"
    r"(?:\.eyJ[\w-]*+(?:\.[\w-]*+)?|(?:\.[\w-]*+){4}|(?:\.[\w-]++){1,3}+\Z)",
    re.ASCII,
)
"""Signed, encrypted, or cut off."""
_JWT_TAIL = re.compile(r"[\w-]*+(?:\.[\w-]++){0,4}+(?![+/=])", re.ASCII)
"""Without the + and / that images in base64 are full of."""
_SHORTEST_TAIL = 300


def _web_tokens(text: str) -> Iterator[Secret]:
    for match in _JWT.finditer(text) if "eyJ" in text else ():
        yield Secret(JSON_WEB_TOKEN, *match.span(), _CERTAIN)
    tail = _JWT_TAIL.match(text)
    if tail and tail.end() >= _SHORTEST_TAIL and is_random(tail.group(), 4.5):
        yield Secret(JSON_WEB_TOKEN, 0, tail.end(), _GUESSED)
