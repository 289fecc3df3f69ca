"""Phrases as regular expressions: whole words, in whatever case and spelling, also with a short ending."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import regex

WORD_BEGINS = r"(?<![^\W_])"
WORD_ENDS = r"(?![^\W_])"
"""An underscore parts words, as a hyphen does."""

_CLUSTER = regex.compile(r"\P{M}\p{M}{0,15}|\p{M}{1,16}", regex.DOTALL)  # type: ignore[no-untyped-call]  # regex has no types
"""A sign with its marks; few of them, because sorting a thousand takes long."""
_INVISIBLE = {"\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u3164", "\uffa0"}
_UNSPACED = {"Lo", "Lm"}
"""Unicode's categories of letters of the scripts in which words stand without spaces."""
_FEWEST_LETTERS = 3
"""A shorter word has no endings: `a` is no `an`."""
_LONG = 5
_HISSING = ("s", "x", "z", "ch", "sh", "o")
_VOWELS = frozenset("aeiouyäöü")


class Folded(NamedTuple):
    """A text in the form in which spellings are compared, and where each of its signs stood."""

    text: str
    places: Sequence[int]
    """For each sign its place in the text as given, and at the end that text's length."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place of some signs in the text as given, with what belongs to them there."""
        return self.places[start], max(self.places[end], self.places[end - 1] + 1)


def folded(text: str) -> Folded:
    """The text in small letters, with plain signs (NFKC), without signs that nobody sees."""
    if text.isascii():
        return Folded(text.lower(), range(len(text) + 1))
    signs: list[str] = []
    places: list[int] = []
    for cluster in _CLUSTER.finditer(text):
        plain = _plain(cluster.group())
        signs.append(plain)
        places += [cluster.start()] * len(plain)
    return Folded("".join(signs), [*places, len(text)])


@lru_cache(maxsize=10_000)
def _plain(cluster: str) -> str:
    seen = "".join(sign for sign in cluster if not is_invisible(sign))
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())
    return "".join(sign for sign in plain if not is_invisible(sign))


@lru_cache(maxsize=10_000)
def is_invisible(sign: str) -> bool:
    """Whether nobody sees it: zero-width and tag characters, soft hyphens, variation selectors."""
    return (
        sign in _INVISIBLE
        or unicodedata.category(sign) == "Cf"
        or "\ufe00" <= sign <= "\ufe0f"
        or "\U000e0100" <= sign <= "\U000e01ef"
    )


def pattern_of(phrase: str) -> str:
    """The words of a phrase as they are written, whatever spaces stand between."""
    words = phrase.split()
    # A phrase is not looked for in the middle of a word, but a sign such as that of `@all` ends any word.
    start = r"(?<!\w)" if re.match(r"\w", words[0]) else ""
    end = r"(?!\w)" if re.search(r"\w\Z", words[-1]) else ""
    return start + r"\s+".join(map(re.escape, words)) + end


class Phrase:
    """A phrase in a folded text, each word in its base form or with a short ending."""

    def __init__(self, phrase: str) -> None:
        self.folded = " ".join(folded(phrase).text.split())
        words = self.folded.split()
        if not words:
            raise ValueError("a phrase must not be empty")
        first, last = words[0][0], words[-1][-1]
        start = WORD_BEGINS if _parts_words(first) else ""
        end = WORD_ENDS if _parts_words(last) else ""
        self._pattern = re.compile(start + r"[\s_-]+".join(map(_inflected, words)) + end)
        # Searched for first, because looking for a plain text is much faster.
        self._stem = min(_stem(words[0]), words[0], key=len)

    def spans(self, folded_text: str) -> Iterator[tuple[int, int]]:
        """Where it occurs."""
        if self._stem in folded_text:
            for match in self._pattern.finditer(folded_text):
                yield match.span()

    def is_in(self, folded_text: str) -> bool:
        """Whether it occurs."""
        return next(self.spans(folded_text), None) is not None


def replaced(text: str, spans: Iterable[tuple[int, int]], by: str | None) -> str:
    """The text with something else at these places; None puts as many asterisks as there were signs."""
    pieces: list[str] = []
    done = 0
    for start, end in sorted(spans):
        if start < done:
            continue
        pieces += text[done:start], "*" * (end - start) if by is None else by
        done = end
    return "".join([*pieces, text[done:]])


def _parts_words(sign: str) -> bool:
    """Whether it is of a script that writes spaces: only there has a word borders to look for."""
    return sign.isalnum() and unicodedata.category(sign) not in _UNSPACED


def _stem(word: str) -> str:
    if not _takes_endings(word):
        return word
    ends_soft = word.endswith("e") or (word.endswith("y") and word[-2] not in _VOWELS)
    return word[:-1] if ends_soft else word


def _inflected(word: str) -> str:
    """A pattern of a word of a folded text and what English and German make of it."""
    if not _takes_endings(word):
        return re.escape(word)
    stem = re.escape(_stem(word))
    if word.endswith("e"):
        return rf"{stem}(?:e|es|ed|ing|ings|er|ers|en|ern)"
    if stem != word:
        return rf"{stem}(?:ys?|ying|ies|ied|ier|iers)"
    return rf"{stem}(?:{'|'.join(_endings(word))})?"


def _endings(word: str) -> Iterator[str]:
    """Fewer for a short word, because another one is near: `war` is no `ware`, `bet` no `better`."""
    yield from ("s", "ern", "en", "ers", "er", "es", "e") if len(word) >= _LONG else ("s",)
    if word.endswith(_HISSING):
        yield "es"
    if word.endswith(("el", "er")):
        yield "n"
    doubles = word[-1] not in _VOWELS | set("wx") and word[-2] in _VOWELS and word[-3] not in _VOWELS
    if doubles:
        yield from (word[-1] + ending for ending in ("ings", "ing", "ed"))
    if not doubles or len(word) >= _LONG:
        yield from ("ings", "ing", "ed")


def _takes_endings(word: str) -> bool:
    is_spaced = unicodedata.category(word[-1]) not in _UNSPACED
    return len(word) >= _FEWEST_LETTERS and word.isalpha() and is_spaced
