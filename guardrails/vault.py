"""Which pseudonym stands for which value, within one conversation."""

import re
import uuid
from collections.abc import Collection

_PLACEHOLDER = re.compile(r"<([A-Z][A-Z0-9_]*)_(\d{1,9})>")


class Vault:
    """Stable pseudonyms: the same value gets the same name for as long as the conversation lives.

    Held in memory only. Its repr shows counts, never values.
    """

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        """Tells this vault from every other; a state that was saved beside it carries it."""
        self._names: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._taken: set[str] = set()

    def __repr__(self) -> str:
        return f"Vault({len(self._values)} values)"

    def pseudonym(self, entity: str, value: str) -> str:
        """The name that stands for this value, such as `<EMAIL_ADDRESS_1>`."""
        name = self._names.get((entity, value))
        while name is None:
            self._counts[entity] = self._counts.get(entity, 0) + 1
            candidate = f"<{entity}_{self._counts[entity]}>"
            if candidate not in self._taken:
                name = self._names[entity, value] = candidate
                self._values[candidate] = value
        return name

    def reserve(self, text: str) -> None:
        """Never give out a name that somebody wrote before it meant anything."""
        for match in _PLACEHOLDER.finditer(text):
            if match.group() not in self._values:
                self._taken.add(match.group())

    def forget(self) -> None:
        """Forget every value; no name that was ever given out will mean anything again."""
        self._taken.update(self._values)
        self._names.clear()
        self._values.clear()

    def is_stand_in(self, value: object) -> bool:
        """Whether a value is one name that was given out, and nothing else."""
        return isinstance(value, str) and value in self._values

    def reveal(self, text: str, entities: Collection[str] | None = None) -> str:
        """The text with the real values of these entity types (None: all); unknown names stay as they are."""

        def value_of(match: re.Match[str]) -> str:
            shown = entities is None or match[1] in entities
            return self._values.get(match.group(), match.group()) if shown else match.group()

        return _PLACEHOLDER.sub(value_of, text)
