"""The basic tier's name recognizer: a small network of our own, embedded, with nothing to download."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from ringfence.guardrails.word_features import TOKEN, gap_before
from ringfence.guardrails.word_vectors import Array, WordVectors, product

_DILATIONS = (1, 2, 4)
"""How far apart the words are that each of the network's turns looks at."""
_SURE = 0.4
"""Least probability of a word's being a part of any name, of one word of a name at least."""
_LEAST = 0.1
"""Of the words beside it: `Doe` is a deer, but not behind `Jane`."""
_BESIDE_NAMES = ("DATE_TIME", "AGE", "TITLE")
"""What is no part of a name that stands beside it: a date that is allowed must not take a name along."""
_KEY = re.compile(r"[a-z0-9_.-]*")
"""A text that may be a key of JSON, a command or a column: one word in small letters."""
_BETWEEN_LINES = re.compile(r"[ ,;]{1,2}|,?\n")
"""What may stand between the parts of an address."""


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
        """Read the weights; the lists of names do not know `unlisted` words, to measure names never seen."""
        with np.load(weights or str(files("ringfence.guardrails") / "basic_ner.npz")) as read:
            arrays = {name: read[name] for name in read.files}
        self._entities: list[str] = arrays["entities"].tolist()
        self._side = [place for place, entity in enumerate(self._entities) if entity in _BESIDE_NAMES]
        self._words = WordVectors(arrays, unlisted)
        self._turns = [_stacked(arrays[f"turns.{turn}.weight"]) for turn in range(1, len(_DILATIONS))]
        self._weights = {name: array.astype(np.float32) for name, array in arrays.items() if _is_small(name)}

    def spans(self, text: str) -> list[NamedSpan]:
        """The spans of a text of any length, in order, without overlaps."""
        places = [match.span() for match in TOKEN.finditer(text)]
        rows = self._words.rows([text[start:end] for start, end in places])
        words = _with_gaps(
            np.flatnonzero(self._words.may_be_named(rows, is_key=_KEY.fullmatch(text) is not None))
        )
        if not len(words):
            return []
        odds = self._odds(rows, _gaps(text, places), words)
        is_named = _near_sure(words, 1 - odds[:, 0])
        found = self._joined([places[word] for word in words[is_named]], words[is_named], odds[is_named])
        return _whole_addresses(text, found)

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
        scores = product(hidden[words], self._weights["leave.weight"].T) + self._weights["leave.bias"]
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
        is_side = np.isin((begins + goes_on).argmax(axis=1), self._side)
        changes = np.diff(is_side, prepend=is_side[0])
        borders = np.flatnonzero((np.diff(words, prepend=-2) > 1) | starts | changes)
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


def _whole_addresses(text: str, spans: Sequence[NamedSpan]) -> list[NamedSpan]:
    """The same with the parts of an address in one: places beside each other, one of them with a number."""
    whole: list[NamedSpan] = []
    for span in spans:
        last = whole[-1] if whole else span
        between = text[last.end : span.start]
        is_address = last.entity == span.entity == "LOCATION" and _BETWEEN_LINES.fullmatch(between)
        if is_address and any(map(str.isdigit, text[last.start : span.end])):
            score = max(last.score, span.score)
            whole[-1] = NamedSpan(span.entity, last.start, span.end, score)
        else:
            whole.append(span)
    return whole


def _near_sure(words: Array, named: Array) -> Array:
    """Which words belong to a name: a run of likely ones with a sure one among them."""
    likely = named >= _LEAST
    numbers = np.cumsum(np.diff(words, prepend=-2, append=-2)[:-1] > 1) + np.cumsum(~likely)
    sure = np.unique(numbers[(named >= _SURE) & likely])
    near: Array = likely & np.isin(numbers, sure)
    return near


def _stacked(weight: Array) -> Array:
    """A convolution's weights: for the word before, the word itself and the word after."""
    return np.ascontiguousarray(weight.transpose(2, 1, 0), dtype=np.float32)


def _turned(hidden: Array, judged: Array, weight: Array, distance: int) -> Array:
    """A convolution at some of the words."""
    edge = np.zeros((distance, hidden.shape[1]), dtype=np.float32)
    padded = np.concatenate([edge, hidden, edge])
    before, here, after = (product(padded[judged + place * distance], weight[place]) for place in range(3))
    around: Array = before + here + after
    return around


def _with_gaps(words: Array) -> Array:
    """The places, and those of up to two words between two of them, such as the `of` of a name."""
    spaces = np.diff(words)
    single = words[:-1][(spaces == 2) | (spaces == 3)] + 1  # noqa: PLR2004 - one or two words between
    double = words[:-1][spaces == 3] + 2  # noqa: PLR2004 - likewise
    return np.sort(np.concatenate([words, single, double]))


def _gaps(text: str, places: Sequence[tuple[int, int]]) -> Array:
    ends = [0, *(end for _, end in places)]
    return np.array(
        [gap_before(text, end, start) for (start, _), end in zip(places, ends, strict=False)], dtype=np.intp
    )


def _is_small(name: str) -> bool:
    return name.startswith(("turns.", "norms.", "leave.")) and not name.endswith("turns.weight")
