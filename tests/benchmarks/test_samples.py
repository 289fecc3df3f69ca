"""Annotated files are read as they are, or refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pii.finders import held_out_finder
from benchmarks.pii.samples import DataError, Gold, Sample, name_words, own_samples, read_samples
from ringfence.guardrails.pii import PiiSettings

ROOT = Path(__file__).parents[2]


def written(folder: Path, data: Any) -> Path:
    """A file with this as JSON."""
    path = folder / "data.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_types_get_our_names(tmp_path: Path) -> None:
    """Others stay as they are; which of them are names is kept for the test with unseen names."""
    spans = [
        {"entity_type": "GPE", "start_position": 0, "end_position": 4, "entity_value": "Oslo"},
        {"entity_type": "DOMAIN_NAME", "start_position": 5, "end_position": 9},
        {"entity_type": "ZIP_CODE", "start_position": 10, "end_position": 14},
        {"entity_type": "AGE", "start_position": 15, "end_position": 17},
    ]
    (sample,) = read_samples(written(tmp_path, [{"full_text": "Oslo a.no 0150 44", "spans": spans}]))
    assert sample.gold == (
        Gold("LOCATION", 0, 4, is_name=True),
        Gold("URL", 5, 9, is_name=False),
        Gold("LOCATION", 10, 14, is_name=False),
        Gold("AGE", 15, 17, is_name=False),
    )
    assert name_words([sample]) == {"oslo"}


def test_names_are_held_out_word_by_word() -> None:
    """In lower case, without digits and signs."""
    sample = Sample("Jean-Luc Müller2", (Gold("PERSON", 0, 16, is_name=True),))
    assert name_words([sample]) == {"jean", "luc", "müller"}


BAD: list[Any] = [
    {"full_text": "a"},
    ["a"],
    [{"full_text": "a"}],
    [{"full_text": None, "spans": []}],
    [{"full_text": "Jane", "spans": [{"entity_type": "PERSON", "start_position": 0, "end_position": 5}]}],
    [{"full_text": "Jane", "spans": [{"entity_type": "PERSON", "start_position": 2, "end_position": 2}]}],
]


@pytest.mark.parametrize("data", BAD)
def test_another_format_is_refused(tmp_path: Path, data: Any) -> None:
    """With its place, and without its text."""
    with pytest.raises(DataError) as refused:
        read_samples(written(tmp_path, data))
    assert "Jane" not in str(refused.value)


def test_our_own_set_is_taken_as_it_is() -> None:
    """Every text with all of its pieces."""
    samples = own_samples()
    assert len(samples) == 400
    assert all(sample.value(gold).strip() for sample in samples for gold in sample.gold)


async def test_the_network_does_not_know_names_that_are_held_out() -> None:
    """It is less sure of them, or the held-out figures would say nothing."""
    text = "yesterday katarzyna wrote that thandiwe cannot come"
    words = {"katarzyna", "thandiwe"}
    with held_out_finder(PiiSettings(), words) as unaware, held_out_finder(PiiSettings(), ()) as aware:
        assert aware is not unaware
    with held_out_finder(PiiSettings(), words) as finder:
        without = [one.score for one in await finder.find(text)]
    with held_out_finder(PiiSettings(), ()) as finder:
        assert [one.score for one in await finder.find(text)] != without


def test_missing_data_is_told_in_a_line(tmp_path: Path) -> None:
    """Exit code 2, and no measuring of anything else in the meantime."""
    command = [sys.executable, "-m", "benchmarks.pii", str(tmp_path / "none.json"), "--only", "quality"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{tmp_path / 'none.json'} cannot be read: No such file or directory\n"
