"""Secrets known by what stands around them: words that announce a value, addresses with a password."""

import re
from collections.abc import Iterator

from ringfence.guardrails.secret_values import (
    API_KEY,
    CONNECTION_STRING,
    PASSWORD,
    Secret,
    is_basic,
    is_password,
    is_placeholder,
    is_reference,
    is_token,
    unwrapped,
)

_LIKELY, _ASSIGNED, _GUESSED = 0.8, 0.6, 0.45


# --- Assignments: only the value is the secret ---

_NAMES = (
    r"(?:pass(?:w(?:or[dt]|d)|phrase|code)?|pwd|kennwort|contrase[nñ]a|senha|de passe"
    r"|парол[ья]|密[码碼]|パスワード|비밀번호|secret|token|credentials?|authorization|bearer|basic"
    r"|(?:api|access|auth|account|private|client|service|signing|encrypt(?:ion)?|master|license"
    r"|subscription|storage|admin|app|openai|anthropic|azure|aws|gcp|cloud)[ ._-]?key)"
)
_NAME = re.compile(_NAMES)
_NEXT_ASSIGNMENT = re.compile(rf"[,&]\w{{1,40}}[=:]|{_NAMES}[\w-]{{0,40}}[\"'`)\]*]{{0,4}}[:=!是は]")
_CHOSEN_BY_PEOPLE = ("pass", "pwd", "kennwort", "contrase", "senha", "de passe", "парол", "密", "パ", "비")
_TAIL = re.compile(r"[A-Za-z0-9_-]{0,40}+")
_TAIL_OF_A_SECRET = re.compile(r"(?:s|\d{1,3})?(?:$|[A-Z_-])")
_TAIL_OF_ANOTHER_THING = re.compile(
    r"hash|sha\d|md5|digest|checksum|name|url|uri|path|file|dir|type|len|size|count|total|limit|max|min|ttl"
    r"|exp|date|time|age|policy|rule|field|label|hint|prompt|reset|regex|pattern|format|arn|version|provider"
    r"|endpoint|class|status|usage|manager|--|(?:^|[_-])ids?(?:$|[_-])"
)
_PAGES = ("page", "page_", "next_", "next", "continuation", "continuation_", "public_", "cancellation")
_VALUE = re.compile(
    r"""["'`)\]*]{0,4}+\s{0,6}+
    (?:
      (?: :\s{0,3}[A-Za-z][\w.\[\], |]{0,30}? )? \s{0,3} (?: [:!=]?={1,3} | => )  # a type may stand before it
      | : | (?<!\d)->(?!@) | (?P<tag>(?<!\d)>(?!@)) | \| | [是は] | \((?=["'])
      | (?:(?:for|of|to|on|at)(?:\s\S{1,32}){1,3}?\s)? (?:i(?:s|st)|was|est|es|lautet)\b:?
      | (?P<bare>(?<=\s))
    )
    [\s*]{0,6}+
    (?: (?:[rbuf@]{1,2})? (?P<quote>"{3}|'{3}|["'`]) )?
    (?: (?:bearer|basic|token|apikey)\s{1,3} )?
    (?:
      (?(quote)(?P<quoted>[^\n]{1,512}?)(?P=quote)|(?!))
      | (?P<plain> (?(tag)(?!)|<[^\s"'`<>;|]{1,510}+>) | [^\s"'`<>;|]{1,512}+ )  # behind a tag, <...> is one
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_REST_OF_A_RUN = re.compile(r"[^\s\"'`<>;|]*+")
_LONGEST_JUDGED = 512
_CLOSING = {"[": "]", "{": "}", "(": ")"}


def assignments(text: str) -> Iterator[Secret]:
    """The values of assignments that look like secrets."""
    # The one capital whose small form is two signs.
    lower = text.replace("\u0130", "I").lower()
    place = 0
    while name := _NAME.search(lower, place):
        place = name.end()
        tail = _TAIL.match(text, place)
        is_named = tail is not None and _names_a_secret(lower, name, tail.group())
        value = _VALUE.match(text, tail.end()) if tail and is_named else None
        if value and (found := _assigned(text, lower, value, name.group())):
            yield found
            place = found.end


def _names_a_secret(lower: str, name: re.Match[str], tail: str) -> bool:
    before = lower[max(name.start() - 14, 0) : name.start()]
    if (name.group() == "pass" and before[-1:].isalpha()) or before.endswith(_PAGES):
        return False
    is_other = _TAIL_OF_ANOTHER_THING.search(tail.lower())
    return _TAIL_OF_A_SECRET.match(tail) is not None and not is_other


def _assigned(text: str, lower: str, match: re.Match[str], name: str) -> Secret | None:
    """The value of an assignment, if it is a secret."""
    is_quoted, is_bare = match["quoted"] is not None, match["bare"] is not None
    start, end = match.span("quoted" if is_quoted else "plain")
    following = _NEXT_ASSIGNMENT.search(lower, start, end)
    is_cut = following is None and end - start == _LONGEST_JUDGED
    end = following.start() if following else end
    judged = text[start:end].split(maxsplit=1)[0] if text[start:end].strip() else ""
    if not is_quoted:
        before_quote = text[end : end + 1] in {'"', "'", "`"}
        if is_reference(judged.rstrip(",.:;"), before_quote=before_quote):
            return None
        judged = _without_what_follows(judged)
        end = start + len(judged)
        judged = judged.rstrip("!?")
    found = _judged(judged, name, is_bare=is_bare)
    if found is None:
        return None
    rest = _REST_OF_A_RUN.match(text, end) if is_cut else None
    return Secret(found[0], start, rest.end() if rest else end, found[1])


def _without_what_follows(run: str) -> str:
    """A run without the signs of a sentence or program behind it, but with the bracket that it opened."""
    value = run.rstrip(",.:)]}")
    closing = _CLOSING.get(run[0]) if run else None
    return value + closing if closing and run.startswith(closing, len(value)) else value


def _judged(value: str, name: str, *, is_bare: bool) -> tuple[str, float] | None:
    if name in {"authorization", "basic"} and is_basic(value):
        return PASSWORD, _LIKELY
    if name == "basic" or is_placeholder(value):
        return None
    value = unwrapped(value)
    if name in {"authorization", "bearer"}:
        return (API_KEY, _LIKELY) if is_token(value, is_bare=False) else None
    is_secret = is_password if name.startswith(_CHOSEN_BY_PEOPLE) else is_token
    return (PASSWORD, _GUESSED if is_bare else _ASSIGNED) if is_secret(value, is_bare=is_bare) else None


# --- Addresses: the whole of it ---

_USERINFO = re.compile(r":(?://| {4})[^\s/?#:\"'<>`]{0,128}+:(?P<password>[^\s\"'<>`]{1,256})@(?=[^\s@])")
_ADDRESS = re.compile(r"[^\s\"'<>`\\|\x7f-\U0010ffff]*+")
_SCHEME = re.compile(r"(?:jdbc:)?[a-z][a-z0-9+.-]{0,24}\Z", re.IGNORECASE)
_LONGEST_SCHEME = 30
_WEB_SCHEMES = frozenset({"http", "https", "ws", "wss", "ftp", "ftps"})
_PATH = re.compile(r"[/?#]")
_PORT = re.compile(r"\d{1,5}(?![^/?#])")
_ORACLE = re.compile(r"jdbc:oracle:[a-z]{3,4}:[^\s/\"'<>]{1,64}/[^\s\"'<>@]{1,64}@")


def connection_strings(text: str) -> Iterator[Secret]:
    """Addresses with a password in them."""
    for match in _USERINFO.finditer(text) if "@" in text else ():
        scheme = _SCHEME.search(text, max(match.start() - _LONGEST_SCHEME, 0), match.start())
        password = match["password"]
        is_web = scheme is not None and scheme.group().lower() in _WEB_SCHEMES
        if (is_web and _PATH.search(password)) or _PORT.match(password) or is_placeholder(password):
            continue
        start = scheme.start() if scheme else match.start()
        yield Secret(CONNECTION_STRING, start, _end_of_address(text, match.end()), 0.95)
    for match in _ORACLE.finditer(text) if "jdbc:oracle" in text else ():
        yield Secret(CONNECTION_STRING, match.start(), _end_of_address(text, match.end()), 0.95)


def _end_of_address(text: str, start: int) -> int:
    address = _ADDRESS.match(text, start)
    return start + len(address.group().rstrip(".,;:!?)]}") if address else "")
