"""Examples side by side, as the network takes them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from random import Random

import numpy as np
import torch
from torch import Tensor

from ringfence.guardrails.word_features import features_of, has_identity, name_key
from training.ner.examples import Example
from training.ner.gazetteer import LISTS

WORDS_AT_ONCE = 4_000
NO_LABEL = -100
"""Where a shorter text has no word; what torch's loss leaves out."""
_features = lru_cache(maxsize=500_000)(features_of)


def batches(
    examples: Sequence[Example], known: Mapping[int, int], chooser: Random
) -> Iterator[dict[str, Tensor]]:
    """All examples once, in batches of similar length, in random order."""
    groups: list[list[Example]] = [[]]
    for example in sorted(examples, key=lambda one: (len(one.words), chooser.random())):
        if groups[-1] and len(example.words) * (len(groups[-1]) + 1) > WORDS_AT_ONCE:
            groups.append([])
        groups[-1].append(example)
    chooser.shuffle(groups)
    return (batch_of(group, known) for group in groups)


def batch_of(examples: Sequence[Example], known: Mapping[int, int]) -> dict[str, Tensor]:
    """Texts of about the same length, side by side; each different word is looked at once."""
    longest = max(len(example.words) for example in examples)
    numbers = {"": 0}
    places = np.zeros((len(examples), longest), dtype=np.int64)
    gaps, labels = np.zeros_like(places), np.full_like(places, NO_LABEL)
    for row, example in enumerate(examples):
        length = len(example.words)
        places[row, :length] = [numbers.setdefault(word, len(numbers)) for word in example.words]
        gaps[row, :length], labels[row, :length] = example.gaps, example.labels
    arrays = {**_looks([*numbers], known), "places": places, "gaps": gaps, "labels": labels}
    batch = {name: torch.from_numpy(array) for name, array in arrays.items()}
    batch["mask"] = (batch["labels"] != NO_LABEL).float()
    return batch


def _looks(words: Sequence[str], known: Mapping[int, int]) -> dict[str, np.ndarray]:
    """The rows of the network's tables for each word, and the lists that hold it."""
    looks = [_features(word or "_") for word in words]
    bits = np.array([known.get(name_key(word), 0) for word in words], dtype=np.int64)
    return {
        "word": np.array([look.word for look in looks]),
        "parts": np.array([part for look in looks for part in look.parts]),
        "offsets": np.cumsum([0, *(len(look.parts) for look in looks[:-1])]),
        "shape": np.array([look.shape for look in looks]),
        "has_identity": np.array(
            [has_identity(word, lists) for word, lists in zip(words, bits.tolist(), strict=True)],
            dtype=np.float32,
        ),
        "lists": (bits[:, None] >> np.arange(len(LISTS)) & 1).astype(np.float32),
    }
