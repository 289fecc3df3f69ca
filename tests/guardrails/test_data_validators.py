"""Personal data and secrets are found by Ringfence's own recognizers, on the event loop and off it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ringfence.guardrails.findings import Finding
from ringfence.guardrails.guardrails_ai import quiet_guardrails

guardrails = quiet_guardrails()

from ringfence.guardrails.data_validators import (  # noqa: E402 - guardrails-ai must be quiet first
    NoPersonalData,
    NoSecrets,
)

PATTERNS = NoPersonalData(detection="patterns")
MAIL = "Write to jane@acme.com, please."


def fix(validator: Any, text: str) -> Any:
    """What a validator would make of a text; the text itself if it passes."""
    result = validator.validate(text, {})
    return text if result.outcome == "pass" else result.fix_value


class TestPersonalData:
    """Nobody's data passes."""

    def test_each_value_becomes_its_type(self) -> None:
        """Names, addresses and numbers; secrets, too."""
        said = "Jane Miller, jane@acme.com, +1 202 555 0182, password = hunter2!x9"
        fixed = "<PERSON>, <EMAIL_ADDRESS>, <PHONE_NUMBER>, password = <PASSWORD>"
        assert fix(NoPersonalData(), said) == fixed
        assert fix(NoPersonalData(), fixed) == fixed

    def test_the_reason_tells_types_and_places(self) -> None:
        """And no value."""
        result: Any = PATTERNS.validate(MAIL, {})
        assert result.error_message == "it contains personal data (EMAIL_ADDRESS)"
        assert [(one.start, one.end, one.reason) for one in result.error_spans] == [(9, 22, "personal_data")]

    @pytest.mark.parametrize(
        "text", ["Hi <PERSON_1>!", "<EMAIL_ADDRESS_12>", "<PERSON_1>'s order", "All is well."]
    )
    def test_a_stand_in_is_nobody(self, text: str) -> None:
        """Nor is what a fix left."""
        assert fix(NoPersonalData(), text) == text

    def test_a_stand_in_hides_nothing(self) -> None:
        """A name beside it is somebody, and stays to be found."""
        assert fix(NoPersonalData(), "<PERSON_1> and Jane Miller") == "<PERSON_1> and <PERSON>"
        assert fix(NoPersonalData(types=["US_SSN"]), "SSN <US_SSN_1> 536-22-8726").endswith(
            "<US_SSN_1> <US_SSN>"
        )

    def test_what_agents_work_with_passes(self) -> None:
        """Dates and links, unless they are asked for."""
        said = "See https://example.com on 2025-03-04."
        assert fix(PATTERNS, said) == said
        assert fix(NoPersonalData(types=["URL"], detection="patterns"), said) == "See <URL> on 2025-03-04."

    def test_only_the_types_that_are_asked_for(self) -> None:
        """National numbers with their language."""
        mails = NoPersonalData(types=["EMAIL_ADDRESS"], detection="patterns")
        assert fix(mails, "jane@acme.com, +1 202 555 0182") == "<EMAIL_ADDRESS>, +1 202 555 0182"
        spanish = NoPersonalData(types=["ES_NIF"], detection="patterns", languages=["es"])
        assert fix(spanish, "NIF 12345678Z") == "NIF <ES_NIF>"

    def test_a_threshold(self) -> None:
        """A finding of less is none."""
        strict = NoPersonalData(types=["PASSWORD"], detection="patterns", threshold=0.9)
        assert fix(strict, "password = hunter2!x9") == "password = hunter2!x9"

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"types": ["EMAIL"]}, "types: EMAIL: .* did you mean `EMAIL_ADDRESS`"),
            ({"types": "PERSON"}, "types must be a list"),
            ({"types": []}, "types must be a list"),
            ({"threshold": 2}, "threshold: .* less than or equal to 1"),
            ({"detection": "magic"}, "detection: .* must be patterns, basic, or a model"),
            ({"detection": "spacy:nowhere"}, "detection: there is no spaCy model nowhere"),
            ({"languages": ["xx"]}, "languages"),
        ],
    )
    def test_options_that_cannot_be_kept(self, options: dict[str, Any], reason: str) -> None:
        """They are refused with a sentence."""
        with pytest.raises(ValueError, match=reason):
            NoPersonalData(**options)


class TestSecrets:
    """Keys and passwords do not pass."""

    @pytest.mark.parametrize(
        ("text", "fixed", "kind"),
        [
            ("password = hunter2!x9", "password = ***", "password"),
            ("use postgres://app:s3cr3t-pw@db/x", "use ***", "connection string"),
            ("key sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789", "key ***", "api key"),
        ],
    )
    def test_each_becomes_asterisks(self, text: str, fixed: str, kind: str) -> None:
        """The reason tells the kind, and the fix passes."""
        result: Any = NoSecrets().validate(text, {})
        assert (result.fix_value, result.error_message) == (fixed, f"it contains a secret ({kind})")
        assert fix(NoSecrets(), fixed) == fixed

    def test_personal_data_is_none(self) -> None:
        """Nor is what stands in a secret's place."""
        assert fix(NoSecrets(), MAIL) == MAIL
        assert fix(NoSecrets(), "password = <PASSWORD_1>") == "password = <PASSWORD_1>"

    def test_a_threshold_is_a_share(self) -> None:
        """From 0 to 1."""
        with pytest.raises(ValueError, match="threshold"):
            NoSecrets(threshold=-1)


@pytest.mark.parametrize("validator", [PATTERNS, NoSecrets()])
class TestOddTexts:
    """Nothing crashes."""

    @pytest.mark.parametrize("value", [5, None, ["jane@acme.com"]])
    async def test_what_is_no_text(self, validator: Any, value: object) -> None:
        """A no, on both ways."""
        for result in (validator.validate(value, {}), await validator.async_validate(value, {})):
            assert result.error_message == "it is no text"

    def test_half_a_sign(self, validator: Any) -> None:
        """It has no bytes; the rest is read all the same."""
        text = "\ud800 password = hunter2!x9"
        assert validator.validate(text, {}).fix_value.startswith("\ud800 password = ")

    def test_a_text_without_end(self, validator: Any) -> None:
        """A no without a fix."""
        result = validator.validate(" " * 1_000_001, {})
        assert (result.error_message, result.fix_value) == ("it is too long to be searched", None)


class TestWhereItRuns:
    """With a loop, without one, in several threads."""

    @pytest.mark.parametrize("padding", ["", "x " * 600])
    async def test_on_a_running_loop(self, padding: str) -> None:
        """Both ways, for texts that are short and for those that go to a thread."""
        assert PATTERNS.validate(padding + MAIL, {}).outcome == "fail"
        assert (await PATTERNS.async_validate(padding + MAIL, {})).outcome == "fail"

    async def test_in_an_async_guard(self) -> None:
        """The fix is the guard's answer."""
        guard = guardrails.AsyncGuard().use(NoPersonalData(detection="patterns", on_fail="fix"))
        outcome = await guard.validate(MAIL)
        assert outcome.validated_output == "Write to <EMAIL_ADDRESS>, please."

    def test_without_any_loop(self) -> None:
        """And none is left behind."""
        assert fix(NoSecrets(), "password = hunter2!x9") == "password = ***"
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()

    def test_in_several_threads(self) -> None:
        """Each gets its own answer."""
        texts = [MAIL if number % 2 else "All is well." for number in range(40)]
        with ThreadPoolExecutor(8) as pool:
            outcomes = [str(one.outcome) for one in pool.map(lambda text: PATTERNS.validate(text, {}), texts)]
        assert outcomes[1] != outcomes[0]
        assert outcomes == outcomes[:2] * 20

    async def test_a_finding_that_is_a_stand_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A model may take one for a name; with its genitive it is still nobody."""

        async def find(text: str) -> Any:
            return (Finding("PERSON", 0, len(text), 0.9),)

        validator = NoPersonalData(types=["PERSON"])
        monkeypatch.setattr(validator._finder, "find", find)
        assert (await validator.async_validate("<PERSON_1>'s", {})).outcome == "pass"
        assert (await validator.async_validate("<PERSON_1> Ho", {})).outcome == "fail"
        # Nobody has given out so many: the number may be the value.
        assert (await validator.async_validate("<PERSON_536228726>", {})).outcome == "fail"

    async def test_a_search_that_takes_too_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A no without a fix."""

        async def find(_: str) -> Any:
            await asyncio.sleep(0)
            raise TimeoutError

        validator = NoSecrets()
        monkeypatch.setattr(validator._finder, "find", find)
        result: Any = await validator.async_validate("abc", {})
        assert (result.error_message, result.fix_value) == ("it took too long to search it", None)
