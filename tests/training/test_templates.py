"""Templates are read as they were written, and a mistake in one is told with its place."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.ner.templates import (
    ENTITIES,
    LABEL_OF_SLOT,
    NEGATIVE,
    Piece,
    Slot,
    Template,
    parse,
    read_templates,
)

TEMPLATES = read_templates()


def pieces(template: Template) -> list[Piece]:
    """What is no slot."""
    return [part for part in template if isinstance(part, Piece)]


def test_slots_and_the_text_between() -> None:
    """In order, without empty parts."""
    assert parse("{first} lives in {city}.") == (
        Slot("first"),
        Piece(" lives in "),
        Slot("city"),
        Piece("."),
    )


def test_a_number_makes_two_slots_one() -> None:
    """Slots with a number are equal, and others are told apart by it."""
    first, _, same, _, other, _, unnumbered = parse("{person:1} {person:1} {person:2} {person}")
    assert first == same == Slot("person", 1)
    assert other == Slot("person", 2)
    assert unnumbered == Slot("person", None)


def test_a_literal_has_its_label() -> None:
    """The rest of the line has none."""
    parts = parse("Dear [[TITLE|Prof.]] [[PERSON|O'Neill]],")
    assert parts == (
        Piece("Dear "),
        Piece("Prof.", "TITLE"),
        Piece(" "),
        Piece("O'Neill", "PERSON"),
        Piece(","),
    )


def test_signs_that_stand_for_others() -> None:
    """Line breaks, tabs and doubled braces; a single square bracket is plain."""
    text = "".join(piece.text for piece in pieces(parse(r'{{"a": [1]}}\n\tx[0]')))
    assert text == '{"a": [1]}\n\tx[0]'


def test_a_slot_within_doubled_braces() -> None:
    """As records in JSON have it."""
    assert parse("{{{number}}}") == (Piece("{"), Slot("number"), Piece("}"))


@given(st.text().filter(lambda text: "[[" not in text and "\\" not in text))
def test_any_text_with_doubled_braces_is_plain(text: str) -> None:
    """It comes out as it was."""
    template = parse(text.replace("{", "{{").replace("}", "}}"))
    assert "".join(piece.text for piece in pieces(template)) == text
    assert not any(piece.label for piece in pieces(template))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{nowhere}", "no slot is called nowhere"),
        ("{Person}", "no slot is called Person"),
        ("[[NOBODY|Jane]]", "no label is called NOBODY"),
        ("a { b", "{ stands alone"),
        ("a } b", "} stands alone"),
        ("{person", "{ stands alone"),
        ("{person:one}", "{ stands alone"),
        ("{}", "{ stands alone"),
        ("{{{person}}", "} stands alone"),
        ("[[PERSON|Jane", "[[ stands alone"),
        ("[[person|Jane]]", "[[ stands alone"),
        ("[[PERSON|{first} Doe]]", "{ stands alone"),
    ],
)
def test_a_mistake_is_told_with_its_place(line: str, message: str, tmp_path: Path) -> None:
    """File, line and what is wrong."""
    (tmp_path / "letters.txt").write_text(f"# Letters\n\nDear {{first}},\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=rf"^letters\.txt, line 4: {re.escape(message)}"):
        read_templates(tmp_path)


def test_comments_and_empty_lines_are_no_templates(tmp_path: Path) -> None:
    """And the key is the file's name without its ending."""
    (tmp_path / "notes.txt").write_text("# {nowhere}\n\n  \nCall {first}.\n", encoding="utf-8")
    assert read_templates(tmp_path) == {"notes": [(Piece("Call "), Slot("first"), Piece("."))]}


def test_all_templates_of_the_corpus_can_be_read() -> None:
    """Every file has some, with names and without."""
    assert all(TEMPLATES.values())
    assert len({name.startswith(NEGATIVE) for name in TEMPLATES}) == 2


def test_every_slot_and_label_occurs() -> None:
    """What no template uses would not be learnt."""
    parts = [part for templates in TEMPLATES.values() for template in templates for part in template]
    assert {part.name for part in parts if isinstance(part, Slot)} == set(LABEL_OF_SLOT)
    assert {label for label in LABEL_OF_SLOT.values() if label} == set(ENTITIES)


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_mark_is_left_in_a_text(name: str) -> None:
    """A brace is there only by itself, where it was doubled."""
    for template in TEMPLATES[name]:
        for piece in pieces(template):
            assert piece.text in "{}" or not set("{}") & set(piece.text)
            assert "[[" not in piece.text


@pytest.mark.parametrize("name", [name for name in TEMPLATES if name.startswith(NEGATIVE)])
def test_negatives_name_nobody(name: str) -> None:
    """Neither by a slot with a label nor by a literal."""
    for template in TEMPLATES[name]:
        labels = [part.label if isinstance(part, Piece) else LABEL_OF_SLOT[part.name] for part in template]
        assert not any(labels), template
