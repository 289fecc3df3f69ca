"""SIGKILL in the middle of a conversation, a sample of what `make chaos` does at every write."""

import os
import sys
from subprocess import PIPE, STDOUT, Popen

import pytest
from databases import POSTGRES, needs_postgres

pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=needs_postgres)])
def test_what_a_killed_process_leaves_is_taken_up(database: str) -> None:
    """The transcript is that of an undisturbed run, and no effect is doubled or lost, whoever took over."""
    command = [sys.executable, "-m", "benchmarks.chaos", "--sample", "2", "--databases", database]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with Popen(
        [*command, "--postgres", POSTGRES], stdout=PIPE, stderr=STDOUT, text=True, env=environment
    ) as run:
        said, _ = run.communicate()
    assert run.returncode == 0, said
    assert said.count(database) == 4, said
    assert "0 kills" not in said
