"""Stands in for a worker of `ringfence scan`; starts at once, and dies of certain texts."""

import os
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any


def serve(pipe: "Connection[Any, Any]", _settings_json: str) -> None:
    """Answer each text with itself in capitals; die of `die`."""
    with suppress(EOFError):
        pipe.send([])
        while True:
            texts = pipe.recv()
            if "die" in texts:
                os._exit(1)
            pipe.send([text.upper() for text in texts])


def never_ready(_pipe: "Connection[Any, Any]", _settings_json: str) -> None:
    """Die before the first word."""
    os._exit(1)
