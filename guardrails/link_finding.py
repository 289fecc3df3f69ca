"""Where in a text something stands that a program may turn into a link, and what the link would be."""

import re
import warnings
from collections.abc import Iterator
from enum import Enum, auto
from functools import lru_cache
from typing import Any, NamedTuple

from ringfence.guardrails.link_hosts import LONGEST_AUTHORITY, SPECIAL, is_relative, scheme_of
from ringfence.guardrails.link_markup import values

_RUN = re.compile(rf"[/\\]*+([^\s<>/\\?#]{{0,{LONGEST_AUTHORITY + 1}}}+)")
_EXTENT = re.compile(r"[^\s<>\"]{0,2000}+")
_AFTER_A_LINK = ".,:;!?'`*_~)]}|"

_SPECIAL = re.compile(r"(?:https?|wss?|ftp):(?:(?=([/\\]))|(?!\d{1,5}(?!\w))(?=\S))", re.IGNORECASE)
"""Without a slash, what follows may be a port: `http:80`."""
_HIERARCHICAL = re.compile(r"(?<![A-Za-z0-9+.-])([A-Za-z][A-Za-z0-9+.-]{1,30}+)://")
_WITHOUT_HOST = re.compile(
    r"(?<![\w-])(?:(?:java|vb)script:(?=\S)|data:(?:[\w.+-]{1,64}+/[\w.+-]{1,64}+)?[;,]|file:[/\\]|blob:\S"
    r"|mailto:(?=\S))",
    re.IGNORECASE,
)
_SCHEME_RELATIVE = re.compile(r"(?<![:/\\\w])//(?=[\w\[%])")
_MARKDOWN = re.compile(
    r"\]\(\s*+<?+[ \t]*+"
    # A definition, also in a quote or a list, also with its link in the next line.
    r"|^(?:[ \t>]|[*+-][ \t]|\d{1,9}[.)][ \t]){0,40}+\[(?:[^\[\]\\]|\\.){1,999}+\]:"
    r"[ \t]*+(?:\r?\n[ \t>]*+)?+<?+[ \t]*+",
    re.MULTILINE,
)
_AUTOLINK = re.compile(r"<(?=[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>])")
_TARGET = re.compile(r"[^\s<>]{0,64}+")
_EMAIL = re.compile(
    r"(?<=[\w.+%~!#$&'*/=?^`{|}\"-])@(?:\[(?:IPv6:)?([0-9A-Fa-f:.]{2,45})\]|([^\s@<>()\[\],;:\"'`/\\?#|]{1,255}))"
)
_NAME = re.compile(r"[^\s<>(\"',;:\[]*+\Z")
_MAIL_DOMAIN = re.compile(r"(?=.*\.(?:xn--[\w-]+|[^\W\d_]{2,}|%.*)\Z)", re.DOTALL)
_IN_MAILTO = re.compile(r"(?:@|%40)([^\s@,;?&<>\"')\]]{1,255})", re.IGNORECASE)


class Kind(Enum):
    """How a link was found, and with it how sure it is that there is one."""

    RUN = auto()
    """The text from a scheme on: where the host ends is a matter of the program that shows it."""
    TARGET = auto()
    """What an attribute or a style holds."""
    LIKELY = auto()
    """Something that is a link only if its host could exist."""
    HOST = auto()
    """A host alone, of a bare domain or an e-mail address."""


class Link(NamedTuple):
    """A link, or what may be taken for one."""

    kind: Kind
    start: int
    end: int
    scheme: str | None
    text: str
    """What is judged: user, host and port; of a TARGET all of it."""


def links(text: str, *, emails: bool) -> Iterator[Link]:
    """Every link of a text, some of them more than once."""
    yield from _schemed(text)
    yield from _without_host(text, emails=emails)
    for match in _SCHEME_RELATIVE.finditer(text):
        yield _run(text, match.start(), match.end(), None, Kind.LIKELY)
    yield from _targets(text)
    for start, end, said in values(text):
        yield Link(Kind.TARGET, start, end, scheme_of(said), said)
    yield from _bare_domains(text)
    if emails:
        yield from _addresses(text)


def _schemed(text: str) -> Iterator[Link]:
    for match in _SPECIAL.finditer(text):
        kind = Kind.RUN if match[1] else Kind.LIKELY
        yield _run(text, match.start(), match.end(), match.group()[:-1].lower(), kind)
    for match in _HIERARCHICAL.finditer(text):
        scheme = match[1].lower()
        # After a full stop without a space; the end of it was found as a link.
        if re.split("[.+-]", scheme)[-1] not in SPECIAL:
            yield _run(text, match.start(), match.end(), scheme, Kind.RUN)


def _without_host(text: str, *, emails: bool) -> Iterator[Link]:
    for match in _WITHOUT_HOST.finditer(text):
        start, end = match.start(), _end(text, match.start())
        scheme = text[start : text.index(":", start)].lower()
        yield Link(Kind.TARGET, start, end, scheme, "")
        if scheme == "mailto" and emails:
            for address in _IN_MAILTO.finditer(text, start, end):
                yield Link(Kind.HOST, start, end, None, address[1].rstrip(_AFTER_A_LINK))


def _targets(text: str) -> Iterator[Link]:
    """Of Markdown's links, images and definitions, and what stands in angle brackets."""
    for pattern in (_MARKDOWN, _AUTOLINK):
        for match in pattern.finditer(text):
            target = _TARGET.match(text, match.end())
            said = target.group() if target else ""
            scheme = scheme_of(said)
            if is_relative(said) or (scheme and len(said) <= len(scheme) + 1):
                continue
            begin = match.end() + (len(scheme) + 1 if scheme else 0)
            if scheme is None or scheme in SPECIAL or text.startswith("//", begin):
                yield _run(text, match.end(), begin, scheme, Kind.RUN)
            else:
                yield Link(Kind.TARGET, match.end(), _end(text, match.end()), scheme, "")


def _bare_domains(text: str) -> Iterator[Link]:
    for found in _recognizer().analyze(text, ["URL"]):
        written = text[found.start : found.end]
        if "://" not in written:
            yield Link(Kind.HOST, found.start, found.end, None, re.split(r"[/?#:]", written, maxsplit=1)[0])


def _addresses(text: str) -> Iterator[Link]:
    for match in _EMAIL.finditer(text):
        name = _NAME.search(text, max(match.start() - 64, 0), match.start())
        start = name.start() if name else match.start()
        if match[1]:
            yield Link(Kind.HOST, start, match.end(), None, f"[{match[1]}]" if ":" in match[1] else match[1])
        elif _MAIL_DOMAIN.match(written := match[2].rstrip(_AFTER_A_LINK + "-")):
            yield Link(Kind.HOST, start, match.start(2) + len(written), None, written)


def _run(text: str, start: int, begin: int, scheme: str | None, kind: Kind) -> Link:
    run = _RUN.match(text, begin)
    return Link(kind, start, max(_end(text, start), begin), scheme, run[1] if run else "")


def _end(text: str, start: int) -> int:
    extent = _EXTENT.match(text, start)
    return start + len(extent.group().rstrip(_AFTER_A_LINK)) if extent else start


def load() -> None:
    """Load what finds bare domains."""
    _recognizer()


@lru_cache(maxsize=1)
def _recognizer() -> Any:
    # Imported on first use: it takes over a second, and uses what is deprecated.
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        from ringfence.guardrails.url_recognizer import ChatUrlRecognizer
    return ChatUrlRecognizer()
