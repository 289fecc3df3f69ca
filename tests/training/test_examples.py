"""Labels fall on the words of a labelled piece, and on no others."""

from hypothesis import given
from hypothesis import strategies as st

from ringfence.guardrails.word_features import TOKEN
from training.ner.examples import LABELS, example_of
from training.ner.templates import ENTITIES, Piece

TEXTS = st.text(alphabet="aB1 .,-_\nñ", max_size=8)
PIECES = st.lists(st.builds(Piece, TEXTS, st.sampled_from([None, *ENTITIES])), max_size=12)


def labelled(*pieces: Piece) -> list[tuple[str, str]]:
    """Words and their labels."""
    example = example_of(pieces)
    return [(word, LABELS[label]) for word, label in zip(example.words, example.labels, strict=True) if label]


def test_each_word_of_a_name_has_its_label() -> None:
    """The first another than the rest."""
    pieces = (
        Piece("Dear "),
        Piece("Jane van Doe", "PERSON"),
        Piece(", welcome to "),
        Piece("Oslo", "LOCATION"),
    )
    assert labelled(*pieces) == [
        ("Jane", "B-PERSON"),
        ("van", "I-PERSON"),
        ("Doe", "I-PERSON"),
        ("Oslo", "B-LOCATION"),
    ]


def test_names_side_by_side_begin_anew() -> None:
    """Even of one kind and without a space between."""
    assert labelled(Piece("Oslo", "LOCATION"), Piece("/", "LOCATION"), Piece("Peru", "LOCATION")) == [
        ("Oslo", "B-LOCATION"),
        ("/", "B-LOCATION"),
        ("Peru", "B-LOCATION"),
    ]


def test_a_word_belongs_to_where_it_begins() -> None:
    """`Berlin` and `er` are one word of letters."""
    assert labelled(Piece("Berlin", "LOCATION"), Piece("er Straße")) == [("Berliner", "B-LOCATION")]
    assert labelled(Piece("West"), Piece("berlin Mitte", "LOCATION")) == [("Mitte", "I-LOCATION")]


def test_gaps_tell_how_words_stand() -> None:
    """Beside, after a space, on a new line; the first is on one."""
    assert example_of([Piece("Hi, Jane\nDoe")]).gaps == [0, 0, 1, 2]


def test_only_the_first_words_of_a_long_text_are_learnt() -> None:
    """All three lists are cut alike."""
    example = example_of([Piece("a " * 1000)])
    assert len(example.words) == len(example.gaps) == len(example.labels) == 300


@given(PIECES)
def test_a_word_has_the_label_of_its_first_sign(pieces: list[Piece]) -> None:
    """Whatever the pieces."""
    text = "".join(piece.text for piece in pieces)
    entities = [piece.label for piece in pieces for _ in piece.text]
    example = example_of(pieces)
    assert example.words == TOKEN.findall(text)
    assert [LABELS[label].partition("-")[2] or None for label in example.labels] == [
        entities[match.start()] for match in TOKEN.finditer(text)
    ]
