"""Plain YAML whose every key and value knows its line and column.

Plain means: one document of mappings, lists, text, numbers, true/false and nothing. Aliases, tags, merge
keys and numbers with two readings are faults, because a policy must say to people what it says to machines.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.reader import ReaderError

from ringfence.errors import Fault, PolicyError

_TAG = "tag:yaml.org,2002:"

Loc = tuple[str | int, ...]
"""The keys and list indices that lead to a value."""
Spot = tuple[int, int]
"""Line and column, from 1."""

_ALIAS = "!alias"
_DEEPEST = 50
_LARGEST = 300_000
_LONGEST_NUMBER = 30
_LONGEST_KEY = 40
_PLAIN_KEY = re.compile(r"[^\s.\[\]\"']+")
_PLAIN_INT = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_PLAIN_FLOAT = re.compile(r"[-+]?(?=\.?[0-9])[0-9_]*\.[0-9_]*(e[-+][0-9]+)?", re.IGNORECASE)
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_HALF = "an escape sequence here is half a character; write the character itself"
_PLAINER = {
    "more than": f"more than {_DEEPEST} levels deep",
    "mapping values are not allowed here": "a second colon in one line; put the value in quotes, or indent "
    "this line like its neighbours",
    "could not find expected ':'": "this line is not `key: value`",
    "found unexpected end of stream": "a quotation mark is opened and not closed",
    "expected <block end>": "the indentation does not fit the lines above",
    "expected ',' or": "a comma or a closing bracket is missing before this",
    "expected the node content": "a value is missing before this",
    "but found another document": "a second document starts here (`---`); the file must hold one",
    r"found character '\t'": "a tab stands where only spaces may; indent with spaces",
    "found character": "no value begins with this character; put the value in quotes",
    "found unknown escape character": "a backslash means something in double quotes; use single quotes",
}
"""The parser's words → ours; its own are never shown, because it quotes what it takes for names."""


@dataclass(slots=True)
class Document:
    """A YAML text as plain data, what is wrong with it so far, and where each part stands."""

    file: str
    data: Any = None
    faults: list[Fault] = field(default_factory=list)
    broken: set[Loc] = field(default_factory=set)
    """Values that could not be read; they are None in `data`, and nothing more is said about them."""
    keys: dict[Loc, Spot] = field(default_factory=lambda: {(): (1, 1)})
    values: dict[Loc, Spot] = field(default_factory=dict)

    def fault(self, message: str, loc: Loc, *, at_key: bool = False) -> Fault:
        """The fault of the value (or key) at `loc`; of a missing one, at its nearest parent's key."""
        spots = self.keys if at_key else self.values
        spot, parent = spots.get(loc), loc
        while spot is None:
            parent = parent[:-1]
            spot = self.keys.get(parent)
        return Fault(message, where=dotted(loc), file=self.file, line=spot[0], column=spot[1])


def dotted(loc: Loc) -> str:
    """`("guardrails", 0, "at")` as `guardrails[0].at`; keys that hold a dot or a space in quotes."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        short = part if len(part) <= _LONGEST_KEY else part[: _LONGEST_KEY - 1] + "…"
        short = "".join(letter if letter.isprintable() else "�" for letter in short)
        text += f".{short}" if _PLAIN_KEY.fullmatch(short) else f'["{short}"]'
    return text.removeprefix(".")


def parse(text: str, file: str) -> Document:
    """Read `text`; PolicyError when it is not YAML at all, `faults` for what is YAML but not plain."""
    document = Document(file)
    if len(text) > _LARGEST:
        raise PolicyError([Fault(f"longer than {_LARGEST} characters", file=file)])
    root = _compose(text, file)
    if root is None:
        raise PolicyError([Fault("the file is empty", file=file, line=1, column=1)])
    document.keys[()] = _spot(root)
    document.data = _plain(root, (), document)
    return document


class _Composer(yaml.SafeLoader):
    """Composes nodes; an alias becomes a marked leaf, so that nothing is ever expanded."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]  # the stubs leave it bare
            return yaml.ScalarNode(_ALIAS, "", event.start_mark, event.end_mark)
        self.depth += 1
        if self.depth > _DEEPEST:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # the stubs leave it bare
            raise ComposerError(None, None, "more than that", mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _compose(text: str, file: str) -> yaml.Node | None:
    loader = None
    try:
        loader = _Composer(text)
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        spot = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message = _syntax(error.problem or "")
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        spot = (line, error.position - text.rfind("\n", 0, error.position))
        message = "a control character or broken Unicode stands here; remove it"
    except (ValueError, OverflowError):
        # PyYAML passes an escape such as "\UFFFFFFFF" to chr() unchecked.
        spot = (loader.line + 1, loader.column + 1) if loader else (1, 1)
        message = "this is not YAML: an escape sequence names no character"
    finally:
        if loader is not None:
            loader.dispose()
    raise PolicyError([Fault(message, file=file, line=spot[0], column=spot[1])])


def _syntax(problem: str) -> str:
    plain = (plain for technical, plain in _PLAINER.items() if problem.startswith(technical))
    return f"this is not YAML: {next(plain, 'check the quotes, brackets and indentation here')}"


def _spot(node: yaml.Node) -> Spot:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _plain(node: yaml.Node, loc: Loc, document: Document) -> Any:
    document.values[loc] = _spot(node)
    kind = node.tag.removeprefix(_TAG)
    if isinstance(node, yaml.MappingNode) and kind == "map":
        return {key: _plain(child, (*loc, key), document) for key, child in _entries(node, loc, document)}
    if isinstance(node, yaml.SequenceNode) and kind == "seq":
        document.keys.update(((*loc, index), _spot(child)) for index, child in enumerate(node.value))
        return [_plain(child, (*loc, index), document) for index, child in enumerate(node.value)]
    try:
        return _scalar(node.value, kind if isinstance(node, yaml.ScalarNode) else "tagged")
    except ValueError as error:
        document.broken.add(loc)
        document.faults.append(document.fault(str(error), loc))
        return None


def _entries(node: yaml.MappingNode, loc: Loc, document: Document) -> Iterator[tuple[str, yaml.Node]]:
    for key, child in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag == _ALIAS:
            fault = Fault("a key must be plain text", dotted(loc), document.file, *_spot(key))
            document.faults.append(fault)
            continue
        name: str = key.value
        here = (*loc, name)
        if here in document.keys:
            message = f"this key stands here twice, first in line {document.keys[here][0]}"
            document.faults.append(Fault(message, dotted(here), document.file, *_spot(key)))
            continue
        document.keys[here] = _spot(key)
        if wrong := _wrong_key(name, key.tag.removeprefix(_TAG)):
            document.broken.add(here)
            document.faults.append(document.fault(wrong, here, at_key=True))
        else:
            yield name, child


def _wrong_key(name: str, kind: str) -> str:
    if kind == "merge":
        return "merging keys with << is not allowed"
    if kind not in {"str", "timestamp", "value"}:
        return "YAML does not read this key as text; put it in quotes"
    return "" if _is_encodable(name) else _HALF


def _is_encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _scalar(value: str, kind: str) -> Any:
    match kind:
        # `api_version: 2024-06-01` means that text, not a day of the calendar.
        case "str" | "timestamp" | "value" | "merge":
            if not _is_encodable(value):
                raise ValueError(_HALF)
            return value
        case "null":
            return None
        case "bool" if value.lower() in _BOOLEANS:
            return _BOOLEANS[value.lower()]
        case "int" | "float":
            return _number(value, kind)
        case "!alias":
            raise ValueError("YAML aliases (*name) are not allowed; write the value out")
        case _:
            raise ValueError("a YAML tag such as !!python/object is not allowed here")


def _number(value: str, kind: str) -> int | float:
    pattern = _PLAIN_INT if kind == "int" else _PLAIN_FLOAT
    if len(value) > _LONGEST_NUMBER or not pattern.fullmatch(value):
        # YAML 1.1 reads 010 as eight and 1:30 as ninety.
        raise ValueError("not a plain decimal number; write 30 or 0.5, or put it in quotes if it is text")
    digits = value.replace("_", "")
    number = int(digits) if kind == "int" else float(digits)
    if not math.isfinite(number):
        raise ValueError("this number is too large")
    return number
