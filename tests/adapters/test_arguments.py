"""Names and ids on the command line that are no text are a usage error."""

import warnings
from pathlib import Path

import pytest
from small_team import small_team

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # typer's imports
    from ringfence import cli


@pytest.mark.parametrize(
    "command",
    [
        "approvals show FILE \udcff",
        "approvals approve FILE \udcff --by bob",
        "approvals reject FILE \udcff --by bob",
        "approvals reject FILE a --by \udcff",
        "approvals reject FILE a --by bob --reason \udcff",
        "approvals answer FILE a \udcff --by bob",
        "jobs show FILE \udcff",
        "jobs watch FILE \udcff",
        "jobs cancel FILE \udcff",
        "jobs retry FILE \udcff",
        "jobs list FILE --user \udcff",
        "jobs submit FILE --task x --id \udcff",
        "jobs submit FILE --task x --user \udcff",
        "jobs submit FILE --task x --tenant \udcff",
        "replay FILE \udcff",
        "resume FILE \udcff",
        "run FILE --task x --id \udcff",
        "run FILE --task x --user \udcff",
        "tools try FILE look --user \udcff",
        "tools try FILE look --agent \udcff",
        "store forget FILE --user \udcff",
    ],
)
def test_what_is_no_utf_8_is_a_usage_error(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A byte that a shell passes on, and that no store could hold."""
    policy = str(small_team(tmp_path))
    assert cli.main([policy if word == "FILE" else word for word in command.split()]) == 2
    assert "this is no text in UTF-8" in capsys.readouterr().err
