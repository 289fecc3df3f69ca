"""YAML files read into settings: every fault of a file at once, with the line and column that it stands in.

Strict: text is no number, a number is no text, and an unknown key is a fault. Values are never quoted in a
fault, because a secret may have slipped under the wrong key. A Section checks itself in `after` validators (a
`before` validator would hand pydantic lists and enum words in a form that strictness refuses) and raises
ValueError with a message that quotes no value, or `SectionError` to say which of its keys are meant.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ringfence.errors import Fault, PolicyError
from ringfence.fault_words import LISTS, expected, field_types, is_section, members, unexpected, unknown
from ringfence.located_yaml import Document, Loc, dotted, parse
from ringfence.settings import Section

T = TypeVar("T", bound=Section)

_SECRET = re.compile("key|token|password|passwd|secret|credential", re.IGNORECASE)
_BOUNDS = {
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "too_short": "needs at least {min_length}",
    "too_long": "takes at most {max_length}",
    "string_too_short": "needs at least {min_length} characters",
    "string_too_long": "takes at most {max_length} characters",
    "string_pattern_mismatch": "must have the form {pattern}",
}


class SectionError(ValueError):
    """What a check found, as pairs of the key meant (a path from the checked value) and a message."""

    def __init__(self, *problems: tuple[Loc, str]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{dotted(loc)}: {text}" if loc else text for loc, text in problems))


def load_section(path: Path | str, model: type[T]) -> T:
    """Read the YAML file at `path` as a `model`; PolicyError lists everything that is wrong with it."""
    _, text = read_text(path)
    return load_text(text, model, str(path))


def load_text(text: str, model: type[T], file: str = "<policy>") -> T:
    """Read YAML `text` as a `model`; `file` is the name under which faults are reported.

    >>> from ringfence.budgets.limits import Limits
    >>> load_text("turns: 3", Limits).turns
    3
    """
    document = parse(text, file)
    section = validate(document, model)
    if section is None or document.faults:
        raise PolicyError(in_order(document.faults))
    return section


def read_text(path: Path | str) -> tuple[bytes, str]:
    """The file's bytes and their text; PolicyError when it cannot be read."""
    file = os.fspath(path)
    try:
        raw = Path(path).read_bytes()
    except FileNotFoundError:
        raise PolicyError([Fault("there is no such file", file=file)]) from None
    except IsADirectoryError:
        raise PolicyError([Fault("this is a folder, not a file", file=file)]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise PolicyError([Fault(f"cannot be read: {reason}", file=file)]) from None
    try:
        return raw, raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        message = "this is not UTF-8 text; save the file as UTF-8"
        raise PolicyError([Fault(message, file=file, line=line, column=column)]) from None


def validate(document: Document, model: type[T]) -> T | None:
    """The document as a `model`; what keeps it from being one is added to the document's faults."""
    if not isinstance(document.data, dict):
        if () not in document.broken:
            document.faults.append(document.fault(unexpected(model, document.data), ()))
        return None
    try:
        return _build(document.data, model)
    except ValidationError as failure:
        errors = failure.errors(include_url=False)
        document.faults.extend(_faults(errors, model, document))
        return None


def attempt(data: object, model: type[T]) -> T | None:
    """`data` as a `model`, or None; for checks across sections, where `validate` has told the faults."""
    try:
        return _build(data, model)
    except ValidationError:
        return None


def _build(data: object, model: type[T]) -> T:
    # As JSON, because only there does pydantic's strict mode take lists for tuples and words for enums.
    return model.model_validate_json(json.dumps(data), strict=True)


def in_order(faults: list[Fault]) -> list[Fault]:
    """Faults as a reader of the file meets them."""
    return sorted(faults, key=lambda fault: (fault.line, fault.column, fault.where))


class _Subject(NamedTuple):
    """What one of pydantic's errors is about, in terms of the file."""

    loc: Loc
    owner: type[Section] | None
    """The Section whose key stands last in `loc`."""
    annotation: Any
    folded: bool = False
    """The error is one of several that pydantic has for one value of a union."""


def _faults(errors: list[ErrorDetails], model: type[Section], document: Document) -> Iterator[Fault]:
    settled: set[Loc] = set()
    # A bound says more of a value than the list of the types that it might have had.
    for error in sorted(errors, key=lambda error: not _is_precise(error)):
        subject = _subject(error, model, document.data)
        if subject is None or (subject.folded and subject.loc in settled):
            continue
        if any(subject.loc[:end] in document.broken for end in range(len(subject.loc) + 1)):
            continue
        settled.add(subject.loc)
        value = _value(document, subject.loc)
        match error["type"]:
            case _ if subject.folded:
                yield document.fault(unexpected(subject.annotation, value), subject.loc)
            case "value_error" if isinstance(problems := error["ctx"]["error"], SectionError):
                for loc, text in problems.problems:
                    yield document.fault(text, subject.loc + loc)
            case "extra_forbidden":
                yield document.fault(unknown(str(subject.loc[-1]), subject.owner), subject.loc, at_key=True)
            case kind:
                at_key = kind == "value_error" and isinstance(value, dict)
                yield document.fault(_message(error, subject, value), subject.loc, at_key=at_key)


def _is_precise(error: ErrorDetails) -> bool:
    return error["type"] in _BOUNDS or error["type"] == "value_error"


def _subject(error: ErrorDetails, model: type[Section], data: Any) -> _Subject | None:
    """Follow pydantic's location, dropping the labels of unions; None for a member that was not meant."""
    owner: type[Section] | None = None
    annotation: Any = model
    loc: Loc = ()
    for part in error["loc"]:
        kinds = members(annotation)
        if len(kinds) > 1:
            fitting = [kind for kind in kinds if _fits(kind, data)]
            if len(fitting) != 1 or not isinstance(data, dict | list):
                return _Subject(loc, owner, annotation, folded=not _is_precise(error))
            annotation = fitting[0]
            if not _is_label(part, annotation):
                return None
        else:
            owner = kinds[0] if is_section(kinds[0]) else owner
            loc, annotation, data = (*loc, part), _inner(kinds[0], part), _child(data, part)
    return _Subject(loc, owner, annotation)


def _inner(annotation: Any, part: str | int) -> Any:
    """The type of what stands under one key or index of a value of this type."""
    if is_section(annotation):
        return field_types(annotation).get(str(part), Any)
    arguments = get_args(annotation)
    if get_origin(annotation) is tuple and Ellipsis not in arguments:
        return arguments[int(part)]
    return arguments[get_origin(annotation) is dict] if arguments else Any


def _fits(annotation: Any, value: Any) -> bool:
    container = dict if is_section(annotation) else get_origin(annotation)
    if isinstance(value, dict):
        return container is dict
    return (container in LISTS) == isinstance(value, list)


def _is_label(part: str | int, annotation: Any) -> bool:
    name = annotation.__name__ if is_section(annotation) else get_origin(annotation).__name__
    return name in re.findall(r"\w+", str(part))


def _child(data: Any, part: str | int) -> Any:
    if isinstance(data, dict):
        return data.get(part)
    return data[part] if isinstance(data, list) and isinstance(part, int) and part < len(data) else None


def _value(document: Document, loc: Loc) -> Any:
    data = document.data
    for part in loc:
        data = _child(data, part)
    return data


def _message(error: ErrorDetails, subject: _Subject, value: Any) -> str:
    if error["type"] == "missing":
        return f"is missing; it takes {expected(subject.annotation)}"
    if error["type"] in {"value_error", "assertion_error"}:
        return str(error["ctx"]["error"])
    if error["type"] in _BOUNDS:
        if error["ctx"].get("min_length") == 1:
            return "must not be empty"
        text = _BOUNDS[error["type"]].format(**error["ctx"])
        number = isinstance(value, int | float) and not _SECRET.search(dotted(subject.loc))
        return f"{text}, and is {value}" if number else text
    return unexpected(subject.annotation, value)
