"""What a value is by its look: a link, an address, an account, a number; and those that stand in a text."""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from ringfence.guardrails.link_hosts import authority_of, canonical, host_of
from ringfence.guardrails.link_runs import may_exist
from ringfence.guardrails.placeholders import mentions
from ringfence.guardrails.stated_dates import Day, days
from ringfence.guardrails.value_spellings import fold, plainest, squeezed


class ValueKind(StrEnum):
    """What a value looks like."""

    LINK = "link"
    ADDRESS = "address"
    """Of e-mail."""
    ACCOUNT = "account"
    """Of a bank, a card, a wallet: long runs of digits, or of letters and digits."""
    PHONE = "phone"
    PATH = "path"
    NUMBER = "number"
    DATE = "date"
    IDENTIFIER = "identifier"
    """One word: a name, an id, a channel."""
    TEXT = "text"
    """Several words."""


CONTACTS = frozenset({ValueKind.LINK, ValueKind.ADDRESS, ValueKind.ACCOUNT, ValueKind.PHONE})
"""By these something gets to somebody; they are traced in free text, too."""

Found = tuple[ValueKind, str]
"""A kind, and the form in which values of it are compared."""

_EMAIL = re.compile(
    r"[^\s@<>()\[\]{},;:\"'`\\/|=?&]{1,64}@(?:\[[0-9A-Fa-f:.IPv]{2,45}\]|[^\s@<>()\[\]{},;:\"'`/\\?#|=&]{1,253})"
)
_SCHEMED = re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,30}:[/\\]{1,3}[^\s<>\"'`{}|^]{1,2000}")
_OPAQUE = re.compile(
    r"(?<![\w-])(?:(?:java|vb)script|data|blob|https?|ftp|tel|sms|file):[^\s<>\"'`{}|^]{1,2000}", re.I
)
_RELATIVE = re.compile(r"(?<![:/\\\w])//[\w\[][^\s<>\"'`{}|^]{1,2000}")
_HOST = re.compile(
    r"(?<![\w@.\-/\\])(?:[\w-]{1,63}[.。．｡]){1,10}[^\W_][\w-]{0,62}[.]?"
    r"(?::\d{1,5})?(?:[/?#][^\s<>\"'`{}|^]{0,2000})?(?![\w@])"
)
_ADDRESS_OF_IP = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?:[/?#][^\s<>\"'`]{0,2000})?(?![\w.])")
_FILES = frozenset(
    ["md", "py", "sh", "rs", "pl", "ps", "cc", "ml", "do", "zip", "mov", "app", "java", "so", "name", "info"]
)
"""Endings of domains that a file is likelier to have."""
_RESERVED = frozenset(["example", "test", "invalid", "localhost", "local", "internal", "lan", "corp", "home", "onion"])
"""Endings that no registry gives out, and that some network may know all the same."""
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[A-Za-z0-9]{8,31}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,4})?)(?![A-Za-z0-9])")
_DIGITS = re.compile(r"(?<![\w.,+-])(?!\d{4}-\d\d-\d\d(?!\d))(?=(?:\d[ -]?){9})\d(?:[ -]?\d){8,33}(?![\w]|[.,]\d)")
_MIXED = re.compile(r"(?<![A-Za-z0-9_])(?=[A-Za-z]{0,40}\d)[A-Za-z0-9]{16,100}(?![A-Za-z0-9_])")
_PHONE = re.compile(r"(?<![\w+])\+\d(?:[ ()./-]{0,3}\d){6,14}(?!\d)|(?<![\w+])\(?0\d{1,4}\)?(?:[ ./-]{0,2}\d){6,12}(?!\d)")
_HEXADECIMAL = re.compile(r"[0-9a-f]{16,}|[0-9A-F]{16,}")
_FEWEST_DIGITS = 4
_AFTER = ".,:;!?'\"`*_~)]}>|"

_NUMBER_TOKEN = re.compile(r"(?<![^\W_])(?<![.,]\d)(?<!\d[.,])([+-]?)((?:\d{1,3}(?:[ '’\u00a0\u202f]\d{3})+|\d+)(?:[.,]\d+)*)(?!\d)")
_NUMBER = re.compile(
    r"(?:[$€£¥₹]|eur|usd|gbp|chf)? ?([+-]?) ?[$€£¥₹]? ?((?:\d{1,3}(?:[ '’]\d{3})+|\d+)(?:[.,]\d+)*) ?"
    r"(?:%|[$€£¥₹]|[a-z]{1,4}\.?)?"
)
_LONGEST_NUMBER = 9
"""Digits before the point; a longer one may be somebody's account."""
_TIME = re.compile(r"[t ,]*(?:\d{1,2}:\d\d(?::\d\d(?:\.\d{1,9})?)?)?(?: ?(?:z|utc|gmt|am|pm|[+-]\d\d:?\d\d))?", re.I)
_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d)?(?: ?[ap]m)?", re.I)
_PATH = re.compile(r"(?:[^\s]*[/\\~][^\s]*|[^\s/\\]{1,200}\.[A-Za-z0-9]{1,5})")

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


def kind_of(text: str) -> Found:
    """What a whole text is."""
    plain = plainest(text).strip()
    for found, whole in _contacts(plain):
        if whole == plain or whole == plain.strip(_AFTER + "<("):
            return found
    folded = fold(text)
    if numbers := numbers_of(folded):
        return ValueKind.NUMBER, numbers[0]
    if day := day_of(plain):
        return ValueKind.DATE, day
    if " " in folded:
        return ValueKind.TEXT, folded
    if _PATH.fullmatch(folded):
        return ValueKind.PATH, folded
    return ValueKind.IDENTIFIER, folded


def contacts_in(text: str) -> list[Found]:
    """The links, addresses and accounts that a text holds, each once, also those that are masked."""
    found = dict.fromkeys(one for one, _ in _contacts(text))
    if (plain := plainest(text)) != text:
        found |= dict.fromkeys(one for one, _ in _contacts(plain))
    return [*found]


def link_key(link: str) -> str:
    """The form in which links are compared: without the scheme of a web page, and its last slash."""
    scheme, colon, rest = link.partition(":")
    is_web = colon and scheme.casefold() in {"http", "https"}
    if colon and not is_web and not link.startswith("//") and "." not in scheme:
        return fold(link)
    authority = authority_of(link if is_web or link.startswith("//") else f"//{link}")
    host = host_of(authority) or fold(authority)
    user, at, _ = authority.rpartition("@")
    port = re.search(r":\d+\Z", authority)
    whole = rest if is_web else link
    behind = whole.lstrip("/\\")[len(authority) :]
    written = f"{fold(user)}{at}{host}{port.group() if port and port.group() not in {':80', ':443'} else ''}"
    return written + fold(behind).rstrip("/")


def numbers_of(folded: str) -> list[str]:
    """The values that a folded text may have as a number, such as `$ 1,300`; none when it is something else."""
    match = _NUMBER.fullmatch(folded)
    if not match or len(re.split("[.,]", match[2])[0]) > _LONGEST_NUMBER + 2:
        return []
    return [*_readings(match[1], match[2])]


def number_keys(text: str) -> set[str]:
    """Every number that a folded text states, by value."""
    found: set[str] = set()
    for match in _NUMBER_TOKEN.finditer(text):
        if len(match[2]) <= 30:  # noqa: PLR2004 - nobody calculates with more
            found.update(_readings(match[1], match[2]))
            if match[1]:
                found.update(_readings("", match[2]))
    return found


def number_key(value: Decimal) -> str:
    """The form in which numbers are compared: 50 and 50.00 are one."""
    plain = value.normalize()
    return f"{plain:f}" if abs(plain.adjusted()) < 40 else str(plain)  # noqa: PLR2004 - else it fills pages


def day_keys(text: str) -> set[str]:
    """Every date that a text states."""
    return {_day_key(day) for _, _, meant in days(text) for day in meant}


def day_of(text: str) -> str:
    """The date that a whole text is, maybe with a time of day; empty when it is none."""
    if len(text) > 60 or not any(map(str.isdigit, text)):  # noqa: PLR2004 - longer than any date
        return ""
    for start, end, meant in days(text):
        if start == 0 and _TIME.fullmatch(text, end):
            return _day_key(min(meant))
    return fold(text) if _CLOCK.fullmatch(text) else ""


def _day_key(day: Day) -> str:
    return "-".join("?" if part is None else str(part) for part in day)


def _readings(sign: str, digits: str) -> Iterator[str]:
    minus = "-" if sign == "-" else ""
    for plain in _plain(re.sub(r"[ '’\u00a0\u202f]", "", digits)):
        try:
            yield number_key(Decimal(minus + plain))
        except InvalidOperation:
            continue


def _plain(digits: str) -> Iterator[str]:
    """With a decimal point, in every way that its signs may be meant."""
    if digits.isdigit():
        yield digits
        return
    place = max(digits.rfind("."), digits.rfind(","))
    whole, decimals = digits[:place], digits[place + 1 :]
    rest = {sign for sign in whole if not sign.isdigit()}
    if digits[place] not in rest:
        yield f"{re.sub(r'[.,]', '', whole)}.{decimals}"
    if len(decimals) == 3 and rest <= {digits[place]}:  # noqa: PLR2004 - thousands
        yield re.sub(r"[.,]", "", digits)


def _contacts(text: str) -> Iterator[tuple[Found, str]]:
    """The contacts of a text with how each is written."""
    for mention in mentions(text):
        label = mention.stand_in.label
        kind = _OF_ENTITY.get(label, ValueKind.ACCOUNT)
        yield (kind, f"<{label.casefold()}_{mention.stand_in.number}>"), text[mention.start : mention.end]
    if "@" in text:
        for match in _EMAIL.finditer(text):
            written = match.group().rstrip(_AFTER + "-")
            user, _, host = written.rpartition("@")
            yield (ValueKind.ADDRESS, f"{fold(user)}@{canonical(host) or fold(host)}"), written
    yield from _links(text)
    if any(map(str.isdigit, text)):
        yield from _accounts(text)


def _links(text: str) -> Iterator[tuple[Found, str]]:
    patterns = (_SCHEMED, _OPAQUE, _RELATIVE) if ":" in text or "//" in text else ()
    for pattern in patterns:
        for match in pattern.finditer(text):
            written = match.group().rstrip(_AFTER)
            yield (ValueKind.LINK, link_key(written)), written
    if not any(sign in text for sign in ".。．｡"):
        return
    for match in _HOST.finditer(text):
        written = match.group().rstrip(_AFTER)
        host = re.split(r"[/?#:]", written, maxsplit=1)[0]
        name = canonical(host)
        ending = (name or "").rpartition(".")[2]
        if name is None or ending.isdigit() or not (may_exist(name) or ending in _RESERVED):
            continue
        is_file = host == written and name.count(".") == 1 and ending in _FILES
        if not is_file:
            yield (ValueKind.LINK, link_key(written)), written
    for match in _ADDRESS_OF_IP.finditer(text):
        yield (ValueKind.LINK, link_key(match.group())), match.group()


def _accounts(text: str) -> Iterator[tuple[Found, str]]:
    for match in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        yield (ValueKind.PHONE, digits.lstrip("0")), match.group()
    for pattern in (_IBAN, _DIGITS, _MIXED):
        for match in pattern.finditer(text):
            written = match.group()
            if sum(map(str.isdigit, written)) >= _FEWEST_DIGITS and not _HEXADECIMAL.fullmatch(written):
                yield (ValueKind.ACCOUNT, squeezed(fold(written))), written
