r"""Templates: texts with slots, as `templates/*.txt` holds them.

`{city}` is a slot, `{person:1}` one whose value comes again at the same number, `[[TITLE|Professor]]` a
literal with its label, `{{` and `}}` are plain braces, `\n` and `\t` stand for a line break and a tab.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ENTITIES = ("PERSON", "LOCATION", "ORGANIZATION", "DATE_TIME", "AGE", "NRP", "TITLE")
"""The labels, in the order in which the network numbers them."""

LABEL_OF_SLOT: Mapping[str, str | None] = {
    **dict.fromkeys(("person", "first", "last", "first_last", "initial_last", "last_first"), "PERSON"),
    **dict.fromkeys(("city", "region", "country", "place", "street"), "LOCATION"),
    **dict.fromkeys(("address", "address_lines", "postcode"), "LOCATION"),
    "org": "ORGANIZATION",
    **dict.fromkeys(("date", "month_year"), "DATE_TIME"),
    "age": "AGE",
    **dict.fromkeys(("nationality", "religion", "politics"), "NRP"),
    "title": "TITLE",
    **dict.fromkeys(("time", "weekday", "month")),
    **dict.fromkeys(("email", "phone", "url", "ip", "username", "path", "uuid", "version")),
    **dict.fromkeys(("number", "amount", "order_id", "code_id", "iban", "card", "ssn")),
    **dict.fromkeys(("product", "job")),
}
"""Every slot, and what its values are labelled with."""

FOLDER = Path(__file__).with_name("templates")
NEGATIVE = "negative"
"""How the names of files begin in which nothing has a label."""

_MARK = re.compile(r"\{\{|\}\}|\{(\w+)(?::(\d+))?\}|\[\[([A-Z_]+)\|(.+?)\]\]")
_LONE = re.compile(r"[{}]|\[\[")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text, and its label or None."""

    text: str
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """What a value is put for."""

    name: str
    number: int | None = None
    """The same slot with the same number has the same value throughout a text."""


Template = tuple[Piece | Slot, ...]


def parse(line: str) -> Template:
    """A template's parts.

    Raises:
        ValueError: A slot or label is not known, or a brace or `[[` is alone.
    """
    line = line.replace("\\n", "\n").replace("\\t", "\t")
    parts: list[Piece | Slot] = []
    done = 0
    for mark in _MARK.finditer(line):
        parts += [_plain(line[done : mark.start()]), _marked(mark)]
        done = mark.end()
    parts.append(_plain(line[done:]))
    return tuple(part for part in parts if isinstance(part, Slot) or part.text)


def read_templates(folder: Path = FOLDER) -> dict[str, list[Template]]:
    """Each file's name without its ending, and its templates; # begins a comment line.

    Raises:
        ValueError: A template is wrong; the message names file and line.
    """
    read: dict[str, list[Template]] = {}
    for file in sorted(folder.glob("*.txt")):
        read[file.stem] = []
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                try:
                    read[file.stem].append(parse(line))
                except ValueError as error:
                    raise ValueError(f"{file.name}, line {number}: {error}") from error
    return read


def _plain(text: str) -> Piece:
    if lone := _LONE.search(text):
        raise ValueError(f"{lone.group()} stands alone; plain braces are doubled")
    return Piece(text)


def _marked(mark: re.Match[str]) -> Piece | Slot:
    slot, number, label, literal = mark.groups()
    if slot:
        if slot not in LABEL_OF_SLOT:
            raise ValueError(f"no slot is called {slot}")
        return Slot(slot, int(number) if number else None)
    if label:
        if label not in ENTITIES:
            raise ValueError(f"no label is called {label}")
        return Piece(_plain(literal).text, label)
    return Piece(mark.group()[0])
