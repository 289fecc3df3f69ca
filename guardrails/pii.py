"""Which personal data is found in a text, and what becomes of it."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from ringfence.guardrails.custom_patterns import problem_of
from ringfence.policy_file import SectionError
from ringfence.settings import Section

_TYPE = re.compile(r"[A-Z][A-Z0-9_]*")
_DETECTION = re.compile(r"patterns|basic|(?:spacy|transformers|gliner):\S.*")


class PiiAction(StrEnum):
    """What becomes of a piece of personal data that was found."""

    PSEUDONYMIZE = "pseudonymize"
    """A stable stand-in such as `<EMAIL_ADDRESS_1>`, turned back at the trusted doors."""
    MASK = "mask"
    """All but the last four characters become `*`, and all of a value of up to eight; not turned back."""
    REDACT = "redact"
    """Removed; not turned back."""
    HASH = "hash"
    """A salted SHA-256, the same for the same value within a conversation; not turned back."""
    BLOCK = "block"
    """The whole passage goes no further."""
    ALLOW = "allow"
    """Found and reported, and left as it is."""


class PiiRule(Section):
    """What happens to one type of personal data."""

    action: PiiAction
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    """Least score of a finding, from 0 to 1; None takes the threshold of the whole section."""


class PiiPattern(Section):
    """A regular expression that finds a type of your own."""

    regex: str
    """As the `regex` package reads it; upper and lower case are the same."""
    score: Annotated[float, Field(gt=0, le=1)] = 0.8
    """Of what it matches; a context word near by raises it by 0.35."""
    context: tuple[str, ...] = ()
    """Words that often stand before such a value."""

    @field_validator("regex")
    @classmethod
    def _check_regex(cls, expression: str) -> str:
        if problem := problem_of(expression):
            raise ValueError(problem)
        return expression


_MASKED = (
    # Names, which a network finds.
    *("PERSON", "LOCATION", "ORGANIZATION", "AGE", "NRP"),
    # What a shape, a checksum or a context word tells for sure.
    *("EMAIL_ADDRESS", "PHONE_NUMBER", "IP_ADDRESS", "CREDIT_CARD", "IBAN_CODE", "CRYPTO"),
    *("US_SSN", "US_ITIN"),
    # Personal numbers with a checksum, found where `languages` has their language.
    *("DE_TAX_ID", "DE_SOCIAL_SECURITY", "ES_NIF", "ES_NIE", "FI_PERSONAL_IDENTITY_CODE", "IT_FISCAL_CODE"),
    *("KR_RRN", "PL_PESEL", "SE_PERSONNUMMER", "TH_TNIN", "TR_NATIONAL_ID"),
)
_ALLOWED = ("DATE_TIME", "URL", "TITLE")
_SECRET = ("API_KEY", "PRIVATE_KEY", "JSON_WEB_TOKEN", "CONNECTION_STRING", "PASSWORD")

DEFAULT_ENTITIES: dict[str, PiiAction] = {
    **dict.fromkeys(_MASKED, PiiAction.PSEUDONYMIZE),
    # An agent has to read dates and links to do its work.
    **dict.fromkeys(_ALLOWED, PiiAction.ALLOW),
    **dict.fromkeys(_SECRET, PiiAction.BLOCK),
}
"""What holds for types that the policy does not name; those that nothing finds have no effect."""


class PiiSettings(Section):
    """The `pii` section."""

    detection: str = "basic"
    """What finds names: patterns (nothing), basic, spacy:<model>, transformers:<model>, gliner:<model>."""
    languages: Annotated[tuple[str, ...], Field(min_length=1)] = ("en",)
    """Whose national numbers and context words are known, such as en, de, es."""
    entities: dict[str, PiiAction | PiiRule] = Field(default_factory=dict)
    """Entity type → an action, or an action with a threshold; other types keep their default."""
    patterns: dict[str, PiiPattern] = Field(default_factory=dict)
    """Entity type → a regular expression that finds it; a type without a rule is pseudonymized."""
    deny: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Entity type → values that are always found; a type without a rule is pseudonymized."""
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.35
    """Least score of a finding, from 0 to 1."""
    allow: tuple[str, ...] = ()
    """Values that are never personal data, such as the company's own support address."""
    reveal_to_user: tuple[str, ...] | None = None
    """Entity types whose real values the user sees in the answer; None means all."""
    timeout_seconds: Annotated[float, Field(gt=0)] = 10.0
    """Longest analysis of one text; past it the passage is blocked."""
    max_characters: Annotated[int, Field(ge=1)] = 1_000_000
    """Longest text that is analysed; a longer one is blocked."""

    @field_validator("detection")
    @classmethod
    def _check_detection(cls, detection: str) -> str:
        if not _DETECTION.fullmatch(detection):
            raise ValueError(
                "must be patterns, basic, or a model: spacy:<model>, transformers:<model>, gliner:<model>"
            )
        return detection

    @field_validator("patterns")
    @classmethod
    def _check_types(cls, patterns: dict[str, PiiPattern]) -> dict[str, PiiPattern]:
        if problems := _misnamed(patterns):
            raise SectionError(*problems)
        return patterns

    @field_validator("deny")
    @classmethod
    def _check_values(cls, deny: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        problems = _misnamed(deny)
        for name, values in deny.items():
            blank = [index for index, value in enumerate(values) if not value.strip()]
            problems += [((name, index), "must not be empty") for index in blank]
            problems += [] if values else [((name,), "names no value")]
        if problems:
            raise SectionError(*problems)
        return deny

    @model_validator(mode="after")
    def _check_allow(self) -> Self:
        denied = {value.casefold() for values in self.deny.values() for value in values}
        both = [index for index, value in enumerate(self.allow) if value.casefold() in denied]
        if both:
            raise SectionError(*((("allow", index), "stands in `deny`, too") for index in both))
        return self

    def rules(self) -> dict[str, PiiRule]:
        """Every entity type that may be found with its rule."""
        own = dict.fromkeys([*self.patterns, *self.deny], PiiAction.PSEUDONYMIZE)
        actions: dict[str, PiiAction | PiiRule] = {**own, **DEFAULT_ENTITIES, **self.entities}
        return {
            name: entry if isinstance(entry, PiiRule) else PiiRule(action=entry)
            for name, entry in actions.items()
        }


def _misnamed(names: Iterable[str]) -> list[tuple[tuple[str | int, ...], str]]:
    # The vault's stand-ins are made of it, such as <EMPLOYEE_ID_1>.
    said = "a type is named in capitals, such as EMPLOYEE_ID"
    return [((name,), said) for name in names if not _TYPE.fullmatch(name)]
