"""docs/testing_tools.md runs, and says what the command says."""

import inspect
import re
import shlex
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # guardrails-ai's and typer's imports
    from ringfence import cli

PAGE = (Path(__file__).parents[1] / "docs" / "testing_tools.md").read_text(encoding="utf-8")
FILES: dict[str, str] = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, re.DOTALL))
SHOWN = re.findall(r"```console\n\$ ringfence (.*)\n((?:.*\n)*?)```", PAGE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the page."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (policy,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "ringfence.yaml").write_text(policy, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def as_pytest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same, where a test finds what stands beside it, as pytest sees to."""
    monkeypatch.syspath_prepend(folder)
    yield folder
    sys.modules.pop("tools", None)


@pytest.mark.usefixtures("as_pytest")
async def test_the_tests_of_the_page_pass() -> None:
    """As they stand there."""
    names: dict[str, Any] = {}
    exec(compile(FILES["test_refund.py"], "test_refund.py", "exec"), names)  # noqa: S102 - the page's own code
    tests = [test for name, test in names.items() if name.startswith("test_")]
    assert len(tests) == 4
    for test in tests:
        assert inspect.iscoroutinefunction(test)
        await test()


@pytest.mark.usefixtures("as_pytest")
async def test_the_fixture_of_the_page_gives_a_bench() -> None:
    """It opens one, and closes it."""
    names: dict[str, Any] = {}
    bare = FILES["conftest.py"].replace("@pytest_asyncio.fixture\n", "")
    exec(compile(bare, "conftest.py", "exec"), names)  # noqa: S102 - as above
    generator = names["bench"]()
    bench = await anext(generator)
    assert (await bench.call("refund", order_id="1", amount_usd="5")).waits
    with pytest.raises(StopAsyncIteration):
        await anext(generator)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # guardrails-ai's imports
@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[shlex.split(command)[1] for command, _ in SHOWN])
@pytest.mark.usefixtures("folder")
def test_a_command_prints_what_the_page_shows(
    command: str, output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Line by line, apart from what a table is filled up with."""
    cli.main(shlex.split(command))
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert printed == [line.rstrip() for line in output.splitlines()]
