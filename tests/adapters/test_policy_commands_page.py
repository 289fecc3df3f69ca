"""docs/policy_commands.md says what the commands say."""

import re
import shlex
import warnings
from pathlib import Path

import pytest
import yaml

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # guardrails-ai's and typer's imports
    from ringfence import cli

PAGE = (Path(__file__).parents[2] / "docs" / "policy_commands.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```console\n\$ ringfence (.*)\n((?:.*\n)*?)```", PAGE)
MILLISECONDS = re.compile(r"\d+\.\d ms")


def lines(text: str) -> list[str]:
    """The lines without what a table is filled up with, and without times."""
    return [MILLISECONDS.sub("… ms", line).rstrip() for line in text.splitlines()]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the page, in the folder in which its commands are run."""
    for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL):
        keys = yaml.safe_load(block) or {}
        name = "cases.yaml" if "cases" in keys else "ringfence.yaml" if "version" in keys else ""
        if name:
            (tmp_path / name).write_text(block, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # guardrails-ai's imports
@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[shlex.split(command)[1] for command, _ in SHOWN])
@pytest.mark.usefixtures("folder")
def test_a_command_prints_what_the_page_shows(
    command: str, output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Line by line, apart from times and the width of the terminal."""
    cli.main(shlex.split(command))
    assert lines(capsys.readouterr().out) == lines(output)


def test_the_page_shows_both_commands() -> None:
    """A change of the page's form does not leave nothing to check."""
    assert {shlex.split(command)[1] for command, _ in SHOWN} == {"explain", "test"}
