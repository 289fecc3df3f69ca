"""A text in pieces is masked and revealed as if it had come whole, and nothing leaves too early."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.errors import GuardrailTripped
from ringfence.guardrails.clean_text import clean_text
from ringfence.guardrails.code_fences import prose
from ringfence.guardrails.presidio import Finding
from ringfence.guardrails.streaming import StreamedMask, StreamedReveal
from ringfence.guardrails.vault import Vault


def all_splits(text: str) -> Iterator[list[str]]:
    """Every way to cut a text into pieces."""
    for cuts in range(2 ** max(len(text) - 1, 0)):
        places = [0, *(place for place in range(1, len(text)) if cuts >> (place - 1) & 1), len(text)]
        yield [text[start:end] for start, end in pairwise(places)]


@st.composite
def pieces(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> list[str]:
    """A text, cut somewhere."""
    text = draw(texts)
    places = sorted(draw(st.sets(st.integers(0, len(text)), max_size=12)) | {0, len(text)})
    return [text[start:end] for start, end in pairwise(places)] or [text]


def people() -> Vault:
    """Jane is `<ID_1>`, JANE `<ID_1.2>`, and `<ID_12>` is Bob."""
    vault = Vault()
    for value in ["Jane", *"abcdefghij", "Bob"]:
        vault.pseudonym("ID", value)
    vault.pseudonym("PERSON", "Ann")
    vault.pseudonym("PERSON", "ANN")
    return vault


VAULT = people()


def outputs(parts: Sequence[str]) -> list[str]:
    """What goes out after each piece, and at the end."""
    reveal = StreamedReveal(VAULT)
    return [*(reveal.feed(part) for part in parts), reveal.finish()]


def check(parts: Sequence[str]) -> None:
    """The outputs are the whole text, revealed, and never too much."""
    whole = VAULT.reveal("".join(parts))
    assert "".join(outputs(parts)) == whole


class TestReveal:
    """Stand-ins that are cut anywhere."""

    @pytest.mark.parametrize(
        "text",
        [
            *("a <ID_1> b", "<ID_12>.", "<ID_1.2>", "ID_1, ID_12", "ID_1.2 x", "ID_1-a ID_1", "[ID_1](x)"),
            *(
                "[ID_1] (x)",
                "[ID_13]",
                "<id 1>'s",
                "xID_1 ID_1x",
                "<ID_1",
                "<<ID_1>>",
                r"\<ID\_1\>",
                "&lt;ID_1&gt;",
            ),
            *("\\u003cID_1>", "<b>ID</b>", "a < b & c", "IDENT ID_1s", "ID_1@a.co", "中ID_1文", "<ID_99>"),
        ],
    )
    def test_every_way_to_cut_a_short_text(self, text: str) -> None:
        """All of them, up to twelve characters."""
        for parts in all_splits(text[:12]):
            check(parts)

    @given(
        pieces(
            st.lists(
                st.sampled_from(
                    [
                        "<ID_1>",
                        "<PERSON_1.2>",
                        "PERSON_1",
                        "<",
                        ">",
                        "[",
                        "]",
                        "(",
                        "ID",
                        "_",
                        "1",
                        ".2",
                        "s",
                        "-a",
                        "\\",
                        "\\u003c",
                        "\\u003e",
                        "&lt;",
                        "&gt;",
                        "%3C",
                        "%3E",
                        " ",
                        "x",
                        "É",
                        "中",
                        "person",
                        "@",
                    ]
                ),
                max_size=10,
            ).map("".join)
        )
    )
    def test_any_way_to_cut_any_text(self, parts: list[str]) -> None:
        """Made of what stand-ins are made of."""
        check(parts)

    @pytest.mark.parametrize(
        ("text", "at_once"),
        [
            ("Hello, world", "Hello, world"),
            ("HELLO", "HELLO"),
            ("a <b", "a <b"),
            ("a <", "a "),
            ("a <i", "a "),
            ("a <ID_1>", "a Jane"),
            ("a <ID_1", "a "),
            ("a <ID_1x", "a <ID_1x"),
            ("ID_1", ""),
            ("ID_1 ", "Jane "),
            ("ID_1.", ""),
            ("ID_1. ", "Jane. "),
            ("IDX", "IDX"),
            ("I", ""),
            ("PERSO", ""),
            ("xPERSO", "xPERSO"),
            ("[ID_1]", ""),
            ("[ID_1]:", "Jane:"),
            ("R&D", "R&D"),
            ("R&", "R"),
            ("<ID" + " " * 40, "<ID" + " " * 40),
        ],
    )
    def test_no_more_is_held_back_than_may_become_a_stand_in(self, text: str, at_once: str) -> None:
        """The rest goes out with its own piece."""
        assert StreamedReveal(VAULT).feed(text) == at_once

    @given(
        pieces(
            st.lists(st.sampled_from(["<", "ID", "PERSON", " ", "_", "1", "[", "\\"]), max_size=200).map(
                "".join
            )
        )
    )
    def test_what_is_held_back_is_bounded(self, parts: list[str]) -> None:
        """By the longest way to write a stand-in."""
        reveal = StreamedReveal(VAULT)
        for part in parts:
            reveal.feed(part)
            assert len(reveal._held) < 80

    @pytest.mark.parametrize(
        "written", ["<PERSON_1>", "PERSON_1", "[PERSON_1]", "&lt;PERSON_1&gt;", "<person 1>"]
    )
    def test_no_part_of_a_stand_in_leaves_early(self, written: str) -> None:
        """Character by character, nothing of it goes out."""
        *before, last = outputs(list(f"Hi {written}"))
        assert "".join(before) in {"Hi ", "Hi Ann"}
        assert "".join([*before, last]) == "Hi Ann"

    def test_only_the_wanted_types(self) -> None:
        """As when it is revealed whole."""
        reveal = StreamedReveal(VAULT, ["PERSON"])
        shown = "".join(map(reveal.feed, "<ID_1> <PERSON_1> [ID_1] ID_1")) + reveal.finish()
        assert shown == "<ID_1> Ann [ID_1] ID_1"

    def test_a_vault_that_holds_nothing(self) -> None:
        """Holds nothing back."""
        assert StreamedReveal(Vault()).feed("<PERSON_") == "<PERSON_"


_VALUE = re.compile(r"(?<!\d)\d{3,5}(?!\d)")


def find_in(text: str) -> list[Finding]:
    """Numbers of three to five digits: what one is, the six characters beside it decide."""
    return [Finding("ID", *match.span(), 1.0) for match in _VALUE.finditer(text)]


async def find(text: str) -> list[Finding]:
    return find_in(text)


def replace_in(vault: Vault, text: str, findings: Sequence[Finding]) -> str:
    done, parts = 0, []
    for one in findings:
        parts += [text[done : one.start], vault.pseudonym(one.entity, text[one.start : one.end])]
        done = one.end
    return "".join([*parts, text[done:]])


def masks(*, longest: int = 30) -> StreamedMask:
    vault = Vault()
    return StreamedMask(
        find=find, replace=lambda *asked: replace_in(vault, *asked), margin=8, longest=longest
    )


def whole(text: str) -> str:
    return replace_in(Vault(), clean_text(text), find_in(clean_text(text)))


async def streamed(parts: Sequence[str], **options: int) -> list[str]:
    mask = masks(**options)
    return [*[await mask.feed(part) for part in parts], await mask.finish()]


BITS = [
    "a",
    "word ",
    "End. ",
    "\n",
    " ",
    "1234",
    " 567 ",
    "12",
    "文。",
    "é",
    "-",
    "\u200b",
    "\u200d",
    "\\u0031",
    "\\",
    "\\u005c",
]
TEXTS = st.lists(st.sampled_from(BITS), max_size=30).map("".join)


class TestMask:
    """Values that are cut anywhere."""

    @pytest.mark.parametrize(
        "text",
        [
            "a 1234.\nb 567",
            "1234\n1234\n12",
            "\\u0031\\u0032",
            "1\u200b23. \n45",
            "文。123。4567",
            "a.\n" * 4,
        ],
    )
    def test_every_way_to_cut_a_short_text(self, text: str) -> None:
        """All of them, up to twelve characters."""

        async def check_all() -> None:
            for parts in all_splits(text[:12]):
                assert "".join(await streamed(parts, longest=5)) == whole(text[:12])

        asyncio.run(check_all())

    @given(pieces(TEXTS), st.sampled_from([5, 30]))
    def test_any_way_to_cut_any_text(self, parts: list[str], longest: int) -> None:
        """Escapes and invisible characters among it."""
        assert "".join(asyncio.run(streamed(parts, longest=longest))) == whole("".join(parts))

    @given(
        pieces(
            st.lists(st.sampled_from(["a", "b. ", "\n", " 1234 ", "x567;", ";"]), max_size=40).map("".join)
        )
    )
    def test_no_part_of_a_value_goes_out(self, parts: list[str]) -> None:
        """At no point; and what went out is how the whole begins."""
        outcome = asyncio.run(streamed(parts))
        masked = whole("".join(parts))
        so_far = ""
        for one in outcome:
            so_far += one
            assert masked.startswith(so_far)
            assert not find_in(re.sub(r"<ID_\d+(?:\.\d+)?>", "", so_far))
        assert so_far == masked

    async def test_what_went_out_is_still_seen(self) -> None:
        """The rest of a long number is no short number."""
        text = "7" * 10 + " abcd"
        assert "".join(await streamed([text], longest=5)) == text

    async def test_a_sentence_may_seem_to_end_in_a_value(self) -> None:
        """It is not cut there."""

        async def finds_doctors(text: str) -> list[Finding]:
            return [Finding("PERSON", *match.span(), 1.0) for match in re.finditer(r"Dr\. No", text)]

        vault = Vault()
        mask = StreamedMask(find=finds_doctors, replace=lambda *asked: replace_in(vault, *asked), margin=8)
        masked = [await mask.feed(sign) for sign in "It is Dr. No who did it. Nobody else. "]
        assert "".join([*masked, await mask.finish()]) == "It is <PERSON_1> who did it. Nobody else. "

    async def test_a_pause_shows_nothing(self) -> None:
        """A value whose end is not there yet waits, and so does a line that a value may go on behind."""
        mask = masks()
        assert await mask.feed("One line.\nTwo to Ann.\n12") == "One line.\n"
        assert await mask.feed("34") == ""
        assert await mask.feed(" and so on, and so on.\n") == "Two to Ann.\n"
        assert await mask.finish() == "<ID_1> and so on, and so on.\n"

    async def test_what_is_held_back_is_bounded(self) -> None:
        """Without any good place to cut, text goes out all the same, outside of values."""
        mask = masks(longest=30)
        held = []
        for number in range(200):
            await mask.feed(f"w{number % 10} {100 + number} ")
            held.append(len(mask._held))
        assert max(held) <= 30 + 8 + 8

    async def test_a_value_that_is_longer_than_all_that_may_wait(self) -> None:
        """It is masked in parts, and comes back whole."""
        vault = Vault()

        async def everything(text: str) -> list[Finding]:
            return [Finding("ID", 0, len(text), 1.0)]

        mask = StreamedMask(
            find=everything, replace=lambda *asked: replace_in(vault, *asked), margin=8, longest=30
        )
        masked = "".join([await mask.feed("7" * 10) for _ in range(20)]) + await mask.finish()
        assert "7" not in re.sub(r"<ID_\d+>", "", masked)
        assert vault.reveal(masked) == "7" * 200

    async def test_after_an_error_nothing_goes_out(self) -> None:
        """The search failed, or the policy blocks what was found."""
        asked = []

        async def fails(text: str) -> list[Finding]:
            asked.append(text)
            raise GuardrailTripped(guardrail="pii", point="message", reason="the search failed")

        mask = StreamedMask(find=fails, replace=lambda text, _: text, margin=2, longest=4)
        assert await mask.feed("a\n") == ""
        for _ in range(2):
            with pytest.raises(GuardrailTripped):
                await mask.feed("secret\nsecret\n")
        with pytest.raises(GuardrailTripped):
            await mask.finish()
        assert len(asked) == 1

    async def test_nothing_is_analysed_that_could_not_go_out(self) -> None:
        """One analysis for each line, not one for each piece."""
        asked = []

        async def counts(text: str) -> list[Finding]:
            asked.append(text)
            return []

        mask = StreamedMask(find=counts, replace=lambda text, _: text, margin=8, longest=1_000)
        for sign in "A line of text.\n" * 10:
            await mask.feed(sign)
        await mask.finish()
        assert len(asked) <= 12

    async def test_its_repr_shows_no_text(self) -> None:
        """Only how much there is."""
        mask = masks()
        await mask.feed("12345")
        assert repr(mask) == "StreamedMask(5 characters held)"


_PERSON = re.compile(r"Name\d+")


async def find_names(text: str) -> list[Finding]:
    """Names, as networks find them: not in code."""
    return [Finding("PERSON", *match.span(), 1.0) for match in _PERSON.finditer(prose(text))]


def starred(text: str, findings: Sequence[Finding]) -> str:
    """Stars in place of what was found."""
    for one in findings:
        text = text[: one.start] + "*" * (one.end - one.start) + text[one.end :]
    return text


async def starred_stream(parts: Sequence[str], *, longest: int) -> str:
    mask = StreamedMask(find=find_names, replace=starred, margin=24, longest=longest)
    return "".join([*[await mask.feed(part) for part in parts], await mask.finish()])


FENCED = st.lists(
    st.sampled_from(
        [
            *("```\n", "```python\n", "~~~\n", "````\n", "> ```\n", "```x `y`\n"),
            *("Ask {}. ", "Ask {}.\n", "`{}` ", "x = {}\n", "\n", "no `tick ", "a longer line without any. "),
        ]
    ),
    max_size=40,
).map(lambda bits: "".join(bit.format(f"Name{number}") for number, bit in enumerate(bits)))


class TestCode:
    """What is code in the whole text is code in its pieces, and nothing else."""

    @settings(max_examples=300)
    @given(pieces(FENCED))
    def test_fences_anywhere(self, parts: list[str]) -> None:
        """As long as a block may wait for its end."""
        text = "".join(parts)
        expected = starred(text, asyncio.run(find_names(text)))
        assert asyncio.run(starred_stream(parts, longest=5_000)) == expected

    @settings(max_examples=300)
    @given(pieces(FENCED))
    def test_fences_of_long_blocks(self, parts: list[str]) -> None:
        """More may be masked then, but never less."""
        text = "".join(parts)
        hidden = {match.group() for match in _PERSON.finditer(prose(text))}
        assert not hidden & {*_PERSON.findall(asyncio.run(starred_stream(parts, longest=60)))}

    @pytest.mark.parametrize("lines", [3, 40])
    async def test_prose_between_two_blocks(self, lines: int) -> None:
        """The end of a block, far behind its beginning, begins none."""
        block = "```\n" + "x = compute(y)\n" * lines + "```\n"
        text = block + "Please call Name1 today.\n" + block
        masked = await starred_stream(
            [text[place : place + 40] for place in range(0, len(text), 40)], longest=90
        )
        assert masked == text.replace("Name1", "*****")

    async def test_a_name_behind_code_in_a_long_line(self) -> None:
        """The end of inline code, far behind its beginning, begins none."""
        text = "Run `" + "a.b " * 30 + "` then. Call Name1, not `x`. " + "And so on. " * 9
        masked = await starred_stream(
            [text[place : place + 9] for place in range(0, len(text), 9)], longest=60
        )
        assert "Name1" not in masked
