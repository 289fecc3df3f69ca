"""Code, comments and documentation of Python's standard library, in which no name was seen."""

import ast
import random
import re
import sysconfig
from collections.abc import Collection, Iterator
from pathlib import Path

_LINES_APART = 40
_MOST_LINES = 10
_LEAST_SIGNS, _MOST_SIGNS = 16, 700
_LEFT_OUT = {"site-packages", "idlelib"}
_NAMED = re.compile(
    r"@|author|copyright|written by|contributed|maintain|Inc\b|Ltd|University|Guido|https?:", re.IGNORECASE
)
_CAPITALIZED_PAIR = re.compile(r"\b[A-Z][a-z]+ [A-Z][a-z]+")


def program_texts(first_names: Collection[str]) -> list[str]:
    """Paragraphs of docstrings and stretches of code that hold no person's name."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    chooser = random.Random(1)
    found: set[str] = set()
    for file in sorted(folder.glob("**/*.py")):
        if _LEFT_OUT.isdisjoint(file.parts):
            texts = (paragraph.strip()[:_MOST_SIGNS] for paragraph in _paragraphs(file, chooser))
            found.update(
                text for text in texts if len(text) >= _LEAST_SIGNS and not _names(text, first_names)
            )
    return sorted(found)


def _paragraphs(file: Path, chooser: random.Random) -> Iterator[str]:
    try:
        source = file.read_text(encoding="utf-8")
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        # Some files of the library's own tests are wrong on purpose.
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
            yield from (ast.get_docstring(node) or "").split("\n\n")
    lines = source.splitlines()
    for start in range(0, len(lines), _LINES_APART):
        yield "\n".join(lines[start : start + chooser.randint(1, _MOST_LINES)])


def _names(text: str, first_names: Collection[str]) -> bool:
    """Whether a text may name somebody."""
    pairs = _CAPITALIZED_PAIR.finditer(text)
    return bool(_NAMED.search(text)) or any(pair.group().split()[0] in first_names for pair in pairs)
