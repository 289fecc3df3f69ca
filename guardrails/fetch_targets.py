"""Arguments that say where a tool goes that fetches: by their names, or by what its schema says of them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["is_page_number", "is_target", "says_target"]

_DEEPEST = 16
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_TARGET = re.compile(
    r"\w*ur[li]s?|iri|href|ip|ipv|(?:hyper|perma|web)?links?|host(?:name)?s?|address(?:es)?|(?:sub)?domains?"
    r"|endpoints?|targets?|(?:web)?sites?|(?:web|home)?pages?"
)
_PAGE = re.compile(r"pages?")
_OF_A_LIST = "size sizes count counts total number numbers no index offset limit token tokens cursor"
_OF_A_PLACE = "id ids type types language languages lang format date depth timeout"
_SOMETHING_OF_IT = frozenset(f"{_OF_A_LIST} {_OF_A_PLACE}".split())
"""`page_size` and `site_id` lead nowhere by themselves."""
_MOST_DIGITS_OF_A_PAGE = 4


def is_target(place: str) -> bool:
    """Whether the place of a value, such as `request.url[0]`, says that a tool goes there."""
    return any(_of_target(words) for words in _names_in(place))


def is_page_number(place: str, written: str) -> bool:
    """Whether a value is one of the pages of a list: a short number in what is called a page."""
    if not (written.isdecimal() and len(written) <= _MOST_DIGITS_OF_A_PAGE):
        return False
    names = [*_names_in(place)]
    is_page = any(_PAGE.fullmatch(word) for words in names for word in words)
    return is_page and not any(_of_target(words, but=_PAGE) for words in names)


def says_target(schema: Any, shared: Mapping[str, Any], depth: int = 0) -> bool:
    """Whether the schema of an argument says by a format or a title that a tool goes there.

    Args:
        schema: Of the argument.
        shared: The definitions that it may refer to, by their names.
        depth: How deep it stands.
    """
    if depth > _DEEPEST:
        return True
    if isinstance(schema, list):
        return any(says_target(one, shared, depth + 1) for one in schema)
    if not isinstance(schema, Mapping):
        return False
    said = (schema.get("format"), schema.get("title"))
    if any(isinstance(one, str) and is_target(one) for one in said):
        return True
    reference = schema.get("$ref")
    if isinstance(reference, str) and says_target(
        shared.get(reference.rpartition("/")[2]), shared, depth + 1
    ):
        return True
    return any(says_target(one, shared, depth + 1) for one in schema.values())


def _of_target(words: list[str], but: re.Pattern[str] | None = None) -> bool:
    if not words or words[-1] in _SOMETHING_OF_IT:
        return False
    return any(_TARGET.fullmatch(one) and not (but and but.fullmatch(one)) for one in words)


def _names_in(place: str) -> Iterator[list[str]]:
    """The words of each name that a place is put together of."""
    for name in place.split("."):
        yield [one.lower() for one in _WORD.findall(re.sub(r"\[\d+\]", "", name))]
