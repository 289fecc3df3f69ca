"""The links of HTML and CSS: of attributes, of lists of images, of styles, and of a page that moves on."""

import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

from ringfence.guardrails.link_hosts import SPECIAL, is_relative, scheme_of

_ATTRIBUTE = re.compile(
    r"(?<![\w-])(?:xlink:)?(?P<name>href|src|formaction|poster|background|cite|ping"
    r"|action|data|codebase|longdesc|dynsrc|lowsrc|manifest|icon|(?:image)?srcset)"
    r"\s{0,16}+=\s{0,16}+(?P<quote>[\"']?+)[\x00-\x20]*+",
    re.IGNORECASE,
)
_ALWAYS_LINKS = frozenset({"href", "src", "formaction", "poster", "background", "cite", "ping"})
"""Other programs have actions and data, too."""
_VALUES = {'"': re.compile(r'[^"]*+'), "'": re.compile(r"[^']*+"), "": re.compile(r"[^\s>]*+")}
_LONGEST_VALUE = 1_200
_IMAGE = re.compile(r"\S+")
_STYLE = re.compile(
    r"(?:(?<![\w-])(?:url|src|image-set)\(\s*+(?P<quote>[\"']?+)|@import\s*+(?P<imported>[\"']))[\x00-\x20]*+",
    re.IGNORECASE,
)
_STYLE_VALUES = {**_VALUES, "": re.compile(r"[^\s()>\"']*+")}
_STYLE_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})[ \t\n]?|(.))", re.DOTALL)
_REFRESH = re.compile(
    r"(?<![\w-])content\s{0,16}+=\s{0,16}+[\"']?+\s{0,16}+[\d.]{1,16}+[\s;,]{1,16}+"
    r"(?:url\s{0,16}+=\s{0,16}+)?+[\"']?+[\x00-\x20]*+",
    re.IGNORECASE,
)
_REFRESH_VALUE = re.compile(r"[^\"'>]*+")


class Value(NamedTuple):
    """What a browser would take for a link, and where it stands."""

    start: int
    end: int
    link: str


def values(text: str) -> Iterator[Value]:
    """Every link that leaves the page."""
    yield from _of_attributes(text)
    for one in (*_of_styles(text), *_of_moves(text)):
        if _is_web(one.link):
            yield one


def _of_attributes(text: str) -> Iterator[Value]:
    for match in _ATTRIBUTE.finditer(text):
        name, start = match["name"].lower(), match.end()
        is_list = name.endswith("srcset")
        # Between quotes even a long list is read once.
        longest = len(text) if is_list and match["quote"] else _LONGEST_VALUE
        value = _value(_VALUES[match["quote"]], text, start, longest)
        if is_list and match["quote"]:
            yield from (one for one in _images(value) if _is_web(one.link))
        elif is_list:
            if _is_web(link := value.link.strip(",")):
                yield value._replace(link=link)
        elif _is_web(value.link) or (name in _ALWAYS_LINKS and not is_relative(value.link)):
            yield value


def _images(value: Value) -> Iterator[Value]:
    """Of a list such as `a.png 1x, b.png 2x`; a comma may end a link or belong to it."""
    for match in _IMAGE.finditer(value.link):
        start = value.start + match.start()
        for part in match.group().split(","):
            yield Value(start, start + len(part), part)
            start += len(part) + 1


def _of_styles(text: str) -> Iterator[Value]:
    for match in _STYLE.finditer(text):
        value = _value(_STYLE_VALUES[match["imported"] or match["quote"]], text, match.end())
        yield value
        if "\\" in value.link:
            yield value._replace(link=_STYLE_ESCAPE.sub(_unescaped, value.link))


def _of_moves(text: str) -> Iterator[Value]:
    for match in _REFRESH.finditer(text):
        yield _value(_REFRESH_VALUE, text, match.end())


def _value(pattern: re.Pattern[str], text: str, start: int, longest: int = _LONGEST_VALUE) -> Value:
    match = pattern.match(text, start, start + longest)
    said = match.group() if match else ""
    # Browsers drop such signs, and what they go on to read is not seen here.
    is_padded = len(said) == longest and sum(map(said.count, "\t\n\r")) > longest // 2
    return Value(start, start + len(said), "//" if is_padded else said)


def _unescaped(match: re.Match[str]) -> str:
    number = int(match[1] or "0", 16)
    return match[2] or (chr(number) if 0 < number <= sys.maxunicode else "\ufffd")


def _is_web(link: str) -> bool:
    scheme = scheme_of(link)
    return scheme in SPECIAL if scheme else not is_relative(link)
