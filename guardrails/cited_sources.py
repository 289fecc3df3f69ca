"""The sources that an answer may cite, by number or by id."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

_ID_KEYS = frozenset({"id", "source", "url", "title", "name"})
_DEEPEST = 50
_NUMBER = re.compile("[0-9]{1,9}")
_LOOKS_LIKE_AN_ID = re.compile(r"(?![0-9]{1,3}\Z).*[\d_/.:#-].*", re.DOTALL)
"""A plain word, or a small number, stands in many a source that has another id: it must be called one."""
_NAMED = re.compile(
    r"^[ \t>*-]{0,16}\[([^\[\]\n]{1,64})\]"
    r"|(?<![\w-])[\"']?(?:id|source)[\"']?[ \t]{0,8}[:=][ \t]{0,8}[\"'`]?([\w./#:-]{1,64})",
    re.IGNORECASE | re.MULTILINE,
)
"""`[faq]` where a source or a line begins, and `id: faq`."""


class Sources:
    """Finds whether a source with this number or id was read."""

    def __init__(self, sources: Sequence[str]) -> None:
        self._number = len(sources)
        self._texts = [one.casefold() for one in sources]
        self._ids = {one for source in sources for one in _json_ids(source)}
        for text in self._texts:
            for found in _NAMED.finditer(text):
                name = (found[1] or found[2]).strip()
                self._ids |= {name, name.rstrip(".:")}

    def has(self, name: str) -> bool:
        """Whether the name is the number of a source, or an id that stands in one."""
        plain = name.casefold()
        if _NUMBER.fullmatch(plain) and 1 <= int(plain) <= self._number:
            return True
        if plain in self._ids:
            return True
        return bool(_LOOKS_LIKE_AN_ID.fullmatch(plain)) and any(
            _is_token(plain, text) for text in self._texts
        )


def _is_token(name: str, text: str) -> bool:
    """Whether the id stands there whole: `doc-3` is not in `doc-30`, nor in `doc-3-draft`."""
    start = text.find(name)
    while start >= 0:
        before, behind = text[max(start - 2, 0) : start], text[start + len(name) :][:2]
        if not re.search(r"\w[-.]?\Z", before) and not re.match(r"\w|[-/]\w|\.\d", behind):
            return True
        start = text.find(name, start + len(name))
    return False


def _json_ids(source: str) -> Iterator[str]:
    if not source.lstrip().startswith(("{", "[")):
        return
    try:
        found = json.loads(source)
    except (ValueError, RecursionError):
        return
    left: list[tuple[Any, int]] = [(found, 0)]
    while left:
        value, depth = left.pop()
        if depth > _DEEPEST:
            continue
        if isinstance(value, dict):
            for key, one in value.items():
                if key.casefold() in _ID_KEYS and isinstance(one, str | int) and not isinstance(one, bool):
                    yield str(one).casefold()
                left.append((one, depth + 1))
        elif isinstance(value, list):
            left += ((one, depth + 1) for one in value)
