"""Where a browser goes when it is given a link, by the standard that browsers keep: url.spec.whatwg.org."""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import unquote_to_bytes

import idna

LONGEST_AUTHORITY = 500
"""Characters of user, host and port; what is longer is not read."""
SPECIAL = frozenset({"http", "https", "ws", "wss", "ftp"})
"""Schemes whose slashes may lean either way, be more than two, or be missing."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_SLASHES = re.compile(r"[/\\]*")
_TRIMMED = "".join(map(chr, range(0x21)))
_DROPPED = re.compile(r"[\t\n\r]")
_FORBIDDEN = re.compile(r"[\x00-\x20#%/:<>?@\[\\\]^|\x7f]")
_PORT = re.compile(r"(?::[0-9]{0,5})?\Z")
_LONGEST_HOST = 253
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_MOST_PARTS = 4
_BYTE = 0xFF


def scheme_of(link: str) -> str | None:
    """The scheme of a link in small letters, or None if it has none."""
    scheme = _SCHEME.match(_cleaned(link))
    return scheme[1].lower() if scheme else None


def is_relative(link: str) -> bool:
    """Whether it stays on the host of the page."""
    return scheme_of(link) is None and not re.match(r"[/\\]{2}", _cleaned(link))


def authority_of(link: str) -> str:
    """User, host and port of a link, as they are written."""
    cleaned = _cleaned(link)
    scheme = _SCHEME.match(cleaned)
    rest = cleaned[scheme.end() :] if scheme else cleaned
    slashes = _SLASHES.match(rest)
    rest = rest[slashes.end() :] if slashes else rest
    return re.split(r"[/\\?#]", rest, maxsplit=1)[0]


def host_of(authority: str) -> str | None:
    """The host in the form in which hosts are compared, or None if a browser refuses it."""
    if len(authority) > LONGEST_AUTHORITY:
        return None
    written = authority.rpartition("@")[2]
    if written.startswith("["):
        address, closing, port = written[1:].partition("]")
        return _ipv6(address) if closing and _PORT.fullmatch(port) else None
    host, colon, port = written.partition(":")
    return canonical(host) if _PORT.fullmatch(colon + port) else None


@lru_cache(maxsize=4_096)
def canonical(host: str) -> str | None:
    """A domain or IPv4 address in small letters, in punycode, without a last dot."""
    try:
        decoded = unquote_to_bytes(host).decode() if "%" in host else host
        plain = decoded.lower() if decoded.isascii() else _punycode(decoded)
    except (UnicodeError, idna.IDNAError):
        return None
    plain = plain.removesuffix(".")
    if not plain or len(plain) > _LONGEST_HOST or _FORBIDDEN.search(plain) or "" in plain.split("."):
        return None
    return _ipv4(plain) if _NUMBER.fullmatch(plain.rpartition(".")[2]) else plain


def _cleaned(link: str) -> str:
    return _DROPPED.sub("", link.strip(_TRIMMED))


def _punycode(host: str) -> str:
    if len(host) > _LONGEST_HOST:
        raise UnicodeError
    mapped = idna.uts46_remap(host, std3_rules=False, transitional=False)
    return ".".join(
        label if label.isascii() else idna.alabel(label).decode("ascii")
        for label in mapped.lower().split(".")
    )


def _ipv4(host: str) -> str | None:
    """An address of one to four numbers, each decimal, octal or hexadecimal; the last one fills the rest."""
    parts = host.split(".")
    if len(parts) > _MOST_PARTS or not all(map(_NUMBER.fullmatch, parts)):
        return None
    try:
        numbers = [_number(part) for part in parts]
    except ValueError:
        return None
    *first, last = numbers
    if any(number > _BYTE for number in first) or last >= 256 ** (_MOST_PARTS + 1 - len(parts)):
        return None
    value = last + sum(number << 8 * (3 - index) for index, number in enumerate(first))
    return ".".join(str(value >> shift & _BYTE) for shift in (24, 16, 8, 0))


def _number(part: str) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if part.startswith("0") else 10)


def _ipv6(address: str) -> str | None:
    try:
        # A scope, such as that of fe80::1%eth0, is no part of a link.
        return None if "%" in address else f"[{IPv6Address(address).compressed}]"
    except AddressValueError:
        return None
