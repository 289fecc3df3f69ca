"""The ways to write a person's name are one person's, as long as nobody else may be meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.guardrails.person_names import PersonName
from ringfence.guardrails.vault import Vault


def people(*names: str) -> list[str]:
    """The number of the person behind each name, after each came back as it was written."""
    vault = Vault()
    given_out = [vault.pseudonym("PERSON", name) for name in names]
    assert [vault.reveal(name) for name in given_out] == [*names]
    return [name.strip("<>").split("_")[1].split(".")[0] for name in given_out]


@pytest.mark.parametrize(
    "other",
    [
        *(
            "jane  doe",
            "JANE DOE",
            "Jane\nDoe",
            "Jane",
            "Doe",
            "Ms Doe",
            "Ms. Jane Doe",
            "Frau Doe",
            "Dr. Doe",
        ),
        *("J. Doe", "J Doe", "Doe, Jane", "Doe, J.", "DOE, Jane Marie", "Jane Marie Doe", "Jane M. Doe"),
        *("Jane Doe, PhD", "Jane's", "Jane Doe’s", "Doe'"),
    ],
)
def test_one_person(other: str) -> None:
    """In both orders: the whole name first, or the part."""
    assert people("Jane Doe", other) == ["1", "1"]
    assert people(other, "Jane Doe") == ["1", "1"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Jane Doe", "Jane Smith"),
        ("Jane Doe", "John Doe"),
        ("Jane Doe", "Janet Doe"),
        ("Jane Doe", "Jan"),
        ("Jane Doe", "Does"),
        ("Jane Doe", "K. Doe"),
        ("Jane Doe", "Ms Jane"),
        ("Jane Doe", "Marie"),
        ("Jane Marie Doe", "Jane Anne Doe"),
        ("Ms Doe", "Mr Doe"),
        ("Herr Jan Doe", "Frau Doe"),
        ("John Doe", "John Doe Jr."),
        ("John Doe III", "John Doe, Jr."),
        ("李 明", "李 红"),
        ("Jane", "Bob"),
    ],
)
def test_two_people(first: str, second: str) -> None:
    """In both orders."""
    assert people(first, second) == people(second, first) == ["1", "2"]


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        pytest.param("Jane Doe|Jane Smith|Jane|Doe|Smith", "12312", id="a first name of two"),
        pytest.param("Jane Doe|John Doe|J. Doe|Doe|Ms Doe", "12345", id="a last name of two"),
        pytest.param("Jane Doe|Jane Smith|Jane|JANE|Jane", "12333", id="who is uncertain stays the same"),
        pytest.param("Jane Doe|John Doe|J. Doe|Jim Doe", "1234", id="who is uncertain becomes nobody else"),
        pytest.param("Jane|Jane Doe|Jane Smith|Jane", "1121", id="a name keeps its meaning"),
        pytest.param("Jane|Ms Doe|Jane Doe", "123", id="the parts of two people"),
        pytest.param("Jane Doe|Jordan Lee|Kim Jordan|Jordan", "1234", id="a first and a last name"),
        pytest.param("Jane Marie Doe|Jane Anne Doe|Jane Doe", "123", id="a middle name decides"),
        pytest.param("John Doe|John Doe Jr.|John|John Doe", "1231", id="father and son"),
        pytest.param("Jan van der Berg|van der Berg|Mr. van der Berg|Berg", "1112", id="a long last name"),
        pytest.param("J.R.R. Tolkien|Tolkien|J. R. R. Tolkien|John Tolkien", "1111", id="initials"),
        pytest.param("Jack Ma|Ma|Don Johnson|Don", "1122", id="names that look like titles and degrees"),
    ],
)
def test_who_is_who(names: str, numbers: str) -> None:
    """Whoever may be one of several people is somebody new."""
    assert "".join(people(*names.split("|"))) == numbers


def test_a_name_that_very_many_people_have_is_ambiguous() -> None:
    """Nobody looks through all of them."""
    names = [f"{first}im Doe" for first in "BCDFGHJKLMNPRST"]
    assert people(*names, "Doe", "Zim Doe", "Jim") == [*map(str, range(1, 18)), "7"]


@pytest.mark.parametrize("written", ["", " ", "?!", "42", "Dr.", "Ms", ",", "☎"])
def test_what_holds_no_name(written: str) -> None:
    """It is a value like any other."""
    assert PersonName.of(written) is None
    if written:
        assert people("Jane Doe", written, written) == ["1", "2", "2"]


PARTS = st.sampled_from(
    ["Jane", "jane", "J.", "Doe", "Smith", "Ms", "Mr", "Marie", "van", "der", ",", "Jr.", "李"]
)
NAMES = st.lists(PARTS, min_size=1, max_size=4).map(" ".join)


@given(NAMES, NAMES)
def test_to_be_one_person_works_both_ways(one: str, other: str) -> None:
    """And everybody may be themselves."""
    first, second = PersonName.of(one), PersonName.of(other)
    if first and second:
        assert first.may_be(first)
        assert first.may_be(second) == second.may_be(first)


@given(st.lists(NAMES, max_size=8))
def test_every_written_form_comes_back(names: list[str]) -> None:
    """Whoever it was taken for, and asked again it has the same name."""
    vault = Vault()
    given_out = [vault.pseudonym("PERSON", name) for name in names]
    assert [vault.reveal(name) for name in given_out] == names
    assert [vault.pseudonym("PERSON", name) for name in names] == given_out


@given(st.text(max_size=40))
def test_any_text_can_be_read(text: str) -> None:
    """As a name, or as none."""
    name = PersonName.of(text)
    assert name is None or name.may_be(name)
