"""Swear words of four languages and the spellings that hide them: `f*ck`, `sh1t`, `f u c k`, `fuuuck`."""

import re
from collections.abc import Iterable
from itertools import groupby

from ringfence.guardrails.phrase_patterns import WORD_BEGINS, WORD_ENDS, folded

ENGLISH = (
    *(
        "arse",
        "arsehole",
        "ass",
        "asshat",
        "asshole",
        "bastard",
        "bitch",
        "bollocks",
        "bullshit",
        "cocksucker",
    ),
    *("cunt", "dickhead", "dipshit", "douchebag", "dumbass", "faggot", "fuck", "horseshit", "jackass"),
    *("motherfuck", "nigga", "nigger", "piss", "prick", "pussy", "shit", "shithead", "slut", "twat", "wank"),
    "whore",
)
GERMAN = (
    *("arsch", "arschloch", "drecksau", "fick", "fotze", "hurensohn", "missgeburt", "scheiss", "scheisse"),
    *("schlampe", "verfickt", "wichser"),
)
FRENCH = ("connard", "connasse", "enculé", "merde", "putain", "salope")
SPANISH = ("cabrón", "coño", "gilipollas", "hijo de puta", "joder", "mierda", "pendejo", "puta", "puto")
"""None that is an ordinary word or name as well, such as `dick`, which is German for thick."""

_SIGNS = {
    "a": "a4@*",
    "e": "e3*",
    "i": "i1!|*",
    "o": "o0*",
    "u": "uv*",
    "l": "l1|",
    "s": "s5$",
    "t": "t7+",
    "é": "eé3*",
    "ó": "oó0*",
}
"""What may stand for a letter; an asterisk only for a vowel, as in `f*ck`."""
_SHORT = 3
"""Letters of a word that no digit stands in for: 455 and A55 are numbers."""
_ENGLISH_ENDINGS = "s|es|ed|er|ers|ing|ings|in'?|y"
_GERMAN_ENDINGS = "s|e|es|en|er|em|n|t"
_CODE = re.compile(r"[a-z]*\d{2,}|[^a-z]*[a-z]?[^a-z]*")
"""Letters before a number, or hardly a letter: a product's or a road's name, a price."""


def profanity_pattern(extra: Iterable[str]) -> re.Pattern[str]:
    """A pattern of all of them, and of words of one's own, for a folded text."""
    english = _in_order([*ENGLISH, *FRENCH, *SPANISH, *extra])
    german = _in_order(GERMAN)
    spelled = (
        _spelled(word, number) for number, word in enumerate([*english, *german]) if len(word) > _SHORT
    )
    written = (
        rf"(?:{'|'.join(map(_written, words))})(?:{endings})?"
        for words, endings in ((english, _ENGLISH_ENDINGS), (german, _GERMAN_ENDINGS))
    )
    return re.compile(rf"{WORD_BEGINS}(?:{'|'.join([*written, *spelled])}){WORD_ENDS}")


def _in_order(words: Iterable[str]) -> list[str]:
    return sorted({" ".join(folded(word).text.split()) for word in words}, key=lambda one: (-len(one), one))


def is_code(found: str) -> bool:
    """Whether what was found looks like a number or a name of letters and digits."""
    return _CODE.fullmatch(found) is not None


def _written(word: str) -> str:
    """The word, each letter once or, drawn out, up to eight times."""
    runs = ((letter, len([*run])) for letter, run in groupby(word))
    signs = [(_class(letter, word, is_first=index == 0), count) for index, (letter, count) in enumerate(runs)]
    return "".join(sign if sign == r"[\s_-]{1,3}" else rf"{sign}{{{count},8}}" for sign, count in signs)


def _spelled(word: str, number: int) -> str:
    """The word with one and the same sign between each two letters."""
    first, *more = (_class(letter, word, is_first=index == 0) for index, letter in enumerate(word))
    between = rf"(?P<between{number}>[ ._*-])"
    return first + between + rf"(?P=between{number})".join(more)


def _class(letter: str, word: str, *, is_first: bool) -> str:
    if letter == " ":
        return r"[\s_-]{1,3}"
    signs = _SIGNS.get(letter, letter)
    if is_first:
        signs = signs.replace("*", "")
    if len(word) <= _SHORT:
        signs = re.sub(r"\d", "", signs)
    return "[" + "".join(map(re.escape, signs)) + "]"
