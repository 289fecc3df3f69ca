"""What finds names: our own small network, or a model of spaCy, transformers or GLiNER that is installed.

Nothing is ever downloaded: a package or model that is missing is a fault with the command that installs it.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from presidio_analyzer import EntityRecognizer
from presidio_analyzer.nlp_engine import NlpEngine, NlpEngineProvider
from presidio_analyzer.predefined_recognizers import SpacyRecognizer

from ringfence.errors import Fault, PolicyError
from ringfence.guardrails.chat_analyzer import Words
from ringfence.guardrails.name_recognizers import (
    BasicNerRecognizer,
    ProseGlinerRecognizer,
    ProseHuggingFaceRecognizer,
    SpacyWords,
)

_IGNORED_LABELS = (
    *("CARDINAL", "ORDINAL", "QUANTITY", "PERCENT", "MONEY", "PRODUCT", "EVENT", "WORK_OF_ART", "LAW"),
    *("LANGUAGE", "FAC", "MISC", "O"),
)
"""What models name that is nobody's data."""
_GLINER_LABELS = {
    "person": "PERSON",
    "location": "LOCATION",
    "address": "LOCATION",
    "organization": "ORGANIZATION",
    "date": "DATE_TIME",
    "age": "AGE",
    "nationality": "NRP",
    "religion": "NRP",
}


def load_tier(detection: str) -> tuple[NlpEngine, list[EntityRecognizer]]:
    """What Presidio needs for a tier: its language engine, and the recognizers of names.

    Raises:
        PolicyError: A package or model is not installed.
    """
    kind, _, model = detection.partition(":")
    match kind:
        case "patterns":
            return Words(), []
        case "basic":
            try:
                return Words(), [BasicNerRecognizer()]
            except OSError:
                raise _fault("the basic tier's network is missing; install Ringfence again") from None
        case "spacy":
            engine = _spacy_engine(model)
            return engine, [SpacyRecognizer(supported_entities=engine.get_supported_entities())]
        case "transformers":
            _require("transformers", "torch", extra="transformers")
            with _offline():
                return Words(), [_loaded(ProseHuggingFaceRecognizer, model, model_name=_local_model(model))]
        case _:
            _require("gliner", extra="gliner")
            with _offline():
                options = {"model_name": _local_model(model), "entity_mapping": _GLINER_LABELS}
                return Words(), [_loaded(ProseGlinerRecognizer, model, **options, local_files_only=True)]


def _spacy_engine(model: str) -> SpacyWords:
    import spacy

    if not spacy.util.is_package(model) and not (Path(model) / "config.cfg").is_file():
        raise _fault(f"there is no spaCy model {model} here; install it: python -m spacy download {model}")
    configuration = {
        "nlp_engine_name": "spacy",
        "models": [{"lang_code": "en", "model_name": model}],
        "ner_model_configuration": {"labels_to_ignore": _IGNORED_LABELS},
    }
    try:
        # The provider would download what it does not find, which is why it was looked for before.
        return SpacyWords(NlpEngineProvider(nlp_configuration=configuration).create_engine())
    except Exception as error:
        raise _fault(f"the spaCy model {model} cannot be loaded ({type(error).__name__})") from None


def _require(*packages: str, extra: str) -> None:
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        command = f'pip install "presidio-analyzer[{extra}]"' + (" torch" if "torch" in packages else "")
        raise _fault(f"needs {' and '.join(missing)}; install: {command}")


def _local_model(model: str) -> str:
    """The folder of a model: itself, or where Hugging Face keeps what was downloaded."""
    if Path(model).is_dir():
        return model
    try:
        from huggingface_hub import snapshot_download

        folder: str = snapshot_download(model, local_files_only=True)
    except Exception:
        raise _fault(f"there is no model {model} here; install it: hf download {model}") from None
    return folder


def _loaded(recognizer: type[Any], model: str, **options: Any) -> EntityRecognizer:
    try:
        loaded: EntityRecognizer = recognizer(**options)
    except Exception as error:
        raise _fault(f"the model {model} cannot be loaded ({type(error).__name__})") from None
    return loaded


@contextmanager
def _offline() -> Iterator[None]:
    """Hugging Face's libraries do not call out, even for parts that a model's folder lacks."""
    names = "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"
    before = {name: os.environ.get(name) for name in names}
    # What was imported before has read its environment already.
    constants: Any = sys.modules.get("huggingface_hub.constants")
    was_offline = getattr(constants, "HF_HUB_OFFLINE", None)
    os.environ.update(dict.fromkeys(names, "1"))
    if constants:
        constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        if constants:
            constants.HF_HUB_OFFLINE = was_offline
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _fault(said: str) -> PolicyError:
    return PolicyError([Fault(said, where="pii.detection")])
