"""Programs are texts without names: what may name somebody is left out."""

import sysconfig
from pathlib import Path

import pytest

from training.ner.program_texts import program_texts


def texts_of(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is found in a library of one module, where Jane is known as a first name."""
    (tmp_path / "module.py").write_text(source, encoding="utf-8")
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"stdlib": str(tmp_path)})
    return program_texts({"Jane"})


def test_documentation_is_found_by_paragraphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the code itself."""
    source = '"""Reads all of the files.\n\nReturns what stood in them."""\n'
    found = texts_of(source, tmp_path, monkeypatch)
    assert {"Reads all of the files.", "Returns what stood in them."} <= set(found)


@pytest.mark.parametrize(
    "line",
    [
        "# Written by somebody else",
        "# See https://example.org",
        "# Copyright of the foundation",
        "# Jane Doe has shown us",
        "x = 1",
    ],
)
def test_what_may_name_somebody_is_left_out(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so is what is too short to say anything."""
    assert texts_of(line, tmp_path, monkeypatch) == []


def test_capitals_alone_are_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only after a known first name."""
    assert texts_of("# Return The Result", tmp_path, monkeypatch) == ["# Return The Result"]


def test_a_file_that_is_no_program_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library has some to test its parser."""
    assert texts_of("this is not a program at all", tmp_path, monkeypatch) == []
