"""Links and e-mail addresses of an agent's texts, which lead nowhere but to domains that the policy knows."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from guardrails.classes.validation.validation_result import (
    ErrorSpan,
    FailResult,
    PassResult,
    ValidationResult,
)
from guardrails.validator_base import Validator, register_validator

from ringfence.guardrails.link_finding import Kind, Link, links, load
from ringfence.guardrails.link_hosts import authority_of, canonical, host_of
from ringfence.guardrails.link_readings import readings
from ringfence.guardrails.link_runs import (
    ascii_part,
    is_address,
    is_public_suffix,
    is_unclear,
    may_exist,
    other_hosts,
    plain_part,
)
from ringfence.guardrails.phrase_patterns import replaced
from ringfence.guardrails.validator_traits import Reads, Traits, Window

OnFail = Any
"""One of guardrails-ai's words, such as "fix", or a function; its own hint leaves the words out."""

_LONGEST_TEXT = 1_000_000
_REMOVED = "[link removed]"
_ODD = re.compile(r"[^\w.%:@-]")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_BREAK = re.compile(r"[\t\n\r]")
_LONGEST_LABEL = 500
"""Characters of a Markdown link's text, which goes with its link."""


@register_validator(name="ringfence/allowed_domains", data_type="string")
class AllowedDomains(Validator):
    """Every link leads to one of these domains. Fix: `[link removed]` in place of each that does not.

    A link is judged by the host that a browser would go to, whatever it looks like; one that cannot be read,
    or that programs read in several ways, is not allowed.
    """

    traits: ClassVar[Traits] = Traits(
        reads=Reads.EVERYTHING, window=Window.SENTENCE, quick=True, sees_values=True
    )

    def __init__(
        self,
        domains: Sequence[str],
        subdomains: bool = True,
        emails: bool = True,
        schemes: Sequence[str] = ("https", "http", "mailto"),
        on_fail: OnFail = None,
    ) -> None:
        """Take what is allowed.

        Args:
            domains: Domains such as `example.com`, or IP addresses; none at all allows no link.
            subdomains: Whether `shop.example.com` is allowed with `example.com`.
            emails: Whether the domains of e-mail addresses count, too.
            schemes: What links may begin with.
            on_fail: What guardrails-ai does about a text that does not pass.
        """
        for option, flag in (("subdomains", subdomains), ("emails", emails)):
            if type(flag) is not bool:
                raise ValueError(f"{option} must be true or false")
        self._hosts = frozenset(map(_domain, _texts("domains", domains)))
        self._schemes = frozenset(map(_scheme, _texts("schemes", schemes)))
        super().__init__(
            on_fail=on_fail,
            domains=list(domains),
            subdomains=subdomains,
            emails=emails,
            schemes=list(schemes),
            use_local=True,
        )
        # Now rather than at the first text, which would wait for it.
        load()
        self._subdomains = subdomains
        self._emails = emails

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002 - its base's
        if not isinstance(value, str):
            return FailResult(error_message="it is no text")
        if len(value) > _LONGEST_TEXT:
            return FailResult(error_message=f"it has more than {_LONGEST_TEXT} characters")
        found = _merged(self._forbidden(value))
        if not found:
            return PassResult()
        fixed = replaced(value, _merged(_with_labels(value, found)), _REMOVED)
        return FailResult(
            error_message="it has a link or an e-mail address that leads where links must not lead",
            # What stood around a link may be another one now.
            fix_value=None if any(self._forbidden(fixed)) else fixed,
            error_spans=[ErrorSpan(start=start, end=end, reason="link") for start, end in found],
        )

    def _forbidden(self, text: str) -> set[tuple[int, int]]:
        return {
            reading.span(link.start, link.end)
            for reading in readings(text)
            for link in links(reading.text, emails=self._emails)
            if not self._allows(link)
        }

    def _allows(self, link: Link) -> bool:
        if link.scheme is not None and link.scheme not in self._schemes:
            return False
        match link.kind:
            case Kind.HOST:
                return self._knows(canonical(link.text) if link.text[:1] != "[" else host_of(link.text))
            case Kind.TARGET:
                return self._allows_target(link)
            case Kind.RUN:
                return self._allows_run(link.text, is_sure=True)
            case _:
                return self._allows_run(link.text, is_sure=False)

    def _allows_target(self, link: Link) -> bool:
        if not link.text or link.scheme == "mailto":
            return True
        # Browsers drop line breaks inside of a link, other programs end it there.
        has_break = _BREAK.search(link.text.strip()) is not None
        return not has_break and self._knows(host_of(authority_of(link.text)))

    def _allows_run(self, run: str, *, is_sure: bool) -> bool:
        """Whether a link to all hosts that a program may read from it is allowed."""
        if is_unclear(run):
            return False
        plain = plain_part(run)
        host = host_of(plain)
        may_be_meant = bool(plain) and (is_sure or (host is not None and may_exist(host)))
        # In a text without spaces, a domain may stand directly before a word.
        is_glued = host is not None and not may_exist(host) and self._knows(host_of(ascii_part(plain)))
        if may_be_meant and not self._knows(host) and not is_glued:
            return False
        return all(self._knows(other) for other in other_hosts(run) if may_exist(other))

    def _knows(self, host: str | None) -> bool:
        if host is None:
            return False
        if host in self._hosts:
            return True
        if not self._subdomains or is_address(host):
            return False
        labels = host.split(".")
        return any(".".join(labels[index:]) in self._hosts for index in range(1, len(labels)))


def _merged(found: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Places in order; those that overlap are one, because readings of the same link may differ in length."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def _with_labels(text: str, found: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Places of links, each with the text that Markdown shows for it."""
    for start, end in found:
        yield start, end
        if text[max(start - 3, 0) : start].endswith(("](", "](<")):
            opening = text.rfind("[", max(start - _LONGEST_LABEL, 0), start - 1)
            closing = text.find(")", end, end + _LONGEST_LABEL)
            if min(opening, closing) >= 0 and not _BREAK.search(text, end, closing):
                yield opening - (text[opening - 1 : opening] == "!"), closing + 1


def _texts(option: str, texts: Any) -> list[str]:
    is_list = isinstance(texts, Sequence) and not isinstance(texts, str)
    if not is_list or not all(isinstance(one, str) for one in texts):
        raise ValueError(f"{option} must be a list of texts")
    return [*texts]


def _domain(written: str) -> str:
    host = host_of(written) if written.startswith("[") else canonical(written)
    if host is None or _ODD.search(host.strip("[]")):
        raise ValueError(
            f"domains: {written!r} is no domain; write it as example.com, without a scheme or a path"
        )
    if is_public_suffix(host):
        raise ValueError(f"domains: {written!r} is a suffix under which anybody can have a domain")
    return host


def _scheme(written: str) -> str:
    if not _SCHEME.fullmatch(written.lower()):
        raise ValueError(f"schemes: {written!r} is no scheme; write it as https, without a colon")
    return written.lower()
