"""What a setting may be and what stood there instead, in plain words that never quote a value."""

from difflib import get_close_matches
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from ringfence.settings import Section

LISTS = {list, tuple, set, frozenset}
_WORDS: dict[object, str] = {
    bool: "true or false",
    int: "a whole number",
    str: "text",
    dict: "a mapping",
    NoneType: "nothing",
    Any: "a value",
}


def unknown(key: str, owner: type[Section] | None) -> str:
    """What to say of a key that `owner` does not have; its `advice` knows the usual mistakes."""
    known = list(field_types(owner)) if owner else []
    advice: dict[str, str] = getattr(owner, "advice", {})
    if key in advice:
        return advice[key]
    if near := get_close_matches(key, known, n=1):
        return f"unknown key; did you mean `{near[0]}`?"
    return f"unknown key; the keys here are {', '.join(known)}" if known else "unknown key; no key goes here"


def unexpected(annotation: Any, value: Any) -> str:
    """What to say of a value of the wrong kind."""
    words = [word for member in members(annotation) for word in _choices(member)]
    found = "something else" if type(value) in {type(word) for word in words} else _kind(value)
    text = f"expected {expected(annotation)}; found {found}"
    if isinstance(value, str) and (near := get_close_matches(value, [str(word) for word in words], n=1)):
        return f"{text}. Did you mean `{near[0]}`?"
    if value is None:
        return f"{text}. Give it a value, or remove the key"
    is_misread = str in members(annotation) and isinstance(value, bool | int | float)
    return f"{text}. If it is text, put it in quotes" if is_misread else text


def expected(annotation: Any) -> str:
    """What a value may be."""
    texts = []
    for member in sorted(members(annotation), key=is_section):
        if choices := _choices(member):
            texts.append(
                f"{'one of ' if len(choices) > 1 else ''}{', '.join(f'`{word}`' for word in choices)}"
            )
        elif is_section(member):
            texts.append(f"a mapping with the keys {', '.join(field_types(member))}")
        elif get_origin(member) in LISTS:
            texts.append("a list")
        elif member is not int or float not in members(annotation):
            texts.append(_WORDS.get(get_origin(member) or member, "a number"))
    return " or ".join(dict.fromkeys(texts))


def members(annotation: Any) -> list[Any]:
    """The types that a value may have, apart from nothing."""
    if get_origin(annotation) is Annotated:
        return members(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return [member for each in get_args(annotation) if each is not NoneType for member in members(each)]
    return [annotation]


def is_section(annotation: Any) -> bool:
    """Whether this type is a section of the file."""
    return isinstance(annotation, type) and issubclass(annotation, Section)


def field_types(model: type[Section]) -> dict[str, Any]:
    """Key → type, with the keys as the file has them."""
    return {info.alias or name: info.annotation for name, info in model.model_fields.items()}


def _choices(annotation: Any) -> list[str | int]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [member.value for member in annotation]
    return list(get_args(annotation)) if get_origin(annotation) is Literal else []


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "a list"
    return "a number with a fraction" if isinstance(value, float) else _WORDS[type(value)]
