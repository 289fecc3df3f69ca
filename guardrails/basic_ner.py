"""The basic tier's name recognizer: a small network of our own, embedded, with nothing to download."""

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from ringfence.guardrails.word_features import TOKEN, features_of, gap_before, name_key

Array = np.ndarray[Any, Any]

_DILATIONS = (1, 2, 4)
"""How far apart the words are that each of the network's turns looks at."""
_LEAST = 0.35
"""Least probability of a word's being a part of any name."""
_BLOCK = 250_000
"""Multiplications that OpenBLAS does in one thread."""
_KNOWN_WORDS = 20_000
"""Words whose vectors are kept; past it they are made anew."""


@dataclass(frozen=True, slots=True)
class NamedSpan:
    """A name or other piece of personal data that the network found."""

    entity: str
    """PERSON, LOCATION, ORGANIZATION, DATE_TIME, AGE, NRP or TITLE."""
    start: int
    end: int
    score: float
    """From 0 to 1."""


class BasicNer:
    """Finds names in a text. Safe to share between threads; linear in the text's length.

    Words become vectors (their letters, shape and the lists that hold them), three convolutions look at
    seven words on each side, and each word gets the probability of each label.
    """

    def __init__(self, *, weights: str | None = None, unlisted: Collection[str] = ()) -> None:
        """Read the weights; `unlisted` words are unknown to the lists, to measure names never seen."""
        with np.load(weights or str(files("ringfence.guardrails") / "basic_ner.npz")) as read:
            arrays = {name: read[name] for name in read.files}
        self._entities: list[str] = arrays["entities"].tolist()
        self._words = _WordVectors(arrays, unlisted)
        self._turns = [_stacked(arrays[f"turns.{turn}.weight"]) for turn in range(1, len(_DILATIONS))]
        self._weights = {name: array.astype(np.float32) for name, array in arrays.items() if _is_small(name)}

    def spans(self, text: str) -> list[NamedSpan]:
        """The spans of a text of any length, in order, without overlaps."""
        places = [match.span() for match in TOKEN.finditer(text)]
        if not places:
            return []
        odds = self._odds(text, places)
        return self._joined(places, odds, 1 - odds[:, 0])

    def _odds(self, text: str, places: Sequence[tuple[int, int]]) -> Array:
        """The probability of each label for each word, words x labels."""
        ends = [0, *(end for _, end in places)]
        gaps = [gap_before(text, end, start) for (start, _), end in zip(places, ends, strict=False)]
        looks, first = self._words.looks([text[start:end] for start, end in places], gaps)
        hidden = self._normed(looks + np.maximum(first, 0), 0)
        for turn, weight in enumerate(self._turns, start=1):
            around = _turned(hidden, weight, _DILATIONS[turn]) + self._weights[f"turns.{turn}.bias"]
            hidden = self._normed(hidden + np.maximum(around, 0), turn)
        scores = _product(hidden, self._weights["leave.weight"].T) + self._weights["leave.bias"]
        odds: Array = np.exp(scores - scores.max(axis=1, keepdims=True))
        odds /= odds.sum(axis=1, keepdims=True)
        return odds

    def _normed(self, hidden: Array, turn: int) -> Array:
        centred = hidden - hidden.mean(axis=1, keepdims=True)
        deviation = np.sqrt(np.einsum("ij,ij->i", centred, centred) / hidden.shape[1] + 1e-5)
        normed: Array = centred / deviation[:, None] * self._weights[f"norms.{turn}.weight"]
        normed += self._weights[f"norms.{turn}.bias"]
        return normed

    def _joined(self, places: Sequence[tuple[int, int]], odds: Array, named: Array) -> list[NamedSpan]:
        begins, goes_on = odds[:, 1::2], odds[:, 2::2]
        starts = begins.sum(axis=1) > goes_on.sum(axis=1)
        words = np.flatnonzero(named >= _LEAST)
        if not len(words):
            return []
        # One type for a whole name, judged by all of its words together.
        borders = np.flatnonzero((np.diff(words, prepend=-2) > 1) | starts[words])
        kinds = np.add.reduceat((begins + goes_on)[words], borders, axis=0).argmax(axis=1)
        lengths = np.diff(borders, append=len(words))
        scores = np.add.reduceat(named[words], borders) / lengths
        firsts, lasts = words[borders], words[borders + lengths - 1]
        return [
            NamedSpan(self._entities[kind], places[first][0], places[last][1], round(float(score), 3))
            for kind, first, last, score in zip(kinds, firsts, lasts, scores, strict=True)
        ]


class _WordVectors:
    """The vector of each word, and what it adds to the first turn of its neighbours; made once a word."""

    def __init__(self, arrays: Mapping[str, Array], unlisted: Collection[str]) -> None:
        self._word, self._part = _table(arrays, "word.weight"), _table(arrays, "part.weight")
        self._shape: Array = arrays["shape.weight"].astype(np.float32)
        self._enter: Array = arrays["enter.weight"].astype(np.float32).T
        self._enter_bias: Array = arrays["enter.bias"].astype(np.float32)
        hidden_keys = {name_key(word) for word in unlisted}
        listed = zip(arrays["names"].tolist(), arrays["lists"].tolist(), strict=True)
        self._lists = {key: bits for key, bits in listed if key not in hidden_keys}
        bits = self._enter.shape[0] - self._word.shape[1] - self._part.shape[1] - self._shape.shape[1]
        self._bits = np.arange(bits)
        first = arrays["turns.0.weight"].astype(np.float32)
        self._first = np.concatenate([first[:, :, place].T for place in range(3)], axis=1)
        self._first_bias: Array = arrays["turns.0.bias"].astype(np.float32)
        self._width = first.shape[0]
        self._gaps = self._with_first(arrays["gap.weight"].astype(np.float32))
        self._rows: Array = np.zeros((0, 4 * self._width), dtype=np.float32)
        self._row_of: dict[int, int] = {}
        self._lock = threading.Lock()

    def looks(self, words: Sequence[str], gaps: Sequence[int]) -> tuple[Array, Array]:
        """The words' vectors, and the result of the first turn, each words x width."""
        # By hash: the words of a text, names among them, are not kept.
        keys = [hash(word) for word in words]
        with self._lock:
            new = {key: word for key, word in zip(keys, words, strict=True) if key not in self._row_of}
            if new:
                if len(self._row_of) + len(new) > _KNOWN_WORDS:
                    self._row_of = {}
                    new = dict(zip(keys, words, strict=True))
                self._remember(new)
            rows = self._rows[[self._row_of[key] for key in keys]]
        rows = rows + self._gaps[list(gaps)]
        width = self._width
        first = rows[:, 2 * width : 3 * width] + self._first_bias
        first[1:] += rows[:-1, width : 2 * width]
        first[:-1] += rows[1:, 3 * width :]
        return rows[:, :width], first

    def _remember(self, new: Mapping[int, str]) -> None:
        known = len(self._row_of)
        if known + len(new) > len(self._rows):
            more = max(len(self._rows), len(new), 1024)
            self._rows = np.concatenate([self._rows, np.zeros((more, 4 * self._width), dtype=np.float32)])
        self._rows[known : known + len(new)] = self._made([*new.values()])
        self._row_of.update(zip(new, range(known, known + len(new)), strict=True))

    def _made(self, words: Sequence[str]) -> Array:
        looks = [features_of(word) for word in words]
        counts = [len(look.parts) for look in looks]
        parts = self._part[[part for look in looks for part in look.parts]]
        means = np.add.reduceat(parts, np.cumsum([0, *counts[:-1]]), axis=0) / np.array(counts)[:, None]
        lists = np.array([self._lists.get(name_key(word), 0) for word in words])
        entered = np.concatenate(
            [
                self._word[[look.word for look in looks]],
                means,
                self._shape[[look.shape for look in looks]],
                (lists[:, None] >> self._bits & 1).astype(np.float32),
            ],
            axis=1,
        )
        return self._with_first(_product(entered, self._enter) + self._enter_bias)

    def _with_first(self, vectors: Array) -> Array:
        """Vectors beside what they add to the word after, to themselves and to the word before."""
        added = _product(vectors, self._first)
        return np.concatenate([vectors, added], axis=1).astype(np.float32)


def _table(arrays: Mapping[str, Array], name: str) -> Array:
    return arrays[name].astype(np.float32) * arrays[f"{name}.scale"].astype(np.float32)


def _stacked(weight: Array) -> Array:
    """A convolution's weights: for the word before, the word itself and the word after."""
    return np.ascontiguousarray(weight.transpose(2, 1, 0), dtype=np.float32)


def _turned(hidden: Array, weight: Array, distance: int) -> Array:
    before, around, after = (_product(hidden, one) for one in weight)
    around[distance:] += before[:-distance]
    around[:-distance] += after[distance:]
    return around


def _product(rows: Array, weight: Array) -> Array:
    """The matrix product, in blocks so small that BLAS starts no threads; they would wait more than work."""
    size = max(1, _BLOCK // weight.size)
    blocks = -(-len(rows) // size)
    padded = np.zeros((blocks * size, rows.shape[1]), dtype=np.float32)
    padded[: len(rows)] = rows
    product: Array = padded.reshape(blocks, size, -1) @ weight
    return product.reshape(blocks * size, -1)[: len(rows)]


def _is_small(name: str) -> bool:
    return name.startswith(("turns.", "norms.", "leave.")) and not name.endswith("turns.weight")
