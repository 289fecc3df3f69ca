"""The house stands as docs/decisions/0001-rooms.md says: rooms at the root, linked, and in nobody's way."""

import json
import shutil
import subprocess
import sys
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
ROOMS = ("adapters", "agents", "budgets", "conversations", "examples", "guardrails")


def out_of(*command: str, cwd: Path = ROOT) -> str:
    """What a command says."""
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=cwd).stdout


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_is_a_regular_package(room: str) -> None:
    """An `__init__.py` in `guardrails/` would hide guardrails-ai from all that starts in the repository."""
    assert not list((ROOT / room).rglob("__init__.py"))
    assert list((ROOT / room).rglob("*.py"))


def test_the_links_stand_and_point_to_the_rooms() -> None:
    """Each room is linked into the package, and nothing else is."""
    links = {
        path.name: path.readlink().as_posix() for path in (ROOT / "ringfence").iterdir() if path.is_symlink()
    }
    assert links == {room: f"../{room}" for room in ROOMS}


def test_the_links_are_committed_as_links() -> None:
    """A checkout that turned them into folders or text files would not run."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    listed = out_of("git", "ls-files", "--stage", "ringfence").splitlines()
    links = [line.rpartition("\t")[2] for line in listed if line.startswith("120000 ")]
    assert sorted(links) == [f"ringfence/{room}" for room in ROOMS]


def is_theirs(origin: str) -> bool:
    """Whether a module is guardrails-ai, and not our room."""
    path = Path(origin.strip())
    return path.name == "__init__.py" and path.parent.name == "guardrails" and path.parents[1] != ROOT


def test_in_pytest_guardrails_is_guardrails_ai() -> None:
    """As seen by this test."""
    with warnings.catch_warnings(action="ignore"):
        import guardrails
    assert is_theirs(str(guardrails.__file__))
    assert hasattr(guardrails, "Guard")


@pytest.mark.parametrize("folder", [".", "ringfence", "tests", "notebooks"])
def test_in_a_script_guardrails_is_guardrails_ai(folder: str) -> None:
    """With `python -c`, whose first place to look is the working directory."""
    probe = "import importlib.util as u; print(u.find_spec('guardrails').origin)"
    assert is_theirs(out_of(sys.executable, "-c", probe, cwd=ROOT / folder))


def test_the_command_starts_in_the_repository() -> None:
    """`python -m ringfence` works where the rooms' names are in reach."""
    assert "check" in out_of(sys.executable, "-m", "ringfence", "--help")


@pytest.mark.parametrize("folder", [".", "notebooks"])
@pytest.mark.filterwarnings("ignore")  # Jupyter's own deprecations are not ours to mend
def test_in_a_notebook_guardrails_is_guardrails_ai(folder: str) -> None:
    """In a kernel that was started at the root, and in one that was started beside the notebooks."""
    source = (
        "import importlib.util, ringfence.guardrails.calls as calls\n"
        "print(importlib.util.find_spec('guardrails').origin)\n"
        "print(calls.__name__)"
    )
    cell: dict[str, Any] = {
        "cell_type": "code",
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
    plain = {"cells": [cell | {"id": "only"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    book = nbformat.reads(json.dumps(plain), as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(book, timeout=60, resources={"metadata": {"path": str(ROOT / folder)}}).execute()
    origin, ours = book.cells[0].outputs[0].text.splitlines()
    assert is_theirs(origin)
    assert ours == "ringfence.guardrails.calls"


def old_setuptools() -> str:
    """Why no wheel can be built here; empty when one can."""
    try:
        at_hand = version("setuptools")
    except PackageNotFoundError:
        return "there is no setuptools"
    return "" if int(at_hand.partition(".")[0]) >= 77 else f"setuptools {at_hand} is older than 77"


@pytest.mark.skipif(bool(old_setuptools()), reason=old_setuptools() or "a wheel can be built")
def test_the_wheel_has_everything_and_nothing_else(tmp_path: Path) -> None:
    """Rooms, the example's files and the marker for type checkers are in it; tests and bare rooms are not."""
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    dirt = shutil.ignore_patterns("__pycache__", ".*", "*.sqlite", "*.jsonl")
    for name in ROOMS:
        shutil.copytree(ROOT / name, source / name, ignore=dirt)
    shutil.copytree(ROOT / "ringfence", source / "ringfence", symlinks=True, ignore=dirt)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps")
    out_of(
        *pip, "--no-build-isolation", "--no-index", "--wheel-dir", str(tmp_path), str(source), cwd=tmp_path
    )
    (wheel,) = tmp_path.glob("*.whl")
    inside = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    own = [path for path in (source / "ringfence").iterdir() if path.suffix == ".py"]
    files = {f"ringfence/{path.name}" for path in own} | {"ringfence/py.typed"}
    for room in ROOMS:
        for path in (source / room).rglob("*.*"):
            files.add(f"ringfence/{path.relative_to(source).as_posix()}")
    assert {"ringfence/examples/support_desk/ringfence.yaml", "ringfence/guardrails/calls.py"} <= files
    assert inside == files
