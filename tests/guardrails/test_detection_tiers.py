"""Names are found by the tier that the policy chooses, never by one that was not installed."""

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import spacy

from ringfence.errors import PolicyError
from ringfence.guardrails import basic_ner, name_recognizers, presidio
from ringfence.guardrails.basic_ner import NamedSpan
from ringfence.guardrails.detection_tiers import load_tier
from ringfence.guardrails.name_recognizers import ModelFailedError
from ringfence.guardrails.pii import PiiSettings
from ringfence.guardrails.presidio import PiiFinder

TEXT = "Jane wrote to jane@acme.com.\n```\nJane = 1  # bob@acme.com\n```\nAnd `Jane` to Oslo"


async def found(text: str, **settings: Any) -> list[tuple[str, str]]:
    finder = PiiFinder(PiiSettings.model_validate(settings))
    return [(one.entity, text[one.start : one.end]) for one in await finder.find(text)]


IN_PROSE = [
    ("PERSON", "Jane"),
    ("EMAIL_ADDRESS", "jane@acme.com"),
    ("EMAIL_ADDRESS", "bob@acme.com"),
    ("LOCATION", "Oslo"),
]
"""What a tier that knows Jane and Oslo finds in the text: names in prose only, addresses everywhere."""


def named_in(text: str, **names: str) -> list[tuple[str, int, int]]:
    return [
        (entity, place, place + len(name))
        for name, entity in names.items()
        for place in range(len(text))
        if text.startswith(name, place)
    ]


@pytest.fixture(autouse=True)
def fresh_analyzers() -> None:
    """A model that one test installs is gone in the next."""
    presidio._analyzer.cache_clear()


@pytest.fixture
def spacy_model(tmp_path: Path) -> str:
    """A spaCy model that knows two names."""
    nlp = spacy.blank("en")
    ruler: Any = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Jane"}, {"label": "GPE", "pattern": "Oslo"}])
    folder = tmp_path / "model"
    nlp.to_disk(folder)
    return str(folder)


async def test_patterns_find_no_names() -> None:
    """And nobody is told that they would."""
    assert await found(TEXT, detection="patterns") == [one for one in IN_PROSE if one[0] == "EMAIL_ADDRESS"]


async def test_basic_is_our_own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the default, and shown no code."""

    class Network:
        def spans(self, text: str) -> list[NamedSpan]:
            return [
                NamedSpan(*one, 0.9) for one in named_in(text, Jane="PERSON", Oslo="LOCATION", And="TITLE")
            ]

    monkeypatch.setattr(basic_ner, "BasicNer", Network)
    assert await found(TEXT) == IN_PROSE
    presidio._analyzer.cache_clear()


async def test_basic_keeps_to_the_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network says how sure it is."""
    network = SimpleNamespace(spans=lambda _text: [NamedSpan("PERSON", 0, 4, 0.5)])
    monkeypatch.setattr(basic_ner, "BasicNer", lambda: network)
    assert await found("Jane") == [("PERSON", "Jane")]
    assert await found("Jane", entities={"PERSON": {"action": "mask", "threshold": 0.6}}) == []
    presidio._analyzer.cache_clear()


def test_a_network_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault: names would be missed in silence."""

    def missing() -> None:
        raise FileNotFoundError

    monkeypatch.setattr(basic_ner, "BasicNer", missing)
    with pytest.raises(PolicyError, match="network is missing; install Ringfence again"):
        load_tier("basic")


class TestSpacy:
    """With a real model."""

    async def test_a_model_in_a_folder(self, spacy_model: str) -> None:
        """Its entities under Presidio's names."""
        assert await found(TEXT, detection=f"spacy:{spacy_model}") == IN_PROSE

    async def test_context_words_count_as_in_every_tier(self, spacy_model: str) -> None:
        """Although the model sees no code."""
        text = "`ssn 219099999`"
        assert await found(text, detection=f"spacy:{spacy_model}") == [("US_SSN", "219099999")]

    @pytest.mark.timeout(30)
    @pytest.mark.parametrize("run", [":", "(", '"', "(:", ".."])
    async def test_runs_of_signs_take_linear_time(self, spacy_model: str, run: str) -> None:
        """The tokenizer of spaCy would take its square."""
        text = run * (60_000 // len(run)) + " Jane"
        assert await found(text, detection=f"spacy:{spacy_model}") == [("PERSON", "Jane")]

    def test_a_model_that_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The fault says how to install it; Presidio would download it."""
        monkeypatch.setattr("spacy.cli.download", lambda *_: pytest.fail("it was downloaded"))
        with pytest.raises(PolicyError, match="install it: python -m spacy download no_model") as caught:
            load_tier("spacy:no_model")
        assert [fault.where for fault in caught.value.faults] == ["pii.detection"]

    def test_a_folder_that_is_no_model(self, tmp_path: Path) -> None:
        """Such as one that was copied in part."""
        with pytest.raises(PolicyError, match="there is no spaCy model"):
            load_tier(f"spacy:{tmp_path}")
        (tmp_path / "config.cfg").write_text("[nlp]\n")
        with pytest.raises(PolicyError, match=r"cannot be loaded \(\w+\)"):
            load_tier(f"spacy:{tmp_path}")


@pytest.mark.parametrize(
    ("detection", "command"),
    [
        ("transformers:some/model", r'pip install "presidio-analyzer\[transformers\]" torch'),
        ("gliner:some/model", r'pip install "presidio-analyzer\[gliner\]"'),
    ],
)
def test_a_package_that_is_missing(detection: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault says how to install it."""
    monkeypatch.setattr("ringfence.guardrails.detection_tiers.find_spec", lambda _name: None)
    with pytest.raises(PolicyError, match=command):
        load_tier(detection)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes packages look installed, and calls to the network fail."""
    monkeypatch.setattr("ringfence.guardrails.detection_tiers.find_spec", lambda name: name)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("it called out"))

    def install(name: str, **attributes: Any) -> None:
        module = ModuleType(name)
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, name, module)

    return install


@pytest.mark.parametrize("detection", ["transformers:some/model", "gliner:some/model"])
def test_a_model_that_was_not_downloaded(detection: str, installed: Callable[..., None]) -> None:
    """It is looked for on this machine only."""
    asked: list[dict[str, Any]] = []

    def snapshot_download(model: str, **options: Any) -> str:
        asked.append({"model": model, **options})
        raise FileNotFoundError(model)

    installed("huggingface_hub", snapshot_download=snapshot_download)
    with pytest.raises(PolicyError, match="install it: hf download some/model"):
        load_tier(detection)
    assert asked == [{"model": "some/model", "local_files_only": True}]


class TestTransformers:
    """With a pipeline that stands in for the library's."""

    @pytest.fixture
    def model(self, installed: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        """A model that knows two names; `model.fails` makes it fail."""
        state = SimpleNamespace(fails=False, loaded=[], folder=str(tmp_path))

        def pipeline(_task: str, **options: Any) -> Callable[[str], Any]:
            import os

            state.loaded.append(
                (options["model"], os.environ["HF_HUB_OFFLINE"], os.environ["TRANSFORMERS_OFFLINE"])
            )
            return run

        def run(text: str) -> Any:
            if state.fails:
                raise ValueError(text)
            spans = named_in(text, Jane="B-PER", Oslo="LOC", And="MISC")
            return [{"entity_group": one, "start": a, "end": b, "score": 0.9} for one, a, b in spans]

        from presidio_analyzer.predefined_recognizers.ner import huggingface_ner_recognizer as theirs

        monkeypatch.setattr(theirs, "hf_pipeline", pipeline)
        monkeypatch.setattr(
            theirs, "torch", SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: False))
        )
        return state

    async def test_a_model_in_a_folder(self, model: Any) -> None:
        """Loaded offline, shown no code; what nobody asked for is left out."""
        assert await found(TEXT, detection=f"transformers:{model.folder}") == IN_PROSE
        assert model.loaded == [(model.folder, "1", "1")]

    async def test_a_failure_is_no_text_without_names(
        self, model: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Presidio would log it with its text, and go on."""
        model.fails = True
        with pytest.raises(ModelFailedError, match=r"^ValueError$"):
            await found("Jane", detection=f"transformers:{model.folder}")
        assert "Jane" not in caplog.text

    def test_a_model_that_does_not_load(self, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A fault, not a crash."""
        monkeypatch.setattr(name_recognizers.ProseHuggingFaceRecognizer, "load", lambda _self: 1 / 0)
        with pytest.raises(PolicyError, match=r"cannot be loaded \(ZeroDivisionError\)"):
            load_tier(f"transformers:{model.folder}")


async def test_gliner(
    installed: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loaded from this machine only, asked for the names that Presidio knows, shown no code."""
    loaded: list[tuple[str, bool]] = []

    class Model:
        @classmethod
        def from_pretrained(cls, folder: str, **options: Any) -> "Model":
            loaded.append((folder, options["local_files_only"]))
            return cls()

        def predict_entities(self, text: str, labels: list[str], **_: Any) -> list[dict[str, Any]]:
            assert {"person", "address", "organization"} <= {*labels}
            spans = named_in(text, Jane="person", Oslo="location")
            return [{"label": label, "start": a, "end": b, "score": 0.9} for label, a, b in spans]

    from presidio_analyzer.predefined_recognizers.ner import gliner_recognizer as theirs

    monkeypatch.setattr(theirs, "GLiNER", Model)
    assert await found(TEXT, detection=f"gliner:{tmp_path}") == IN_PROSE
    assert loaded == [(str(tmp_path), True)]
