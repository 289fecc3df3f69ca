"""A consequential call runs if, and only as, a person approved it; once."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from autogen_agentchat.teams import RoundRobinGroupChat
from fenced import (
    EMAIL,
    EVERY_CANARY,
    RecordingTool,
    Talk,
    agent,
    audit,
    canaries_in,
    left_behind,
    recording,
    reply_of,
    team_of,
    texts,
)
from scripted import Scripted, call

from ringfence import (
    ApprovalDenied,
    ApprovalRequest,
    ApprovalRequired,
    Approved,
    ConversationInterrupted,
    Fence,
    ModelCallFailed,
    Rejected,
    Ringfence,
    RingfenceError,
    Status,
    TaskError,
    tool,
)

House = Callable[..., Ringfence]


def pay(what: str = "5 USD", *, id: str = "call-1") -> Any:  # noqa: A002 - as in `call`
    """The model wants to act."""
    return call(arguments=json.dumps({"what": what}), id=id)


def desk(act: RecordingTool, *replies: Any, iterations: int = 2) -> Any:
    """A team whose model gives these replies."""
    return team_of(Scripted(*replies), [act.function], max_tool_iterations=iterations)


def says(answer: Any) -> Callable[[ApprovalRequest], Awaitable[Any]]:
    """An approver who answers so, or raises it."""

    async def approver(request: ApprovalRequest) -> Any:
        if isinstance(answer, BaseException):
            raise answer
        return answer(request) if callable(answer) else answer

    return approver


# An approver who is there


async def test_an_approved_call_runs_at_once_and_once(house: House) -> None:
    """The run goes on with the tool's result, as if nobody had been asked."""
    act, model = recording(), Scripted([pay()], "Paid.")
    ringfence = house()
    conversation = ringfence.conversation(
        team_of(model, [act.function], max_tool_iterations=2), approver=says(Approved("bob"))
    )
    assert reply_of(await conversation.run(task="Go")) == "Paid."
    assert act.calls == [{"what": "5 USD"}]
    assert model.tool_results() == ["done"]
    assert (conversation.status, conversation.pending_approvals) == (Status.DONE, ())
    asked = [line for line in audit(ringfence) if line["event"].startswith("approval")]
    assert [line["event"] for line in asked] == ["approval_requested", "approval"]
    assert (asked[1]["verdict"], asked[1]["by"], asked[1]["tool"]) == ("approved", "bob", "act")
    assert asked[0]["digest"] == asked[1]["digest"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param(
            Rejected("bob@contoso.com", "too much"),
            "was rejected by <EMAIL_ADDRESS_1>: too much",
            id="rejected",
        ),
        pytest.param(
            Rejected("bob@contoso.com"), "was rejected by <EMAIL_ADDRESS_1>", id="rejected without a reason"
        ),
        pytest.param(ValueError(EVERY_CANARY), "failed with ValueError", id="the approver fails"),
        pytest.param(True, "could not be decided", id="yes, but not in our words"),
        pytest.param("approved", "could not be decided", id="a text"),
        pytest.param(Approved(""), "could not be decided", id="approved by nobody"),
        pytest.param(Approved("  "), "could not be decided", id="approved by white space"),
        pytest.param(Approved, "could not be decided", id="the class of approvals"),
    ],
)
async def test_anything_but_an_approval_is_a_no(
    house: House, logs: pytest.LogCaptureFixture, answer: Any, told: str
) -> None:
    """The call does not run, the model hears why, and the run goes on."""
    act, model, ringfence = recording(), Scripted([pay()], "I see."), house()
    approver = says(lambda _: answer) if isinstance(answer, type) else says(answer)
    conversation = ringfence.conversation(
        team_of(model, [act.function], max_tool_iterations=2), approver=approver
    )
    assert reply_of(await conversation.run(task="Go")) == "I see."
    assert act.calls == []
    assert told in model.tool_results()[0]
    assert "was not run" in model.tool_results()[0]
    assert not canaries_in(model.seen + await left_behind(conversation, ringfence, logs))


async def test_an_approver_who_does_not_answer_in_time_has_said_no(house: House) -> None:
    """After the policy's time the call is refused, and the run goes on."""
    act, model, ringfence = (
        recording(),
        Scripted([pay()], "I see."),
        house(approvals={"timeout_seconds": 0.05}),
    )

    async def approver(_request: ApprovalRequest) -> Approved:
        await asyncio.Event().wait()
        return Approved("too late")

    conversation = ringfence.conversation(
        team_of(model, [act.function], max_tool_iterations=2), approver=approver
    )
    assert reply_of(await conversation.run(task="Go")) == "I see."
    assert act.calls == []
    assert "no answer within 0.05 s" in model.tool_results()[0]
    assert "expired" in [line.get("verdict") for line in audit(ringfence)]


async def test_an_approver_sees_the_real_arguments_and_why(house: House) -> None:
    """The request says who wants what for whom; real values only as the tool gets them, never in a repr."""
    seen: list[ApprovalRequest] = []

    @tool(consequential=True, reveals={"to": ["EMAIL_ADDRESS"]})
    def send(to: str, body: str) -> str:
        """Send a mail."""
        return f"{to} {body}"

    def note(request: ApprovalRequest) -> Rejected:
        seen.append(request)
        return Rejected("bob")

    arguments = json.dumps({"to": "<EMAIL_ADDRESS_1>", "body": "<EMAIL_ADDRESS_1>"})
    factory = team_of(Scripted([call("send", arguments)], "ok"), [send])
    conversation = house().conversation(factory, id="ticket-7", user="alice", approver=says(note))
    await conversation.run(task=f"Mail {EMAIL}")
    (request,) = seen
    assert (request.conversation, request.user, request.agent, request.tool) == (
        "ticket-7",
        "alice",
        "desk",
        "send",
    )
    assert request.arguments == {"to": "<EMAIL_ADDRESS_1>", "body": "<EMAIL_ADDRESS_1>"}
    assert request.real_arguments == {"to": EMAIL, "body": "<EMAIL_ADDRESS_1>"}
    assert "consequential" in request.reason
    assert len(request.digest) == 64
    assert request.expires_at > datetime.now(UTC)
    assert not canaries_in(repr(request) + str(request))
    with pytest.raises(FrozenInstanceError):
        request.tool = "other"  # type: ignore[misc]


async def test_an_approver_sees_what_the_model_left_out(house: House) -> None:
    """A tool's own defaults are a part of the call that is approved."""
    seen: list[object] = []

    @tool(consequential=True)
    def transfer(to: str, everything: bool = True) -> str:
        """Send money."""
        return to

    def note(request: ApprovalRequest) -> Rejected:
        seen.append(request.arguments)
        return Rejected("bob")

    factory = team_of(Scripted([call("transfer", '{"to": "x"}')], "ok"), [transfer])
    await house().conversation(factory, approver=says(note)).run(task="Go")
    assert seen == [{"to": "x", "everything": True}]


async def test_an_approver_cannot_change_the_call(house: House) -> None:
    """What runs is what was asked for, also when the approver's code writes into what it was shown."""
    act = recording()

    def meddle(request: ApprovalRequest) -> Approved:
        for shown in (request.arguments, request.real_arguments):
            try:
                shown["what"] = "everything"  # type: ignore[index]
            except TypeError:
                continue
        return Approved("bob")

    conversation = house().conversation(desk(act, [pay("5 USD")], "ok"), approver=says(meddle))
    await conversation.run(task="Go")
    assert act.calls == [{"what": "5 USD"}]


async def test_each_of_several_calls_is_asked_for_by_itself(house: House) -> None:
    """Of parallel calls only the approved ones run."""
    act = recording()

    def only_small(request: ApprovalRequest) -> Approved | Rejected:
        return Approved("bob") if request.arguments["what"] == "1" else Rejected("bob")

    replies = [pay("1", id="a"), pay("1000", id="b"), pay("1", id="c")]
    await house().conversation(desk(act, replies, "ok"), approver=says(only_small)).run(task="Go")
    assert act.calls == [{"what": "1"}, {"what": "1"}]


async def test_a_read_only_tool_asks_nobody(house: House) -> None:
    """Nor does a consequential one that the policy allows; a read-only one does where the policy says so."""
    asked: list[str] = []

    def note(request: ApprovalRequest) -> Approved:
        asked.append(request.tool)
        return Approved("bob")

    tools = [recording("look", consequential=False), recording("log"), recording("peek", consequential=False)]
    replies = [call(one.function.__name__, id=one.function.__name__) for one in tools]
    ringfence = house(tools={"log": {"decision": "allow"}, "pe*": {"decision": "approve"}})
    factory = team_of(Scripted(replies, "ok"), [one.function for one in tools])
    await ringfence.conversation(factory, approver=says(note)).run(task="Go")
    assert asked == ["peek"]
    assert [len(one.calls) for one in tools] == [1, 1, 1]


# Nobody is there: the conversation waits


async def waiting(
    house: House, act: RecordingTool, *replies: Any, **policy: Any
) -> tuple[Ringfence, Talk, ApprovalRequest]:
    """A conversation whose first call waits for a person."""
    ringfence = house(**policy)
    conversation = ringfence.conversation(desk(act, *(replies or ([pay()], "After."))))
    result = await conversation.run(task="Go")
    assert conversation.status is Status.WAITING_FOR_APPROVAL
    assert "waits for approval" in str(result.stop_reason)
    assert act.calls == []
    return ringfence, conversation, conversation.pending_approvals[0]


async def test_a_waiting_call_runs_exactly_once_after_it_was_approved(house: House) -> None:
    """Approving alone runs nothing; at `resume` the call runs in its place, and the agent sees its result."""
    act = recording(answer="receipt 7")
    ringfence, conversation, request = await waiting(house, act)
    await conversation.approve(request.id, by="bob")
    assert (act.calls, conversation.pending_approvals) == ([], ())
    result = await conversation.resume()
    assert act.calls == [{"what": "5 USD"}]
    assert "content='receipt 7'" in texts(result)[0]
    assert (reply_of(result), conversation.status) == ("After.", Status.DONE)
    assert [line["verdict"] for line in audit(ringfence) if line["event"] == "approval"] == ["approved"]


async def test_a_rejected_call_never_runs_and_the_team_hears_so(house: House) -> None:
    """The reason is the call's result."""
    act = recording()
    _, conversation, request = await waiting(house, act)
    await conversation.reject(request.id, by="bob", reason="too much")
    result = await conversation.resume()
    assert act.calls == []
    assert "rejected by bob: too much. The call was not run." in texts(result)[0]
    assert conversation.status is Status.DONE


async def test_resuming_twice_runs_nothing_twice(house: House) -> None:
    """An approval is used up by its call."""
    act = recording()
    _, conversation, request = await waiting(house, act)
    await conversation.approve(request.id, by="bob")
    await conversation.resume()
    with pytest.raises(TaskError, match="No turn is open"):
        await conversation.resume()
    assert len(act.calls) == 1


async def test_resuming_twice_at_once_runs_nothing_twice(house: House) -> None:
    """The second of two that resume at the same moment is refused."""
    act = recording()
    _, conversation, request = await waiting(house, act)
    await conversation.approve(request.id, by="bob")
    ends = await asyncio.gather(conversation.resume(), conversation.resume(), return_exceptions=True)
    assert len(act.calls) == 1
    assert [type(end).__name__ for end in ends if isinstance(end, Exception)] == ["ConversationInterrupted"]


async def test_resuming_while_a_run_is_under_way_is_refused(house: House) -> None:
    """The run is left alone."""
    go_on = asyncio.Event()

    async def wait() -> None:
        await go_on.wait()

    model = Scripted("Done.", on_call=wait)
    conversation = house().conversation(team_of(model))
    run = asyncio.create_task(conversation.run(task="Go"))
    await model.called.wait()
    with pytest.raises(ConversationInterrupted, match="running"):
        await conversation.resume()
    go_on.set()
    assert reply_of(await run) == "Done."
    assert model.calls == 1


async def test_resuming_before_everything_is_decided_is_refused(house: House) -> None:
    """The error names what still waits; nothing has run."""
    act = recording()
    _, conversation, first = await waiting(house, act, [pay("1", id="a"), pay("2", id="b")], "After.")
    second = conversation.pending_approvals[1]
    await conversation.approve(first.id, by="bob")
    with pytest.raises(ApprovalRequired) as still:
        await conversation.resume()
    assert (still.value.approval_id, act.calls) == (second.id, [])
    await conversation.reject(second.id, by="bob")
    await conversation.resume()
    assert act.calls == [{"what": "1"}]


@pytest.mark.parametrize("by", ["", "  ", "\t"])
async def test_an_approval_by_nobody_is_refused(house: House, by: str) -> None:
    """Somebody has to stand for it; the call goes on waiting."""
    act = recording()
    _, conversation, request = await waiting(house, act)
    with pytest.raises(RingfenceError, match="name"):
        await conversation.approve(request.id, by=by)
    with pytest.raises(RingfenceError, match="name"):
        await conversation.reject(request.id, by=by)
    assert conversation.pending_approvals == (request,)


async def test_an_approval_is_for_one_conversation_and_one_decision(house: House) -> None:
    """An unknown id, another conversation's id, and an id that was decided are all refused."""
    act = recording()
    _, conversation, request = await waiting(house, act)
    _, other, _ = await waiting(house, recording())
    for stranger, id_ in ((conversation, "approval-0"), (other, request.id)):
        with pytest.raises(RingfenceError, match="No approval"):
            await stranger.approve(id_, by="bob")
    await conversation.reject(request.id, by="bob")
    with pytest.raises(RingfenceError, match="rejected already, by bob"):
        await conversation.approve(request.id, by="mallory")
    await conversation.resume()
    assert act.calls == []


@pytest.mark.parametrize("when", ["before the approval", "between approval and resume"])
async def test_an_approval_that_has_expired_runs_nothing(house: House, when: str) -> None:
    """The time is checked when the person decides, and once more when the call would run."""
    act = recording()
    _, conversation, request = await waiting(house, act)
    book = conversation._session.approvals
    late = datetime.now(UTC) + timedelta(days=8)
    if when == "before the approval":
        book._now = lambda: late
        with pytest.raises(ApprovalDenied, match="expired"):
            await conversation.approve(request.id, by="bob")
    else:
        await conversation.approve(request.id, by="bob")
        book._now = lambda: late
    result = await conversation.resume()
    assert "act expired at" in texts(result)[0]
    assert "The call was not run." in texts(result)[0]
    assert conversation.pending_approvals == ()
    assert act.calls == []


@pytest.mark.parametrize("by_the_same_id", [True, False])
async def test_another_call_than_the_approved_one_asks_again(house: House, by_the_same_id: bool) -> None:
    """An approval of 5 USD is none of 500 USD, whatever the model calls it."""
    act = recording()
    second = pay("500 USD", id="call-1" if by_the_same_id else "call-2")
    _, conversation, request = await waiting(house, act, [pay("5 USD")], [second], "After.")
    await conversation.approve(request.id, by="bob")
    await conversation.resume()
    assert act.calls == [{"what": "5 USD"}]
    assert conversation.status is Status.WAITING_FOR_APPROVAL
    assert conversation.pending_approvals[0].arguments == {"what": "500 USD"}


async def test_the_same_call_again_needs_an_approval_of_its_own(house: House) -> None:
    """A model that repeats an approved call gets no second one for free."""
    act = recording()
    _, conversation, request = await waiting(house, act, [pay()], [pay()], "After.")
    await conversation.approve(request.id, by="bob")
    await conversation.resume()
    assert len(act.calls) == 1
    assert conversation.status is Status.WAITING_FOR_APPROVAL


async def test_a_new_task_while_something_waits_is_refused(house: House) -> None:
    """The error says what waits; it still does, and runs once when it is approved."""
    act = recording()
    _, conversation, request = await waiting(house, act)
    with pytest.raises(TaskError, match=rf"waits for a person \({request.id}\).*withdraw\(\)"):
        await conversation.run(task="Another question")
    assert conversation.status is Status.WAITING_FOR_APPROVAL
    assert conversation.pending_approvals == (request,)
    await conversation.approve(request.id, by="bob")
    with pytest.raises(TaskError, match="waits for a person"):
        await conversation.run(task="Another question")
    assert reply_of(await conversation.resume()) == "After."
    assert len(act.calls) == 1


@pytest.mark.parametrize("decided", [False, True])
async def test_what_was_withdrawn_never_runs(house: House, decided: bool) -> None:
    """Not even when it had been approved; the conversation takes another task."""
    act = recording()
    _, conversation, request = await waiting(house, act)
    if decided:
        await conversation.approve(request.id, by="bob")
    await conversation.withdraw()
    assert (conversation.pending_approvals, conversation.status) == ((), Status.READY)
    with pytest.raises(RingfenceError, match="No approval"):
        await conversation.approve(request.id, by="bob")
    with pytest.raises(TaskError, match="No turn is open"):
        await conversation.resume()
    assert reply_of(await conversation.run(task="Another question")) == "After."
    assert act.calls == []


async def test_an_approved_call_survives_a_failure_of_the_team(house: House) -> None:
    """A fresh team goes on behind it, and does not carry it out once more."""
    act = recording()
    _, conversation, request = await waiting(house, act, [pay()], ValueError("boom"), "After.")
    await conversation.approve(request.id, by="bob")
    with pytest.raises(ModelCallFailed):
        await conversation.resume()
    assert len(act.calls) == 1
    assert reply_of(await conversation.resume()) == "After."
    assert len(act.calls) == 1


async def test_an_approved_call_that_the_fence_refuses_is_used_up(house: House) -> None:
    """What was refused at a limit is not done later by surprise; the team knows what was done."""
    act, model = recording(), Scripted([pay("1", id="a"), pay("2", id="b")], "After.")
    conversation = house(limits={"tool_calls": 1}).conversation(team_of(model, [act.function]))
    await conversation.run(task="Go")
    for request in conversation.pending_approvals:
        await conversation.approve(request.id, by="bob")
    await conversation.resume()
    assert (act.calls, conversation.status) == ([{"what": "1"}], Status.LIMIT_REACHED)
    assert reply_of(await conversation.run(task="And?")) == "After."
    assert model.tool_results()[0] == "done"
    assert "tool_calls limit" in model.tool_results()[1]
    assert act.calls == [{"what": "1"}]


async def test_what_was_carried_out_is_told_when_the_failed_turn_is_given_up(house: House) -> None:
    """The team that takes the next task hears that the call has been done."""
    act, model = recording(), Scripted([pay()], ValueError("boom"), "After.")
    conversation = house().conversation(team_of(model, [act.function], max_tool_iterations=2))
    await conversation.run(task="Go")
    await conversation.approve(conversation.pending_approvals[0].id, by="bob")
    with pytest.raises(ModelCallFailed):
        await conversation.resume()
    assert len(act.calls) == 1
    await conversation.run(task="And?")
    assert 'The run before did not end well, but in it act {"what": "5 USD"}: done' in str(model.prompts[-1])
    assert len(act.calls) == 1


async def test_the_result_of_an_approved_call_is_masked_and_checked(
    house: House, logs: pytest.LogCaptureFixture
) -> None:
    """It passes the tool door like any other: pseudonyms for the team, real values for the user."""
    act = recording(answer=f"sent to {EVERY_CANARY}")
    ringfence, conversation, request = await waiting(house, act)
    await conversation.approve(request.id, by="bob")
    result = await conversation.resume()
    assert f"sent to {EVERY_CANARY}" in texts(result)[0]
    assert not canaries_in(await left_behind(conversation, ringfence, logs))


async def test_an_approved_tool_that_fails_has_not_been_done(house: House) -> None:
    """The agent hears of the failure."""
    act = recording(answer=ValueError("no funds"))
    _, conversation, request = await waiting(house, act)
    await conversation.approve(request.id, by="bob")
    result = await conversation.resume()
    assert "no funds" in texts(result)[0]
    assert "is_error=True" in texts(result)[0]
    assert len(act.calls) == 1


async def test_agents_of_one_team_share_no_approvals(house: House) -> None:
    """What was approved for one agent's call is not there for another agent's equal call."""
    act = recording()

    def factory(fence: Fence) -> RoundRobinGroupChat:
        bench = fence.workbench([act.function])
        agents: list[Any] = [
            agent(fence, Scripted([pay()], f"{name} done"), name=name, tools=bench) for name in ("a", "b")
        ]
        return RoundRobinGroupChat(agents, max_turns=2)

    conversation = house().conversation(factory)
    await conversation.run(task="Go")
    (first,) = conversation.pending_approvals
    await conversation.approve(first.id, by="bob")
    await conversation.resume()
    assert len(act.calls) == 1
    assert [request.agent for request in conversation.pending_approvals] == ["b"]
