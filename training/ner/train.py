"""Trains the basic tier's name recognizer and writes its weights into the package."""

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import Tensor, nn

from ringfence.guardrails.word_features import ORDINARY_WORDS
from training.ner.batches import NO_LABEL, WORDS_AT_ONCE, batches
from training.ner.corpus import Corpus
from training.ner.examples import Example, example_of
from training.ner.gazetteer import LISTS, gazetteer
from training.ner.network import TABLES, Network
from training.ner.templates import ENTITIES

WEIGHTS = Path(__file__).parents[2] / "guardrails" / "basic_ner.npz"
_HIGHEST_RATE = 2e-3
_LEAST_SHARE_OF_RATE = 0.02
_WARM_UP_STEPS = 200
_WORDS_IN_A_BATCH = WORDS_AT_ONCE - 300
"""About, for batches are seldom full."""


def train(*, texts: int, rounds: int, seed: int, width: int, out: Path) -> None:
    """Make the corpus, train, and write the weights."""
    # The same sums in the same order on every machine; a second thread saves little time.
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    corpus = Corpus(seed)
    known = gazetteer(corpus.plain_texts())
    _say(f"{len(known):,} words in the lists")
    training = Training(
        Network([name in ORDINARY_WORDS for name in LISTS], width), known, rounds, Random(seed)
    )
    for turn in range(1, rounds + 1):
        examples = [example for example in map(example_of, corpus.texts(texts)) if example.words]
        _say(f"round {turn}/{rounds}: loss {training.round(examples):.4f}")
    save(training.network, known, out)
    _say(f"{out}: {out.stat().st_size / 1e6:.1f} MB")


class Training:
    """A network's way from random weights to good ones."""

    def __init__(self, network: Network, known: Mapping[int, int], rounds: int, chooser: Random) -> None:
        self.network = network
        self._known = known
        self._rounds = rounds
        self._chooser = chooser
        self._optimizers = (
            torch.optim.Adam(network.others(), betas=(0.9, 0.98)),
            torch.optim.SparseAdam(network.tables(), betas=(0.9, 0.98)),
        )
        self._loss = nn.CrossEntropyLoss(ignore_index=NO_LABEL, label_smoothing=0.03)
        self._steps_in_all = 0
        self._steps_done = 0

    def round(self, examples: Sequence[Example]) -> float:
        """Learn from each of the examples once; the mean loss."""
        if not self._steps_in_all:
            words = sum(len(example.words) for example in examples)
            self._steps_in_all = self._rounds * (words // _WORDS_IN_A_BATCH + 1)
        losses = [self._step(batch) for batch in batches(examples, self._known, self._chooser)]
        return sum(losses) / len(losses)

    def _step(self, batch: dict[str, Tensor]) -> float:
        for optimizer in self._optimizers:
            optimizer.param_groups[0]["lr"] = self._rate()
        scores = self.network(batch, forget=True)
        loss = self._loss(scores.flatten(0, 1), batch["labels"].flatten())
        self.network.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.others(), 1.0)
        for optimizer in self._optimizers:
            optimizer.step()
        self._steps_done += 1
        return float(loss.item())

    def _rate(self) -> float:
        """The learning rate: up within the first steps, then down to nearly nothing."""
        warmth = min(1.0, (self._steps_done + 1) / _WARM_UP_STEPS)
        return _HIGHEST_RATE * warmth * max(_LEAST_SHARE_OF_RATE, 1 - self._steps_done / self._steps_in_all)


def save(network: Network, known: Mapping[int, int], file: Path) -> None:
    """The weights as the package reads them: tables as bytes with a scale, the rest in half precision."""
    arrays: dict[str, np.ndarray] = {}
    for name, value in network.state_dict().items():
        array = value.detach().numpy().astype(np.float32)
        if name in TABLES:
            scale = np.maximum(np.abs(array).max(axis=1, keepdims=True), 1e-6) / 127
            arrays[f"{name}.scale"] = scale.astype(np.float16)
            arrays[name] = np.round(array / scale).astype(np.int8)
        else:
            arrays[name] = array.astype(np.float16)
    keys = sorted(known)
    arrays["names"] = np.array(keys, dtype=np.uint32)
    arrays["lists"] = np.array([known[key] for key in keys], dtype=np.uint16)
    arrays["list_names"] = np.array(LISTS)
    arrays["entities"] = np.array(ENTITIES)
    np.savez_compressed(file, allow_pickle=False, **arrays)


def _say(progress: str) -> None:
    print(f"{progress} ({time.process_time():.0f} CPU s)", flush=True)


def main() -> None:
    """Make everything anew."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    options.add_argument("--texts", type=int, default=100_000, help="texts in a round, all of them new")
    options.add_argument("--rounds", type=int, default=11, help="how many times")
    options.add_argument("--seed", type=int, default=1, help="of the texts and the first weights")
    options.add_argument("--width", type=int, default=128, help="of the network's layers")
    options.add_argument("--out", type=Path, default=WEIGHTS, help="file for the weights")
    train(**vars(options.parse_args()))


if __name__ == "__main__":
    main()
