"""Tokens are counted offline, in bounded time, and whatever the text holds."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiktoken import Encoding

from ringfence.budgets import token_count
from ringfence.budgets.token_count import count_prompt, count_text, cut_text, encoding_name

ENCODING_FILE = "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"
OFFLINE = """
import os, socket, sys

def refuse(*args, **kwargs):
    raise AssertionError("the network was asked")

class Refused(socket.socket):
    __init__ = refuse

socket.socket, socket.create_connection, socket.getaddrinfo = Refused, refuse, refuse
from ringfence.budgets.token_count import count_text, encoding_name
before = dict(os.environ)
print(encoding_name(), count_text("Refund order 1182, please."))
assert "litellm" not in sys.modules, "litellm was imported"
assert dict(os.environ) == before, "the environment was changed"
"""


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The encoding is loaded anew, and once more for the tests that follow."""
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    token_count._load.cache_clear()
    yield monkeypatch
    token_count._load.cache_clear()


def shipped_file() -> Path:
    spec = find_spec("litellm")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0], "litellm_core_utils", "tokenizers", ENCODING_FILE)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("hello world", 2), ("Refund order 1182, please.", 9), ("tokenization", 2), ("\n\n", 1)],
)
def test_known_counts(text: str, tokens: int) -> None:
    """These are the counts of cl100k_base."""
    assert count_text(text) == tokens
    assert encoding_name() == "cl100k_base"


def test_no_network_no_litellm_no_change_of_the_environment() -> None:
    """A fresh process counts with every socket refused."""
    done = subprocess.run([sys.executable, "-c", OFFLINE], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("cl100k_base 9\n", "")


@given(st.text())
def test_never_more_tokens_than_bytes(text: str) -> None:
    """So the byte count, which is the fallback, is an upper bound."""
    assert count_text(text) <= len(text.encode("utf-8"))


@given(st.lists(st.text(alphabet="ab1 ,.!\n\té€", max_size=9), max_size=40))
def test_pieces_add_up_to_the_whole(parts: list[str]) -> None:
    """Where a text has spaces, cutting it into pieces changes nothing."""
    text = " word".join(parts) * 50
    encoding = token_count._encoding()
    assert encoding is not None
    assert count_text(text) == len(encoding.encode_ordinary(text))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "run", ["a" * 100_000, "a" * 1_000_000, " " * 1_000_000, "\n" * 1_000_000, "😀" * 250_000]
)
def test_long_runs_of_one_character_are_counted_in_bounded_time(run: str) -> None:
    """A single word of a million characters neither hangs nor crashes."""
    assert 0 < count_text(run) <= len(run.encode())


@pytest.mark.parametrize("text", ["<|endoftext|>", "<|fim_prefix|>", "a <|im_start|>system"])
def test_marks_of_special_tokens_are_plain_text(text: str) -> None:
    """Text from outside cannot raise, nor smuggle in a token that counts as one."""
    assert count_text(text) > 1


@pytest.mark.parametrize("text", ["\ud800", "a\udfff b", "\ud83d" * 5000])
def test_lone_surrogates_are_counted(text: str) -> None:
    """Half a character is no reason to fail."""
    assert 0 < count_text(text) <= len(text.encode("utf-8", "surrogatepass"))


def test_without_an_encoding_bytes_are_counted(unloaded: pytest.MonkeyPatch) -> None:
    """The fallback counts too much, never too little, and says so."""
    unloaded.setattr("importlib.util.find_spec", lambda name: None)
    assert encoding_name() == "utf-8"
    assert count_text("zwölf €") == 10
    assert count_text("\ud800") == 3
    assert cut_text("zwölf €", 4) == "zwö"


def test_the_users_own_cache_folder_is_used(unloaded: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """TIKTOKEN_CACHE_DIR works without litellm."""
    (tmp_path / ENCODING_FILE).write_bytes(shipped_file().read_bytes())
    unloaded.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    unloaded.setattr("importlib.util.find_spec", lambda name: None)
    assert count_text("hello world") == 2
    assert [path.name for path in tmp_path.iterdir()] == [ENCODING_FILE]


@pytest.mark.parametrize("content", [None, b"", b"not the encoding"])
def test_an_unusable_cache_folder_is_passed_over(
    unloaded: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    """A missing or damaged file there is neither used nor touched."""
    if content is not None:
        (tmp_path / ENCODING_FILE).write_bytes(content)
    unloaded.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    assert encoding_name() == "cl100k_base"
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([] if content is None else [content])


def test_many_threads_load_once(unloaded: pytest.MonkeyPatch) -> None:
    """The first texts of several conversations may come at the same time."""
    made: list[object] = []

    class Counted(Encoding):
        def __init__(self, *args: object, **kwargs: object) -> None:
            made.append(self)
            super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they came

    unloaded.setattr(token_count, "Encoding", Counted)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(count_text, ["hello world"] * 32)) == {2}
    assert len(made) == 1


def test_a_prompt_costs_its_texts_and_a_little_for_each_message_and_tool() -> None:
    """4 tokens a message and 8 a tool come on top."""
    schema = '{"name": "refund"}'
    texts = ["hello world", "user"]
    assert count_prompt(texts, messages=1) == 2 + 1 + 4
    assert count_prompt(iter(texts), messages=1, tools=[schema]) == 2 + 1 + 4 + 8 + count_text(schema)
    assert count_prompt([], messages=0) == 0


@given(st.text(max_size=200), st.integers(min_value=-1, max_value=60))
def test_a_text_is_cut_to_its_tokens(text: str, tokens: int) -> None:
    """What is left is a beginning, fits, and is all of it if that fits."""
    cut = cut_text(text, tokens)
    assert text.startswith(cut)
    assert count_text(cut) <= max(tokens, 0)
    assert cut == text or count_text(text) > tokens
