"""What a policy may name: validators and guards of every make, each with the words of its `on_fail`."""

import asyncio
import gc
import json
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from ringfence.errors import PolicyError
from ringfence.guardrails.guardrail_use import GuardrailUse
from ringfence.guardrails.guardrails_ai import quiet_guardrails
from ringfence.guardrails.judging import judge
from ringfence.guardrails.passages import Part, PartKind, Passage, Point
from ringfence.guardrails.validator_traits import Traits
from ringfence.guardrails.validators import WITHHELD, ValidatorGuardrail
from ringfence.guardrails.verdicts import Allow, Block, Evidence, Rewrite, Verdict
from tests.guardrails.parts import passage

quiet_guardrails()

from guardrails.classes.validation.validation_result import (  # noqa: E402 - likewise
    ErrorSpan,
    FailResult,
    PassResult,
)
from guardrails.types.on_fail import OnFailAction  # noqa: E402 - likewise
from guardrails.validator_base import Validator, register_validator  # noqa: E402 - likewise

from guardrails import AsyncGuard, Guard  # noqa: E402 - after its telemetry is off


class Order(BaseModel):
    """An order as a model writes it."""

    id: int
    note: str = ""


@register_validator(name="test/no_cats", data_type="string")
class NoCats(Validator):
    """A validator as somebody else writes one: says where, and has a fix."""

    def _validate(self, value: Any, metadata: dict[str, Any]) -> Any:
        at = value.find("cat")
        if at < 0:
            return PassResult()
        return FailResult(
            error_message="no cats",
            fix_value=value.replace("cat", "dog"),
            error_spans=[ErrorSpan(start=at, end=at + 3, reason="cat")],
        )


@register_validator(name="test/shouts", data_type="string")
class Shouts(Validator):
    """Passes everything, and puts another value in its place."""

    override_value_on_pass = True

    def _validate(self, value: Any, metadata: dict[str, Any]) -> Any:
        return PassResult(value_override=value.upper())


@register_validator(name="test/needs", data_type="string")
class Needs(Validator):
    """Cannot work with what there is."""

    required_metadata_keys = ["moon_phase"]  # noqa: RUF012 - as guardrails-ai declares it


@register_validator(name="test/plain_function", data_type="string")
def plain_function(value: Any, metadata: Any) -> Any:
    """A validator that is a function."""
    return PassResult() if value == "yes" else FailResult(error_message="not yes")


def made(use: str, given: Any = None, folder: Path | None = None, **entry: Any) -> ValidatorGuardrail:
    """The guardrail of a policy's entry."""
    fields = {"use": use, "at": ["message"]} | entry
    fields["with"] = fields.pop("options", {})
    validators = {} if given is None else {use: given}
    return ValidatorGuardrail(GuardrailUse.model_validate(fields), folder=folder, given=validators)


async def said(one: ValidatorGuardrail, text: str, **where: Any) -> Verdict:
    """Its word."""
    return await judge(one, Passage(text, where.pop("point", Point.MESSAGE), **where))


class TestOnFail:
    """Every word of guardrails-ai, and what becomes of the passage."""

    @pytest.mark.parametrize(
        ("word", "verdict"),
        [
            ("exception", Block("test/no_cats", "no cats", (Evidence(2, 5, "cat"),))),
            ("reask", Block("test/no_cats", "no cats", (Evidence(2, 5, "cat"),), reask=True)),
            ("fix", Rewrite("test/no_cats", "a dog", "no cats", (Evidence(2, 5, "cat"),))),
            ("filter", Rewrite("test/no_cats", "a ", "no cats", (Evidence(2, 5, "cat"),))),
            ("refrain", Rewrite("test/no_cats", WITHHELD, "no cats", (Evidence(2, 5, "cat"),))),
            ("noop", Allow("test/no_cats", "no cats", (Evidence(2, 5, "cat"),))),
        ],
    )
    async def test_each_word(self, word: str, verdict: Verdict) -> None:
        """Block, ask again, the fix, the text without the spans, nothing of it, or all of it."""
        assert await said(made("test/no_cats", on_fail=word), "a cat") == verdict

    async def test_a_filter_that_leaves_a_cat_blocks(self) -> None:
        """The validator is asked again about what is left, and only the first cat was named."""
        assert isinstance(await said(made("test/no_cats", on_fail="filter"), "a cat, a cat"), Block)

    async def test_a_filter_that_leaves_nothing_withholds(self) -> None:
        """An empty message is none."""
        verdict = await said(made("test/no_cats", on_fail="filter"), "cat")
        assert isinstance(verdict, Rewrite)
        assert verdict.text == WITHHELD

    async def test_a_validator_that_changes_what_it_passes(self) -> None:
        """It says so in guardrails-ai's own way, and its value goes on."""
        verdict = await said(made("test/shouts"), "yes")
        assert isinstance(verdict, Rewrite)
        assert verdict.text == "YES"

    async def test_a_function_is_a_validator_too(self) -> None:
        """As guardrails-ai has it."""
        one = made("test/plain_function")
        assert isinstance(await said(one, "yes"), Allow)
        assert isinstance(await said(one, "no"), Block)


class TestGuards:
    """A whole Guard, of any make."""

    @pytest.fixture(
        params=["pydantic", "guard", "async guard", "rail", "file", "json"],
    )
    def guard(self, request: pytest.FixtureRequest, tmp_path: Path) -> ValidatorGuardrail:
        """Something that wants an order."""
        (tmp_path / "order.rail").write_text(
            '<rail version="0.1"><output><integer name="id"/>'
            '<string name="note" required="false"/></output></rail>'
        )
        (tmp_path / "order.json").write_text(json.dumps(Order.model_json_schema()))
        (tmp_path / "checks.py").write_text(
            textwrap.dedent(
                """
                from pydantic import BaseModel
                class Order(BaseModel):
                    id: int
                    note: str = ""
                """
            )
        )
        match request.param:
            case "pydantic":
                return made("order", Order)
            case "guard":
                return made("order", Guard.for_pydantic(Order))
            case "async guard":
                return made("order", AsyncGuard.for_pydantic(Order))
            case "rail":
                return made("order.rail", folder=tmp_path)
            case "json":
                return made("order.json", folder=tmp_path)
        return made("checks.py:Order", folder=tmp_path)

    async def test_it_judges_what_is_said(self, guard: ValidatorGuardrail) -> None:
        """An order passes, another thing does not."""
        assert isinstance(await said(guard, '{"id": 1182, "note": "x"}'), Allow)
        for text in ('{"id": "many"}', "nothing", "[]", '{"id": 1182'):
            assert isinstance(await said(guard, text), Block), text

    async def test_what_passes_was_validated(self, guard: ValidatorGuardrail) -> None:
        """A Guard drops what its schema does not know, and text beside the JSON; so that does not go on."""
        verdict = await said(guard, '{"id": 1182, "note": "x"} and secretly this')
        assert isinstance(verdict, Block) or (
            isinstance(verdict, Rewrite) and json.loads(verdict.text) == {"id": 1182, "note": "x"}
        )

    async def test_thoughts_and_names_are_not_orders(self, guard: ValidatorGuardrail) -> None:
        """It demands a form, so it judges what is said alone."""
        if guard.name != "order.json":
            assert not guard.terms.fit(Passage("hm", Point.MESSAGE, part=Part(PartKind.THOUGHT)))
        assert guard.terms.fit(Passage("hm", Point.MESSAGE))

    async def test_a_guard_that_raises_its_no(self) -> None:
        """`on_fail="exception"` inside it is a no, not a crash."""
        guard = Guard().use(NoCats(on_fail=OnFailAction.EXCEPTION))
        verdict = await said(made("g", guard), "a cat")
        assert isinstance(verdict, Block)
        assert not verdict.crashed

    async def test_a_guard_that_fixes(self) -> None:
        """Its own fix goes on."""
        verdict = await said(made("g", Guard().use(NoCats(on_fail=OnFailAction.FIX))), "a cat")
        assert isinstance(verdict, Rewrite)
        assert verdict.text == "a dog"

    def test_two_that_fix_in_one_guard_are_refused(self) -> None:
        """They corrupt the text together, and hide each other's failures."""
        guard = Guard().use(NoCats(on_fail=OnFailAction.FIX), Shouts(on_fail=OnFailAction.FIX))
        with pytest.raises(PolicyError, match="two validators with on_fail fix"):
            made("g", guard)

    async def test_many_conversations_share_a_guard_and_do_not_mix(self) -> None:
        """Two hundred at once, each with the answer to its own text."""
        one = made("g", Guard().use(NoCats(on_fail=OnFailAction.FIX)))
        verdicts = await asyncio.gather(*(said(one, f"cat {number}") for number in range(200)))
        assert [getattr(one, "text", None) for one in verdicts] == [f"dog {number}" for number in range(200)]


class TestHub:
    """A validator of the Guardrails hub whose package is installed."""

    @pytest.mark.parametrize("name", ["guardrails/regex_match", "hub://guardrails/regex_match"])
    async def test_it_is_found_by_its_name(self, name: str) -> None:
        """With or without `hub://`; nothing is fetched."""
        one = made(name, options={"regex": r"\d{4}", "match_type": "fullmatch"})
        assert isinstance(await said(one, "1182"), Allow)
        assert isinstance(await said(one, "order"), Block)

    def test_one_that_is_not_installed(self) -> None:
        """The error says what to do; nothing is fetched, and no package is guessed."""
        with pytest.raises(PolicyError, match="install its package first"):
            made("hub://guardrails/toxic_language")

    async def test_remote_inference_is_off(self) -> None:
        """Whatever the validator was made with."""
        given = NoCats(on_fail=OnFailAction.NOOP, use_local=False)
        made("mine", given)
        assert (given.use_local, given.validation_endpoint) == (True, None)


class TestLoading:
    """Faults of an entry, each with its place."""

    @pytest.mark.parametrize(
        ("use", "options", "where", "said"),
        [
            ("ringfence/lenght", {}, "", "did you mean ringfence/length"),
            (
                "ringfence/length",
                {"maximum_charcters": 3},
                "with.maximum_charcters",
                "did you mean `maximum_characters`",
            ),
            ("ringfence/length", {"maximum_characters": 0}, "with", "cannot be made with these options"),
            ("nowhere.py:Check", {}, "", "the file nowhere.py is not there"),
            ("checks.py:Nothing", {}, "", "checks.py has no Nothing"),
            ("checks.py:number", {}, "", "is a int"),
            ("broken.py:Check", {}, "", "broken.py cannot be loaded, line 1: NameError"),
            ("broken.rail", {}, "", "broken.rail is no sound schema"),
            ("broken.json", {}, "", "broken.json is no sound schema"),
            ("nowhere.rail", {}, "", "the file nowhere.rail is not there"),
            ("checks.py:cats", {"a": 1}, "with", "takes no options"),
            ("test/needs", {}, "", "needs metadata that is not there: moon_phase"),
        ],
    )
    def test_what_cannot_be_made(
        self, tmp_path: Path, use: str, options: dict[str, Any], where: str, said: str
    ) -> None:
        """The error says what is wrong and where."""
        (tmp_path / "checks.py").write_text("from guardrails import Guard\nnumber = 3\ncats = Guard()\n")
        (tmp_path / "broken.py").write_text("nope\n")
        (tmp_path / "broken.rail").write_text("<rail")
        (tmp_path / "broken.json").write_text("{")
        with pytest.raises(PolicyError, match=said) as caught:
            made(use, folder=tmp_path, options=options)
        assert caught.value.faults[0].where == where

    @pytest.mark.parametrize(
        ("entry", "said"),
        [
            ({"at": ["input"], "on_fail": "reask"}, "only a reply at `message`"),
            ({"at": ["tool_call"], "on_fail": "filter"}, "another call"),
            ({"at": ["tool_call", "message"], "on_fail": "refrain"}, "another call"),
            ({"at": ["output"], "arguments": ["query"]}, "would never run"),
            ({"at": ["input"], "tools": ["refund"]}, "only"),
            ({"at": ["message"], "tools": []}, "at least 1"),
        ],
    )
    def test_entries_that_contradict_themselves(self, entry: dict[str, Any], said: str) -> None:
        """They could never do what they say."""
        with pytest.raises(ValidationError, match=said):
            GuardrailUse.model_validate({"use": "ringfence/length"} | entry)


class TestIsolation:
    """One check does not see another."""

    async def test_a_validator_may_spoil_its_metadata(self) -> None:
        """The next check gets it whole."""
        seen: list[list[str]] = []

        @register_validator(name="test/spoils", data_type="string")
        class Spoils(Validator):
            traits = Traits(uses_context=True)

            def _validate(self, value: Any, metadata: dict[str, Any]) -> Any:
                seen.append(list(metadata["sources"]))
                metadata["sources"].clear()
                metadata["question"] = None
                return PassResult()

        one = made("test/spoils")
        where = Passage("a", Point.MESSAGE, sources=("one", "two"))
        assert [isinstance(await judge(one, where), Allow) for _ in range(2)] == [True, True]
        assert seen == [["one", "two"], ["one", "two"]]
        assert where.sources == ("one", "two")

    @pytest.fixture
    def release(self) -> Iterator[threading.Event]:
        """Lets the threads of a test end."""
        event = threading.Event()
        yield event
        event.set()

    async def test_one_that_blocks_for_ever_blocks_nobody_else(self, release: threading.Event) -> None:
        """Each check has its own time; other guardrails have other threads; the loop goes on."""

        @register_validator(name="test/stuck", data_type="string")
        class Stuck(Validator):
            def _validate(self, value: Any, metadata: dict[str, Any]) -> Any:
                release.wait(50)
                return PassResult()

        stuck = made("test/stuck", timeout_seconds=0.05)
        cats = made("test/no_cats")
        verdicts = await asyncio.gather(
            *(said(stuck, f"a {number}") for number in range(40)), said(cats, "a cat")
        )
        assert all(isinstance(one, Block) and one.crashed for one in verdicts[:-1])
        assert verdicts[-1] == Block("test/no_cats", "no cats", (Evidence(2, 5, "cat"),))

    async def test_one_that_ends_the_program(self) -> None:
        """Ends its check."""

        @register_validator(name="test/exits", data_type="string")
        class Exits(Validator):
            def _validate(self, value: Any, metadata: dict[str, Any]) -> Any:
                raise SystemExit

        verdict = await said(made("test/exits"), "a")
        assert isinstance(verdict, Block)
        assert verdict.crashed

    @pytest.mark.parametrize("answer", [None, True, "yes"])
    async def test_one_that_answers_something_else(self, answer: Any) -> None:
        """guardrails-ai takes nothing for a yes; here it is none."""

        @register_validator(name="test/odd_answer", data_type="string")
        class Odd(Validator):
            def _validate(self, value: Any, metadata: dict[str, Any]) -> Any:
                return answer

        verdict = await said(made("test/odd_answer"), "a")
        assert isinstance(verdict, Block)
        assert verdict.crashed


class TestHints:
    """What a model hears of a no."""

    async def test_the_policy_is_not_told(self) -> None:
        """Words of the options that the model did not write itself."""
        options = {"regex": "INTERNAL-[0-9]+", "match_type": "fullmatch"}
        verdict = await said(made("guardrails/regex_match", options=options), "hello")
        assert isinstance(verdict, Block)
        assert "INTERNAL" in verdict.reason
        assert "INTERNAL" not in verdict.hint
        assert verdict.hint

    async def test_the_policy_may_say_what_is_told(self) -> None:
        """In its own words."""
        verdict = await said(made("test/no_cats", hint="Write about dogs."), "a cat")
        assert isinstance(verdict, Block)
        assert (verdict.reason, verdict.hint) == ("no cats", "Write about dogs.")


async def test_an_empty_text_is_asked_of_nobody() -> None:
    """guardrails-ai fails every empty text."""
    assert await judge(made("order", Order), passage(" ")) == Allow("order")


@pytest.mark.parametrize("made_of", ["Guard", "AsyncGuard", "validator"])
def test_a_check_that_hangs_does_not_keep_the_program(made_of: str) -> None:
    """It blocks after its time, and the program can end."""
    program = f"""
        import asyncio, threading
        from ringfence.guardrails.guardrails_ai import quiet_guardrails
        guardrails = quiet_guardrails()
        from guardrails.validator_base import Validator, register_validator
        @register_validator(name="test/hangs", data_type="string")
        class Hangs(Validator):
            def _validate(self, value, metadata):
                threading.Event().wait()
        from ringfence.guardrails.guardrail_use import GuardrailUse
        from ringfence.guardrails.judging import judge
        from ringfence.guardrails.passages import Passage, Point
        from ringfence.guardrails.validators import ValidatorGuardrail
        given = Hangs() if "{made_of}" == "validator" else getattr(guardrails, "{made_of}")().use(Hangs())
        use = GuardrailUse.model_validate({{"use": "it", "at": ["message"], "timeout_seconds": 0.1}})
        one = ValidatorGuardrail(use, given={{"it": given}})
        print(asyncio.run(judge(one, Passage("a", Point.MESSAGE))).crashed)
    """
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert (ran.stdout, ran.returncode) == ("True\n", 0)


async def test_threads_end_with_their_guardrail() -> None:
    """A policy that changes often leaves none behind."""
    before = threading.active_count()
    for _ in range(5):
        await said(made("test/no_cats"), "a dog")
    gc.collect()
    while threading.active_count() > before:  # noqa: ASYNC110 - a thread tells nobody that it ends
        await asyncio.sleep(0)
