"""The `provenance` section of the policy file."""

from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import Field, field_validator

from ringfence.settings import Section


class ProvenanceMode(StrEnum):
    """What follows from where the values of a call came from."""

    ENFORCE = "enforce"
    """A person is asked about a call with a value of doubtful origin."""
    SHADOW = "shadow"
    """The doubts are only written to the audit log."""
    OFF = "off"
    """Nothing is traced, and `from` of an argument's rule means nothing."""


def _or_false(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"$ref": schema.pop("$ref")}, {"const": False}]


class ProvenanceSettings(Section):
    """The `provenance` section."""

    mode: ProvenanceMode = Field(ProvenanceMode.ENFORCE, json_schema_extra=_or_false)
    trusted_memories: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Names or globs of memories, by their class, of which only the operator and the user can write."""

    @field_validator("mode", mode="before")
    @classmethod
    def _off_without_quotes(cls, mode: object) -> object:
        # YAML reads a bare `off` as false.
        return ProvenanceMode.OFF if mode is False else mode

    def trusts(self, memory: str) -> bool:
        """Whether only the operator and the user can write a memory."""
        return any(fnmatchcase(memory, glob) for glob in self.trusted_memories)
