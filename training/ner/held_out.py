"""Names that no list of the training may hold: an evaluation is to measure names that were never seen."""

import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from training.ner.word_lists import LETTERS

_FILE = Path(__file__).with_name("held_out.txt")
_NAME_TYPES = ("PERSON", "GPE", "ORGANIZATION", "STREET_ADDRESS")


class HeldOut:
    """Tells which names hold a word that was set aside for evaluation."""

    def __init__(self, digests: Iterable[str] = ()) -> None:
        self._digests = frozenset(digests)
        self._known: dict[str, bool] = {}

    @classmethod
    def read(cls) -> Self:
        """What held_out.txt sets aside."""
        return cls(_FILE.read_text(encoding="utf-8").split())

    def has(self, name: str) -> bool:
        """Whether any word of the name was set aside."""
        return any(self._is_held_out(word) for word in LETTERS.findall(name.casefold()))

    def kept(self, names: Iterable[str]) -> list[str]:
        """The names without those that were set aside, sorted, so that a seed means the same everywhere."""
        return sorted({" ".join(name.split()) for name in names if name and not self.has(name)})

    def _is_held_out(self, word: str) -> bool:
        if word not in self._known:
            self._known[word] = digest(word) in self._digests
        return self._known[word]


def digest(word: str) -> str:
    """What stands for a word in the list: the evaluation's names themselves are not ours to publish."""
    return hashlib.sha256(word.casefold().encode()).hexdigest()[:12]


def words_of_names(dataset: Path) -> set[str]:
    """Every word of the names in an evaluation set: JSON, a list of samples with spans."""
    samples = json.loads(dataset.read_text(encoding="utf-8"))
    spans = [span for sample in samples for span in sample["spans"]]
    values = [span["entity_value"] for span in spans if span["entity_type"] in _NAME_TYPES]
    return {word for value in values for word in LETTERS.findall(value.casefold())}


if __name__ == "__main__":
    digests = sorted(digest(word) for word in words_of_names(Path(sys.argv[1])))
    _FILE.write_text("\n".join(digests) + "\n", encoding="utf-8")
