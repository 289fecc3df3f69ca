"""The network in training: words to vectors, three convolutions over their neighbours, a label for each."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ringfence.guardrails.word_features import GAPS, PART_ROWS, SHAPES, WORD_ROWS
from training.ner.examples import LABELS

DILATIONS = (1, 2, 4)
TABLES = ("word.weight", "part.weight")
"""The weights of which a batch touches few rows."""
_WORD_WIDTH, _PART_WIDTH, _SHAPE_WIDTH = 48, 64, 16
_FORGOTTEN = (0.25, 0.1, 0.4)
"""The share of words whose identity, lists of ordinary words, lists of names are not seen."""


class Network(nn.Module):
    """Labels each word of a batch of texts."""

    def __init__(self, ordinary_lists: Sequence[bool], width: int = 96) -> None:
        """A network that gets to see these word lists; True for those of ordinary words."""
        super().__init__()
        self._is_ordinary = torch.tensor(ordinary_lists)
        self.word = nn.Embedding(WORD_ROWS, _WORD_WIDTH, sparse=True)
        self.part = nn.EmbeddingBag(PART_ROWS, _PART_WIDTH, mode="mean", sparse=True)
        self.shape = nn.Embedding(SHAPES, _SHAPE_WIDTH)
        self.enter = nn.Linear(_WORD_WIDTH + _PART_WIDTH + _SHAPE_WIDTH + len(ordinary_lists), width)
        self.gap = nn.Embedding(GAPS, width)
        self.turns = nn.ModuleList(nn.Conv1d(width, width, 3, dilation=n, padding=n) for n in DILATIONS)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in DILATIONS)
        self.leave = nn.Linear(width, len(LABELS))
        for table in (self.word, self.part):
            nn.init.normal_(table.weight, std=0.3)
        self.dropout = nn.Dropout(0.15)

    def tables(self) -> list[nn.Parameter]:
        """The embeddings, which get sparse gradients."""
        return [self.word.weight, self.part.weight]

    def others(self) -> list[nn.Parameter]:
        """The weights that every batch touches."""
        return [value for name, value in self.named_parameters() if name not in TABLES]

    def forward(self, batch: dict[str, Tensor], *, forget: bool = False) -> Tensor:
        """Scores of each label, texts by words by labels.

        With `forget`, the network does not get to see some words' identity or lists, so that it learns to
        judge words that it never met.
        """
        word, lists = self.word(batch["word"]) * batch["has_identity"][:, None], batch["lists"]
        if forget:
            seen = torch.rand(len(word), 3, device=word.device) > torch.tensor(_FORGOTTEN)
            word = word * seen[:, :1]
            lists = lists * torch.where(self._is_ordinary, seen[:, 1:2], seen[:, 2:])
        looks = (word, self.part(batch["parts"], batch["offsets"]), self.shape(batch["shape"]), lists)
        words = self.enter(self.dropout(torch.cat(looks, dim=1)))
        hidden = words[batch["places"]] + self.gap(batch["gaps"])
        hidden = hidden * batch["mask"][..., None]
        for turn, norm in zip(self.turns, self.norms, strict=True):
            around = turn(hidden.transpose(1, 2)).transpose(1, 2)
            hidden = norm(hidden + self.dropout(torch.relu(around))) * batch["mask"][..., None]
        return self.leave(hidden)
