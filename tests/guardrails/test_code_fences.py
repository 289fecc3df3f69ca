"""Code in a text is told from prose, place by place."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.guardrails.code_fences import code_spans, prose


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Jane", "Jane"),
        ("a `Jane` b", "a        b"),
        ("a ``Jane ` x`` b", "a              b"),
        ("x\n```py\nJane\n```\nBob", "x\n              \nBob"),
        ("~~~\nJane\n~~~~", " " * 13),
        ("> ```\n> Jane\n> ```", " " * 18),
        ("```x``` Jane", "        Jane"),
        ("`a` Jane `b`", "    Jane    "),
    ],
)
def test_code_becomes_spaces(text: str, shown: str) -> None:
    """Everything else stays where it is."""
    assert prose(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "```\nJane never closes it",
        "```\nJane\n~~~",
        "````\nJane\n```",
        "`Jane",
        "`Jane\nDoe`",
        "It`s Jane Doe`s",
        "O`Neil and Jane` too",
        " `Jane Doe`s",
        "``Jane`",
    ],
)
def test_what_never_closes_is_text(text: str) -> None:
    """Nobody hides a name by opening a fence; a backtick within a word is an apostrophe."""
    assert prose(text) == text


@given(st.lists(st.sampled_from(["```", "``", "`", "~~~", "\n", "a", " ", "Jane", "> "])).map("".join))
def test_places_are_kept(text: str) -> None:
    """Spans are in order and apart, and the text stays as long as it is."""
    spans = code_spans(text)
    assert all(start < end for start, end in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    shown = prose(text)
    assert len(shown) == len(text)
    assert prose(shown) == shown or "`" in shown or "~" in shown


@pytest.mark.timeout(20)
@pytest.mark.parametrize("run", ["`", "``\n", "```\n", "~~~\n", "` ", "`a``b```c", "a`\n"])
def test_it_takes_linear_time_on_hostile_runs(run: str) -> None:
    """Each backtick is looked at once."""
    assert len(prose(run * 100_000)) == len(run) * 100_000
