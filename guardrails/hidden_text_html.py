"""Passages of a page or document that people are not shown."""

import re
from collections.abc import Iterator

_NOTE = re.compile(r"^\[//\]: # ?[(\"'][^\n]{0,2000}", re.MULTILINE)
_CONCEALED = re.compile(
    r"<(?P<tag>[a-z][a-z0-9]{0,10})\b[^<>]{0,300}?(?:display\s{0,3}:\s{0,3}none|"
    r"visibility\s{0,3}:\s{0,3}hidden|"
    r"font-size\s{0,3}:\s{0,3}(?:0|1px)\b|opacity\s{0,3}:\s{0,3}0(?:\.0\d?)?\s{0,3}[;'\"]|"
    r"(?<!-)color\s{0,3}:\s{0,3}(?:white|transparent|#f{3}\b|#f{6}\b|rgba?\(255,\s?255,\s?255)|"
    r"(?:left|top|text-indent)\s{0,3}:\s{0,3}-\d{3,}|\shidden\b|aria-hidden=.true|class=.(?:hidden|"
    r"sr-only|invisible)\b)"
    r"[^<>]{0,300}>[^<]{0,3000}",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    r"\b(?:alt|title|aria-label|content|placeholder|"
    r"data-[a-z-]{1,20})\s{0,3}=\s{0,3}(?:\"[^\"]{20,2000}\"|'[^']{20,2000}')",
    re.IGNORECASE,
)


def concealed_passages(text: str) -> Iterator[tuple[int, int]]:
    """Where comments, concealed elements and descriptions stand."""
    start = text.find("<!--")
    while start >= 0:
        # One that is never closed hides the rest of the page.
        end = text.find("-->", start)
        yield start, end if end >= 0 else len(text)
        start = text.find("<!--", end) if end >= 0 else -1
    if "[//]" in text:
        yield from (match.span() for match in _NOTE.finditer(text))
    if "<" in text and ">" in text:
        yield from (match.span() for match in _CONCEALED.finditer(text))
        yield from (match.span() for match in _ATTRIBUTE.finditer(text))
