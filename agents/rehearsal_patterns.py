"""What the rules of a rehearsal model look for, and the texts that they put it into.

Regular expressions and `{field}` templates; `rehearsal_rules` says how they are written.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import AfterValidator

from ringfence.located_yaml import Loc

__all__ = [
    "Found",
    "NamedPattern",
    "Names",
    "Pattern",
    "Patterns",
    "compiled",
    "fault_in",
    "fill",
    "names_in",
    "one_or_more",
    "unknown_fields",
]

Found = dict[str, str]
"""What the patterns of a rule found, by name."""

_NAME = r"[A-Za-z_]\w*"
_REFERENCE = re.compile(rf"\{{({_NAME})\}}")
_GROUP = re.compile(rf"\(\?P<({_NAME})>")
_FIELD = re.compile(rf"\{{\{{({_NAME})\}}\}}|\{{({_NAME}(?:\|{_NAME})*)\}}")


def _well_formed(pattern: str) -> str:
    try:
        # What a name stands for is put in later; here only the pattern's own form counts.
        re.compile(_REFERENCE.sub(r"(?P<\1>)", pattern))
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return pattern


def _without_groups(pattern: str) -> str:
    if names := list(names_in([pattern])):
        raise ValueError(f"a named pattern is found under its own name, so it cannot name {', '.join(names)}")
    return pattern


Pattern = Annotated[str, AfterValidator(_well_formed)]
NamedPattern = Annotated[str, AfterValidator(_well_formed), AfterValidator(_without_groups)]
Patterns = Pattern | tuple[Pattern, ...]
Names = str | tuple[str, ...]


def one_or_more(value: str | tuple[str, ...]) -> tuple[str, ...]:
    """What stands where a text or a list of texts may stand, as several."""
    return (value,) if isinstance(value, str) else value


def compiled(pattern: str, named: Mapping[str, str]) -> re.Pattern[str]:
    """The pattern, with the named ones put in where it refers to them."""
    whole = _REFERENCE.sub(lambda found: f"(?P<{found[1]}>{named[found[1]]})", pattern)
    return re.compile(whole, re.IGNORECASE | re.DOTALL)


def fill(template: Any, found: Mapping[str, str]) -> Any:
    """The template, whose texts may be nested in lists and mappings, with what was found put in."""
    match template:
        case str():
            return _FIELD.sub(lambda field: _filled(field, found), template)
        case dict():
            return {key: fill(value, found) for key, value in template.items()}
        case list() | tuple():
            return [fill(value, found) for value in template]
        case _:
            return template


def names_in(patterns: Iterable[str]) -> Iterator[str]:
    """The names under which the patterns remember what they find."""
    for pattern in patterns:
        yield from _GROUP.findall(pattern)
        yield from _REFERENCE.findall(pattern)


def fault_in(pattern: str, named: Mapping[str, str]) -> str:
    """What is wrong with a pattern once the named ones are put in; empty when nothing is."""
    for name in _REFERENCE.findall(pattern):
        if name not in named:
            return f"`{{{name}}}` stands for no pattern{_hint(name, named)}"
    try:
        compiled(pattern, named)
    except re.error as error:
        return f"not a regular expression once the named patterns are put in: {error}"
    return ""


def unknown_fields(loc: Loc, template: Any, known: Collection[str]) -> Iterator[tuple[Loc, str]]:
    """Where a template has a field that no pattern fills, and what to say of it."""
    match template:
        case str():
            for name in (name for _, names in _FIELD.findall(template) for name in names.split("|") if name):
                if name not in known:
                    yield loc, f"no pattern of this rule finds `{{{name}}}`{_hint(name, known)}"
        case dict():
            for key, value in template.items():
                yield from unknown_fields((*loc, key), value, known)
        case list() | tuple():
            for number, value in enumerate(template):
                yield from unknown_fields((*loc, number), value, known)


def _filled(field: re.Match[str], found: Mapping[str, str]) -> str:
    if field[1]:
        return f"{{{field[1]}}}"
    return next((value for name in field[2].split("|") if (value := found.get(name))), "")


def _hint(name: str, known: Collection[str]) -> str:
    if near := get_close_matches(name, sorted(known), n=1):
        return f"; did you mean `{near[0]}`?"
    return f"; the names here are {', '.join(sorted(known)) or 'none'}"
