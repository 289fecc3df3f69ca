"""Links and bare domains in chat, told from file names, attributes, calls and versions."""

import re
from collections.abc import Iterator
from typing import Any

from presidio_analyzer import RecognizerResult
from presidio_analyzer.predefined_recognizers import UrlRecognizer
from tldextract import TLDExtract

from ringfence.guardrails.found_span import result_of

_SCHEME = re.compile(r"\b(?:https?|ftps?|sftp|ssh|git|wss?)://[^\s<>\"'`{}|\\^]{1,2000}", re.IGNORECASE)
_HOST = re.compile(r"(?<![\w@.\-/\\])[\w-]++(?:\.[\w-]++)++(?![\w@(\[])")
_TAIL = re.compile(r"(?::\d{1,5})?(?:[/?#][^\s<>\"'`{}|\\^]{0,2000})?")
_LABEL = re.compile(r"[^\W_](?:(?:[^\W_]|-){0,61}[^\W_])?")
_AFTER_A_SENTENCE = ".,;:!?)]}'\""

_COMMON = frozenset(
    [
        *("com", "org", "net", "edu", "gov", "mil", "int", "info", "biz", "io", "ai", "co", "dev", "app"),
        *(
            "xyz",
            "online",
            "shop",
            "site",
            "tech",
            "cloud",
            "club",
            "blog",
            "agency",
            "company",
            "jobs",
            "travel",
        ),
        *(
            "uk",
            "de",
            "fr",
            "nl",
            "eu",
            "ch",
            "se",
            "dk",
            "fi",
            "pt",
            "jp",
            "cn",
            "kr",
            "au",
            "nz",
            "ca",
            "br",
        ),
        *(
            "mx",
            "ru",
            "ua",
            "cz",
            "sk",
            "hu",
            "ro",
            "bg",
            "gr",
            "tr",
            "il",
            "za",
            "ie",
            "lu",
            "li",
            "tv",
            "nu",
        ),
    ]
)
"""Endings that make a name of two parts a domain; others may be a file's, an attribute, two sentences."""
_CODE = frozenset(
    ["self", "this", "cls", "obj", "np", "pd", "os", "sys", "req", "res", "request", "response"]
)
_CERTAIN, _FAIR = 0.85, 0.6

_suffixes = TLDExtract(suffix_list_urls=(), cache_dir=None)
"""The snapshot of the public suffix list that the package brings; nobody is asked for a newer one."""


class ChatUrlRecognizer(UrlRecognizer):
    """Presidio's type, found in linear time."""

    def __init__(self, supported_language: str = "en") -> None:
        super().__init__(supported_language=supported_language, name="UrlRecognizer")

    def analyze(
        self,
        text: str,
        entities: list[str],  # noqa: ARG002 - Presidio's signature
        nlp_artifacts: Any = None,  # noqa: ARG002 - likewise
        regex_flags: int | None = None,  # noqa: ARG002 - likewise
    ) -> list[RecognizerResult]:
        """The links and domains in a text."""
        if "." not in text and "://" not in text:
            return []
        return [result_of(self, start, end, score) for start, end, score in _links(text)]


def _links(text: str) -> Iterator[tuple[int, int, float]]:
    done = 0
    for link in _SCHEME.finditer(text):
        yield from _bare(text, done, link.start())
        done = link.start() + len(link.group().rstrip(_AFTER_A_SENTENCE))
        yield link.start(), done, _CERTAIN
    yield from _bare(text, done, len(text))


def _bare(text: str, first: int, last: int) -> Iterator[tuple[int, int, float]]:
    for host in _HOST.finditer(text, first, last):
        if score := _score(host.group()):
            tail = _TAIL.match(text, host.end(), last)
            end = host.end() + len(tail.group().rstrip(_AFTER_A_SENTENCE) if tail else "")
            yield host.start(), end, score


def _score(host: str) -> float:
    labels = host.split(".")
    ending = labels[-1].lower()
    if not ending.isalpha() or not all(map(_LABEL.fullmatch, labels)):
        return 0.0
    if labels[0].lower().startswith("www"):
        return _CERTAIN
    if labels[0] in _CODE:
        return 0.0
    found = _suffixes(host)
    if not found.domain or not found.suffix:
        return 0.0
    # Session.cl and main.py have a country's ending; so have sentences without a space between them.
    is_known = ending in _COMMON and (host.islower() or ending in {"com", "org", "net"})
    return _FAIR if is_known or (len(labels) > 2 and "." in found.suffix) else 0.0  # noqa: PLR2004 - shop.example.co.uk
