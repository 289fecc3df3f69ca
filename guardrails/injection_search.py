"""Finds phrases in one reading of a text: words first, then the rules that these words allow."""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property

from ringfence.guardrails import injection_english, injection_english_commands, injection_languages
from ringfence.guardrails.injection_rules import Rule, RuleTable, plain, read_rules
from ringfence.guardrails.injection_signs import Sign
from ringfence.guardrails.injection_words import WORDS

_WORD = re.compile(r"[^\W_]+")
_BETWEEN = re.compile(r"[\W_]")
_ASCII_BETWEEN = {code: " " for code in range(128) if not chr(code).isalnum()}
_TABLE = RuleTable(
    (
        *read_rules(injection_english.RULES, WORDS),
        *read_rules(injection_english_commands.RULES, WORDS),
        *read_rules(injection_languages.RULES, {}),
    )
)
_UNSPACED = [(kind, weight, re.compile(pattern)) for kind, weight, pattern in injection_languages.UNSPACED]
_UNSPACED_SIGNS = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")

TRIGGERS = frozenset(
    word
    for rule in _TABLE.rules
    if rule.kind in {"instruction_override", "prompt_extraction", "role_assignment"}
    for word in rule.first_words
    if len(word) > 3  # noqa: PLR2004 - shorter ones come about by chance
)
"""Words that a phrase may begin with, for what looks for them in other spellings."""

_NEGATIONS = frozenset(
    {"not", "never", "t", "dont", "cannot", "nicht", "nie", "no", "without", "nor", "avoid"}
)
_REPORTING = frozenset({"to", "may", "might", "can", "could", "would", "will", "must", "should", "shall"})
_ADDRESSED = frozenset(
    {
        "you",
        "your",
        "please",
        "must",
        "need",
        "want",
        "have",
        "now",
        "required",
        "ought",
        "ai",
        "assistant",
        "i",
        "u",
        "ll",
        "kindly",
        "model",
        "just",
    }
)
_COMMANDING = frozenset(
    {
        "please",
        "now",
        "and",
        "then",
        "also",
        "just",
        "so",
        "ok",
        "okay",
        "instead",
        "but",
        "always",
        "hey",
        "hi",
        "hello",
        "kindly",
        "first",
        "simply",
        "well",
        "sorry",
        "alright",
        "bitte",
        "jetzt",
        "nun",
        "und",
        "dann",
        "immediately",
        "next",
        "finally",
        "assistant",
        "chatgpt",
        "gpt",
    }
)
VOCABULARY = _COMMANDING.union(*(rule.vocabulary for rule in _TABLE.rules))
"""Every word that a rule looks at; how another one is spelled makes no difference."""
_SENTENCE_SIGN = re.compile(r"[^\w\s,'’/&@$€+%]|\n")
_FORBIDDEN, _REPORTED = 0.2, 0.35
"""What is left of the weight of a phrase that is forbidden, and of one that is told of others or quoted."""
_NEGATABLE = frozenset({"instruction_override", "prompt_extraction", "tool_command"})
_REPORTABLE = _NEGATABLE | {"role_assignment", "secrecy"}
_OWNED = frozenset({"instruction_override", "prompt_extraction"})
_OF_OTHERS = re.compile(r"\b(?:its|their|his|our|her)\b")
_QUOTES = "\"'`*_([“”„«»"
_MENTION = re.compile(
    r"\b(?:such as|like|e\.?g|for example|for instance|phrases?|says?|said|attack\w*|inject\w*|called|"
    r"examples?|"
    r"strings?|titled|wrote|asks?|ask(?:ed|ing)|typed?|prompts?|use|contain\w*|saying|include|keyword|"
    r"beispiel\w*)\b"
)
_MENTION_REACH = 90
_TOPICS = frozenset({"jailbreak", "jailbreaks", "jailbreaking"})
_PROMPT_TOPICS = frozenset({"injection", "injections"})
_VIEW_WORDS = """
attack attacks attacker attackers adversarial malicious vulnerability untrusted vulnerabilities owasp
mitigation mitigations defense defenses research researchers security detect detector detection classifier
guardrails risk risks angriff angriffe angreifer schutz red defend prevent
"""
"""Words of those who write about attacks rather than attack."""
_VIEWS = _VIEW_WORDS.split()


class Words:
    """A text in small letters without accents, and its words."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.read = plain(text)
        apart = separated(self.read)
        self.apart = f" {apart} "
        """The words with a space for each other character, so that a word is found with spaces around it."""
        self.row = apart.split()
        self.known = frozenset(self.row)

    @cached_property
    def places(self) -> list[re.Match[str]]:
        """Where each word stands; only a text with a phrase needs them."""
        return list(_WORD.finditer(self.read))

    @cached_property
    def is_unspaced(self) -> bool:
        """Whether there are signs of a language without spaces between its words."""
        return not self.read.isascii() and _UNSPACED_SIGNS.search(self.read) is not None


def separated(text: str) -> str:
    """The text with a space for each character that belongs to no word."""
    return text.translate(_ASCII_BETWEEN) if text.isascii() else _BETWEEN.sub(" ", text)


def phrase_signs(words: Words) -> list[Sign]:
    """The signs that the words of a text give, with places in it."""
    found = list(_matches(words))
    if words.is_unspaced:
        found += _unspaced(words.read)
    if not found:
        return []
    factor = _talk_factor(words.known)
    return [Sign(one.kind, one.start, one.end, round(one.weight * factor, 3)) for one in found]


def warm_up() -> None:
    """Make all patterns now, which takes a quarter of a second; otherwise each is made when first needed."""
    for rule in _TABLE.rules:
        _ = rule.pattern


def _matches(words: Words) -> Iterator[Sign]:
    possible = _TABLE.possible(words.known)
    if not possible:
        return
    start = -1
    for number, word in enumerate(words.row):
        if word in possible:
            start = words.apart.index(f" {word} ", start + 1)
            for rule in possible[word]:
                if rule.begins(words.row, number) and (match := rule.pattern.match(words.read, start)):
                    yield from _sign(rule, match, words, number)


def _sign(rule: Rule, match: re.Match[str], words: Words, number: int) -> Iterator[Sign]:
    if rule.starts_command and not _starts_command(words.read, words.places, number):
        return
    factor = _factor(rule.kind, words.read, words.places, number)
    if rule.kind in _OWNED and _OF_OTHERS.search(match[0]):
        factor *= _REPORTED
    yield Sign(rule.kind, match.start(), match.end(), rule.weight * factor)


def _starts_command(read: str, places: Sequence[re.Match[str]], number: int) -> bool:
    if not number:
        return True
    before = places[number - 1]
    if before[0] in _COMMANDING or _SENTENCE_SIGN.search(read, before.end(), places[number].start()):
        return True
    if before[0] in {"to", "must", "should", "shall"}:
        return any(one[0] == "you" for one in places[max(0, number - 4) : number])
    return before[0] == "you"


def _factor(kind: str, read: str, places: Sequence[re.Match[str]], number: int) -> float:
    """Less than 1 for a phrase that is forbidden, reported or quoted rather than said."""
    factor = 1.0
    if kind in _REPORTABLE and number:
        start = places[number].start()
        before = places[number - 1]
        near = places[max(0, number - 6) : number]
        if _SENTENCE_SIGN.search(read, before.end(), start):
            pass
        elif before[0] in _NEGATIONS and kind in _NEGATABLE:
            factor = _FORBIDDEN
        elif before[0] in _REPORTING and _ADDRESSED.isdisjoint(one[0] for one in near):
            factor = _REPORTED
    if number and read[places[number].start() - 1] in _QUOTES:
        start = places[number].start()
        if _MENTION.search(read, max(0, start - _MENTION_REACH), start):
            factor *= _REPORTED
    return factor


def _talk_factor(words: AbstractSet[str]) -> float:
    """Less than 1 for a text about prompt injection."""
    is_topic = not words.isdisjoint(_TOPICS) or ("prompt" in words and not words.isdisjoint(_PROMPT_TOPICS))
    if not is_topic:
        return 1.0
    known = sum(view in words for view in _VIEWS)
    return 0.4 if known > 1 else 0.6 if known else 0.8


def _unspaced(read: str) -> Iterator[Sign]:
    for kind, weight, pattern in _UNSPACED:
        for match in pattern.finditer(read):
            yield Sign(kind, match.start(), match.end(), weight)
