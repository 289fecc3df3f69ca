"""A stand-in is known again in whatever way a model writes it, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.guardrails.placeholders import StandIn, label_of, mentions
from ringfence.guardrails.vault import Vault


@pytest.fixture
def vault() -> Vault:
    """Jane is `<PERSON_1>`, JANE `<PERSON_1.2>`, and her address `<EMAIL_ADDRESS_1>`."""
    vault = Vault()
    for entity, value in [("PERSON", "Jane"), ("PERSON", "JANE"), ("EMAIL_ADDRESS", "jane@a.com")]:
        vault.pseudonym(entity, value)
    return vault


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        pytest.param("<PERSON_1>", "Jane", id="exact"),
        pytest.param("<PERSON_1.2>", "JANE", id="another form"),
        pytest.param("<person_1> <Person_1>", "Jane Jane", id="case"),
        pytest.param("PERSON_1", "Jane", id="no brackets"),
        pytest.param("PERSON_1.2", "JANE", id="another form without brackets"),
        pytest.param("Hi PERSON_1, PERSON_1. (PERSON_1)", "Hi Jane, Jane. (Jane)", id="in a sentence"),
        pytest.param("PERSON_1/EMAIL_ADDRESS_1", "Jane/jane@a.com", id="this or that"),
        pytest.param("<PERSON_1", "<Jane", id="a bracket lost"),
        pytest.param("[PERSON_1]", "Jane", id="square brackets"),
        pytest.param(r"\[PERSON\_1\]", "Jane", id="escaped square brackets"),
        pytest.param("[PERSON_1](mailto:EMAIL_ADDRESS_1)", "[Jane](mailto:jane@a.com)", id="a link"),
        pytest.param("[<PERSON_1>]", "[Jane]", id="in square brackets"),
        pytest.param("&lt;PERSON_1&gt; &#60;PERSON_1&#62;", "Jane Jane", id="HTML"),
        pytest.param(r"\u003cPERSON_1\u003e \\u003CPERSON_1\\u003E", "Jane Jane", id="JSON"),
        pytest.param("mailto:%3CEMAIL_ADDRESS_1%3E", "mailto:jane@a.com", id="URL"),
        pytest.param("＜PERSON_1＞ ⟨PERSON_1⟩", "Jane Jane", id="other brackets"),
        pytest.param("<PERSON 1> < PERSON_1 > <EMAIL ADDRESS 1>", "Jane Jane jane@a.com", id="spaces"),
        pytest.param("<PERSON-1> <PERSON1>", "Jane Jane", id="hyphen, and nothing"),
        pytest.param("<PERSON_1>'s <PERSON_1>’s PERSON_1's", "Jane's Jane’s Jane's", id="genitive"),
        pytest.param("<PERSON_1's> <PERSON_1’s> <PERSON_1s>", "Jane's Jane’s Janes", id="genitive inside"),
        pytest.param("<PERSON_1>s PERSON_1s", "Janes Janes", id="plural"),
        pytest.param("**<PERSON_1>** `<PERSON_1>` _<PERSON_1>_", "**Jane** `Jane` _Jane_", id="Markdown"),
        pytest.param(r"<PERSON\_1> PERSON\_1 \<PERSON\_1\>", "Jane Jane Jane", id="Markdown, escaped"),
        pytest.param("尊敬的PERSON_1您好", "尊敬的Jane您好", id="a script without spaces"),
        pytest.param("<<PERSON_1>>", "<Jane>", id="double brackets"),
    ],
)
def test_what_models_make_of_a_stand_in(vault: Vault, written: str, shown: str) -> None:
    """It comes back as the value; what stands around it stays."""
    assert vault.reveal(written) == shown


@pytest.mark.parametrize(
    "text",
    [
        *("<PERSON_01>", "<PERSON_١>", "<PERSON_11>", "<PERSON_1.3>", "<PERSON_1.02>", "<PERSON_0>"),
        *("person_1", "Person 1", "PERSON 1", "[person 1]", "PERSON-1", "PERSON1", "P_1"),
        *("MY_PERSON_1_ID", "MY_PERSON_1", "PERSON_1_ID", "überPERSON_1", "PERSON_1ß", "xPERSON_1"),
        *("$PERSON_1", "@PERSON_1", "#PERSON_1", "user.PERSON_1", "PERSON_1.name", "PERSON_1@acme.com"),
        *("PERSON_1()", "PERSON_1=x", "PERSON_1[0]", "non-PERSON_1", "PERSON_1-b", r"\PERSON_1"),
        *("<EMAIL_ADDRESS_2>", "[LOCATION_1]", "&lt;PERSON_7&gt;", "<PERSON\n1>", "<PERSON   _1>"),
    ],
)
def test_what_is_no_stand_in_stays_as_it_is_written(vault: Vault, text: str) -> None:
    """Unknown numbers, ordinary words, and parts of identifiers."""
    assert vault.reveal(text) == text


def test_only_the_wanted_types_are_revealed(vault: Vault) -> None:
    """However they are written."""
    text = "PERSON_1 [PERSON_1] <person_1> [EMAIL_ADDRESS_1]"
    assert vault.reveal(text, ["EMAIL_ADDRESS"]) == "PERSON_1 [PERSON_1] <person_1> jane@a.com"


@pytest.mark.parametrize(
    "written",
    ["PERSON_1", "[PERSON_1]", "<person 1>", "&lt;PERSON_1&gt;", r"PERSON\_1", "<MY PERSON_1>", "PERSON_1.7"],
)
def test_what_was_written_before_is_never_given_out(written: str) -> None:
    """Whoever wrote it gets it back, and not somebody's value."""
    vault = Vault()
    vault.reserve(written)
    assert vault.pseudonym("PERSON", "Jane") == "<PERSON_2>"
    assert vault.reveal(written) == written


def test_a_form_that_was_written_before_is_never_given_out(vault: Vault) -> None:
    """The number stays the person's; the form is passed over."""
    vault.reserve("<PERSON_1.3>")
    assert vault.pseudonym("PERSON", "jane") == "<PERSON_1.4>"
    assert vault.reveal("<PERSON_1.3>") == "<PERSON_1.3>"


@pytest.mark.parametrize(
    ("entity", "label"),
    [
        ("PERSON", "PERSON"),
        ("my-type", "MY_TYPE"),
        ("ID_2", "ID_2"),
        ("2FA code!", "FA_CODE"),
        ("号", "VALUE"),
        ("A" * 99, "A" * 64),
    ],
)
def test_every_type_has_a_label_that_can_be_read(entity: str, label: str) -> None:
    """Whatever somebody calls a type of their own."""
    vault = Vault()
    name = vault.pseudonym(entity, "value")
    assert (label_of(entity), name) == (label, f"<{label}_1>")
    assert (vault.reveal(name, [entity]), vault.reveal(name, ["OTHER"])) == ("value", name)


def test_types_of_one_label_are_kept_apart() -> None:
    """Each is revealed only to who may see it."""
    vault = Vault()
    names = [vault.pseudonym(entity, "value") for entity in ("my-type", "MY_TYPE")]
    assert names == ["<MY_TYPE_1>", "<MY_TYPE_2>"]
    assert vault.reveal(" ".join(names), ["my-type"]) == "value <MY_TYPE_2>"


def test_labels_that_end_in_a_number() -> None:
    """The number is what stands last."""
    vault = Vault()
    assert [vault.pseudonym("ID", "a"), vault.pseudonym("ID_2", "b")] == ["<ID_1>", "<ID_2_1>"]
    assert vault.reveal("<ID_1> <ID_2_1> <ID 2 1> ID_2_1 <ID_2> <ID21>") == "a b b b <ID_2> <ID21>"


BITS = st.sampled_from(
    ["<", ">", "[", "]", "(", "PERSON", "_", "1", ".2", "\\", "&lt;", " ", "s", "X", "é", "中"]
)
TEXTS = st.lists(BITS, max_size=8).map("".join)


@given(TEXTS)
def test_all_that_could_be_revealed_is_reserved(text: str) -> None:
    """What is read later was read before, or somebody could write himself into a value."""
    vault = Vault()
    vault.pseudonym("PERSON", "Jane")
    vault.pseudonym("PERSON", "JANE")
    revealed = {one.stand_in for one in vault.stand_ins(text)}
    assert revealed <= {one.stand_in for one in mentions(text)}


@given(st.text("AB_1<>[]\\&lt; ", max_size=300))
def test_any_text_is_read_and_given_back(text: str) -> None:
    """A vault that holds nothing changes nothing."""
    assert Vault().reveal(text) == text
    assert all(StandIn(*one.stand_in) == one.stand_in for one in mentions(text))
