"""Nothing calls out: not the import, not a conversation, not the check; and the home stays empty."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

EXAMPLE = Path(__file__).parent.parent / "examples" / "support_desk"

WATCH = """
import os, sys

def watch(event, arguments):
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
    elif event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}:
        address = arguments
    else:
        return
    host = address[0] if isinstance(address, tuple) else address
    if host in {"127.0.0.1", "::1", "localhost", None} or str(host).startswith("/"):
        return
    with open(os.environ["WATCHED"], "a") as file:
        file.write(f"{event} {host}\\n")
    raise OSError(f"{event} {host} is refused by the test")

sys.addaudithook(watch)
"""
"""Python runs it at the start of every process, so that children of the process are watched as well."""

WHOLE_CASE = """
import asyncio, sys
import ringfence
from ringfence import Approved, Ringfence

async def main():
    seen = []
    async def yes(request):
        seen.append(request.tool)
        return Approved("bob")
    house = Ringfence.from_file(sys.argv[1])
    conversation = house.conversation(approver=yes)
    result = await conversation.run(task="Refund order 1182 and write to jane.doe@acme.com that it is done")
    await house.close()
    print(conversation.status.value, *seen, conversation.usage.model_calls > 2)

asyncio.run(main())
"""


class Ran(NamedTuple):
    """What a process did."""

    stdout: str
    stderr: str
    code: int
    reached_for: str
    """Addresses outside this machine."""
    left: list[str]
    """Files in the home."""


def run_watched(folder: Path, *command: str) -> Ran:
    """Run a command that is refused everything but loopback, in a home that is empty."""
    home, site, watched = folder / "home", folder / "site", folder / "watched"
    home.mkdir()
    site.mkdir()
    (site / "sitecustomize.py").write_text(WATCH)
    kept = {
        key: value for key, value in os.environ.items() if key in {"PATH", "LANG", "TMPDIR", "SYSTEMROOT"}
    }
    settings = {
        "HOME": str(home),
        "PYTHONPATH": str(site),
        "WATCHED": str(watched),
        "SUPPORT_DESK_SHOP": str(folder / "shop.sqlite"),
    }
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=kept | settings,
    )
    reached_for = watched.read_text() if watched.exists() else ""
    left = [str(path.relative_to(home)) for path in home.rglob("*")]
    return Ran(done.stdout, done.stderr, done.returncode, reached_for, left)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """The support desk's policy, in a copy, so that its logs and shop stand elsewhere."""
    dirt = shutil.ignore_patterns("__pycache__", "*.sqlite", "*.jsonl")
    shutil.copytree(EXAMPLE, tmp_path / "desk", ignore=dirt)
    return tmp_path / "desk" / "ringfence.yaml"


def test_the_watch_sees_what_reaches_out(tmp_path: Path) -> None:
    """This test can fail: what reaches out is refused and noted, also in a child; loopback is not."""
    outward = "import socket; socket.create_connection(('192.0.2.1', 80))"
    look_up = "import socket; socket.getaddrinfo('name.invalid', 80)"
    inward = (
        "import socket; s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname())"
    )
    probe = f"import subprocess, sys\nfor code in {[outward, look_up, inward]!r}:\n"
    ran = run_watched(tmp_path, "-c", probe + "    print(subprocess.call([sys.executable, '-c', code]))")
    assert ran.stdout.split() == ["1", "1", "0"]
    assert "192.0.2.1" in ran.reached_for
    assert "name.invalid" in ran.reached_for


def test_a_whole_conversation_needs_no_network(tmp_path: Path, desk: Path) -> None:
    """Import, policy, Presidio, guardrails-ai, tokens, tools and mail: all of it on this machine."""
    ran = run_watched(tmp_path, "-c", WHOLE_CASE, str(desk))
    assert ran.code == 0, ran.stderr
    assert ran.stdout.split() == ["done", "refund", "send_email", "True"]
    assert ran.reached_for == ""
    assert ran.left == []


def test_the_check_needs_no_network(tmp_path: Path, desk: Path) -> None:
    """`ringfence check` builds everything, and calls nobody."""
    ran = run_watched(tmp_path, "-m", "ringfence", "check", str(desk))
    assert ran.code == 0, ran.stdout + ran.stderr
    assert ran.reached_for == ""
    assert ran.left == []
