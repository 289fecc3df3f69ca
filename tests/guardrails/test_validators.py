"""Guardrails AI judges, in a Guard of its own for each validator, and nobody hears of it."""

import asyncio
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from ringfence.errors import GuardrailTripped, PolicyError
from ringfence.guardrails.guardrail_use import GuardrailUse, OnFail
from ringfence.guardrails.guardrails_ai import quiet_guardrails
from ringfence.guardrails.judging import judge
from ringfence.guardrails.shipped_validators import register_validators
from ringfence.guardrails.structure import ValidateStructure
from ringfence.guardrails.validators import ValidatorGuardrail
from ringfence.guardrails.verdicts import Allow, Block, Evidence, Rewrite, Verdict
from tests.guardrails.parts import Handler, model_call, passage, reply

TOO_LONG = "it has 6 characters, and at most 3 are allowed"
BEHIND = (Evidence(3, 6, "too_long"),)
LENGTH, PHRASES = "ringfence/length", "ringfence/banned_phrases"


def guardrail(
    use: str = LENGTH, on_fail: str = "exception", timeout: float = 30, **options: Any
) -> ValidatorGuardrail:
    fields = {"use": use, "at": ["message"], "on_fail": on_fail, "timeout_seconds": timeout, "with": options}
    return ValidatorGuardrail(GuardrailUse.model_validate(fields))


async def said(one: ValidatorGuardrail, text: str) -> Verdict:
    return await one.check(passage(text))


@pytest.fixture(scope="module")
def release() -> Iterator[threading.Event]:
    """Lets the validator that hangs end."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture(scope="module", autouse=True)
def odd_validators(release: threading.Event) -> None:
    """Validators of somebody else: without a fix, with one that is no text, failing, hanging, long-winded."""
    quiet_guardrails()
    from guardrails.classes.validation.validation_result import FailResult, PassResult
    from guardrails.validator_base import Validator, register_validator

    def fails(_value: object) -> Any:
        raise RuntimeError("jane@acme.com")

    answers: dict[str, Any] = {
        "test/no_fix": lambda _: FailResult(error_message="no"),
        "test/odd_fix": lambda _: FailResult(error_message="no", fix_value=["yes"]),
        "test/long": lambda _: FailResult(error_message="x" * 10_000),
        "test/fails": fails,
        "test/hangs": lambda _: PassResult() if release.wait(50) else None,
        "test/echo": lambda value: (
            PassResult()
            if value.isupper()
            else FailResult(error_message=f"was {value}", fix_value=value.upper())
        ),
    }
    for name, answer in answers.items():

        @register_validator(name=name, data_type="string")
        class Odd(Validator):
            def _validate(self, value: Any, metadata: dict[str, Any], answer: Any = answer) -> Any:
                return answer(value)

    @register_validator(name="test/unmakeable", data_type="string")
    class Unmakeable(Validator):
        def __init__(self, **_: Any) -> None:
            raise KeyError("model")


class TestOnFail:
    """What a no leads to."""

    @pytest.mark.parametrize(
        ("on_fail", "verdict"),
        [
            (OnFail.EXCEPTION, Block(LENGTH, TOO_LONG, BEHIND)),
            (OnFail.REASK, Block(LENGTH, TOO_LONG, BEHIND, reask=True)),
            (OnFail.FIX, Rewrite(LENGTH, "abc", TOO_LONG, BEHIND)),
            (OnFail.NOOP, Allow(LENGTH, TOO_LONG, BEHIND)),
        ],
    )
    async def test_each_word(self, on_fail: OnFail, verdict: Verdict) -> None:
        """Block, block and ask again, rewrite, or let pass and say so."""
        assert await said(guardrail(on_fail=on_fail, maximum_characters=3), "abcdef") == verdict

    @pytest.mark.parametrize("on_fail", OnFail)
    async def test_a_yes_is_a_yes(self, on_fail: OnFail) -> None:
        """Whatever a no would lead to."""
        assert await said(guardrail(on_fail=on_fail, maximum_characters=3), "abc") == Allow(LENGTH)

    @pytest.mark.parametrize("use", ["test/no_fix", "test/odd_fix"])
    async def test_a_fix_that_there_is_not(self, use: str) -> None:
        """Or that is no text: the passage is blocked, not emptied."""
        assert await said(guardrail(use, "fix"), "abc") == Block(use, "no")

    @pytest.mark.parametrize("on_fail", OnFail)
    @pytest.mark.parametrize("text", ["", " ", "\n\t"])
    async def test_an_empty_text_passes(self, text: str, on_fail: OnFail) -> None:
        """Guardrails AI would fail it whatever the validator says."""
        assert await said(guardrail("test/no_fix", on_fail), text) == Allow("test/no_fix")

    async def test_a_reason_has_an_end(self) -> None:
        """It goes to the model, and into the record."""
        verdict = await said(guardrail("test/long"), "abc")
        assert len(verdict.reason) == 300

    def test_there_is_no_other_word(self) -> None:
        """Guardrails AI has more, which only do harm here."""
        for word in ("fix_reask", "refix", "custom", ""):
            with pytest.raises(ValidationError):
                guardrail(on_fail=word, maximum_characters=3)


class TestCrashes:
    """A validator that does not answer has not allowed anything."""

    @pytest.mark.parametrize("on_fail", OnFail)
    async def test_one_that_fails(self, on_fail: OnFail) -> None:
        """Blocks, also in `noop`; the reason quotes nothing."""
        verdict = await judge(guardrail("test/fails", on_fail), passage("jane@acme.com"))
        assert isinstance(verdict, Block)
        assert verdict.crashed
        assert "jane" not in verdict.reason

    async def test_one_that_hangs(self, release: threading.Event) -> None:
        """Blocks after its time, while the event loop goes on."""
        verdict = await judge(guardrail("test/hangs", timeout=0.05), passage("abc"))
        release.set()
        assert verdict == Block("test/hangs", "it did not answer within 0.05 s", crashed=True)


class TestMaking:
    """A policy that cannot be kept is refused when it is read."""

    @pytest.mark.parametrize(
        ("use", "options"),
        [
            (LENGTH, {}),
            (LENGTH, {"maximum_characters": "10"}),
            (LENGTH, {"maximum_characters": 0}),
            (LENGTH, {"maximum_characters": True}),
            (LENGTH, {"maximum_characters": 1.5}),
            (LENGTH, {"maximum_characters": 10, "maximum_charcters": 5}),
            (LENGTH, {"maximum_characters": 10, "on_fail": "noop"}),
            (PHRASES, {}),
            (PHRASES, {"phrases": "abc"}),
            (PHRASES, {"phrases": []}),
            (PHRASES, {"phrases": ["a", " "]}),
            (PHRASES, {"phrases": [5]}),
            (PHRASES, {"phrases": None}),
            ("test/unmakeable", {}),
        ],
    )
    def test_wrong_options(self, use: str, options: dict[str, Any]) -> None:
        """Missing, of another type, misspelled, or making no sense."""
        told = f"{use} cannot be made with these options|unknown option|is missing"
        with pytest.raises(PolicyError, match=told):
            ValidatorGuardrail(GuardrailUse.model_validate({"use": use, "at": ["input"], "with": options}))

    @pytest.mark.parametrize("name", ["max_length", "ringfence/lenght", "guardrails/toxic_language"])
    def test_an_unknown_name(self, name: str) -> None:
        """The error names those that there are; no hub is asked."""
        with pytest.raises(PolicyError, match="no validator is registered as"):
            guardrail(name)


class TestShipped:
    """The validators that Ringfence brings."""

    @pytest.mark.parametrize(
        ("phrases", "text", "fixed"),
        [
            (["do it"], "Please DO  IT\nnow", "Please ***\nnow"),
            (["do it"], "do\nit", "***"),
            (["he", "hello"], "hello he they", "*** *** they"),
            (["@all"], "x@all @all @allied", "x*** *** @allied"),
            (["http://"], "see http://evil.com", "see ***evil.com"),
            (["http://", "http://evil.com"], "see http://evil.com", "see ***"),
            (["$$$"], "now$$$now", "now***now"),
            (["a.b"], "axb a.b", "axb ***"),
            (["straße"], "STRAßE", "***"),
        ],
    )
    async def test_banned_phrases(self, phrases: list[str], text: str, fixed: str) -> None:
        """Whole phrases, whatever their case and spaces; a sign ends any word."""
        verdict = await said(guardrail(PHRASES, "fix", phrases=phrases), text)
        assert isinstance(verdict, Rewrite)
        assert verdict.text == fixed

    @pytest.mark.parametrize("text", ["they", "the", "hellos", "h e", "he_"])
    async def test_parts_of_words_are_no_phrases(self, text: str) -> None:
        """Nor is anything else that is not written there."""
        assert await said(guardrail(PHRASES, phrases=["he", "hello"]), text) == Allow(PHRASES)

    async def test_the_shortest_length(self) -> None:
        """One character."""
        assert isinstance(await said(guardrail(maximum_characters=1), "ab"), Block)

    async def test_the_reason_does_not_tell_the_phrase(self) -> None:
        """The model hears it, and would say it otherwise."""
        verdict = await said(guardrail(PHRASES, "reask", phrases=["secret word"]), "the secret word")
        assert verdict.reason == "it contains a phrase that is not allowed here"

    async def test_they_serve_outside(self) -> None:
        """In a Guard of one's own."""
        from guardrails.validator_base import get_validator_class

        from guardrails import AsyncGuard

        register_validators(LENGTH)
        make: Any = AsyncGuard
        length: Any = get_validator_class(LENGTH)
        guard = make().use(length(maximum_characters=3, on_fail="fix"))
        assert (await guard.validate("abcdef")).validated_output == "abc"


async def test_many_at_once_do_not_mix() -> None:
    """200 checks by two guardrails, each with the answer to its own text."""
    echo, cut = guardrail("test/echo", "fix"), guardrail(LENGTH, "fix", maximum_characters=5)
    texts = [f"text {number}" for number in range(100)]
    verdicts = await asyncio.gather(*(judge(one, passage(text)) for text in texts for one in (echo, cut)))
    assert verdicts[::2] == [Rewrite("test/echo", text.upper(), f"was {text}") for text in texts]
    assert {verdict.text for verdict in verdicts[1::2] if isinstance(verdict, Rewrite)} == {"text "}


class TestTelemetry:
    """What Guardrails AI would tell its maker."""

    async def test_nothing_is_told(self) -> None:
        """No thread that could, and no tracer to do it with."""
        one = guardrail(maximum_characters=3)
        await said(one, "abcdef")
        assert getattr(one._judge, "_tracer", None) is None
        assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("Otel")]

    async def test_a_tracer_that_is_there_already_is_not_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever used Guardrails AI before had not turned it off."""
        from guardrails.utils.hub_telemetry_utils import HubTelemetry

        theirs = SimpleNamespace(_tracer=object(), _enabled=True)
        monkeypatch.setattr(HubTelemetry, "_instance", theirs)
        quiet_guardrails.cache_clear()
        guard = ValidatorGuardrail(
            GuardrailUse.model_validate({"use": "answer", "at": ["message"]}), given={"answer": Answer}
        )
        assert getattr(guard._judge._hub_telemetry, "_tracer", None) is None

    def test_in_a_process_whose_user_turned_it_on(self, tmp_path: Path) -> None:
        """By the file in the home folder: no thread, no lookup, no span in our own trace, and no warning."""
        rc = "id=1\ntoken=t\nenable_metrics=true\nuse_remote_inferencing=true\n"
        (tmp_path / ".guardrailsrc").write_text(rc)
        program = """
            import asyncio, sys, threading
            from opentelemetry import trace
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import SimpleSpanProcessor
            from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
            spans = InMemorySpanExporter()
            trace.set_tracer_provider(TracerProvider())
            trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(spans))
            tried = []
            sys.addaudithook(lambda event, args: tried.append(event) if event.startswith("socket.") else None)
            from ringfence.guardrails.guardrail_use import GuardrailUse
            from ringfence.guardrails.passages import Passage, Point
            from ringfence.guardrails.validators import ValidatorGuardrail
            use = {"use": "ringfence/length", "at": ["message"], "with": {"maximum_characters": 3}}
            one = ValidatorGuardrail(GuardrailUse.model_validate(use))
            verdict = asyncio.run(one.check(Passage("abcdef", Point.MESSAGE)))
            told = getattr(one._judge, "_tracer", None)
            asked = [event for event in tried if event in ("socket.connect", "socket.getaddrinfo")]
            threads = [one.name for one in threading.enumerate() if "Otel" in one.name]
            print(type(verdict).__name__, told, asked, threads, spans.get_finished_spans())
        """
        ran = subprocess.run(
            [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
            env={"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=50,
        )
        assert (ran.stdout, ran.stderr) == ("Block None [] [] ()\n", "")


class Answer(BaseModel):
    """What a model is asked for."""

    number: int = Field(lt=10)
    words: dict[str, int] = {}


class TestStructure:
    """A reply that must parse."""

    async def fault(self, text: str, wanted: Any = Answer) -> str:
        """Why a reply is refused, or nothing."""
        handler = Handler(answer := reply(text))
        try:
            passed = await ValidateStructure()(model_call("hi", options={"json_output": wanted}), handler)
        except GuardrailTripped as tripped:
            return tripped.reason
        assert passed is answer
        return ""

    async def test_the_model_may_try_again(self) -> None:
        """A refusal is no crash."""
        with pytest.raises(GuardrailTripped) as caught:
            await ValidateStructure()(model_call("hi", options={"json_output": Answer}), Handler(reply("7")))
        tripped = caught.value
        assert (tripped.guardrail, tripped.point) == ("structured_output", "message")
        assert (tripped.reask, tripped.crashed) == (True, False)

    @pytest.mark.parametrize("text", ['{"number": 7}', ' {"words": {"a": 1}, "number": 7, "more": [1]}'])
    async def test_one_that_fits(self, text: str) -> None:
        """Passes as it is."""
        assert await self.fault(text) == ""

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "it does not fit Answer (reply: Invalid JSON"),
            ("7", "it does not fit Answer (reply: Input should be an object)"),
            ("null", "it does not fit Answer (reply: Input should be an object)"),
            ('```json\n{"number": 7}\n```', "it does not fit Answer (reply: Invalid JSON"),
            ('{"number": "jane"}', "it does not fit Answer (number: Input should be a valid integer"),
            ('{"number": 11}', "it does not fit Answer (number: Input should be less than 10)"),
            ('{"number": 7, "words": {"a": "b"}}', "it does not fit Answer (words.a: Input should be"),
            (
                '{"number": ' + "9" * 5000 + "}",
                "it does not fit Answer (reply: Invalid JSON: number out of range",
            ),
            ('{"number": 7, "more": ' + "9" * 5000 + "}", "it does not fit Answer"),
            ("[" * 100_000, "it does not fit Answer (reply: Invalid JSON: recursion limit"),
            ('{"number": 7, "more": ' + "[" * 150 + "]" * 150 + "}", ""),
        ],
        ids=lambda text: text[:30],
    )
    async def test_one_that_does_not(self, text: str, why: str) -> None:
        """Is refused so that the model may try again; the reason says where, and quotes no value."""
        reason = await self.fault(text)
        assert reason.startswith(why)
        assert "jane" not in reason

    async def test_a_reason_has_an_end(self) -> None:
        """A model may choose the names of the fields that are wrong."""
        words = ", ".join(f'"{"x" * 1_000}{number}": "no"' for number in range(10))
        assert len(await self.fault(f'{{"number": 7, "words": {{{words}}}}}')) < 400

    @pytest.mark.parametrize("crashes", [True, False])
    async def test_what_guardrails_ai_refuses_by_itself(self, *, crashes: bool) -> None:
        """Counts as well, also when it cannot read the text."""
        structure = ValidateStructure()

        async def refuses(_text: str) -> Any:
            if crashes:
                raise ValueError("Exceeds the limit")
            return SimpleNamespace(validation_passed=False)

        structure._guards[Answer] = SimpleNamespace(validate=refuses)
        with pytest.raises(GuardrailTripped, match="it does not fit Answer"):
            await structure(
                model_call("hi", options={"json_output": Answer}), Handler(reply('{"number": 7}'))
            )

    @pytest.mark.parametrize("wanted", [None, True, False, int, "Answer"])
    async def test_where_no_structure_was_asked_for(self, wanted: object) -> None:
        """Any text passes; JSON of no certain structure is the model's own matter."""
        assert await self.fault("hello", wanted) == ""

    async def test_calls_of_tools_have_none(self) -> None:
        """They are judged elsewhere."""
        answer = reply([])
        call = model_call("hi", options={"json_output": Answer})
        assert await ValidateStructure()(call, Handler(answer)) is answer
