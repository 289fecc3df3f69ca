r"""Secrets as Presidio recognizers: keys, tokens, passwords, found beside personal data. Nobody is called.

From Kingfisher (MongoDB, Apache-2.0): the tokens of providers, by some 490 rules of the Betterleaks and Veles
catalogues, matched in linear time by Vectorscan, also inside base64. Of its calls that try a secret out or
revoke it, none is made. Yelp's detect-secrets was weighed and left: it knows no key of Anthropic, Google or
Hugging Face, imports an HTTP client, and its keyword plugin takes half a minute for 20 KB of one word.

Our own is what has a form instead of a prefix, or what the catalogue finds only beside a word: private keys,
connection strings, `Authorization`, assignments, and the few providers below. Entropy is Kingfisher's.

A text may be a window cut out of a longer one. What follows the head of a private key is the key, up to its
foot or the text's end. Base64 lines that lead to a foot are one, too. So are, at a lower score, those that a
text begins with, if they are as wide as PEM's or OpenSSH's (64, 70) and no certificate's foot follows. A JSON
Web Token may end with the text, or begin before it: 300 signs of base64 without + and / at the very start. A
key of several windows that was put on one line is known by its first and last window only.
"""

import binascii
import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from kingfisher_sdk import Rules, Scanner, shannon_entropy
from presidio_analyzer import AnalysisExplanation, EntityRecognizer, RecognizerResult

from ringfence.guardrails.readings import readable

API_KEY, PRIVATE_KEY, JSON_WEB_TOKEN = "API_KEY", "PRIVATE_KEY", "JSON_WEB_TOKEN"
CONNECTION_STRING, PASSWORD = "CONNECTION_STRING", "PASSWORD"
SECRET_ENTITIES: tuple[str, ...] = (API_KEY, PRIVATE_KEY, JSON_WEB_TOKEN, CONNECTION_STRING, PASSWORD)

_CERTAIN, _LIKELY, _ASSIGNED, _GUESSED = 0.97, 0.8, 0.6, 0.45


def secret_recognizers(language: str = "en") -> list[EntityRecognizer]:
    """The recognizers of secrets; what they look for has no language of its own."""
    return [SecretRecognizer([*SECRET_ENTITIES], supported_language=language)]


class _Secret(NamedTuple):
    entity: str
    start: int
    end: int
    score: float


class SecretRecognizer(EntityRecognizer):
    """Finds all types of secrets."""

    def load(self) -> None:
        """Compile the rules."""
        # Now rather than at the first text, which would wait for it.
        _scanner()

    def analyze(
        self,
        text: str,
        entities: list[str],
        nlp_artifacts: Any = None,  # noqa: ARG002 - Presidio's signature
    ) -> list[RecognizerResult]:
        """The secrets of these types, in no order; they may overlap."""
        name = type(self).__name__
        origin = {
            RecognizerResult.RECOGNIZER_NAME_KEY: name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        return [
            RecognizerResult(*secret, AnalysisExplanation(name, secret.score), origin)
            for secret in _secrets(readable(text))
            if secret.entity in entities
        ]


def _secrets(text: str) -> Iterator[_Secret]:
    finders = (_catalogued, _tokens, _private_keys, _web_tokens, _uris, _assignments)
    return chain.from_iterable(find(text) for find in finders)


# --- Kingfisher's catalogue ---

_FOREIGN = re.compile(r"[^\x00-\x7f]")
_PUNCTUATION = re.compile(r"[^\w+/=.:@%~\"'\s-]|[.:](?=\s|\Z)", re.ASCII)
"""What may follow a token in a sentence or a page, but not in the files for which the rules were written."""
_CONFIDENCES = {"high": 0.99, "medium": 0.95, "low": _ASSIGNED}
_ENTITIES = {
    "betterleaks.jwt": JSON_WEB_TOKEN,
    "betterleaks.jwt-base64": JSON_WEB_TOKEN,
    "betterleaks.private-key": PRIVATE_KEY,
    "betterleaks.generic-credential-uri": CONNECTION_STRING,
    "betterleaks.curl-auth-user": PASSWORD,
}
"""What a rule finds, where it is no API key."""


@lru_cache(maxsize=1)
def _scanner() -> Scanner:
    # Compiled in three seconds, then kept where Python keeps compiled code, trusted as much; never in a home.
    chosen = os.environ.get("KF_RULE_CACHE_DIR")
    cache = Path(importlib.util.cache_from_source(__file__)).parent / "kingfisher"
    keep = bool(chosen) or not sys.dont_write_bytecode
    return Scanner(Rules(confidence="low", cache=keep, cache_dir=chosen or cache))


def _catalogued(text: str) -> Iterator[_Secret]:
    # One byte for each character, so that the offsets are the text's; other scripts' letters would stick.
    plain = _FOREIGN.sub(" ", text)
    for reading in {plain, _PUNCTUATION.sub(" ", plain)}:
        for found in _scanner().scan(reading.encode("ascii")):
            # The others are what a rule wants to see beside a secret: names of accounts, ids.
            if found.visible:
                entity = _ENTITIES.get(found.rule_id, API_KEY)
                start, end = found.location["start_offset"], found.location["end_offset"]
                yield _Secret(entity, start, end, _CONFIDENCES[found.confidence])


# --- Forms of our own ---


_TOKENS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    # OpenAI's, and those of the many who took over its prefix.
    (("sk-",), re.compile(r"(?<![A-Za-z0-9])sk-(?=[a-zA-Z_-]{0,64}\d)[\w-]{20,}+", re.ASCII)),
    (("AKIA", "ASIA", "ABIA", "ACCA"), re.compile(r"(?<![A-Z0-9])A(?:KI|SI|BI|CC)A[A-Z0-9]{16}(?![A-Z0-9])")),
    # Google's access tokens
    (("ya29.",), re.compile(r"(?<![A-Za-z0-9])ya29\.[\w-]{20,512}+", re.ASCII)),
    # Telegram
    ((":",), re.compile(r"(?<![\d.])\d{8,10}:(?=[\d_-]{0,34}[A-Za-z])[\w-]{35}(?![\w-])", re.ASCII)),
    # Discord
    ((".",), re.compile(r"(?<![\w-])[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,38}(?![\w-])", re.ASCII)),
    # Mailchimp
    (("-us",), re.compile(r"(?<![0-9a-zA-Z])[0-9a-f]{32}-us\d{1,2}(?!\d)", re.ASCII)),
    # Square
    (("sq0",), re.compile(r"sq0[a-z]{3}-[\w-]{22,60}", re.ASCII)),
)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def _tokens(text: str) -> Iterator[_Secret]:
    for hints, pattern in _TOKENS:
        if any(hint in text for hint in hints):
            for match in pattern.finditer(text):
                if hints != ("sk-",) or not _is_made_of_words(match.group()):
                    yield _Secret(API_KEY, *match.span(), _CERTAIN)


_KEY_LINE = re.compile(
    r"-{4,5} ?(?P<edge>BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
    r"|-{4} ?(?P<ssh2>BEGIN|END) SSH2 ENCRYPTED PRIVATE KEY ?-{4}"
    r"|(?P<putty>Private-(?:Lines|MAC)): ?\w{1,80}"
)
_BODY = re.compile(r"[\s\"'+,>|\\]{0,40}[A-Za-z0-9+/=]{16}")
"""Key lines may be quoted, indented, or joined by a program's text."""
_WORD = re.compile(r"[^\s\"',>|\\]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_PEM_WIDTHS = (64, 70)
_FEWEST_LINES = 3
_SHORTEST_LINE = 40


def _private_keys(text: str) -> Iterator[_Secret]:
    begun, last = -1, 0
    lines = list(_KEY_LINE.finditer(text)) if "PRIVATE KEY" in text or "Private-" in text else []
    for line in lines:
        begins = "BEGIN" in (line["edge"], line["ssh2"]) or line["putty"] == "Private-Lines"
        start = begun if begun >= 0 else _body_before(text, last, line.start())
        if begins:
            has_more = line.start() - start >= _SHORTEST_LINE
            begun = start if has_more else line.start() if _has_body(text, line) else -1
        else:
            if line.start() - start >= _SHORTEST_LINE:
                yield _Secret(PRIVATE_KEY, start, line.end(), 0.99)
            begun = -1
        last = line.end()
    if begun >= 0:
        yield _Secret(PRIVATE_KEY, begun, len(text), 0.99)
    if end := _end_of_first_lines(text):
        yield _Secret(PRIVATE_KEY, 0, end, _GUESSED)


def _end_of_first_lines(text: str) -> int:
    """Where the base64 lines end with which a text begins, if it was cut out of a private key."""
    end = lines = 0
    for number, word in enumerate(_WORD.finditer(text)):
        length = len(word.group())
        if not _is_base64(word.group()) or length > max(_PEM_WIDTHS):
            break
        end = word.end()
        lines += length in _PEM_WIDTHS
        if number and length not in _PEM_WIDTHS:
            break
    is_certificate = text[end:].lstrip().startswith("-----END") and "PRIVATE" not in text[end : end + 40]
    return end if lines >= _FEWEST_LINES and not is_certificate else 0


def _has_body(text: str, head: re.Match[str]) -> bool:
    """Whether something follows: the next line, or a body on the same one. A head in a sentence is no key."""
    rest = text[head.end() : head.end() + 2]
    return not rest.strip(" ") or rest[0] in "\r\n" or _BODY.match(text, head.end()) is not None


def _body_before(text: str, first: int, foot: int) -> int:
    """Where the base64 lines begin that lead to a foot whose head was cut off."""
    start = foot
    for number, word in enumerate(reversed([*_WORD.finditer(text, first, foot)])):
        is_edge = number == 0 or word.start() == 0
        if not _is_base64(word.group()) or (len(word.group()) < _SHORTEST_LINE and not is_edge):
            break
        start = word.start()
    return start


def _is_base64(*words: str) -> bool:
    return all(_BASE64.fullmatch(word) for word in words)


_JWT = re.compile(
    r"(?<![A-Za-z0-9_-])eyJ[\w-]{8,}+"
    r"(?:\.eyJ[\w-]*+(?:\.[\w-]*+)?|(?:\.[\w-]*+){4}|(?:\.[\w-]++){1,3}+\Z)",
    re.ASCII,
)
"""Signed, encrypted, or cut off."""
_JWT_TAIL = re.compile(r"[\w-]*+(?:\.[\w-]++){0,4}+(?![+/=])", re.ASCII)
"""Without the + and / that images in base64 are full of."""
_SHORTEST_TAIL = 300


def _web_tokens(text: str) -> Iterator[_Secret]:
    for match in _JWT.finditer(text) if "eyJ" in text else ():
        yield _Secret(JSON_WEB_TOKEN, *match.span(), _CERTAIN)
    tail = _JWT_TAIL.match(text)
    if tail and tail.end() >= _SHORTEST_TAIL and _is_random(tail.group(), 4.5):
        yield _Secret(JSON_WEB_TOKEN, 0, tail.end(), _GUESSED)


_USERINFO = re.compile(r":(?://| {4})[^\s/?#:\"'<>`]{0,128}+:(?P<password>[^\s\"'<>`]{1,256})@(?=[^\s@])")
_ADDRESS = re.compile(r"[^\s\"'<>`\\|\x7f-\U0010ffff]*+")
_SCHEME = re.compile(r"(?:jdbc:)?[a-z][a-z0-9+.-]{0,24}\Z", re.IGNORECASE)
_LONGEST_SCHEME = 30
_WEB_SCHEMES = frozenset({"http", "https", "ws", "wss", "ftp", "ftps"})
_PATH = re.compile(r"[/?#]")
_PORT = re.compile(r"\d{1,5}(?![^/?#])")
_ORACLE = re.compile(r"jdbc:oracle:[a-z]{3,4}:[^\s/\"'<>]{1,64}/[^\s\"'<>@]{1,64}@")


def _uris(text: str) -> Iterator[_Secret]:
    for match in _USERINFO.finditer(text) if "@" in text else ():
        scheme = _SCHEME.search(text, max(match.start() - _LONGEST_SCHEME, 0), match.start())
        password = match["password"]
        is_web = scheme is not None and scheme.group().lower() in _WEB_SCHEMES
        if (is_web and _PATH.search(password)) or _PORT.match(password) or _is_placeholder(password):
            continue
        start = scheme.start() if scheme else match.start()
        yield _Secret(CONNECTION_STRING, start, _end_of_address(text, match.end()), 0.95)
    for match in _ORACLE.finditer(text) if "jdbc:oracle" in text else ():
        yield _Secret(CONNECTION_STRING, match.start(), _end_of_address(text, match.end()), 0.95)


def _end_of_address(text: str, start: int) -> int:
    address = _ADDRESS.match(text, start)
    return start + len(address.group().rstrip(".,;:!?)]}") if address else "")


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
      | : | (?<!\d)-?>(?!@) | \| | [是は] | \((?=["'])
      | (?:(?:for|of|to|on|at)(?:\s\S{1,32}){1,3}?\s)? (?:i(?:s|st)|was|est|es|lautet)\b:?
      | (?P<bare>(?<=\s))
    )
    [\s*]{0,6}+
    (?: (?:[rbuf@]{1,2})? (?P<quote>"{3}|'{3}|["'`]) )?
    (?: (?:bearer|basic|token|apikey)\s{1,3} )?
    (?: (?(quote)(?P<quoted>[^\n]{1,512}?)(?P=quote)|(?!)) | (?P<plain>[^\s"'`<>;|]{1,512}+) )""",
    re.VERBOSE | re.IGNORECASE,
)
_REST_OF_A_RUN = re.compile(r"[^\s\"'`<>;|]*+")
_LONGEST_JUDGED = 512


def _assignments(text: str) -> Iterator[_Secret]:
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


def _assigned(text: str, lower: str, match: re.Match[str], name: str) -> _Secret | None:
    """The value of an assignment, if it is a secret."""
    is_quoted, is_bare = match["quoted"] is not None, match["bare"] is not None
    start, end = match.span("quoted" if is_quoted else "plain")
    following = _NEXT_ASSIGNMENT.search(lower, start, end)
    is_cut = following is None and end - start == _LONGEST_JUDGED
    end = following.start() if following else end
    judged = text[start:end].split(maxsplit=1)[0] if text[start:end].strip() else ""
    if not is_quoted:
        if _REFERENCE.fullmatch(judged.rstrip(",.:;")):
            return None
        judged = judged.rstrip(",.:)]}")
        end = start + len(judged)
        judged = judged.rstrip("!?")
    found = _judged(judged, name, is_bare=is_bare)
    if found is None:
        return None
    rest = _REST_OF_A_RUN.match(text, end) if is_cut else None
    return _Secret(found[0], start, rest.end() if rest else end, found[1])


def _judged(value: str, name: str, *, is_bare: bool) -> tuple[str, float] | None:
    if name in {"authorization", "basic"} and _is_basic(value):
        return PASSWORD, _LIKELY
    if name == "basic" or _is_placeholder(value):
        return None
    if name in {"authorization", "bearer"}:
        return (API_KEY, _LIKELY) if _is_token(value, is_bare=False) else None
    is_secret = _is_password if name.startswith(_CHOSEN_BY_PEOPLE) else _is_token
    return (PASSWORD, _GUESSED if is_bare else _ASSIGNED) if is_secret(value, is_bare=is_bare) else None


_REFERENCE = re.compile(
    r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+[\[(.]?|[A-Za-z_][\w.:]*[\[({](?:.*[\])},(])?", re.DOTALL
)
"""A name in a program: `settings.token2`, `getenv(`, `Optional[str]`."""
_PLACEHOLDER = re.compile(
    r"^[<{\[]|^\$[({]|^\$\w+$|^%\w+%$|^%[(sd]|^\W*$|^[xX*.#_-]+$"
    r"|\*\*\*|\.\.\.|…|xxxx|your[-_ ]|example|placeholder|redacted|change[-_]?me|<[a-z_]+_\d+>"
    r"|^(?:dummy|sample|insert|enter|some|any|my|fake|test)[-_]",
    re.IGNORECASE,
)
_PART = re.compile(r"[A-Za-z]*\d{0,4}|\d{1,6}[A-Za-z]{0,4}")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SLUG = re.compile(r"^[./~]|pass|secret|token|key|^(?:[^\W_]+[\W_]+){2}", re.IGNORECASE)
_LONG_WORD = 12
_DIGEST = re.compile(r"(?:sha\d{1,3}|md5|sri)[:-]", re.IGNORECASE)


def _is_placeholder(value: str) -> bool:
    return _PLACEHOLDER.search(value) is not None


def _is_made_of_words(value: str) -> bool:
    """Whether a value is words and small numbers, as names, paths and versions are."""
    return all(_is_word(part) for part in re.split(r"[\W_]+", value))


def _is_word(part: str) -> bool:
    is_plain = _PART.fullmatch(part) is not None
    if is_plain and len(part) < _LONG_WORD:
        return True
    is_camel_case = part.lower() != part != part.upper()
    return (is_plain or is_camel_case) and len(_HUMP.findall(part)) * 3 <= len(part)


def _is_random(value: str, least_bits: float) -> bool:
    return shannon_entropy(value.encode("utf-8", "replace")) >= least_bits


def _is_password(value: str, *, is_bare: bool) -> bool:
    """Whether it looks like what people choose: letters with numbers or signs, or a number."""
    has_letter, has_digit = any(map(str.isalpha, value)), any(map(str.isdigit, value))
    has_sign = any(sign in "!@#$%^&*+=?~" for sign in value)
    if len(value) < (8 if is_bare else 6) or not _is_random(value, 2.25):
        return False
    is_words = _is_made_of_words(value)
    if is_bare:
        is_mixed = has_sign or (value.lower() != value != value.upper())
        return has_letter and has_digit and is_mixed and not is_words
    if is_words and not has_sign and _SLUG.search(value):
        return False
    return value.isdigit() or (has_letter and (has_digit or has_sign))


def _is_token(value: str, *, is_bare: bool) -> bool:
    """Whether it looks drawn at random."""
    letters = sum(map(str.isalpha, value))
    if len(value) < (16 if is_bare else 10) or letters < 3 or "://" in value:  # noqa: PLR2004
        return False
    if _UUID.fullmatch(value) or _DIGEST.match(value) or _is_made_of_words(value):
        return False
    return _is_random(value, 3.3 if is_bare else 2.8)


def _is_basic(value: str) -> bool:
    """Whether it is base64 of `user:password`."""
    try:
        decoded = binascii.a2b_base64(value + "=" * (-len(value) % 4), strict_mode=True).decode()
    except ValueError:
        return False
    return decoded.isprintable() and ":" in decoded
