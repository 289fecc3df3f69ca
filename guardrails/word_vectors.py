"""The vectors of words, as the basic tier's network sees them."""

import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from ringfence.guardrails.word_features import (
    NAME_LISTS,
    ORDINARY_WORDS,
    features_of,
    has_identity,
    name_key,
)

Array = np.ndarray[Any, Any]

_REACH = 7
"""How many words on each side decide about one: the sum of the network's distances."""
_SIGN, _NUMBER, _ORDINARY, _OPEN, _LISTED = range(5)
_BLOCK = 250_000
"""Multiplications that OpenBLAS does in one thread."""
_KNOWN_WORDS = 20_000
"""Words whose vectors are kept; past it they are made anew."""


class WordVectors:
    """The vector of each word, and what it adds to the first turn of its neighbours; made once a word."""

    def __init__(self, arrays: Mapping[str, Array], unlisted: Collection[str]) -> None:
        self._word, self._part = _table(arrays, "word.weight"), _table(arrays, "part.weight")
        self._shape: Array = arrays["shape.weight"].astype(np.float32)
        self._enter: Array = arrays["enter.weight"].astype(np.float32).T
        self._enter_bias: Array = arrays["enter.bias"].astype(np.float32)
        lists = arrays["list_names"].tolist()
        self._bits = np.arange(len(lists))
        self._ordinary = _bits_of(ORDINARY_WORDS, lists)
        self._names = _bits_of(NAME_LISTS, lists)
        self._lists: dict[int, int] = dict(
            zip(arrays["names"].tolist(), arrays["lists"].tolist(), strict=True)
        )
        for key in {name_key(word) for word in unlisted} & self._lists.keys():
            self._lists[key] &= ~_bits_of(NAME_LISTS, lists)
        first = arrays["turns.0.weight"].astype(np.float32)
        self._first = np.concatenate([first[:, :, place].T for place in range(3)], axis=1)
        self._first_bias: Array = arrays["turns.0.bias"].astype(np.float32)
        self._width = first.shape[0]
        self._gaps = self._with_first(arrays["gap.weight"].astype(np.float32))
        self._rows: Array = np.zeros((0, 4 * self._width + 1), dtype=np.float32)
        self._row_of: dict[int, int] = {}
        self._lock = threading.Lock()

    def rows(self, words: Sequence[str]) -> Array:
        """What is known of each word, words x features."""
        # By hash: the words of a text, names among them, are not kept.
        keys = [hash(word) for word in words]
        with self._lock:
            new = {key: word for key, word in zip(keys, words, strict=True) if key not in self._row_of}
            if new:
                if len(self._row_of) + len(new) > _KNOWN_WORDS:
                    self._row_of = {}
                    new = dict(zip(keys, words, strict=True))
                self._remember(new)
            return self._rows[[self._row_of[key] for key in keys]]

    def may_be_named(self, rows: Array, *, is_key: bool = False) -> Array:
        """Whether each word may be a part of a name: none that is ordinary, and no number without words.

        In what may be a key of JSON or a command, only a word that is listed as a name.
        """
        kinds = rows[:, -1]
        words_before = np.concatenate([[0], np.cumsum(kinds >= _ORDINARY)])
        places = np.arange(len(rows))
        last, first = np.minimum(places + _REACH + 1, len(rows)), np.maximum(places - _REACH, 0)
        is_among_words = words_before[last] > words_before[first]
        named: Array = (kinds >= (_LISTED if is_key else _OPEN)) | ((kinds == _NUMBER) & is_among_words)
        return named

    def looks(self, rows: Array, gaps: Array) -> tuple[Array, Array]:
        """The words' vectors, and the result of the first turn, each words x width."""
        width = self._width
        rows = rows[:, :-1] + self._gaps[gaps]
        first = rows[:, 2 * width : 3 * width] + self._first_bias
        first[1:] += rows[:-1, width : 2 * width]
        first[:-1] += rows[1:, 3 * width :]
        return rows[:, :width], first

    def _remember(self, new: Mapping[int, str]) -> None:
        known = len(self._row_of)
        if known + len(new) > len(self._rows):
            more = max(len(self._rows), len(new), 1024)
            self._rows = np.concatenate([self._rows, np.zeros((more, 4 * self._width + 1), dtype=np.float32)])
        self._rows[known : known + len(new)] = self._made([*new.values()])
        self._row_of.update(zip(new, range(known, known + len(new)), strict=True))

    def _made(self, words: Sequence[str]) -> Array:
        looks = [features_of(word) for word in words]
        counts = [len(look.parts) for look in looks]
        parts = self._part[[part for look in looks for part in look.parts]]
        means = np.add.reduceat(parts, np.cumsum([0, *counts[:-1]]), axis=0) / np.array(counts)[:, None]
        lists = np.array([self._lists.get(name_key(word), 0) for word in words])
        is_known = np.array(
            [has_identity(word, bits) for word, bits in zip(words, lists.tolist(), strict=True)]
        )
        entered = np.concatenate(
            [
                self._word[[look.word for look in looks]] * is_known[:, None],
                means,
                self._shape[[look.shape for look in looks]],
                (lists[:, None] >> self._bits & 1).astype(np.float32),
            ],
            axis=1,
        )
        kinds = np.array([[self._kind(word, bits)] for word, bits in zip(words, lists.tolist(), strict=True)])
        vectors = self._with_first(product(entered, self._enter) + self._enter_bias)
        return np.concatenate([vectors, kinds], axis=1, dtype=np.float32)

    def _kind(self, word: str, lists: int) -> int:
        if not word.isalpha():
            return _NUMBER if word.isalnum() else _SIGN
        is_ordinary = word.islower() and lists & self._ordinary and not lists & ~self._ordinary
        if is_ordinary:
            return _ORDINARY
        return _LISTED if lists & self._names else _OPEN

    def _with_first(self, vectors: Array) -> Array:
        """Vectors beside what they add to the word after, to themselves and to the word before."""
        added = product(vectors, self._first)
        return np.concatenate([vectors, added], axis=1).astype(np.float32)


def product(rows: Array, weight: Array) -> Array:
    """The matrix product, in blocks so small that BLAS starts no threads; they would wait more than work."""
    size = max(1, _BLOCK // weight.size)
    blocks = -(-len(rows) // size)
    padded = np.zeros((blocks * size, rows.shape[1]), dtype=np.float32)
    padded[: len(rows)] = rows
    product: Array = padded.reshape(blocks, size, -1) @ weight
    return product.reshape(blocks * size, -1)[: len(rows)]


def _bits_of(wanted: Collection[str], lists: Sequence[str]) -> int:
    return sum(1 << bit for bit, name in enumerate(lists) if name in wanted)


def _table(arrays: Mapping[str, Array], name: str) -> Array:
    return arrays[name].astype(np.float32) * arrays[f"{name}.scale"].astype(np.float32)
