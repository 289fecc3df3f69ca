"""What the benchmark of streaming measures is what it says it measures."""

import pytest
from autogen_core.models import UserMessage

from benchmarks.streaming import POLICIES, Progress, Shown, WordByWord, Written, ringfence_of, show, texts

TEXT = Written("plain", "It has left the depot. It comes later. Until then we wait.", (22, 38, 58))


def test_texts_have_a_few_sentences_and_are_never_the_same() -> None:
    """Of each kind; another run measures the same ones."""
    written = texts(60, 3)
    assert len({one.text for one in written}) == 60
    assert {one.kind for one in written} == {"plain", "names", "addresses", "numbers", "code", "German"}
    assert all(3 <= len(one.ends) <= 12 and one.ends[-1] == len(one.text) for one in written)
    assert all(one.text[end - 1] in ".!?`" for one in written for end in one.ends)
    assert [one for one in written if "{" in one.text or "}" in one.text] == []
    assert texts(60, 3) == written


def test_sentences_are_finished_with_their_last_sign() -> None:
    """Not before."""
    assert [TEXT.finished(place) for place in (0, 21, 22, 37, 38, 58)] == [0, 0, 1, 1, 2, 3]


async def test_the_stand_in_writes_the_text_and_no_other() -> None:
    """Word by word, and counts as it goes."""
    progress = Progress()
    model = WordByWord(TEXT.text, progress=progress)
    asked = [UserMessage(content="Go.", source="user")]
    counted = [
        (item, progress.produced) async for item in model.create_stream(asked) if isinstance(item, str)
    ]
    assert "".join(word for word, _ in counted) == TEXT.text
    assert [count for _, count in counted][:3] == [3, 7, 12]
    assert "not a language model" in repr(model)
    assert model.held[-1] == len(TEXT.text)


@pytest.mark.parametrize("detection", POLICIES.values())
async def test_all_ways_to_the_user_are_compared(detection: str) -> None:
    """The pieces, the message behind them, and the message of a run without pieces."""
    ringfence = ringfence_of(detection)
    for written in texts(6, 5):
        shown = await show(ringfence, written, pause=0)
        assert shown.pieces == shown.final == shown.whole == written.text
        assert shown.is_alike
        assert shown.first is not None
        assert shown.held > 0
    await ringfence.close()


def test_a_difference_is_one() -> None:
    """Whichever of the three it is in."""
    alike = Shown(TEXT, 25, 9.0, "a", "a", "a")
    assert alike.is_alike
    assert not any(
        Shown(TEXT, 25, 9.0, *said).is_alike for said in (("b", "a", "a"), ("a", "b", "a"), ("a", "a", "b"))
    )


@pytest.mark.parametrize(("first", "finished"), [(23, 1), (37, 1), (38, 2), (58, 3), (None, 3)])
def test_first_sight_is_told_in_sentences(first: int | None, finished: int) -> None:
    """A text of which nothing is ever seen in pieces counts as seen at its end."""
    assert Shown(TEXT, first, 0.0, "", "", "").finished == finished
