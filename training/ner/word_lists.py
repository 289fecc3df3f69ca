"""The lists of our own in words/: names of things, patterns and endings."""

import re
from pathlib import Path

LETTERS = re.compile(r"[^\W\d_]+")
"""What counts as a word of a name."""
_FOLDER = Path(__file__).with_name("words")


def lines_of(name: str) -> list[str]:
    """The entries of a list that has one in each line; # begins a comment line."""
    lines = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def words_of(name: str) -> list[str]:
    """The entries of a list that has them side by side."""
    return [word for line in lines_of(name) for word in line.split()]
