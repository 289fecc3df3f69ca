"""How stand-ins look, and how they are recognised after a model has mangled them."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import regex

MOST_FORMS = 9_999
"""Written forms of one value that a stand-in can tell apart."""
_LONGEST_LABEL = 64

_NUMBER = "[1-9][0-9]{0,8}+"
_FORM = r"(?:\.(?P<form>[1-9][0-9]{0,3}+))?"
_UNDERSCORE = r"\\{0,2}_"  # Markdown escapes it
_GAP = rf"(?:{_UNDERSCORE}|[ \u00a0-])"
_ANY_LABEL = rf"[A-Za-z][A-Za-z0-9]{{0,63}}(?:{_GAP}[A-Za-z0-9]{{1,63}}){{0,31}}"
_ANY_UPPER_LABEL = rf"[A-Z][A-Z0-9]{{0,63}}(?:{_UNDERSCORE}[A-Z0-9]{{1,63}}){{0,31}}"
_ANGLES = (
    ("<", ">"),
    ("&(?:lt|#60|#x3[cC]);", "&(?:gt|#62|#x3[eE]);"),
    (r"\\{1,4}u003[cC]", r"\\{1,4}u003[eE]"),
    ("%3[cC]", "%3[eE]"),
    ("＜", "＞"),
    ("⟨", "⟩"),
    ("〈", "〉"),
)
_SQUARES = ((r"\[", r"\]"),)
_BACKSLASH = r"\\{1,2}"
# Of an identifier in the scripts in which people write them; Chinese and Arabic words stand without a space.
_IN_WORD = r"0-9A-Za-z_\u00aa-\u024f\u0370-\u052f"
_WORD_BEGINS = rf"(?<![{_IN_WORD}$@#.\\-])"
_MAY_BEGIN = re.compile(rf"[<\[&%\\＜⟨〈]|{_WORD_BEGINS}[A-Z]")

_MAY_HOLD = re.compile(r"_[1-9]|[<＜⟨〈]|&(?:lt|#60|#x3)|u003|%3")
"""Without an underscore before its number or an angle bracket, nothing is read as a stand-in."""


class StandIn(NamedTuple):
    """What stands for a value: the number tells whom or what it is, the form how that was written."""

    label: str
    number: int
    form: int = 1

    def __str__(self) -> str:
        form = "" if self.form == 1 else f".{self.form}"
        return f"<{self.label}_{self.number}{form}>"


class Mention(NamedTuple):
    """A place of a text where a stand-in is written, in whatever way."""

    start: int
    end: int
    stand_in: StandIn
    ending: str
    """What was written inside the brackets behind the name, such as the `'s` of `<PERSON_1's>`."""


def label_of(entity: str) -> str:
    """An entity type as it stands in a stand-in: capital letters, digits and underscores."""
    plain = re.sub("[^A-Z0-9]+", "_", entity.upper()).lstrip("_0123456789")
    return plain[:_LONGEST_LABEL].rstrip("_") or "VALUE"


def mentions(text: str) -> Iterator[Mention]:
    """Every place that could be read as a stand-in of whatever type; places may overlap."""
    if not _MAY_HOLD.search(text):
        return
    for found in _patterns(_ANY_LABEL, _ANY_UPPER_LABEL).whole.finditer(text, overlapped=True):
        yield _mention(found)


class Reader:
    """Reads the stand-ins of some types, exactly as they were given out or mangled."""

    def __init__(self, labels: Collection[str]) -> None:
        ordered = sorted(labels)
        loose = "|".join(_in_any_case(label) for label in ordered)
        upper = "|".join(label.replace("_", _UNDERSCORE) for label in ordered)
        self._patterns = _patterns(loose, upper)

    def known(self, text: str, is_known: Callable[[StandIn], bool], start: int = 0) -> Iterator[Mention]:
        """The stand-ins from `start` that mean something, in order, without overlaps."""
        end = start
        for found in self._patterns.whole.finditer(text, start, overlapped=True):
            mention = _mention(found)
            if mention.start >= end and is_known(mention.stand_in):
                end = mention.end
                yield mention

    def settled(
        self, text: str, start: int, is_known: Callable[[StandIn], bool]
    ) -> tuple[list[Mention], int]:
        """What is sure to stay as it is from `start`, whatever comes behind the text.

        Returns:
            The stand-ins that mean something, and where the rest begins that may still become one.
        """
        found: list[Mention] = []
        end = start
        for place in _MAY_BEGIN.finditer(text, start):
            begin = place.start()
            if begin < end:
                continue
            if self._is_open(text, begin):
                return found, begin
            whole = self._patterns.whole.match(text, begin)
            if whole and is_known((mention := _mention(whole)).stand_in):
                found.append(mention)
                end = mention.end
        return found, len(text)

    def _is_open(self, text: str, begin: int) -> bool:
        begun = self._patterns.begun.fullmatch(text, begin, partial=True)
        # Complete angle brackets are the end of it; all else depends on what stands behind.
        return begun is not None and (begun.partial or not begun["closed"])


@lru_cache(maxsize=256)
def reader_of(labels: frozenset[str]) -> Reader:
    """The reader for these types; the pattern of one is compiled once."""
    return Reader(labels)


class _Patterns(NamedTuple):
    whole: Any
    begun: Any


@lru_cache(maxsize=256)
def _patterns(loose_label: str, upper_label: str) -> _Patterns:
    tail = rf"(?P<number>{_NUMBER}){_FORM}"
    # Without a gap only behind a letter: in `ID21` nobody could tell where the number begins.
    loose = rf"(?P<label>{loose_label})(?:{_GAP}|(?<=[A-Za-z])){tail}(?P<ending>['’ʼ´`]?[sS]|['’])?"
    upper = rf"(?P<label>{upper_label}){_UNDERSCORE}{tail}"
    angle, square = _between(_ANGLES, loose), _between(_SQUARES, upper)
    bare = f"{upper}(?P<ending>s)?"
    # Behind a Markdown link's text stands its target; the brackets are the link's then.
    not_a_link = r"(?![(\[])"
    word_ends = rf"(?![{_IN_WORD}(=\[$])(?![.@-][{_IN_WORD}])"
    whole = rf"{angle}|(?:{square}){not_a_link}|{_WORD_BEGINS}(?:{bare}){word_ends}"
    begun = rf"(?P<closed>{angle})|{square}|{_WORD_BEGINS}{bare}[.@-]?"
    compiled: Any = regex.compile  # `re` has no partial matches
    return _Patterns(compiled(whole), compiled(begun))


def _between(brackets: Sequence[tuple[str, str]], name: str) -> str:
    # Any left one with any right one: a pattern for each pair would take long to compile.
    left, right = ("|".join(sides) for sides in zip(*brackets, strict=True))
    plain = f"(?:{left}) {{0,2}}{name} {{0,2}}(?:{right})"
    # A lone backslash before a bracket is the text's own.
    (first, last), *_ = brackets
    return f"{plain}|{_BACKSLASH}{first} {{0,2}}{name} {{0,2}}{_BACKSLASH}{last}"


def _mention(found: Any) -> Mention:
    label = re.sub(_GAP, "_", found["label"]).upper()
    stand_in = StandIn(label, int(found["number"]), int(found["form"] or 1))
    return Mention(found.start(), found.end(), stand_in, found["ending"] or "")


def _in_any_case(label: str) -> str:
    signs = (_GAP if sign == "_" else f"[{sign}{sign.lower()}]" for sign in label)
    return "".join(signs)
