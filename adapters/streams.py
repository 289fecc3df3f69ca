"""What a command line does to the streams and logs of its process."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout


@contextmanager
def only_json() -> Iterator[None]:
    """What a team file or a tool prints goes to stderr, for stdout holds the JSON object."""
    with redirect_stdout(sys.stderr):
        yield


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
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")
    yield
