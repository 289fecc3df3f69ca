"""How many tokens a text is, counted without a network.

>>> count_text("Refund order 1182, please.")
9

The count is that of the public encoding `cl100k_base`. Other models cut texts up differently, by some per
cent in English: it is an estimate to reserve by, and the provider's own figure is what settles.

tiktoken would download the encoding at first use. It is read from the user's `TIKTOKEN_CACHE_DIR` instead,
or else from the copy that litellm carries, which guardrails-ai brings along. Without either, a text counts
as its UTF-8 bytes: no byte-level encoding makes more tokens than bytes. `encoding_name` says which it is.
"""

import base64
import functools
import hashlib
import importlib.util
import os
import re
import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from tiktoken import Encoding

__all__ = ["TOKENS_PER_MESSAGE", "TOKENS_PER_TOOL", "count_prompt", "count_text", "cut_text", "encoding_name"]

TOKENS_PER_MESSAGE = 4
"""What a message costs beside its texts: the marks around it and its role."""
TOKENS_PER_TOOL = 8
"""What an offered tool costs beside its schema."""

_FILE_NAME = "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"
"""The name under which tiktoken caches the encoding: the SHA-1 of the address that it has it from."""
_FILE_SHA256 = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
_WORDS = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
"""How cl100k_base cuts a text into words before it looks at letters; part of the encoding's definition."""

# A run of one character is a single word to the encoding. The time for a word may grow with the square of its
# length, and a very long one has crashed tiktoken, so no more than this is handed over at once. A piece ends
# before a space that follows a word, where the encoding itself would cut, so the sum is the count of the
# whole; only inside a run that offers no such place do the cuts add tokens.
_PIECE = re.compile(r".{1,4000}\Z|.{1,4000}(?<=\S)(?= )|.{1,4000}", re.DOTALL)

_lock = threading.Lock()


def count_text(text: str) -> int:
    """Tokens of a text; the marks of special tokens in it count as the plain text that they are here.

    A run of thousands of characters without a space is counted in pieces, and then a little too high.
    """
    encoding = _encoding()
    if encoding is None:
        return len(text.encode("utf-8", "surrogatepass"))
    return sum(len(encoding.encode_ordinary(piece[0])) for piece in _PIECE.finditer(text))


def cut_text(text: str, tokens: int) -> str:
    """The beginning of a text that these tokens reach to; the text itself when it has no more."""
    if count_text(text) <= tokens:
        return text
    room = max(tokens, 0)
    encoding = _encoding()
    if encoding is None:
        return text.encode("utf-8", "replace")[:room].decode("utf-8", "ignore")
    numbers = (number for piece in _PIECE.finditer(text) for number in encoding.encode_ordinary(piece[0]))
    return text[: len(encoding.decode(list(islice(numbers, room)), errors="ignore"))]


def count_prompt(texts: Iterable[str], *, messages: int, tools: Iterable[str] = ()) -> int:
    """Tokens of a prompt: its texts, what each message costs beside them, and the offered tools.

    Args:
        texts: Every text of the messages, names of sources and functions, arguments and results included.
        messages: How many messages the texts are from.
        tools: The JSON schema of each offered tool, as text.
    """
    schemas = list(tools)
    overhead = messages * TOKENS_PER_MESSAGE + len(schemas) * TOKENS_PER_TOOL
    return overhead + sum(map(count_text, texts)) + sum(map(count_text, schemas))


def encoding_name() -> str:
    """What is counted: `cl100k_base`, or `utf-8` when there is no encoding file and bytes are counted."""
    encoding = _encoding()
    return encoding.name if encoding else "utf-8"


def _encoding() -> Encoding | None:
    # A cached function alone would let two threads that come first load it twice.
    with _lock:
        return _load()


@functools.cache
def _load() -> Encoding | None:
    for folder in _folders():
        try:
            content = (folder / _FILE_NAME).read_bytes()
        except OSError:
            continue
        if hashlib.sha256(content).hexdigest() != _FILE_SHA256:
            continue
        ranks = (line.split() for line in content.splitlines() if line)
        return Encoding(
            "cl100k_base",
            pat_str=_WORDS,
            mergeable_ranks={base64.b64decode(token): int(rank) for token, rank in ranks},
            special_tokens={},
        )
    return None


def _folders() -> Iterator[Path]:
    if own := os.environ.get("TIKTOKEN_CACHE_DIR"):
        yield Path(own)
    # Only located, never imported: litellm takes seconds and fetches a price list when it is imported.
    spec = importlib.util.find_spec("litellm")
    for folder in (spec and spec.submodule_search_locations) or ():
        yield Path(folder, "litellm_core_utils", "tokenizers")
