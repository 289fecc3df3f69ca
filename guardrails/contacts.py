"""The links, addresses and accounts in a text: by these something gets to somebody."""

import re
from collections.abc import Iterator

from ringfence.guardrails.hidden_text_homoglyphs import LOOKALIKES
from ringfence.guardrails.link_hosts import authority_of, canonical, host_of
from ringfence.guardrails.link_runs import may_exist
from ringfence.guardrails.placeholders import mentions
from ringfence.guardrails.value_kinds import Found, ValueKind
from ringfence.guardrails.value_spellings import fold, plainest, squeezed

_EMAIL = re.compile(
    r"[^\s@<>()\[\]{},;:\"'`\\/|=?&]{1,64}"
    r"@(?:\[[0-9A-Fa-f:.IPv]{2,45}\]|[^\s@<>()\[\]{},;:\"'`/\\?#|=&]{1,253})"
)
_AROUND_AT = re.compile(r"\s{1,4}@\s{0,4}|\s{0,4}@\s{1,4}")
_SIGNS = r"[^\s<>\"'`{}|^]"
"""What a link can hold."""
_SCHEMED = re.compile(rf"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{{1,30}}:[/\\]{{1,3}}{_SIGNS}+")
_OPAQUE = re.compile(
    rf"(?<![\w-])(?:(?:java|vb)script|data|blob|https?|ftp|tel|sms|file):{_SIGNS}+", re.IGNORECASE
)
_RELATIVE = re.compile(rf"(?<![:/\\\w])//[\w\[]{_SIGNS}+")
_BEHIND_HOST = rf"(?::\d{{1,5}})?(?:[/?#]{_SIGNS}*)?"
_HOST = re.compile(
    r"(?<![\w@.\-/\\])(?:[\w-]{1,63}[.。．｡]){1,126}[^\W_][\w-]{0,62}[.]?" + _BEHIND_HOST + r"(?![\w@])"
)
_IP = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}" + _BEHIND_HOST + r"(?![\w.])")
_FILES = frozenset(
    ["md", "py", "sh", "rs", "pl", "ps", "cc", "ml", "do", "zip", "mov", "app", "java", "so", "name", "info"]
)
"""Endings of domains that a file is likelier to have."""
_RESERVED = frozenset(
    ["example", "test", "invalid", "localhost", "local", "internal", "lan", "corp", "home", "onion"]
)
"""Endings that no registry gives out, and that some network may know all the same."""
_WEB = re.compile(r"https?:[/\\]{1,3}", re.IGNORECASE)
_BEHIND = re.compile(r"[/?#:]")
_PORT = re.compile(r":\d+\Z")
_USUAL_PORTS = {":80", ":443"}
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}"
    r"(?:[A-Za-z0-9]{8,31}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,4})?)(?![A-Za-z0-9])"
)
_DIGITS = re.compile(
    r"(?<![\w.,+-])(?!\d{4}-\d\d-\d\d(?!\d))(?=(?:\d[ -]?){9})\d(?:[ -]?\d){8,33}(?![\w]|[.,]\d)"
)
_MIXED = re.compile(r"(?<![A-Za-z0-9_])(?=[A-Za-z]{0,40}\d)[A-Za-z0-9]{16,100}(?![A-Za-z0-9_])")
_PHONE = re.compile(
    r"(?<![\w+])\+\d(?:[ ()./-]{0,3}\d){6,14}(?!\d)"
    r"|(?<![\w+./-])(?!\d\d[./-]\d\d?[./-]\d\d)\(?0\d{1,4}\)?(?:[ ./-]{0,2}\d){6,12}(?!\d)"
)
_NUMBERED = (
    (ValueKind.ACCOUNT, _IBAN),
    (ValueKind.ACCOUNT, _MIXED),
    (ValueKind.PHONE, _PHONE),
    (ValueKind.ACCOUNT, _DIGITS),
)
_HEXADECIMAL = re.compile(r"[0-9a-f]{16,}|[0-9A-F]{16,}")
_FEWEST_DIGITS = 4
_AFTER = ".,:;!?'\"`*_~)]}>|"
_HAS_DIGIT = re.compile(r"\d")
_LOOKALIKES = str.maketrans(LOOKALIKES)
_DOT = re.compile(r"[.。．｡]")

_PERSON = "PERSON"
_OF_ENTITY = {
    "EMAIL_ADDRESS": ValueKind.ADDRESS,
    "URL": ValueKind.LINK,
    "IP_ADDRESS": ValueKind.LINK,
    "PHONE_NUMBER": ValueKind.PHONE,
    "DATE_TIME": ValueKind.DATE,
    "PERSON": ValueKind.IDENTIFIER,
    "LOCATION": ValueKind.IDENTIFIER,
    "ORGANIZATION": ValueKind.IDENTIFIER,
    "NRP": ValueKind.IDENTIFIER,
}
"""What stands behind a stand-in; a number that tells who somebody is counts as an account."""


def whole_contact(text: str) -> Found | None:
    """What a whole text is; None when it is no link, address or account."""
    plain = plainest(text).strip()
    bare = plain.strip(_AFTER + "<(")
    if plain[:7].lower() == "mailto:":
        plain = bare = plain[7:]
    for found, written in _contacts(plain):
        if written in {plain, bare}:
            return found
    return None


def contacts_in(text: str) -> list[Found]:
    """Those that a text holds, each once, also those that are masked."""
    found = dict.fromkeys(one for one, _ in _contacts(text))
    # Mail programs take an address with spaces in it for the same.
    found |= dict.fromkeys(spaced_addresses(text))
    if (plain := plainest(text)) != text:
        found |= dict.fromkeys(one for one, _ in _contacts(plain))
    return [*found]


def spaced_addresses(text: str) -> dict[Found, str]:
    """Addresses that have spaces beside their `@`, and stand nowhere without, with how each is written."""
    if "@" not in text or not _AROUND_AT.search(text):
        return {}
    plain = " ".join(text.split())
    as_it_is = {found for found, _ in _addresses(plain)}
    found: dict[Found, str] = {}
    for one, _ in _addresses(_AROUND_AT.sub("@", plain)):
        if one not in as_it_is and _may_be_mailed(one[1]):
            user, _, host = one[1].rpartition("@")
            around = re.search(rf"{re.escape(user)} ?@ ?{re.escape(host)}", plain, re.IGNORECASE)
            found[one] = around.group() if around else plain
    return found


def link_key(link: str) -> str:
    """The form in which links are compared: without the scheme of a web page, and its last slash."""
    scheme, colon, rest = link.partition(":")
    is_web = colon and scheme.casefold() in {"http", "https"}
    if colon and not is_web and not link.startswith("//") and "." not in scheme:
        return f"{fold(scheme)}:{rest}"
    authority = authority_of(link if is_web or link.startswith("//") else f"//{link}")
    user, at, _ = authority.rpartition("@")
    port = _PORT.search(authority)
    shown = port.group() if port and port.group() not in _USUAL_PORTS else ""
    behind = (rest if is_web else link).lstrip("/\\")[len(authority) :]
    # Not in small letters: behind the host they matter, and on some hosts anybody can have the other one.
    return f"{fold(user)}{at}{host_of(authority) or fold(authority)}{shown}{behind}".rstrip("/")


def _contacts(text: str) -> Iterator[tuple[Found, str]]:
    """The contacts of a text with how each is written."""
    for mention in mentions(text):
        label = mention.stand_in.label
        kind = _OF_ENTITY.get(label, ValueKind.ACCOUNT)
        # Somebody's other written name may be another person's: only who said it so has said it.
        same = str(mention.stand_in) if label == _PERSON else f"<{label}_{mention.stand_in.number}>"
        yield (kind, same.lower()), text[mention.start : mention.end]
    if "@" in text:
        yield from _addresses(text)
    if ":" in text or "//" in text:
        for pattern in (_SCHEMED, _OPAQUE, _RELATIVE):
            for match in pattern.finditer(text):
                written = match.group().rstrip(_AFTER)
                yield (ValueKind.LINK, link_key(written)), written
                sure = _without_next_sentence(_WEB.sub("", written)) if pattern is _SCHEMED else ""
                if sure and not _BEHIND.search(sure) and not written.endswith(sure):
                    yield (ValueKind.LINK, link_key(sure)), sure
    if _DOT.search(text):
        yield from _bare_links(text)
    if _HAS_DIGIT.search(text):
        yield from _accounts(text)


def _addresses(text: str) -> Iterator[tuple[Found, str]]:
    for match in _EMAIL.finditer(text):
        written = match.group().rstrip(_AFTER + "-")
        user, _, host = written.rpartition("@")
        yield (ValueKind.ADDRESS, f"{fold(user)}@{canonical(host) or fold(host)}"), written


def _may_be_mailed(address: str) -> bool:
    host = address.rpartition("@")[2]
    return may_exist(host) or host.rpartition(".")[2] in _RESERVED


def _bare_links(text: str) -> Iterator[tuple[Found, str]]:
    for match in _HOST.finditer(text):
        written = _without_next_sentence(match.group().rstrip(_AFTER))
        host = _BEHIND.split(written, maxsplit=1)[0]
        ending = host.rpartition(".")[2].lower()
        if written and not (host == written and host.count(".") == 1 and ending in _FILES):
            yield (ValueKind.LINK, link_key(written)), written
    for match in _IP.finditer(text):
        yield (ValueKind.LINK, link_key(match.group())), match.group()
    if not text.isascii():
        yield from _links_in_other_letters(text)


def _links_in_other_letters(text: str) -> Iterator[tuple[Found, str]]:
    """Links whose host ends in letters that only look like those of a public suffix."""
    for match in _HOST.finditer(text.translate(_LOOKALIKES)):
        written = text[match.start() : match.end()]
        if written == match.group():
            continue
        plain = _without_next_sentence(match.group().rstrip(_AFTER))
        written = written[: len(plain)]
        # Compared as it is written: it is not the link that it looks like.
        if plain and not _without_next_sentence(written):
            yield (ValueKind.LINK, link_key(written)), written


def _without_next_sentence(link: str) -> str:
    """A link up to where a host can end: `acme.com.They` is one with a sentence behind it, `a.b` is none."""
    host = whole = _DOT.sub(".", _BEHIND.split(link, maxsplit=1)[0])
    while "." in host:
        name = canonical(host) or ""
        ending = name.rpartition(".")[2]
        if name and not ending.isdigit() and (ending in _RESERVED or may_exist(name)):
            return link if host == whole else host
        host = host.rpartition(".")[0]
    return ""


def _accounts(text: str) -> Iterator[tuple[Found, str]]:
    """Numbers that tell who gets something; of two in the same place the longer one."""
    found = [(match, kind) for kind, pattern in _NUMBERED for match in pattern.finditer(text)]
    found.sort(key=lambda one: (one[0].start(), -one[0].end()))
    done = 0
    for match, kind in found:
        written = match.group()
        if match.end() <= done or sum(map(str.isdigit, written)) < _FEWEST_DIGITS:
            continue
        if match.re is _MIXED and _HEXADECIMAL.fullmatch(written):
            continue  # an id of some record
        done = match.end()
        key = re.sub(r"\D", "", written).lstrip("0") if kind is ValueKind.PHONE else squeezed(fold(written))
        yield (kind, key), written
