"""The `provenance` section of the policy file."""

from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import Field

from ringfence.settings import Section


class ProvenanceMode(StrEnum):
    """What follows from where the values of a call came from."""

    ENFORCE = "enforce"
    """A person is asked about a call with a value of doubtful origin."""
    SHADOW = "shadow"
    """The doubts are only written to the audit log."""
    OFF = "off"
    """Nothing is traced, and `from` of an argument's rule means nothing."""


class ProvenanceSettings(Section):
    """The `provenance` section."""

    mode: ProvenanceMode = ProvenanceMode.ENFORCE
    trusted_memories: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Names or globs of memories, by their class, of which only the operator and the user can write."""

    def trusts(self, memory: str) -> bool:
        """Whether only the operator and the user can write a memory."""
        return any(fnmatchcase(memory, glob) for glob in self.trusted_memories)
