"""The basic tier's name recognizer: a small network of our own, embedded, with nothing to download."""

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from ringfence.guardrails.word_features import (
    ORDINARY_WORDS,
    TOKEN,
    features_of,
    gap_before,
    has_identity,
    name_key,
)

Array = np.ndarray[Any, Any]

_DILATIONS = (1, 2, 4)
"""How far apart the words are that each of the network's turns looks at."""
_REACH = 7
"""How many words on each side decide about one: the sum of the distances."""
_SIGN, _NUMBER, _ORDINARY, _OPEN = range(4)
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
        rows = self._words.rows([text[start:end] for start, end in places])
        words = _with_gaps(np.flatnonzero(self._words.may_be_named(rows)))
        if not len(words):
            return []
        odds = self._odds(rows, _gaps(text, places), words)
        named = 1 - odds[:, 0]
        is_named = named >= _LEAST
        return self._joined([places[word] for word in words[is_named]], words[is_named], odds[is_named])

    def _odds(self, rows: Array, gaps: Array, words: Array) -> Array:
        """The probability of each label for some of the words, words x labels."""
        looks, first = self._words.looks(rows, gaps)
        hidden = self._normed(looks + np.maximum(first, 0), 0)
        # What these words depend on, and no more.
        seen = [words]
        for distance in reversed(_DILATIONS[2:]):
            near = np.concatenate([seen[0] - distance, seen[0], seen[0] + distance])
            seen.insert(0, np.unique(near[(near >= 0) & (near < len(rows))]))
        for turn, (weight, judged) in enumerate(zip(self._turns, seen, strict=True), start=1):
            around = self._weights[f"turns.{turn}.bias"] + _turned(hidden, judged, weight, _DILATIONS[turn])
            changed = np.zeros_like(hidden)
            changed[judged] = self._normed(hidden[judged] + np.maximum(around, 0), turn)
            hidden = changed
        scores = _product(hidden[words], self._weights["leave.weight"].T) + self._weights["leave.bias"]
        odds: Array = np.exp(scores - scores.max(axis=1, keepdims=True))
        odds /= odds.sum(axis=1, keepdims=True)
        return odds

    def _normed(self, hidden: Array, turn: int) -> Array:
        centred = hidden - hidden.mean(axis=1, keepdims=True)
        deviation = np.sqrt(np.einsum("ij,ij->i", centred, centred) / hidden.shape[1] + 1e-5)
        normed: Array = centred / deviation[:, None] * self._weights[f"norms.{turn}.weight"]
        normed += self._weights[f"norms.{turn}.bias"]
        return normed

    def _joined(self, places: Sequence[tuple[int, int]], words: Array, odds: Array) -> list[NamedSpan]:
        """Spans of these words, which are parts of names; a number of each says where it stands."""
        if not places:
            return []
        begins, goes_on = odds[:, 1::2], odds[:, 2::2]
        starts = begins.sum(axis=1) > goes_on.sum(axis=1)
        # One type for a whole name, judged by all of its words together.
        borders = np.flatnonzero((np.diff(words, prepend=-2) > 1) | starts)
        kinds = np.add.reduceat(begins + goes_on, borders, axis=0).argmax(axis=1)
        lengths = np.diff(borders, append=len(words))
        scores = np.add.reduceat(1 - odds[:, 0], borders) / lengths
        return [
            NamedSpan(self._entities[kind], places[first][0], places[last][1], round(score, 3))
            for kind, first, last, score in zip(
                kinds.tolist(),
                borders.tolist(),
                (borders + lengths - 1).tolist(),
                scores.tolist(),
                strict=True,
            )
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
        lists = arrays["list_names"].tolist()
        self._bits = np.arange(len(lists))
        self._ordinary = sum(1 << bit for bit, name in enumerate(lists) if name in ORDINARY_WORDS)
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

    def may_be_named(self, rows: Array) -> Array:
        """Whether each word may be a part of a name: none that is ordinary, and no number without words."""
        kinds = rows[:, -1]
        words_before = np.concatenate([[0], np.cumsum(kinds >= _ORDINARY)])
        places = np.arange(len(rows))
        last, first = np.minimum(places + _REACH + 1, len(rows)), np.maximum(places - _REACH, 0)
        is_among_words = words_before[last] > words_before[first]
        named: Array = (kinds == _OPEN) | ((kinds == _NUMBER) & is_among_words)
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
        vectors = self._with_first(_product(entered, self._enter) + self._enter_bias)
        return np.concatenate([vectors, kinds], axis=1, dtype=np.float32)

    def _kind(self, word: str, lists: int) -> int:
        if not word.isalpha():
            return _NUMBER if word.isalnum() else _SIGN
        is_ordinary = word.islower() and lists & self._ordinary and not lists & ~self._ordinary
        return _ORDINARY if is_ordinary else _OPEN

    def _with_first(self, vectors: Array) -> Array:
        """Vectors beside what they add to the word after, to themselves and to the word before."""
        added = _product(vectors, self._first)
        return np.concatenate([vectors, added], axis=1).astype(np.float32)


def _table(arrays: Mapping[str, Array], name: str) -> Array:
    return arrays[name].astype(np.float32) * arrays[f"{name}.scale"].astype(np.float32)


def _stacked(weight: Array) -> Array:
    """A convolution's weights: for the word before, the word itself and the word after."""
    return np.ascontiguousarray(weight.transpose(2, 1, 0), dtype=np.float32)


def _turned(hidden: Array, judged: Array, weight: Array, distance: int) -> Array:
    """A convolution at some of the words."""
    edge = np.zeros((distance, hidden.shape[1]), dtype=np.float32)
    padded = np.concatenate([edge, hidden, edge])
    before, here, after = (_product(padded[judged + place * distance], weight[place]) for place in range(3))
    around: Array = before + here + after
    return around


def _with_gaps(words: Array) -> Array:
    """The places, and those of up to two words between two of them, such as the `of` of a name."""
    spaces = np.diff(words)
    single = words[:-1][(spaces == 2) | (spaces == 3)] + 1  # noqa: PLR2004 - one or two words between
    double = words[:-1][spaces == 3] + 2  # noqa: PLR2004
    return np.sort(np.concatenate([words, single, double]))


def _gaps(text: str, places: Sequence[tuple[int, int]]) -> Array:
    ends = [0, *(end for _, end in places)]
    return np.array(
        [gap_before(text, end, start) for (start, _), end in zip(places, ends, strict=False)], dtype=np.intp
    )


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
