"""A consequential call waits for a person, and runs only as that person saw it."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ringfence.errors import ApprovalDenied, ApprovalRequired, GuardrailTripped, RingfenceError, StoreError
from ringfence.guardrails.approval import ApprovalRequest, Approved, Approver, DecidedCall, Rejected
from ringfence.guardrails.approval_book import ApprovalBook
from ringfence.guardrails.approval_door import Approve
from ringfence.guardrails.approval_evidence import evidence_of, trace_content, trace_of
from ringfence.guardrails.call_judge import CallJudge
from ringfence.guardrails.calls import CallOrigin, ToolCall
from ringfence.guardrails.provenance import Provenance
from ringfence.guardrails.sources import Source, SourceKind, Trace
from ringfence.guardrails.suspicions import Suspicions
from ringfence.guardrails.tool_directory import ToolDirectory
from ringfence.guardrails.tool_policy import ToolPolicy
from ringfence.guardrails.tool_rules import ToolRule
from ringfence.guardrails.tool_spec import ToolSpec
from ringfence.guardrails.vault import Vault
from tests.guardrails.parts import Book, Handler, tool_call, tool_result

EMAIL = "jane@acme.com"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Clock:
    """The time of a test."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        """Now."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Noon, until the test moves it."""
    return Clock()


Ask = Callable[..., ApprovalBook]


@pytest.fixture
def made(book: Book, clock: Clock) -> Ask:
    """Makes the approvals of a conversation; a person has 60 seconds."""

    def make(approver: Approver | None = None, *, version: str = "v1", timeout: float = 60) -> ApprovalBook:
        return ApprovalBook(
            conversation="ticket-1",
            user="alice",
            policy_version=version,
            timeout_seconds=timeout,
            record=book,
            approver=approver,
            now=clock,
        )

    return make


def says(answer: Any) -> Approver:
    async def approver(_request: ApprovalRequest) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return approver


async def settled(approvals: ApprovalBook, call: ToolCall) -> None:
    await approvals.settle(call, real_arguments=dict(call.arguments), reason="is consequential")


async def waiting(approvals: ApprovalBook, call: ToolCall) -> ApprovalRequest:
    """The request of a call for which nobody is there."""
    with pytest.raises(ApprovalRequired) as caught:
        await settled(approvals, call)
    assert type(caught.value) is ApprovalRequired
    request = approvals.pending[-1]
    assert request.id == caught.value.approval_id
    return request


class TestAsking:
    """A person who is there is asked at once."""

    async def test_approved(self, made: Ask, book: Book) -> None:
        """The call goes on, and the record says who let it."""
        await settled(made(says(Approved("bob"))), tool_call())
        ((asked), (answered)) = (book.of("approval_requested")[0], book.of("approval")[0])
        assert (answered["verdict"], answered["by"]) == ("approved", "bob")
        assert asked["approval"] == answered["approval"]
        assert asked["digest"] == answered["digest"]

    @pytest.mark.parametrize(
        ("reason", "said"), [("", "was rejected by bob"), ("no", "was rejected by bob: no")]
    )
    async def test_rejected(self, made: Ask, book: Book, reason: str, said: str) -> None:
        """The team hears why."""
        with pytest.raises(ApprovalDenied) as caught:
            await settled(made(says(Rejected("bob", reason))), tool_call())
        assert caught.value.reason == said
        assert book.of("approval")[0]["verdict"] == "rejected"

    @pytest.mark.parametrize(
        "rubbish",
        [True, "approved", 0, Approved, Approved(""), Approved(" \n"), Rejected(""), Approved(None)],  # type: ignore[arg-type]  # as careless code does
    )
    async def test_rubbish(self, made: Ask, book: Book, rubbish: object) -> None:
        """An approver that does not say who decided has not decided."""
        approvals = made(says(rubbish))
        with pytest.raises(ApprovalDenied, match="could not be decided"):
            await settled(approvals, tool_call())
        assert [line["verdict"] for line in book.of("approval")] == ["failed"]
        assert approvals.pending == ()

    async def test_an_approver_that_fails(self, made: Ask, book: Book) -> None:
        """Is a no; its error's text may quote what it was shown."""
        with pytest.raises(ApprovalDenied, match="the approver failed with ValueError") as caught:
            await settled(made(says(ValueError(EMAIL))), tool_call())
        assert "jane" not in str(caught.value)
        assert book.of("approval")[0]["verdict"] == "failed"

    async def test_an_approver_that_does_not_answer(self, made: Ask, book: Book) -> None:
        """Is a no, after the time that the policy gives."""

        async def never(_request: ApprovalRequest) -> None:
            await asyncio.Event().wait()

        with pytest.raises(ApprovalDenied, match=r"had no answer within 0\.01 s"):
            await settled(made(never, timeout=0.01), tool_call())
        assert book.of("approval")[0]["verdict"] == "expired"

    async def test_an_answer_that_comes_too_late(self, made: Ask, clock: Clock) -> None:
        """What was approved after its time does not run."""

        async def late(_request: ApprovalRequest) -> Approved:
            clock.now += timedelta(seconds=61)
            return Approved("bob")

        with pytest.raises(ApprovalDenied, match="expired at 2026-11-23 12:01:00 UTC"):
            await settled(made(late), tool_call())

    async def test_an_approver_may_be_a_plain_function(self, made: Ask) -> None:
        """One that asks nobody, and answers at once."""
        await settled(made(lambda _: Approved("night watch")), tool_call())
        with pytest.raises(ApprovalDenied):
            await settled(made(lambda _: Rejected("night watch")), tool_call())

    async def test_nobody_can_say_now(self, made: Ask) -> None:
        """Then the call waits, as it does without an approver."""
        assert (await waiting(made(says(None)), tool_call())).tool == "refund"

    async def test_what_an_approver_is_shown_is_a_copy(self, made: Ask) -> None:
        """Shortening it for a small screen does not change the call."""

        async def shortens(request: ApprovalRequest) -> Approved:
            assert isinstance(request.arguments, dict)
            assert isinstance(request.real_arguments, dict)
            request.arguments["items"].clear()
            request.real_arguments["items"].clear()
            return Approved("bob")

        arguments, real = {"items": ["<PERSON_1>"]}, {"items": ["Jane"]}
        await made(shortens).settle(tool_call(arguments=arguments), real_arguments=real, reason="why")
        assert (arguments, real) == ({"items": ["<PERSON_1>"]}, {"items": ["Jane"]})


class TestDecidingLater:
    """A person who comes later finds what waits."""

    async def test_approved(self, made: Ask, book: Book) -> None:
        """The same call goes on, once; asked again, it waits again."""
        approvals, call = made(), tool_call()
        request = await waiting(approvals, call)
        await approvals.decide(request.id, Approved("bob"))
        assert approvals.pending == ()
        assert [(one.request, one.call, one.decision) for one in approvals.decided] == [
            (request, call, Approved("bob"))
        ]
        await settled(approvals, call)
        assert approvals.decided == ()
        assert await waiting(approvals, call) in approvals.pending

    async def test_rejected(self, made: Ask) -> None:
        """The call is refused when it comes, once."""
        approvals, call = made(), tool_call()
        request = await waiting(approvals, call)
        await approvals.decide(request.id, Rejected("bob", "too much"))
        with pytest.raises(ApprovalDenied, match="was rejected by bob: too much"):
            await settled(approvals, call)
        await waiting(approvals, call)

    async def test_the_oldest_first(self, made: Ask) -> None:
        """Both what waits and what was decided."""
        approvals = made()
        calls = [tool_call(call_id=f"call-{number}") for number in range(3)]
        requests = [await waiting(approvals, call) for call in calls]
        assert approvals.pending == tuple(requests)
        for request in reversed(requests):
            await approvals.decide(request.id, Approved("bob"))
        assert [one.call for one in approvals.decided] == calls[::-1]
        for call in calls:
            await settled(approvals, call)

    @pytest.mark.parametrize(
        "other",
        [
            {"arguments": {"order": 1183}},
            {"arguments": {"order": True}},
            {"arguments": {"order": 1.0}},
            {"tool": "refund_all"},
            {"call_id": "call-2"},
        ],
    )
    async def test_a_decision_serves_no_other_call(self, made: Ask, other: dict[str, Any]) -> None:
        """Not even one that Python takes for the same."""
        approvals, call = made(), tool_call(arguments={"order": 1})
        request = await waiting(approvals, call)
        await approvals.decide(request.id, Approved("bob"))
        await waiting(approvals, replace(call, **other))
        await settled(approvals, call)

    async def test_arguments_that_change_while_they_wait(self, made: Ask) -> None:
        """What runs is what was asked for, or it is asked for again."""
        approvals, arguments = made(), {"amount": 5}
        request = await waiting(approvals, tool_call(arguments=arguments))
        await approvals.decide(request.id, Approved("bob"))
        arguments["amount"] = 5_000
        await waiting(approvals, tool_call(arguments=arguments))

    async def test_decided_twice(self, made: Ask) -> None:
        """The first decision stands."""
        approvals = made()
        request = await waiting(approvals, tool_call())
        await approvals.decide(request.id, Rejected("bob"))
        with pytest.raises(RingfenceError, match="No approval"):
            await approvals.decide(request.id, Approved("eve"))
        assert [one.decision for one in approvals.decided] == [Rejected("bob")]

    @pytest.mark.parametrize("approval_id", ["", "approval-0", "refund"])
    async def test_unknown(self, made: Ask, approval_id: str) -> None:
        """Nothing is decided."""
        approvals = made()
        await waiting(approvals, tool_call())
        with pytest.raises(RingfenceError, match="No approval"):
            await approvals.decide(approval_id, Approved("bob"))
        assert (len(approvals.pending), approvals.decided) == (1, ())

    @pytest.mark.parametrize("by", ["", "  ", "\n", None])
    async def test_by_nobody(self, made: Ask, by: Any) -> None:
        """A decision has a name; without one, the request waits on."""
        approvals = made()
        request = await waiting(approvals, tool_call())
        for decision in (Approved(by), Rejected(by)):
            with pytest.raises(RingfenceError, match="needs the name"):
                await approvals.decide(request.id, decision)
        assert approvals.pending == (request,)

    @pytest.mark.parametrize("decision", [Approved("bob"), Rejected("bob")])
    async def test_expired(self, made: Ask, clock: Clock, book: Book, decision: Any) -> None:
        """It is written down as expired, not as what the person said, and waits no more."""
        approvals = made()
        request = await waiting(approvals, tool_call())
        clock.now += timedelta(seconds=60.5)
        with pytest.raises(ApprovalDenied, match="expired"):
            await approvals.decide(request.id, decision)
        assert (approvals.pending, approvals.decided) == ((), ())
        assert [line["verdict"] for line in book.of("approval")] == ["expired"]

    async def test_decided_in_time_and_used_too_late(self, made: Ask, clock: Clock, book: Book) -> None:
        """It is checked again when the call runs; and the decision is used up."""
        approvals, call = made(), tool_call()
        request = await waiting(approvals, call)
        clock.now += timedelta(seconds=60)
        await approvals.decide(request.id, Approved("bob"))
        clock.now += timedelta(seconds=1)
        with pytest.raises(ApprovalDenied, match="expired"):
            await settled(approvals, call)
        assert [line["verdict"] for line in book.of("approval")] == ["approved", "expired"]
        await waiting(approvals, call)

    async def test_finished(self, made: Ask) -> None:
        """A decision that the fence itself could not carry out serves no more."""
        approvals, call = made(), tool_call()
        request = await waiting(approvals, call)
        await approvals.decide(request.id, Approved("bob"))
        for _ in range(2):
            approvals.finish(request.id)
        assert approvals.decided == ()
        await waiting(approvals, call)

    async def test_withdrawn(self, made: Ask, book: Book) -> None:
        """What waited and what was decided is forgotten, and written down as that."""
        approvals, calls = made(), [tool_call(call_id=call_id) for call_id in ("call-1", "call-2")]
        requests = [await waiting(approvals, call) for call in calls]
        await approvals.decide(requests[0].id, Approved("bob"))
        approvals.withdraw()
        assert (approvals.pending, approvals.decided) == ((), ())
        assert [line["verdict"] for line in book.of("approval")] == ["approved", "withdrawn", "withdrawn"]
        await waiting(approvals, calls[0])

    async def test_what_cannot_be_recorded_is_not_decided(self, made: Ask) -> None:
        """It waits on, for a time when it can be."""
        approvals = made()
        request = await waiting(approvals, tool_call())

        def full(_event: str, /, **_fields: object) -> None:
            raise StoreError("the disk is full")

        votes = approvals._votes
        working, votes._record = votes._record, full
        with pytest.raises(StoreError):
            await approvals.decide(request.id, Approved("bob"))
        assert (approvals.pending, approvals.decided) == ((request,), ())
        votes._record = working
        await approvals.decide(request.id, Approved("bob"))


class TestRequest:
    """What a person is shown."""

    async def test_it_says_everything(self, made: Ask) -> None:
        """Who, what, why, until when; with pseudonyms, and beside them the real values."""
        approvals, call = made(), tool_call("send", {"to": "<EMAIL_ADDRESS_1>"})
        with pytest.raises(ApprovalRequired):
            await approvals.settle(call, real_arguments={"to": EMAIL}, reason="is consequential")
        (request,) = approvals.pending
        assert (request.conversation, request.user, request.agent) == ("ticket-1", "alice", "desk")
        assert (request.tool, request.reason) == ("send", "is consequential")
        assert (request.arguments, request.real_arguments) == ({"to": "<EMAIL_ADDRESS_1>"}, {"to": EMAIL})
        assert request.expires_at == NOON + timedelta(seconds=60)

    async def test_no_log_line_shows_the_real_values(self, made: Ask, book: Book) -> None:
        """Neither the request itself, nor what is recorded of it, nor the error."""
        approvals, call = made(), tool_call("send", {"to": "<EMAIL_ADDRESS_1>"})
        with pytest.raises(ApprovalRequired) as caught:
            await approvals.settle(call, real_arguments={"to": EMAIL}, reason="why")
        await approvals.decide(approvals.pending[0].id, Approved("bob"))
        shown = f"{approvals.decided!r} {approvals.decided[0].request} {book.lines} {caught.value!r}"
        assert "jane" not in shown
        assert "<EMAIL_ADDRESS_1>" in shown

    async def test_the_digest_binds(self, made: Ask, clock: Clock) -> None:
        """Tool, arguments, policy version, expiry, and the call itself."""
        changes: list[tuple[dict[str, Any], dict[str, Any]]] = [
            ({}, {}),
            ({"call_id": "another"}, {}),
            ({"tool": "refund_all"}, {}),
            ({"arguments": {"order": 1183}}, {}),
            ({}, {"version": "v2"}),
            ({}, {"timeout": 61}),
        ]
        digests = [
            (await waiting(made(**book), replace(tool_call(), **call))).digest for call, book in changes
        ]
        assert len(set(digests)) == len(changes)
        assert all(len(one) == 64 for one in digests)


MAIL = tool_call("send", {"to": "<EMAIL_ADDRESS_1>", "body": "<EMAIL_ADDRESS_1>"})
REVEALED_MAIL = replace(MAIL, arguments={"to": EMAIL, "body": "<EMAIL_ADDRESS_1>"})


class TestDoor:
    """The middleware that asks where the policy says so."""

    def approve(self, book: ApprovalBook, vault: Vault, **rule: Any) -> Approve:
        spec = ToolSpec(consequential=False, described=True, reveals={"to": ("EMAIL_ADDRESS",)})
        directory = ToolDirectory(specs={"send": spec}, handoffs=set())
        judge = CallJudge(
            policy=ToolPolicy({"send": ToolRule.model_validate(rule)}),
            directory=directory,
            vault=vault,
            suspicions=Suspicions(),
            provenance=Provenance(),
        )
        return Approve(book=book, judge=judge, directory=directory)

    @pytest.fixture
    def vault(self) -> Vault:
        """Knows one address."""
        vault = Vault()
        vault.pseudonym("EMAIL_ADDRESS", EMAIL)
        return vault

    async def test_an_allowed_call_gets_its_real_values(self, made: Ask, vault: Vault) -> None:
        """Those that the tool may see, and nobody is asked."""
        handler = Handler(tool_result())
        assert await self.approve(made(), vault, decision="allow")(MAIL, handler) == tool_result()
        assert handler.calls == [REVEALED_MAIL]

    async def test_a_person_sees_what_the_tool_will_get(self, made: Ask, vault: Vault) -> None:
        """And then the tool gets it."""
        seen: list[ApprovalRequest] = []

        async def approver(request: ApprovalRequest) -> Approved:
            seen.append(request)
            return Approved("bob")

        handler = Handler(tool_result())
        await self.approve(made(approver), vault, decision="approve")(MAIL, handler)
        assert handler.calls == [REVEALED_MAIL]
        assert seen[0].real_arguments == REVEALED_MAIL.arguments
        assert seen[0].arguments == MAIL.arguments
        assert seen[0].reason == "the policy asks a person before each call of send"

    @pytest.mark.parametrize("answer", [None, Rejected("bob")])
    async def test_without_a_yes_nothing_runs(self, made: Ask, vault: Vault, answer: Any) -> None:
        """Neither when the person says no, nor while nobody answers."""
        handler = Handler(tool_result())
        with pytest.raises(ApprovalRequired):
            await self.approve(made(says(answer)), vault, decision="approve")(MAIL, handler)
        assert handler.calls == []

    @pytest.mark.parametrize(
        "rule", [{"decision": "deny"}, {"arguments": {"to": {"pattern": "bob@acme.com"}}}]
    )
    async def test_the_policy_is_judged_once_more(
        self, made: Ask, vault: Vault, rule: dict[str, Any]
    ) -> None:
        """On the real values, whatever the model door said."""
        handler = Handler(tool_result())
        with pytest.raises(GuardrailTripped) as caught:
            await self.approve(made(says(Approved("bob"))), vault, **rule)(MAIL, handler)
        assert (caught.value.guardrail, caught.value.point) == ("tool_policy", "tool_call")
        assert "jane" not in str(caught.value)
        assert handler.calls == []


class TestBinding:
    """What was approved of one prompt, model or policy is approved of no other."""

    @pytest.mark.parametrize(
        "origin",
        [
            pytest.param(CallOrigin("gpt-9", "prompt-1"), id="another model"),
            pytest.param(CallOrigin("gpt-5", "prompt-2"), id="another prompt"),
            pytest.param(CallOrigin(), id="nobody knows"),
        ],
    )
    async def test_a_changed_prompt_or_model_asks_anew(self, made: Ask, origin: CallOrigin) -> None:
        """The old approval is left unused, and the new request has another id and digest."""
        approvals, call = made(), replace(tool_call(), origin=CallOrigin("gpt-5", "prompt-1"))
        request = await waiting(approvals, call)
        await approvals.decide(request.id, Approved("bob"))
        again = await waiting(approvals, replace(call, origin=origin))
        assert again.id != request.id
        assert again.digest != request.digest
        await settled(approvals, call)

    async def test_what_the_tool_takes_is_no_part_of_it(self, made: Ask) -> None:
        """A description that a server words anew asks nobody twice; the call itself is bound."""
        approvals, call = made(), replace(tool_call(), origin=CallOrigin("gpt-5", "p", {"type": "object"}))
        request = await waiting(approvals, call)
        await approvals.decide(request.id, Approved("bob"))
        await settled(approvals, replace(call, origin=CallOrigin("gpt-5", "p")))

    async def test_a_book_of_another_policy_takes_no_approval(self, made: Ask) -> None:
        """Only a rejection."""
        before, after = made(version="v1"), made(version="v2")
        request = await waiting(before, tool_call())
        after.load([before.waiting(request.id)], [])
        with pytest.raises(RingfenceError, match="under another policy"):
            await after.decide(request.id, Approved("bob"))
        await after.decide(request.id, Rejected("bob"))

    async def test_what_was_seen_is_what_is_decided(self, made: Ask) -> None:
        """Whoever looked at something else has to look again."""
        approvals = made()
        request = await waiting(approvals, tool_call())
        with pytest.raises(RingfenceError, match="look at it again"):
            await approvals.decide(request.id, Approved("bob"), seen="0" * 64)
        await approvals.decide(request.id, Approved("bob"), seen=request.digest)

    @pytest.mark.parametrize("by", ["\u200b", "\u00a0", "\ufeff \t"])
    async def test_a_name_that_nobody_can_see_is_none(self, made: Ask, by: str) -> None:
        """Somebody has to stand for it."""
        approvals = made()
        request = await waiting(approvals, tool_call())
        with pytest.raises(RingfenceError, match="needs the name"):
            await approvals.decide(request.id, Approved(by))

    async def test_somebody_else_was_faster(self, book: Book, clock: Clock) -> None:
        """Then what the store knows counts, and the yes of here runs nothing."""

        async def keep(one: object) -> bool:
            return not isinstance(one, DecidedCall)

        approvals = ApprovalBook(
            conversation="ticket-1",
            user="alice",
            policy_version="v1",
            timeout_seconds=60,
            record=book,
            approver=says(Approved("bob")),
            keep=keep,
            now=clock,
        )
        await waiting(approvals, tool_call())
        assert approvals.decided == ()


NOTE = Source(SourceKind.UNTRUSTED, "read_note", {"order_id": 7})


class TestEvidence:
    """Where the values of a call came from, in words."""

    @pytest.mark.parametrize(
        ("source", "place", "words"),
        [
            (NOTE, "notes[1].body", "came from notes[1].body of read_note(order_id=7), not from the user"),
            (Source(SourceKind.UNTRUSTED, "memory"), "", "came from memory, not from the user"),
            (Source(SourceKind.USER), "", "came from the user"),
            (Source(SourceKind.OPERATOR), "", "came from the operator's prompts or policy"),
            (Source(SourceKind.TRUSTED, "crm"), "", "came from crm, which the policy trusts"),
            (None, "", "was said by nobody before; the model made it up"),
        ],
    )
    def test_each_origin(self, source: Source | None, place: str, words: str) -> None:
        """One line says what, and from where."""
        trace = Trace("to", "eve@x.org", "address", source, place)
        assert evidence_of([trace], reveals={}, vault=Vault()) == (f"`to` = eve@x.org {words}",)

    @pytest.mark.parametrize(
        ("trace", "line"),
        [
            (
                Trace("to", "eve", "text", None, escalates=True, why="`to` only looks like somebody"),
                "`to` = eve: `to` only looks like somebody",
            ),
            (
                Trace("to", "eve", "text", Source(SourceKind.USER), escalates=True, why="it may not"),
                "`to` = eve came from the user: it may not",
            ),
            (Trace("", "", "text", None, escalates=True, why="nobody asked for it"), "nobody asked for it"),
        ],
    )
    def test_why_a_person_has_to_look(self, trace: Trace, line: str) -> None:
        """Where the origin alone does not say it."""
        assert evidence_of([trace], reveals={}, vault=Vault()) == (line,)

    def test_what_to_look_at_comes_first(self) -> None:
        """And the same line is said once."""
        fine = Trace("amount", "5", "number", Source(SourceKind.USER))
        doubtful = Trace("to[0]", "eve", "text", NOTE, escalates=True)
        lines = evidence_of([fine, doubtful, fine], reveals={}, vault=Vault())
        assert [line.split()[0] for line in lines] == ["`to[0]`", "`amount`"]

    def test_by_what_something_gets_to_somebody_comes_before_other_doubts(self) -> None:
        """Addresses, links, accounts and phones, also when they stand in a later argument."""
        kinds = ("text", "address", "number", "link", "account", "phone")
        traces = [Trace(kind, "x", kind, NOTE, escalates=True) for kind in kinds]
        fine = Trace("fine", "x", "address", Source(SourceKind.USER))
        lines = evidence_of([fine, *traces], reveals={}, vault=Vault())
        names = [line.split("`")[1] for line in lines]
        assert names == ["address", "link", "account", "phone", "text", "number", "fine"]

    def test_values_are_as_real_as_the_tool_sees_them(self) -> None:
        """In that argument."""
        vault = Vault()
        masked = vault.pseudonym("EMAIL_ADDRESS", EMAIL)
        traces = [Trace(name, masked, "address", NOTE) for name in ("to[0].mail", "body")]
        to, body = evidence_of(traces, reveals={"to": ("EMAIL_ADDRESS",)}, vault=vault)
        assert EMAIL in to
        assert EMAIL not in body

    @pytest.mark.parametrize("source", [NOTE, None, Source(SourceKind.USER)])
    def test_it_can_be_kept(self, source: Source | None) -> None:
        """As JSON, and is the same again."""
        trace = Trace("to", "<PERSON_1>", "text", source, "notes[1]", escalates=True, why="because")
        assert trace_of(json.loads(json.dumps(trace_content(trace)))) == trace
