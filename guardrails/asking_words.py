"""Whether a user's words ask for a tool, or speak of what it gives: by the stems of words."""

import re
from collections.abc import Collection
from functools import lru_cache

_WORD = re.compile(r"[^\W\d_]{2,40}|\d{1,40}")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ENDINGS = (
    ("ations", 4), ("ation", 4), ("ments", 3), ("ment", 3), ("ings", 3), ("ing", 3), ("ions", 4), ("ion", 4),
    ("ies", 3), ("ied", 3), ("ers", 4), ("ed", 3), ("es", 4), ("er", 4), ("s", 3), ("e", 4), ("y", 3),
)  # fmt: skip
"""Endings of English words, and how many letters have to be left."""
_READING_VERBS = """
    get gets read list fetch search find show lookup look load query retrieve check view open download see
    tell give describe count browse scan
"""
_READING = frozenset(_READING_VERBS.split())
"""Verbs that bring something, and say nothing of what."""
_EMPTY_WORDS = """
    of in by for the all most recent my a an from to with and or on at as is it be data detail details value
    tool do run call make current new id name number
    that this these those what which who them they there here you your our we me if so not no yes please
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())
_ALIKE = (
    "send write mail email forward reply notify tell share message text post deliver pass",
    "pay transfer send refund wire remit reimburse",
    "delete remove erase drop cancel clear discard trash kick",
    "update change adapt adjust set edit modify correct replace move increase reduce raise lower rename",
    "create add make new book schedule open register set write",
    "invite add",
    "add join invite put include append",
    "buy order purchase book",
    "reserve book",
    "publish post share",
    "run execute start launch",
)
"""Verbs by which people ask for the same; each line is one such company."""


def is_empty_word(word: str) -> bool:
    """Whether a word stands in any sentence, and says nothing of what it is about."""
    return word in _EMPTY or word in _READING


def words_of(text: str) -> list[str]:
    """The words of a text or of a tool's name, in small letters."""
    return [word.casefold() for word in _WORD.findall(_CAMEL.sub(" ", text))]


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """What the forms of a word have in common."""
    for ending, left in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= left:
            word = word.removesuffix(ending)
            break
    # Of `planned` and `plan`.
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "sl" else word  # noqa: PLR2004


def stems_of(text: str) -> set[str]:
    """The stems of a text's words."""
    return {stem(word) for word in words_of(text)}


@lru_cache(maxsize=1_024)
def subjects_of(tool: str, words: Collection[str] = ()) -> frozenset[str]:
    """The stems by which a user speaks of what a tool gives: the nouns of its name, and its own words."""
    named = [word for word in words_of(tool) if word not in _READING | _EMPTY]
    own = [word for one in words for word in words_of(one)]
    return frozenset(map(stem, [*named, *own]))


@lru_cache(maxsize=1_024)
def requests_of(tool: str, words: Collection[str] = (), *, is_strict: bool = False) -> frozenset[str]:
    """The stems by which a user asks for a tool.

    Of a tool that takes away, what it does has to be asked for, where its name tells: `delete_file` is not
    asked for by a word about files.
    """
    named = [word for word in words_of(tool) if word not in _EMPTY]
    verbs = {stem(word) for word in named if stem(word) in _COMPANY}
    alike = {other for verb in verbs for other in _COMPANY[verb]}
    nouns = set() if is_strict and verbs else {stem(word) for word in named}
    own = {stem(word) for one in words for word in words_of(one)}
    return frozenset(verbs | alike | nouns | own)


def _companies() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in _ALIKE:
        company = {stem(word) for word in line.split()}
        for word in company:
            found.setdefault(word, set()).update(company)
    return found


_COMPANY = _companies()
