"""Presidio's analyzer with recognizers that work offline, in bounded time.

Imported on first use only: Presidio and spaCy take over a second to import.
"""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import presidio_analyzer
import tldextract
import yaml
from presidio_analyzer import AnalyzerEngine, EntityRecognizer, Pattern, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.recognizer_registry import RecognizerRegistryProvider

from ringfence.errors import Fault, PolicyError
from ringfence.guardrails.chat_analyzer import ChatAnalyzer, ChatRegistry
from ringfence.guardrails.chat_recognizers import CHAT_RECOGNIZERS
from ringfence.guardrails.detection_tiers import load_tier
from ringfence.guardrails.gating import behind_gate, fail_closed
from ringfence.guardrails.phone_recognizer import ChatPhoneRecognizer
from ringfence.guardrails.pii import PiiSettings
from ringfence.guardrails.readings import readable
from ringfence.guardrails.url_recognizer import ChatUrlRecognizer

_CONFIGURATION = Path(presidio_analyzer.__file__).parent / "conf" / "default_recognizers.yaml"
_NEED_MODELS = {"HuggingFaceNerRecognizer", "BasicLangExtractRecognizer"}
_OWN_TYPES: tuple[Any, ...] = (*CHAT_RECOGNIZERS, ChatPhoneRecognizer, ChatUrlRecognizer)
_OWN: Mapping[str, Any] = {one().name: one for one in _OWN_TYPES}
"""Presidio's name of a recognizer → ours, which takes its place."""
_CASED = r"[\p{Lu}\p{Ll}\p{Lt}\p{Nd}]"
"""What a word goes on with; other letters are of scripts that write no spaces."""


def make_analyzer(settings: PiiSettings, *, gated: bool = True) -> AnalyzerEngine:
    """An analyzer that calls nobody and logs no text.

    Args:
        settings: Says which tier, languages, patterns and denied values it has.
        gated: False makes Presidio's plain engine, in which each of the same recognizers reads every text
            whole: what a benchmark compares with, as with `make_stock_analyzer`.

    Raises:
        PolicyError: A model is not installed, or a language is not known.
    """
    _keep_quiet()
    faults: list[Fault] = []
    try:
        engine, named = load_tier(settings.detection)
    except PolicyError as error:
        faults += error.faults
    faults += _unknown_languages(settings.languages)
    if faults:
        raise PolicyError(faults)
    shipped = [fail_closed(one) for one in _of_presidio(_languages(settings))]
    more = [fail_closed(one) for one in (*_of_secrets(), *_of_policy(settings), *named)]
    if not gated:
        registry = RecognizerRegistry(recognizers=[*shipped, *more], supported_languages=["en"])
        return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])
    # What the policy looks for may be anywhere, whatever it calls it.
    behind = [*map(behind_gate, shipped), *more]
    return ChatAnalyzer(ChatRegistry(recognizers=behind, supported_languages=["en"]), engine)


def make_stock_analyzer(settings: PiiSettings) -> AnalyzerEngine:
    """Presidio's plain engine with Presidio's own recognizers, and whatever else `make_analyzer` gives it."""
    _keep_quiet()
    engine, named = load_tier(settings.detection)
    recognizers = [*_of_presidio(_languages(settings), own={}), *_of_secrets(), *_of_policy(settings), *named]
    registry = RecognizerRegistry(recognizers=recognizers, supported_languages=["en"])
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])


def _languages(settings: PiiSettings) -> Sequence[str]:
    # Cards, account numbers and the like stand among Presidio's English recognizers.
    return [*dict.fromkeys(("en", *settings.languages))]


def known_languages() -> list[str]:
    """The languages for which Presidio has recognizers of its own."""
    codes = {code for entry in _entries() for code in _codes(entry)}
    return sorted(codes - {"kr"})  # a country, given where Korean is meant


def _codes(entry: Mapping[str, Any]) -> list[str]:
    return [_code(one) for one in entry.get("supported_languages", ())]


def _code(language: Any) -> str:
    return str(language["language"]) if isinstance(language, dict) else str(language)


def _keep_quiet() -> None:
    # At DEBUG it logs the words around a finding.
    logger = logging.getLogger("presidio-analyzer")
    if _is_harmless not in logger.filters:
        logger.addFilter(_is_harmless)
    # Presidio asks this object for the public suffix list; the snapshot that the package brings is enough.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def _is_harmless(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


def _unknown_languages(languages: Sequence[str]) -> Iterable[Fault]:
    known = known_languages()
    said = f"Presidio has no recognizers of this language; known: {', '.join(known)}"
    return [
        Fault(said, where=f"pii.languages[{index}]")
        for index, language in enumerate(languages)
        if language not in known
    ]


@lru_cache(maxsize=1)
def _configuration() -> dict[str, Any]:
    configuration: dict[str, Any] = yaml.safe_load(_CONFIGURATION.read_text(encoding="utf-8"))
    return configuration


def _entries() -> list[dict[str, Any]]:
    return [entry for entry in _configuration()["recognizers"] if entry["name"] not in _NEED_MODELS]


def _of_presidio(languages: Sequence[str], *, own: Mapping[str, Any] = _OWN) -> list[EntityRecognizer]:
    """Every recognizer of these languages, also those that Presidio leaves off, for who asks for their type.

    All of them read English, as Presidio would say: a chat does not tell which language it is in, and one
    pass over a text is enough.
    """
    # Presidio would warn of each one that is not of these languages.
    enabled = [
        {**entry, "enabled": True}
        for entry in _entries()
        if not {*languages}.isdisjoint(_codes(entry) or languages)
    ]
    for entry in enabled:
        if "supported_languages" in entry:
            entry["supported_languages"] = [
                one for one in entry["supported_languages"] if _code(one) in languages
            ]
    configuration = {**_configuration(), "supported_languages": [*languages], "recognizers": enabled}
    loaded = RecognizerRegistryProvider(registry_configuration=configuration).create_recognizer_registry()
    by_name: dict[str, Any] = {}
    one: Any
    for one in loaded.recognizers:
        context = one.context or []
        if (first := by_name.get(one.name)) is None:
            by_name[one.name] = first = own[one.name]() if one.name in own else one
            first.supported_language = "en"
            # A recognizer of ours that knows its context itself says so by having none.
            first.context = [*context] if first.context else []
        elif first.context:
            first.context += [word for word in context if word not in first.context]
    return [*by_name.values()]


def _of_secrets() -> list[EntityRecognizer]:
    if find_spec("ringfence.guardrails.secret_recognizers") is None:
        return []
    from ringfence.guardrails.secret_recognizers import secret_recognizers

    return [*secret_recognizers("en")]


def _of_policy(settings: PiiSettings) -> list[EntityRecognizer]:
    """The policy's own patterns and denied values."""
    own = [
        PatternRecognizer(
            supported_entity=entity,
            name=f"pii.patterns.{entity}",
            patterns=[Pattern("regex", pattern.regex, pattern.score)],
            context=[*pattern.context],
        )
        for entity, pattern in settings.patterns.items()
    ]
    denied = [
        PatternRecognizer(
            supported_entity=entity,
            name=f"pii.deny.{entity}",
            patterns=[Pattern("values", _any_of(values), 1.0)],
        )
        for entity, values in settings.deny.items()
    ]
    return [*own, *denied]


def _any_of(values: Iterable[str]) -> str:
    """Matches these values, in any case and with any space between their words, but not inside a word."""
    longest_first = sorted({" ".join(readable(value).split()) for value in values}, key=len, reverse=True)
    said = (re.escape(value).replace(r"\ ", " ").replace(" ", r"\s+") for value in longest_first)
    return rf"(?<!{_CASED})(?:{'|'.join(said)})(?!{_CASED})"
