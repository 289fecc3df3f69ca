"""Presidio's recognizers for what stands in chats: prose between code, logs, versions and links."""

import ipaddress
import re
from typing import Any

from presidio_analyzer import Pattern, RecognizerResult
from presidio_analyzer.predefined_recognizers import (
    DateRecognizer,
    EmailRecognizer,
    IpRecognizer,
    UsSsnRecognizer,
)

from ringfence.guardrails.card_recognizer import EveryCardRecognizer
from ringfence.guardrails.found_span import result_of

# ruff: noqa: ARG002 - `analyze` has Presidio's signature throughout

_LOCAL = re.compile(r"[!#$%&'*+\-/=?^_`{|}~.\w]*")
_QUOTED_LOCAL = re.compile(r'"(?:\\.|[^"\\\n]){1,64}"$')
_LABEL = r"\w++(?:-++\w++)*+"
# An ideographic full stop stands for a dot where no sentence may end with it.
_DOMAIN = re.compile(
    rf"(?:{_LABEL}(?:(?:\.{_LABEL})++|(?:\u3002(?=[a-z\d]){_LABEL})++)|localhost\b|\[(?:ipv6:)?[\da-f.:]{{3,45}}\])",
    re.IGNORECASE,
)
_TRAILING_NUMBERS = re.compile(r"(?:[.\u3002]\d++)++$")
"""A footnote, the number of a list, a year: `jane@acme.com.1`."""
_PUBLIC_NAME = re.compile(r".*[.\u3002](?:[^\W\d_]{2,}|xn--[a-z\d\-]+)", re.IGNORECASE)
_LONGEST_LOCAL = 256
_QUERY = re.compile(r"[/?&]")

_CERTAIN, _FAIR, _DOUBTFUL = 1.0, 0.6, 0.2


class ChatEmailRecognizer(EmailRecognizer):
    """Presidio's, looked for from each @ outwards: in linear time, whatever stands around it.

    Internal and reserved domains (.local, .example) are no public suffix, and still personal; so are quoted
    names, `localhost` and addresses in brackets. A version (`react@18.2.0`) is none.
    """

    def __init__(self, supported_language: str = "en") -> None:
        super().__init__(supported_language=supported_language, name="EmailRecognizer")

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None, regex_flags: int | None = None
    ) -> list[RecognizerResult]:
        """The addresses in a text."""
        at, found = text.find("@"), []
        while at >= 0:
            domain = _DOMAIN.match(text, at + 1)
            start = _start_of_local(text, at) if domain else at
            if domain and start < at:
                name, score = _scored_domain(domain.group())
                found += [result_of(self, start, at + 1 + len(name), score)] if score else []
            at = text.find("@", at + 1)
        return found


def _start_of_local(text: str, at: int) -> int:
    """Where the part before the @ begins; the @ itself if there is none."""
    first = max(at - _LONGEST_LOCAL, 0)
    before = text[first:at]
    if quoted := _QUOTED_LOCAL.search(before[-68:]):
        return at - len(quoted.group())
    run = _LOCAL.match(before[::-1])
    local = before[len(before) - run.end() :] if run else ""
    if cut := [*_QUERY.finditer(local)]:
        # The rest of a link, such as https://acme.com/unsubscribe?user=
        local = local[cut[-1].end() :]
        local = local.rpartition("=")[2]
    local = local.lstrip("!#$%&'*+-/=?^`{|}~.")
    return at - len(local)


def _scored_domain(domain: str) -> tuple[str, float]:
    """The domain without the numbers behind it, and how sure it is that it is one."""
    if domain.startswith("[") or not re.split(r"[.\u3002]", domain)[-1].isdigit():
        return domain, _CERTAIN
    if _is_ip(domain):
        return domain, _FAIR
    name = _TRAILING_NUMBERS.sub("", domain)
    # A tag such as `v4.1.2` or `3.0.0-beta.1` is none.
    return name, _CERTAIN if _PUBLIC_NAME.fullmatch(name) else 0.0


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_HEX_GROUP = re.compile(r"(?<![\w%/])[\da-f]{1,4}(?!\w)", re.IGNORECASE)
_LOOPBACK = "::1"


def _is_specific(address: str) -> bool:
    """Whether it has a number of four parts, two groups, or is the loopback."""
    bare = address.partition("/")[0].partition("%")[0]
    return "." in bare or bare == _LOOPBACK or len(_HEX_GROUP.findall(bare)) > 1


_VERSION_BEFORE = re.compile(r"(?:\bv|\bversion|\brelease|\bbuild|\bfirmware|==|>=|~=)[ :=]*$", re.IGNORECASE)


class ChatIpRecognizer(IpRecognizer):
    """Presidio's; four numbers behind the word `version` are none, nor is `a::`, which much code holds."""

    def __init__(self, supported_language: str = "en") -> None:
        super().__init__(supported_language=supported_language, name="IpRecognizer")

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None, regex_flags: int | None = None
    ) -> list[RecognizerResult]:
        """The addresses in a text."""
        found = [
            one
            for one in super().analyze(text, entities, nlp_artifacts, regex_flags)
            if _is_specific(text[one.start : one.end])
        ]
        for one in found:
            if _VERSION_BEFORE.search(text[max(one.start - 12, 0) : one.start]):
                one.score = _DOUBTFUL
        return found


_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_IN_A_LOG = re.compile(r"[ T]{1,2}\d{2}:\d{2}:\d{2}")
_SHORT_YEAR = re.compile(r"\d{1,2}\.\d{1,2}\.\d{2}")


class ChatDateRecognizer(DateRecognizer):
    """Presidio's, with months in words; a moment to the second is a log's, and `10.4.23` may be a version."""

    def __init__(self, supported_language: str = "en") -> None:
        words = [
            Pattern("month dd, yyyy", rf"\b{_MONTH} {_DAY}(?:,? (?:19|20)\d\d)?\b", 0.6),
            Pattern("dd month yyyy", rf"\b{_DAY} (?:of )?{_MONTH}(?:,? (?:19|20)\d\d)?\b", 0.6),
        ]
        patterns = [*self.PATTERNS, *words]
        super().__init__(supported_language=supported_language, patterns=patterns, name="DateRecognizer")

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None, regex_flags: int | None = None
    ) -> list[RecognizerResult]:
        """The dates in a text."""
        found = super().analyze(text, entities, nlp_artifacts, regex_flags)
        for one in found:
            after = text[one.start : one.end + 12]
            if _IN_A_LOG.search(after) or _SHORT_YEAR.fullmatch(text[one.start : one.end]):
                one.score = min(one.score, _DOUBTFUL)
        return found


_SAMPLE_SSN = re.compile(r"123([ -]?)45\1?6789|078([ -]?)05\2?1120")


class SampleSsnRecognizer(UsSsnRecognizer):
    """Presidio's; published sample numbers count, too: people who try the filter out type them."""

    def __init__(self, supported_language: str = "en") -> None:
        super().__init__(supported_language=supported_language, name="UsSsnRecognizer")

    def invalidate_result(self, pattern_text: str) -> bool:
        """Whether this was never given to anybody."""
        return not _SAMPLE_SSN.fullmatch(pattern_text) and bool(super().invalidate_result(pattern_text))


CHAT_RECOGNIZERS: tuple[type[Any], ...] = (
    ChatEmailRecognizer,
    ChatIpRecognizer,
    ChatDateRecognizer,
    SampleSsnRecognizer,
    EveryCardRecognizer,
)
