"""Which process holds a lease, so that others on the same machine need not wait for one that is dead."""

import hashlib
import os
import socket
from functools import lru_cache
from pathlib import Path

_PROC = Path("/proc")


def this_process() -> str:
    """`host:pid`, and behind an @ what tells it from every other process that ever had this number."""
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}@{_machine()}.{_started(pid)}"


def is_gone(owner: str) -> bool:
    """Whether a process is dead for certain: it was one of this machine, and does not run any more."""
    name, _, mark = owner.partition("@")
    machine, _, started = mark.partition(".")
    pid = name.rpartition(":")[2]
    if not machine or machine != _machine() or not started or not pid.isdecimal():
        return False
    return _started(int(pid)) != started


def shown(owner: str) -> str:
    """An owner for people."""
    return owner.partition("@")[0]


@lru_cache(maxsize=1)
def _machine() -> str:
    """This boot of this machine, and the namespace in which its processes are counted; empty if unknown."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text()
        namespace = str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return ""
    return hashlib.sha256(f"{boot}{namespace}".encode()).hexdigest()[:12]


def _started(pid: int) -> str:
    """When a process began, in ticks since the boot; empty when there is none."""
    try:
        # The name of the program stands in brackets, and may hold anything.
        after_name = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    state, started = after_name[0], after_name[19]
    return "" if state in {"Z", "X"} else started
