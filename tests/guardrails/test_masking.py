"""Personal data leaves a message at the door, and comes back only where it may."""

import asyncio
import hashlib
from typing import Any

import pytest
from autogen_core import FunctionCall, Image
from autogen_core.models import UserMessage
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Picture

from ringfence.errors import GuardrailTripped
from ringfence.guardrails import masking
from ringfence.guardrails.clean_text import clean_text
from ringfence.guardrails.masking import Mask, Masker, reveal_arguments
from ringfence.guardrails.pii import PiiSettings
from ringfence.guardrails.presidio import PiiFinder
from ringfence.guardrails.tool_spec import ToolSpec
from ringfence.guardrails.vault import Vault
from tests.guardrails.parts import Handler, model_call, reply, tool_call, tool_result

EMAIL, CARD = "jane@acme.com", "4111 1111 1111 1111"


def masker(vault: Vault | None = None, **fields: Any) -> Masker:
    settings = PiiSettings.model_validate(fields)
    return Masker(finder=PiiFinder(settings), settings=settings, vault=vault or Vault())


async def masked(text: str, **fields: Any) -> str:
    return await masker(**fields).mask(text, point="input")


class TestActions:
    """What becomes of a value."""

    @pytest.mark.parametrize(
        ("action", "becomes"),
        [
            ("pseudonymize", "Write to <EMAIL_ADDRESS_1>, not to <EMAIL_ADDRESS_2> or <EMAIL_ADDRESS_1>"),
            ("mask", "Write to *********.com, not to ********.com or *********.com"),
            ("redact", "Write to , not to  or "),
            ("allow", f"Write to {EMAIL}, not to bob@acme.com or {EMAIL}"),
        ],
    )
    async def test_it_is_the_one_of_the_policy(self, action: str, becomes: str) -> None:
        """The text around the value stays as it is."""
        text = f"Write to {EMAIL}, not to bob@acme.com or {EMAIL}"
        assert await masked(text, entities={"EMAIL_ADDRESS": action}) == becomes

    async def test_a_short_value_is_masked_whole(self) -> None:
        """Its last four characters would tell too much, or all."""
        text = "::1 10.0.0.1 10.11.12.13"
        assert await masked(text, entities={"IP_ADDRESS": "mask"}) == "*** ******** *******2.13"

    async def test_a_hash_is_the_same_within_a_conversation_only(self) -> None:
        """Salted, so that nobody can try all telephone numbers."""
        entities = {"EMAIL_ADDRESS": "hash"}
        one = masker(entities=entities)
        first, again = [await one.mask(EMAIL, point="input") for _ in range(2)]
        assert first == again
        assert len(first) == 64
        assert first not in {
            await masked(EMAIL, entities=entities),
            hashlib.sha256(EMAIL.encode()).hexdigest(),
        }

    async def test_block(self) -> None:
        """Nothing passes; the reason names the types and quotes nothing."""
        entities = {"EMAIL_ADDRESS": "block", "CREDIT_CARD": "block", "IP_ADDRESS": "mask"}
        with pytest.raises(GuardrailTripped) as caught:
            await masked(f"{EMAIL} {CARD} 10.0.0.1", entities=entities)
        tripped = caught.value
        assert (tripped.guardrail, tripped.point) == ("pii", "input")
        assert tripped.reason == "the policy blocks CREDIT_CARD, EMAIL_ADDRESS"
        assert (tripped.crashed, tripped.reask, tripped.halt) == (False, False, False)

    async def test_every_type_may_have_its_own(self) -> None:
        """In one text."""
        entities = {"EMAIL_ADDRESS": "redact", "CREDIT_CARD": {"action": "mask", "threshold": 0.9}}
        text = f"{EMAIL}|{CARD}|10.0.0.1"
        assert await masked(text, entities=entities) == "|***************1111|<IP_ADDRESS_1>"


class TestMessages:
    """Whole messages, calls and replies."""

    async def test_every_text_of_a_reply(self) -> None:
        """The same value has the same name in all of them; numbers are read, too."""
        calls = [FunctionCall("call-1", f'{{"to": "{EMAIL}", "card": 4111111111111111}}', "send")]
        changed = await masker().mask(reply(calls, thought=f"{EMAIL}?"), point="message")
        assert changed.thought == "<EMAIL_ADDRESS_1>?"
        call = changed.content[0]
        assert isinstance(call, FunctionCall)
        assert call.arguments == '{"to": "<EMAIL_ADDRESS_1>", "card": "<CREDIT_CARD_1>"}'

    async def test_texts_are_cleaned(self) -> None:
        """A value that was split or escaped is found all the same."""
        assert (
            await masked("jane\u200b@acme.com j\\u0061ne@acme.com") == "<EMAIL_ADDRESS_1> <EMAIL_ADDRESS_1>"
        )

    async def test_a_name_in_another_part_of_the_message_stays_free(self) -> None:
        """Whoever wrote it did not mean the address that stands in the first part."""
        vault = Vault()
        changed = await masker(vault).mask([EMAIL, "my name is <EMAIL_ADDRESS_1>"], point="input")
        assert changed == ["<EMAIL_ADDRESS_2>", "my name is <EMAIL_ADDRESS_1>"]
        assert vault.reveal(changed[1]) == "my name is <EMAIL_ADDRESS_1>"

    async def test_an_image_does_not_pass(self) -> None:
        """Nobody can read it; that is no crash."""
        picture = UserMessage(content=[Image(Picture.new("RGB", (1, 1)))], source="user")
        with pytest.raises(GuardrailTripped, match="it holds an image") as caught:
            await masker().mask(picture, point="input")
        assert not caught.value.crashed

    async def test_the_original_is_left_alone(self) -> None:
        """A message is copied, never changed."""
        message = UserMessage(content=EMAIL, source="user")
        await masker().mask(message, point="input")
        assert message.content == EMAIL


class TestFailures:
    """When the search itself fails."""

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (TimeoutError(), "took longer than pii.timeout_seconds allows"),
            (ValueError(f"cannot read {EMAIL}"), "failed (ValueError)"),
            (RecursionError(), "failed (RecursionError)"),
        ],
    )
    async def test_nothing_passes(self, error: Exception, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """It counts as a block that is told apart, and its reason quotes nothing."""

        async def fails(_finder: PiiFinder, _text: str) -> None:
            raise error

        monkeypatch.setattr(PiiFinder, "find", fails)
        with pytest.raises(GuardrailTripped) as caught:
            await masked(EMAIL)
        assert caught.value.crashed
        assert said in caught.value.reason
        assert "jane" not in str(caught.value)
        assert caught.value.__suppress_context__

    async def test_a_text_that_is_too_long_is_refused(self) -> None:
        """And the limit is named."""
        with pytest.raises(GuardrailTripped, match=r"longer than pii\.max_characters allows"):
            await masked(EMAIL, max_characters=5)


class TestDoor:
    """The middleware."""

    async def test_it_masks_the_call_and_the_reply(self) -> None:
        """On the way in and on the way back."""
        handler = Handler(reply("bob@acme.com"))
        answer = await Mask(masker(), point="prompt", reply_point="message")(model_call(EMAIL), handler)
        assert handler.calls[0].messages[0].content == "<EMAIL_ADDRESS_1>"
        assert answer.content == "<EMAIL_ADDRESS_2>"

    async def test_it_may_leave_the_reply_alone(self) -> None:
        """At a door whose reply is no message."""
        answer = await Mask(masker(), point="input")(EMAIL, Handler("bob@acme.com"))
        assert answer == "bob@acme.com"

    async def test_each_way_has_its_name(self) -> None:
        """A tool's result is not withheld as if the call had not run."""
        mask = Mask(masker(entities={"EMAIL_ADDRESS": "block"}), point="tool_call", reply_point="tool_result")
        with pytest.raises(GuardrailTripped) as caught:
            await mask(tool_call(), Handler(tool_result(EMAIL)))
        assert caught.value.point == "tool_result"


class TestRevealArguments:
    """Real values for a tool."""

    def test_only_the_types_that_an_argument_may_see(self) -> None:
        """At any depth of that argument, and in no other."""
        vault = Vault()
        email, phone = vault.pseudonym("EMAIL_ADDRESS", EMAIL), vault.pseudonym("PHONE_NUMBER", "555-0100")
        call = tool_call(
            arguments={"to": [{"name": f"{email} {phone}", email: 1}], "body": email, "copies": 2}
        )
        seen = reveal_arguments(call, ToolSpec(reveals={"to": ("EMAIL_ADDRESS",), "cc": ("PERSON",)}), vault)
        assert seen.arguments == {
            "to": [{"name": f"{EMAIL} <PHONE_NUMBER_1>", EMAIL: 1}],
            "body": "<EMAIL_ADDRESS_1>",
            "copies": 2,
        }
        assert (seen.tool, seen.call_id, seen.agent) == (call.tool, call.call_id, call.agent)
        assert call.arguments["body"] == email

    def test_a_tool_that_says_nothing_sees_nothing(self) -> None:
        """As every tool does that nobody described."""
        vault = Vault()
        call = tool_call(arguments={"to": vault.pseudonym("EMAIL_ADDRESS", EMAIL)})
        assert reveal_arguments(call, ToolSpec(), vault) == call


VALUES = [EMAIL, "bob@intranet.local", CARD, "DE89370400440532013000", "10.0.0.1", "219-09-9999"]
SCRIPTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("äß我你абвαβאבعسकखあア😀<>_1"))
TEXTS = st.lists(st.tuples(SCRIPTS, st.sampled_from(VALUES)), min_size=1, max_size=4)


@settings(max_examples=150)
@given(TEXTS)
def test_what_is_masked_comes_back(pieces: list[tuple[str, str]]) -> None:
    """In any script, values between any other text; masked twice is masked once."""
    text = "".join(f"{around} {value} " for around, value in pieces)
    vault = Vault()
    one = masker(vault)
    hidden = asyncio.run(one.mask(text, point="input"))
    assert not any(value in hidden for _, value in pieces)
    assert vault.reveal(hidden) == clean_text(text)
    assert asyncio.run(one.mask(hidden, point="prompt")) == hidden


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        pytest.param(
            "Contact Peter Schmidt peter.schmidt@x.de for details",
            "Contact <PERSON_1> <EMAIL_ADDRESS_1> for details",
            id="a name beside an address",
        ),
        pytest.param("jane@mu\u0308nchen.de", "<EMAIL_ADDRESS_1>", id="an accent of its own"),
        pytest.param(
            "On Monday 4 June we met Maria Garcia", "On Monday 4 June we met <PERSON_1>", id="a date"
        ),
    ],
)
async def test_each_value_has_its_own_type(text: str, hidden: str) -> None:
    """So a tool that may see the one does not get the other."""
    assert await masked(text) == hidden


async def test_an_address_that_is_allowed_stays_whole() -> None:
    """The name in it has the address's rule; the one beside it has its own."""
    text = "Mail jane.doe@acme.com to Jane"
    assert await masked(text, entities={"EMAIL_ADDRESS": "allow"}) == "Mail jane.doe@acme.com to <PERSON_1>"


async def test_what_is_left_after_a_removal_is_judged_anew() -> None:
    """Its two ends may make another value."""
    one = masker(patterns={"EMPLOYEE": {"regex": r"E-\d{5}"}}, entities={"EMPLOYEE": "redact"})
    left = await one.mask("4111 1111 E-123451111 1111", point="input")
    assert await one.mask(left, point="prompt") == "<CREDIT_CARD_1>"


async def test_a_pattern_of_the_policy_sees_what_was_written() -> None:
    r"""`\b` is the end of an escape in JSON text, and the beginning of a name here."""
    patterns = {"LOGIN": {"regex": r"CORP\\\w+"}}
    assert await masked(r"CORP\bob and CORP\zoe", patterns=patterns) == "<LOGIN_1> and <LOGIN_2>"


async def test_few_masked_texts_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last ones; the others are judged anew, and masked once more is masked once."""
    monkeypatch.setattr(masking, "_REMEMBERED", 1)
    one = masker()
    hidden = [await one.mask(text, point="input") for text in (EMAIL, f"{EMAIL} and {CARD}")]
    assert [await one.mask(text, point="prompt") for text in hidden] == hidden
    assert len(one._masked) == 1


def test_a_masker_knows_what_can_be_found() -> None:
    """Whatever the policy makes of it."""
    assert {"PERSON", "EMAIL_ADDRESS", "UK_NHS"} <= masker().types
    assert "PERSONS" not in masker().types
