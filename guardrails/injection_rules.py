"""Phrases to look for, written as lines of words, and the regular expressions made of them.

A line is a kind, a weight and a row of elements, separated by spaces:

    instruction_override 0.85 @OVERRIDE ~2 previous|prior ?system instructions|prompt

`a|b` is one of these words (`_` joins words to a phrase, `*` stands for any ending), `?a|b` may be missing,
`~2` is a gap of up to two words, `@NAME` a list of words, `=...` a regular expression behind the last word.
A `^` before the elements: only where a sentence or a command begins.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property

GAP = r"(?:[^\w.!?:;={}\n]|_|\.(?=\w)|\n(?!\s{0,9}\n))++"
"""Between two words of a phrase: anything but the end of a sentence."""
_WORD = r"[^\W_]++"
_LETTERS = re.compile(r"[^\W\d_]+")
_LETTER_OR_NONE = re.compile(r"[^\W\d_]\?")
_END = r"(?![^\W_])"


def _plain_letters() -> dict[str, str]:
    table = {"ß": "s", "ł": "l", "Ł": "l", "ø": "o", "Ø": "o", "đ": "d", "ı": "i", "ё": "е", "Ё": "е"}
    for code in range(0xC0, 0x250):
        base = unicodedata.normalize("NFKD", chr(code))[0]
        if base.isascii():
            table.setdefault(chr(code), base)
    table |= dict.fromkeys("‘’‛`´", "'") | dict.fromkeys("“”„«»", '"')
    return table


_PLAIN_LETTERS = _plain_letters()
_ACCENTED = frozenset(_PLAIN_LETTERS)


def plain(text: str) -> str:
    """The text in small letters without accents, as long as it was."""
    if not text.isascii():
        # A text has few of them, and to replace each is quicker than to look at every character.
        for sign in _ACCENTED.intersection(text):
            text = text.replace(sign, _PLAIN_LETTERS[sign])
    return text.lower()


class Rule:
    """One line: a phrase whose words may stand a little apart."""

    def __init__(self, line: str, words: Mapping[str, str]) -> None:
        self.kind, weight, *elements = line.split()
        self.weight = float(weight)
        self.starts_command = elements[0] == "^"
        self._elements = elements[1:] if self.starts_command else elements
        self._lists = words
        needs = [self._first_words(element) for element in self._elements if element[0] not in "?~="]
        if not needs or None in needs[:1]:
            raise ValueError(f"a rule must begin with whole words: {line}")
        self.first_words: frozenset[str] = needs[0] or frozenset()
        self.needs = tuple(need for need in needs[1:] if need is not None)
        self.reach = self._reach()
        # Every word that it looks at.
        self.vocabulary = frozenset(word for element in self._elements for word in self._words(element))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """To be matched where the first word begins; every part is possessive or bounded, so it is quick."""
        made = ""
        for number, element in enumerate(self._elements):
            gap = GAP if number else ""
            match element[0]:
                case "~":
                    made += rf"(?:{GAP}{_WORD}){{0,{int(element[1:])}}}?"
                case "=":
                    made += element[1:]
                case "?":
                    made += f"(?:{gap}{self._alternatives(element[1:])})?"
                case _:
                    made += gap + self._alternatives(element)
        return re.compile(made)

    def _first_words(self, element: str) -> frozenset[str] | None:
        firsts = [phrase.split("_")[0] for phrase in self._phrases(element)]
        return None if any("*" in first for first in firsts) else frozenset(firsts)

    def begins(self, row: Sequence[str], number: int) -> bool:
        """Whether the word at this place of a row may begin the phrase: its next word comes soon enough."""
        return not self.reach or not self.needs[0].isdisjoint(row[number + 1 : number + 1 + self.reach])

    def _reach(self) -> int:
        """How many words after its first one the next word comes that cannot be missing; 0 if unknown."""
        reach = 0
        for number, element in enumerate(self._elements):
            match element[0]:
                case "~":
                    reach += int(element[1:])
                case "=":
                    return 0
                case _ if number and element[0] != "?":
                    return reach if self._first_words(element) else 0
                case _:
                    reach += max(phrase.count("_") + 1 for phrase in self._phrases(element.lstrip("?")))
        return 0

    def _words(self, element: str) -> list[str]:
        if element[0] == "=":
            pattern = re.sub(r"\\.", " ", element)
            return _LETTERS.findall(f"{pattern.replace('?', '')} {_LETTER_OR_NONE.sub('', pattern)}")
        return [word for phrase in self._phrases(element.lstrip("?~")) for word in phrase.split("_")]

    def _alternatives(self, element: str) -> str:
        phrases = sorted(self._phrases(element), key=len, reverse=True)
        made = (GAP.join(map(_word_pattern, phrase.split("_"))) for phrase in phrases)
        return f"(?:{'|'.join(made)}){_END}"

    def _phrases(self, element: str) -> list[str]:
        listed = element
        while "@" in listed:
            listed = re.sub(r"@(\w+)", lambda match: self._lists[match[1]], listed)
        return re.split(r"[|\s]+", plain(listed).replace("-", "_").strip())


def read_rules(lines: str, words: Mapping[str, str]) -> Iterator[Rule]:
    """The rules of a table; a line with a `#` in front is a comment."""
    for line in lines.splitlines():
        if line.strip() and not line.startswith("#"):
            yield Rule(line, words)


class RuleTable:
    """Rules, to be found by the words of a text."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        # One bit for each set of words of which a rule needs one, so that a rule is judged in one step.
        needs = dict.fromkeys(need for rule in self.rules for need in rule.needs)
        bits = {need: 1 << number for number, need in enumerate(needs)}
        self._bits: defaultdict[str, int] = defaultdict(int)
        for need, bit in bits.items():
            for word in need:
                self._bits[word] |= bit
        self._needed = frozenset(self._bits)
        self._by_first_word: defaultdict[str, list[tuple[int, Rule]]] = defaultdict(list)
        for rule in self.rules:
            for word in rule.first_words:
                self._by_first_word[word].append((sum(bits[need] for need in set(rule.needs)), rule))
        self._first_words = frozenset(self._by_first_word)

    def possible(self, words: AbstractSet[str]) -> dict[str, list[Rule]]:
        """The rules that a text of these words can hold at all, under the words that they begin with."""
        firsts = self._first_words & words
        if not firsts:
            return {}
        present = 0
        for word in self._needed & words:
            present |= self._bits[word]
        possible: dict[str, list[Rule]] = {}
        for word in firsts:
            if found := [rule for bits, rule in self._by_first_word[word] if bits & present == bits]:
                possible[word] = found
        return possible


def _word_pattern(word: str) -> str:
    return re.escape(word).replace(r"\*", r"[^\W_]*+")
