"""Which hosts programs may read from the text behind a scheme, whose end is a matter of opinion."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any
from unicodedata import normalize

import regex
from tldextract import TLDExtract

from ringfence.guardrails.link_hosts import LONGEST_AUTHORITY, host_of
from ringfence.guardrails.phrase_patterns import is_invisible

_PLAIN: Any = regex.compile(r"[\w\p{M}.。．｡%:@-]*+")  # type: ignore[no-untyped-call]  # regex has no types
"""`re` takes no vowel signs for letters."""
_IPV6 = re.compile(r"(?:[^\[\]@]*@)?\[[^\]]*\](?::[0-9]*)?")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_ODD: Any = regex.compile(r"[^\w\p{M}.。．｡%:@-]")  # type: ignore[no-untyped-call]  # likewise
_MAY_HAVE_LABELS = re.compile(r"\..*\.|[^\x00-\x7f]|%")
_BEFORE_THE_NEXT = ".。．｡:-_"
_IN_A_HOST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-%")
_PARTS = re.compile(r"[/\\?#@:\[\]%]")
_ADDRESS = re.compile(r"\[.*\]|[0-9]+(?:\.[0-9]+){3}")
_MOST_USERS = 32


def plain_part(run: str) -> str:
    """User, host and port up to the first sign that a careful program ends a link at."""
    address = _IPV6.match(run)
    if address:
        return address.group()
    plain: str = _PLAIN.match(run).group()
    if not plain.isascii():
        plain = plain[: next((index for index, sign in enumerate(plain) if is_invisible(sign)), None)]
    return plain.rstrip(_BEFORE_THE_NEXT)


def other_hosts(run: str) -> Iterator[str]:
    """The hosts that less careful programs read, or domains that these hosts are in."""
    # Browsers allow most signs in a user's name, and some in a host's.
    for part in run.split("@")[1:]:
        if host := host_of(plain_part(part)):
            yield host
    for part in _ODD.split(run)[1:]:
        # What stands before it belongs to the same label.
        host = host_of(f"x{part.rstrip(_BEFORE_THE_NEXT)}") if _MAY_HAVE_LABELS.search(part) else None
        if host:
            yield host.partition(".")[2]


def ascii_part(plain: str) -> str:
    """What stands before the first sign of another script."""
    return _NOT_ASCII.split(plain, maxsplit=1)[0].rstrip(_BEFORE_THE_NEXT)


def is_unclear(run: str) -> bool:
    """Whether nobody can say where it leads: too long, many users, or a sign that only looks like an end."""
    if len(run) > LONGEST_AUTHORITY or run.count("@") > _MOST_USERS:
        return True
    return not run.isascii() and any(
        not sign.isascii() and after in _IN_A_HOST and _PARTS.search(normalize("NFKC", sign))
        for sign, after in pairwise(run)
    )


@lru_cache(maxsize=4_096)
def may_exist(host: str) -> bool:
    """Whether anybody can own the host: it is an address, or ends with a public suffix."""
    if is_address(host):
        return True
    found = _suffixes()(host)
    return bool(found.suffix and found.domain)


def is_address(host: str) -> bool:
    """Whether it is an IP address, in the form that `host_of` gives it."""
    return _ADDRESS.fullmatch(host) is not None


def is_public_suffix(host: str) -> bool:
    """Whether anybody can have a domain under it."""
    found = _suffixes()(host)
    return bool(found.suffix) and not found.domain


@lru_cache(maxsize=1)
def _suffixes() -> TLDExtract:
    # The snapshot of the public suffix list that the package brings; nobody is asked for a newer one.
    return TLDExtract(suffix_list_urls=(), cache_dir=None)
