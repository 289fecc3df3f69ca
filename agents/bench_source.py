"""What was read before a call on a bench: texts that a stand-in for an untrusted tool gives back."""

import json
from collections.abc import Callable, Sequence

from ringfence.agents.bench_readings import Answered
from ringfence.errors import RingfenceError
from ringfence.guardrails.tool_spec import tool

SOURCE = "untrusted_source"
"""The name of the tool."""


class StandInSource:
    """An untrusted, read-only tool that says what a test wants to be read."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._unread: list[int] = []

    def note(self, text: str) -> None:
        """Have a text read before the next call."""
        self._unread.append(len(self._texts))
        self._texts.append(text)

    def take_calls(self) -> list[tuple[str, str]]:
        """The calls that read what was not read yet: names and arguments."""
        unread, self._unread = self._unread, []
        return [(SOURCE, json.dumps({"number": number})) for number in unread]

    def tool(self) -> Callable[..., str]:
        """The tool, for one team."""

        @tool(consequential=False)
        def untrusted_source(number: int) -> str:
            """Give back a text that a test wants to be read."""
            return self._texts[number]

        return untrusted_source


def check_read(answers: Sequence[Answered]) -> None:
    """Check that what was to be read was read.

    Raises:
        RingfenceError: The gate did not let it.
    """
    for answer in answers:
        if answer.tool == SOURCE and answer.is_error:
            raise RingfenceError(f"What `tool_said` was given could not be read: {answer.text}")
