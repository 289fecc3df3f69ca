"""What an agent talks about: topics that are its own, topics and names that are not, swear words.

Judged by words alone, without a model: quick and the same every time, and blind to a paraphrase.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from guardrails.classes.validation.validation_result import (
    ErrorSpan,
    FailResult,
    PassResult,
    ValidationResult,
)
from guardrails.validator_base import Validator, register_validator

from ringfence.guardrails.phrase_patterns import WORD_BEGINS, WORD_ENDS, Phrase, folded, replaced
from ringfence.guardrails.profanity_words import is_code, profanity_pattern
from ringfence.guardrails.validator_traits import Reads, Traits, Window

OnFail = Any
"""One of guardrails-ai's words, such as "fix", or a function; its own hint leaves the words out."""

_NO_TEXT = "it is no text"
_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
"""Words; of Chinese and Japanese, which write no spaces, each sign."""
_LONGEST_WORD = 12
"""Characters that a word of a short text has on average at most: a text without spaces is not short."""


@register_validator(name="ringfence/allowed_topics", data_type="string")
class AllowedTopics(Validator):
    """A text is about at least one of these topics, or too short to be about anything. No fix."""

    traits: ClassVar[Traits] = Traits(reads=Reads.CONTENT, window=Window.REPLY, quick=True)

    def __init__(
        self,
        topics: Mapping[str, Sequence[str]],
        minimum_hits: int = 1,
        shortest_words: int = 8,
        on_fail: OnFail = None,
    ) -> None:
        """Take the topics.

        Args:
            topics: Topic → words and phrases of it, in their base form; plurals and the like are found, too.
            minimum_hits: How many different phrases of one topic have to occur.
            shortest_words: A text of fewer words passes, such as "thank you".
            on_fail: What guardrails-ai does about a text that does not pass.
        """
        self._topics = _topics(topics, minimum_hits)
        _check_count("shortest_words", shortest_words, least=0)
        options = {"minimum_hits": minimum_hits, "shortest_words": shortest_words}
        super().__init__(on_fail=on_fail, topics=_plain(topics), use_local=True, **options)
        self._minimum = minimum_hits
        self._shortest = shortest_words

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002 - its base's
        if not isinstance(value, str):
            return FailResult(error_message=_NO_TEXT)
        text = folded(value).text
        if self._is_short(text) or any(_has_hits(text, topic, self._minimum) for topic in self._topics):
            return PassResult()
        return FailResult(error_message="it is about none of the topics that belong here")

    def _is_short(self, text: str) -> bool:
        if len(text.strip()) > self._shortest * _LONGEST_WORD:
            return False
        return len(_WORDS.findall(text)) < self._shortest


@register_validator(name="ringfence/banned_topics", data_type="string")
class BannedTopics(Validator):
    """A text is about none of these topics. No fix."""

    traits: Traits = Traits(reads=Reads.EVERYTHING, window=Window.REPLY, quick=True, sees_values=True)
    """With a single phrase that suffices, a sentence can be judged alone."""

    def __init__(
        self, topics: Mapping[str, Sequence[str]], minimum_hits: int = 1, on_fail: OnFail = None
    ) -> None:
        """Take the topics.

        Args:
            topics: Topic → words and phrases of it, in their base form; plurals and the like are found, too.
            minimum_hits: From how many different phrases of one topic on a text is about it.
            on_fail: What guardrails-ai does about a text that does not pass.
        """
        self._topics = _topics(topics, minimum_hits)
        super().__init__(on_fail=on_fail, topics=_plain(topics), minimum_hits=minimum_hits, use_local=True)
        self._minimum = minimum_hits
        if minimum_hits == 1:
            self.traits = replace(self.traits, window=Window.SENTENCE)

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002 - its base's
        if not isinstance(value, str):
            return FailResult(error_message=_NO_TEXT)
        known = folded(value)
        hit = [topic for topic in self._topics if _has_hits(known.text, topic, self._minimum)]
        if not hit:
            return PassResult()
        found = {known.span(*span) for topic in hit for phrase in topic for span in phrase.spans(known.text)}
        return FailResult(
            error_message="it is about something that does not belong here",
            error_spans=_spans(found, "banned_topic"),
        )


@register_validator(name="ringfence/competitors", data_type="string")
class Competitors(Validator):
    """None of these companies and products is named. Fix: "another company" in place of each."""

    traits: ClassVar[Traits] = Traits(
        reads=Reads.EVERYTHING, window=Window.SENTENCE, quick=True, sees_values=True
    )

    def __init__(self, names: Sequence[str], on_fail: OnFail = None) -> None:
        plain = _phrases("names", names)
        super().__init__(on_fail=on_fail, names=list(names), use_local=True)
        longest_first = sorted(map(_name_pattern, plain), key=len, reverse=True)
        self._pattern = re.compile("|".join(longest_first))

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002 - its base's
        if not isinstance(value, str):
            return FailResult(error_message=_NO_TEXT)
        known = folded(value)
        found = {known.span(*match.span()) for match in self._pattern.finditer(known.text)}
        if not found:
            return PassResult()
        return FailResult(
            error_message="it names a company or product that is not to be named here",
            fix_value=replaced(value, found, "another company"),
            error_spans=_spans(found, "competitor"),
        )


@register_validator(name="ringfence/profanity", data_type="string")
class Profanity(Validator):
    """No swear words, in English and a few of German, French and Spanish. Fix: asterisks."""

    traits: ClassVar[Traits] = Traits(
        reads=Reads.EVERYTHING, window=Window.SENTENCE, quick=True, sees_values=True
    )

    def __init__(self, extra: Sequence[str] = (), allow: Sequence[str] = (), on_fail: OnFail = None) -> None:
        """Take what differs from the list that Ringfence brings.

        Args:
            extra: More words that must not occur.
            allow: Words, and phrases with them, that may.
            on_fail: What guardrails-ai does about a text that does not pass.
        """
        more, allowed = (
            _phrases(name, words, least=0) for name, words in (("extra", extra), ("allow", allow))
        )
        super().__init__(on_fail=on_fail, extra=list(extra), allow=list(allow), use_local=True)
        self._pattern = profanity_pattern(more)
        phrases = (r"\s+".join(map(re.escape, phrase.split())) for phrase in allowed)
        longest_first = "|".join(sorted(phrases, key=len, reverse=True))
        self._allowed = re.compile(f"{WORD_BEGINS}(?:{longest_first}){WORD_ENDS}") if allowed else None

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002 - its base's
        if not isinstance(value, str):
            return FailResult(error_message=_NO_TEXT)
        known = folded(value)
        may_be = {place for span in self._allowed_spans(known.text) for place in range(*span)}
        matches = (match for match in self._pattern.finditer(known.text) if match.start() not in may_be)
        found = {known.span(*match.span()) for match in matches if not is_code(match.group())}
        if not found:
            return PassResult()
        return FailResult(
            error_message="it contains a swear word; say it politely",
            fix_value=replaced(value, found, None),
            error_spans=_spans(found, "profanity"),
        )

    def _allowed_spans(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in self._allowed.finditer(text)] if self._allowed else []


def _topics(topics: Any, minimum_hits: int) -> list[list[Phrase]]:
    if not isinstance(topics, Mapping) or not topics:
        raise ValueError("topics must map each topic to a list of words and phrases, and name at least one")
    _check_count("minimum_hits", minimum_hits, least=1)
    made: list[list[Phrase]] = []
    for name, phrases in topics.items():
        different = {one.folded: one for one in map(Phrase, _phrases(f"topics[{name!r}]", phrases))}
        if len(different) < minimum_hits:
            raise ValueError(f"topics[{name!r}] has fewer different phrases than minimum_hits asks for")
        made.append([*different.values()])
    return made


def _phrases(option: str, phrases: Any, *, least: int = 1) -> list[str]:
    """The phrases in their folded form."""
    is_list = isinstance(phrases, Sequence) and not isinstance(phrases, str)
    if not is_list or len(phrases) < least or not all(isinstance(one, str) for one in phrases):
        raise ValueError(f"{option} must be a list of texts" + (", at least one" if least else ""))
    plain = [" ".join(folded(phrase).text.split()) for phrase in phrases]
    if not all(any(map(str.isalnum, phrase)) for phrase in plain):
        raise ValueError(f"{option} must hold a letter or digit in each of its texts")
    return plain


def _check_count(option: str, count: int, *, least: int) -> None:
    if type(count) is not int or count < least:
        raise ValueError(f"{option} must be a whole number from {least}")


def _plain(topics: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {name: [*phrases] for name, phrases in topics.items()}


def _has_hits(text: str, topic: Sequence[Phrase], minimum: int) -> bool:
    hits = 0
    for phrase in topic:
        hits += phrase.is_in(text)
        if hits >= minimum:
            return True
    return False


def _name_pattern(name: str) -> str:
    """A name with whatever stands between its parts, up to its genitive's apostrophe."""
    parts = [re.escape(part) for part in re.split(r"[\s_.·-]+", name) if part]
    begins, ends = (
        edge if name[place].isalnum() else "" for edge, place in ((WORD_BEGINS, 0), (WORD_ENDS, -1))
    )
    return begins + r"[\s_.·-]{0,3}".join(parts) + (rf"(?:s{ends})?{ends}" if ends else "")


def _spans(found: set[tuple[int, int]], reason: str) -> list[ErrorSpan]:
    return [ErrorSpan(start=start, end=end, reason=reason) for start, end in sorted(found)]
