"""Replies that must be JSON, of a form that a JSON Schema states."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

from guardrails.classes.validation.validation_result import (
    ErrorSpan,
    FailResult,
    PassResult,
    ValidationResult,
)
from guardrails.validator_base import Validator, register_validator

from ringfence.guardrails.json_schema_check import SchemaCheck
from ringfence.guardrails.validator_traits import Reads, Traits, Window

OnFail = Any
"""One of guardrails-ai's words, such as "fix", or a function; its own hint leaves the words out."""

_LONGEST_TEXT = 1_000_000
_DEEPEST = 64
_LONGEST_NUMBER = 300
"""Characters of a number; a longer one is too large for a double, or more exact than anybody needs."""
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{\]}]', re.DOTALL)
_FENCE_OPENS = re.compile(r"(`{3,}|~{3,})[ \t]*(?:json)?[ \t]*\r?\n", re.IGNORECASE)
_OPENING = re.compile(r"[\[{]")
_BRACKET = re.compile(r"[\[{\]}]")


class _NotJsonError(Exception):
    """Why a text is no JSON, in words, and where."""

    def __init__(self, said: str, place: int | None = None) -> None:
        super().__init__(said)
        self.place = place


@register_validator(name="ringfence/valid_json", data_type="string")
class ValidJson(Validator):
    """A text is JSON, and fits a schema. Fix: the one JSON object or array in it, without what is around."""

    traits: ClassVar[Traits] = Traits(reads=Reads.CONTENT, window=Window.REPLY, structured=True)

    def __init__(
        self, schema: Mapping[str, Any] | None = None, code_fence: bool = True, on_fail: OnFail = None
    ) -> None:
        """Take what is asked for.

        Args:
            schema: A JSON Schema (Draft 2020-12); what it refers to stands in it, nothing is fetched.
            code_fence: Whether the JSON may stand between ```json and ```.
            on_fail: What guardrails-ai does about a text that does not pass.
        """
        if type(code_fence) is not bool:
            raise ValueError("code_fence must be true or false")
        self._check = None if schema is None else SchemaCheck(schema)
        super().__init__(on_fail=on_fail, schema=schema, code_fence=code_fence, use_local=True)
        self._code_fence = code_fence

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002 - its base's
        if not isinstance(value, str):
            return FailResult(error_message="it is no text")
        if len(value) > _LONGEST_TEXT:
            return FailResult(error_message=f"it has more than {_LONGEST_TEXT} characters")
        start, end = _inside_fence(value) if self._code_fence else (0, len(value))
        try:
            faults = self._faults(value[start:end])
        except _NotJsonError as error:
            return self._no_json(value, error, start)
        if not faults:
            return PassResult()
        return FailResult(error_message="it does not fit the schema: " + "; ".join(faults))

    def _faults(self, text: str) -> list[str]:
        loaded = _loaded(text)
        return self._check.faults(loaded, most_steps=len(text) + 1_000) if self._check else []

    def _no_json(self, value: str, error: _NotJsonError, offset: int) -> FailResult:
        place = None if error.place is None else min(error.place + offset, max(len(value) - 1, 0))
        bare = _bare(value)
        try:
            faults = ["none"] if bare is None else self._faults(bare)
        except _NotJsonError:
            faults = ["none"]
        spans = None if place is None else [ErrorSpan(start=place, end=place + 1, reason="no_json")]
        if faults:
            return FailResult(error_message=f"it is no valid JSON: {error}", error_spans=spans)
        said = "something stands around the JSON; answer with the JSON alone"
        return FailResult(error_message=said, fix_value=bare, error_spans=spans)


def _inside_fence(text: str) -> tuple[int, int]:
    """Where the text inside a code fence around all of it is; the whole where there is none."""
    whole = text.strip()
    first = text.find(whole)
    opening = _FENCE_OPENS.match(whole)
    if opening is None or not whole.endswith(opening[1]) or len(whole) < opening.end() + len(opening[1]):
        return 0, len(text)
    end = len(whole) - len(opening[1])
    closes_on_a_line = whole[:end].rstrip(" \t").endswith("\n")
    return (first + opening.end(), first + end) if closes_on_a_line else (0, len(text))


def _bare(text: str) -> str | None:
    """The only JSON object or array in a text."""
    opening = _OPENING.search(text)
    if opening is None or _is_deep(text[opening.start() :]):
        return None
    try:
        _, end = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode(text, opening.start())
    except (ValueError, RecursionError):
        return None
    # Brackets beside it may be another one, or the rest of something larger that is broken.
    return None if _BRACKET.search(text, end) else text[opening.start() : end]


def _loaded(text: str) -> Any:
    if _is_deep(text):
        raise _NotJsonError(f"it is nested deeper than {_DEEPEST} levels")
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_int=lambda digits: int(_of_fair_length(digits)),
            parse_float=_finite,
        )
    except json.JSONDecodeError as error:
        said = f"{error.msg[:1].lower()}{error.msg[1:]} in line {error.lineno}, column {error.colno}"
        raise _NotJsonError(said, error.pos) from None


def _is_deep(text: str) -> bool:
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token.group(), 0)
        if depth > _DEEPEST:
            return True
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    # Readers differ in which of two values they take, and one that was not checked could be it.
    if len(made) < len(pairs):
        raise _NotJsonError("a key occurs twice in one object")
    return made


def _no_constant(_: str) -> NoReturn:
    raise _NotJsonError("JSON has no NaN and no Infinity")


def _of_fair_length(number: str) -> str:
    if len(number) > _LONGEST_NUMBER:
        raise _NotJsonError(f"a number has more than {_LONGEST_NUMBER} digits")
    return number


def _finite(number: str) -> float:
    value = float(_of_fair_length(number))
    if math.isinf(value):
        raise _NotJsonError("a number is too large")
    return value
