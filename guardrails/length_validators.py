"""How long a text may be, and whether an agent goes round in circles."""

import re
from typing import Any, ClassVar

from guardrails.classes.validation.validation_result import (
    ErrorSpan,
    FailResult,
    PassResult,
    ValidationResult,
)
from guardrails.validator_base import Validator, register_validator

from ringfence.guardrails.repetition import circling, how_like, words_of
from ringfence.guardrails.validator_traits import Reads, Traits, Window

OnFail = Any
"""One of guardrails-ai's words, such as "fix", or a function; its own hint leaves the words out."""

_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_SENTENCE_END = re.compile(r"[.!?…]++[\"'”’»)\]*_]*+(?=\s|\Z)|[。！？]++[”’」』）]*+|[^\s](?=\n\s*\n)")
_LIST_NUMBER = re.compile(r"(?:\A|\n)[ \t]*\d{1,3}\.\Z")
_MOST_HISTORY = 100
"""An agent that loops repeats what it said lately; older replies are not compared."""


@register_validator(name="ringfence/length", data_type="string")
class Length(Validator):
    """A text is neither too short nor too long, in characters, words or lines.

    Fix: a text with too many characters ends with the last sentence that fits, or else where it has to. There
    is none when the text is at fault otherwise.
    """

    traits: ClassVar[Traits] = Traits(reads=Reads.CONTENT, window=Window.REPLY, quick=True)

    def __init__(
        self,
        *,
        minimum_characters: int | None = None,
        maximum_characters: int | None = None,
        minimum_words: int | None = None,
        maximum_words: int | None = None,
        maximum_lines: int | None = None,
        on_fail: OnFail = None,
    ) -> None:
        bounds = {
            "minimum_characters": minimum_characters,
            "maximum_characters": maximum_characters,
            "minimum_words": minimum_words,
            "maximum_words": maximum_words,
            "maximum_lines": maximum_lines,
        }
        given = {name: bound for name, bound in bounds.items() if bound is not None}
        _check(given)
        super().__init__(on_fail=on_fail, use_local=True, **given)
        self._bounds = given

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002 - its signature
        if not isinstance(value, str):
            return FailResult(error_message="it is no text")
        faults = [*self._faults(value)]
        if not faults:
            return PassResult()
        most = self._bounds.get("maximum_characters", len(value))
        spans = [ErrorSpan(start=most, end=len(value), reason="too_long")] if len(value) > most else None
        return FailResult(
            error_message="; ".join(faults), fix_value=self._cut(value, most), error_spans=spans
        )

    def _faults(self, text: str) -> list[str]:
        sizes = {"characters": len(text)}
        if self._bounds.keys() & {"minimum_words", "maximum_words"}:
            sizes["words"] = sum(1 for _ in _WORD.finditer(text))
        if "maximum_lines" in self._bounds:
            sizes["lines"] = len(text.splitlines())
        faults = []
        for name, bound in self._bounds.items():
            side, unit = name.split("_")
            size = sizes[unit]
            if side == "minimum" and size < bound:
                faults.append(f"it has {size} {unit}, and at least {bound} are needed")
            elif side == "maximum" and size > bound:
                faults.append(f"it has {size} {unit}, and at most {bound} are allowed")
        return faults

    def _cut(self, text: str, most: int) -> str | None:
        if len(text) <= most:
            return None
        # With the sign behind, because an end is seen by the space that follows it.
        head = text[: most + 1]
        ends = [found.end() for found in _SENTENCE_END.finditer(head) if found.end() <= most]
        for end in reversed(ends):
            cut = head[:end]
            if not _LIST_NUMBER.search(cut[-8:]):
                return cut if cut.strip() and not self._faults(cut) else None
        return None if self._faults(text[:most]) else text[:most]


def _check(bounds: dict[str, int]) -> None:
    if not bounds:
        raise ValueError(
            "give at least one of minimum_characters, maximum_characters, minimum_words, maximum_words and "
            "maximum_lines"
        )
    for name, bound in bounds.items():
        if type(bound) is not int or bound < 1:
            raise ValueError(f"{name} must be a whole number from 1")
    for unit in ("characters", "words"):
        least, most = bounds.get(f"minimum_{unit}"), bounds.get(f"maximum_{unit}")
        if least is not None and most is not None and least > most:
            raise ValueError(f"minimum_{unit} is greater than maximum_{unit}: no text could pass")
    # A word has a character, and between two words stands one more.
    words, characters = bounds.get("minimum_words", 1), bounds.get("maximum_characters")
    if characters is not None and 2 * words - 1 > characters:
        raise ValueError("minimum_words do not fit into maximum_characters: no text could pass")


@register_validator(name="ringfence/no_repetition", data_type="string")
class NoRepetition(Validator):
    """An agent does not go round in circles.

    It says nothing that it has said, nearly word for word, more than `most_repeats` times before
    (`metadata["history"]`), and within a reply nothing is said more than `most_within` times in a row, or so
    often that it is more than half of the reply.
    """

    traits: ClassVar[Traits] = Traits(reads=Reads.CONTENT, window=Window.REPLY, uses_context=True)

    def __init__(
        self,
        *,
        most_repeats: int = 2,
        similarity: float = 0.9,
        most_within: int = 5,
        on_fail: OnFail = None,
    ) -> None:
        if type(most_repeats) is not int or most_repeats < 0:
            raise ValueError("most_repeats must be a whole number from 0")
        if type(most_within) is not int or most_within < 1:
            raise ValueError("most_within must be a whole number from 1")
        if type(similarity) not in {int, float} or not 0 < similarity <= 1:
            raise ValueError("similarity must be a number above 0 and at most 1")
        super().__init__(
            on_fail=on_fail,
            use_local=True,
            most_repeats=most_repeats,
            similarity=similarity,
            most_within=most_within,
        )
        self._most_repeats, self._similarity, self._most_within = most_repeats, similarity, most_within

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        if not isinstance(value, str):
            return FailResult(error_message="it is no text")
        place = circling(value, self._most_within)
        if place:
            span = ErrorSpan(start=place[0], end=place[1], reason="repetition")
            return FailResult(
                error_message="it says the same again and again; say it once", error_spans=[span]
            )
        history = metadata.get("history") or ()
        earlier = [one for one in history if isinstance(one, str)][-_MOST_HISTORY:]
        words = words_of(value)
        alike = sum(how_like(words, words_of(one)) >= self._similarity for one in earlier)
        if alike > self._most_repeats:
            return FailResult(
                error_message=f"it says nearly word for word what was said {alike} times before; "
                "go on with something new, or say what stands in the way"
            )
        return PassResult()
