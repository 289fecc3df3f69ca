"""Which parts of a text are code, where a capitalised word is no name.

As in Markdown: lines between ``` or ~~~, and `inline code` on one line. A fence that never closes is text:
whoever forgets to close it must not hide every name behind it.
"""

import re
from collections.abc import Iterator

_FENCE = re.compile(r"^[ \t>]{0,12}(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)
_TICKS = re.compile(r"`+|\n")
_CODE = "`~"


def prose(text: str) -> str:
    """The text with spaces in place of code; as long as the text, so that every place stays where it is."""
    pieces: list[str] = []
    done = 0
    for start, end in code_spans(text):
        pieces += text[done:start], " " * (end - start)
        done = end
    return "".join([*pieces, text[done:]])


def code_spans(text: str) -> list[tuple[int, int]]:
    """The places of code, in order, fences and backticks with it."""
    if not any(sign in text for sign in _CODE):
        return []
    fenced = [*_fenced(text)]
    spans: list[tuple[int, int]] = []
    done = 0
    for start, end in [*fenced, (len(text), len(text))]:
        spans += _inline(text, done, start)
        if start < end:
            spans.append((start, end))
        done = end
    return spans


def _fenced(text: str) -> Iterator[tuple[int, int]]:
    opening: re.Match[str] | None = None
    for line in _FENCE.finditer(text):
        marks, rest = line.groups()
        if opening is None:
            # After ``` stands the language; with a ` in it, the line is inline code.
            opening = None if marks[0] == "`" and "`" in rest else line
        elif marks[0] == opening[1][0] and len(marks) >= len(opening[1]) and not rest.strip():
            yield opening.start(), line.end()
            opening = None


def _inline(text: str, first: int, last: int) -> Iterator[tuple[int, int]]:
    """A run of backticks up to the next run that is as long; a backtick inside a word is an apostrophe."""
    open_runs: dict[int, int] = {}
    done = first
    for run in _TICKS.finditer(text, first, last):
        length = run.end() - run.start()
        if run.group() == "\n":
            open_runs.clear()
        elif length in open_runs and not _is_word(text, run.end()):
            yield max(open_runs[length], done), run.end()
            done = run.end()
            open_runs.clear()
        elif not _is_word(text, run.start() - 1):
            open_runs.setdefault(length, run.start())


def _is_word(text: str, place: int) -> bool:
    return 0 <= place < len(text) and text[place].isalnum()
