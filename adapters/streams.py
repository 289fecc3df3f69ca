"""What a command line does to the streams and logs of its process."""

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import IO, Any

from ringfence.places import place_in_team

_STDOUT, _STDERR = 1, 2


@contextmanager
def only_json() -> Iterator[None]:
    """What a team file or a tool prints goes to stderr, for stdout holds the JSON object."""
    with _to_stderr_by_number(), redirect_stdout(sys.stderr):
        yield


@contextmanager
def _to_stderr_by_number() -> Iterator[None]:
    """What is written past Python, such as by a program that a tool starts, goes there as well."""
    if sys.stdout is None:  # closed by the shell: the number may be that of any other file
        yield
        return
    sys.stdout.flush()
    try:
        kept = os.dup(_STDOUT)
    except OSError:  # a process without standard output has nothing to keep free
        yield
        return
    try:
        os.dup2(_STDERR, _STDOUT)
        yield
    finally:
        os.dup2(kept, _STDOUT)
        os.close(kept)


@contextmanager
def kept_stdout() -> Iterator[IO[str]]:
    """Standard output for a command that writes while `only_json` keeps it free."""
    try:
        kept = os.dup(sys.stdout.fileno())
    except (OSError, AttributeError):  # it is closed, or no file of the system
        yield sys.stdout
        return
    with os.fdopen(kept, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors) as stream:
        yield stream


@contextmanager
def silent_logs() -> Iterator[None]:
    """AutoGen logs whole tracebacks, and personal data may stand in them; a team may add a handler."""
    nowhere = logging.NullHandler()
    logging.getLogger().addHandler(nowhere)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(nowhere)


@contextmanager
def any_encoding() -> Iterator[None]:
    """A terminal that lacks a character gets its number, instead of an error in mid-conversation."""
    for stream, errors in (
        (sys.stdin, "replace"),
        (sys.stdout, "backslashreplace"),
        (sys.stderr, "backslashreplace"),
    ):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors=errors)
    yield


def is_closed_pipe(error: BaseException) -> bool:
    """Whether whoever read the output, such as `head`, has gone; rich and click then ask for a quiet end."""
    return isinstance(error, BrokenPipeError) or (
        isinstance(error, SystemExit) and place_in_team(error) is None and error.code == 1
    )


def print_json(facts: dict[str, Any]) -> None:
    """One JSON object on a line; ASCII, so that neither an encoding nor a control character can break it."""
    sys.stdout.write(json.dumps(facts, default=str) + "\n")
