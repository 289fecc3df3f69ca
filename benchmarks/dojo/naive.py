"""The simplest taint that anybody would write, to measure the gate's questions beside."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from benchmarks.dojo.world import Ran


def naive_questions(
    prompt: str, ran: Sequence[Ran], *, read_only: Collection[str], trusted: Collection[str] = ()
) -> list[str]:
    """The calls about which a person would be asked if each value that only a tool said were suspect.

    A text counts as the user's when it stands anywhere in what the user wrote, and as a tool's when it
    stands anywhere in a result before the call. Numbers are nobody's, and trusted tools are believed, as by
    the gate.
    """
    asked, read = [], ""
    for one in ran:
        if one.call.tool not in read_only:
            texts = [*_texts(dict(one.call.arguments))]
            tainted = any(text in read and text not in prompt.casefold() for text in texts)
            asked += [one.call.tool] if tainted else []
        read += "" if one.call.tool in trusted else one.result.casefold() + "\n"
    return asked


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str() if value:
            yield value.casefold()
        case dict():
            for inner in value.values():
                yield from _texts(inner)
        case list() | tuple():
            for inner in value:
                yield from _texts(inner)
