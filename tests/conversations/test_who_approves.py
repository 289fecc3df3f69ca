"""Who may decide on a call, and how many of them it takes."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fenced import RecordingTool, Talk, audit, recording, team_of
from scripted import Scripted, call

from ringfence import (
    ApprovalRequest,
    Approved,
    Policy,
    PolicyError,
    Rejected,
    Ringfence,
    RingfenceError,
    Status,
)

House = Callable[..., Ringfence]
APPROVERS = {"by": ["manager", "*@audit.contoso.com"]}
ROLES = {"manager": ["bob@contoso.com", "carol@contoso.com"]}


async def waiting(
    house: House, approvals: dict[str, Any], *, approver: Any = None, user: str = "alice", **policy: Any
) -> tuple[Ringfence, Talk, RecordingTool]:
    """A conversation whose call waits for somebody who may decide on it."""
    act = recording()
    ringfence = house(approvals=approvals, roles=ROLES, **policy)
    model = Scripted([call()], "After.")
    team = team_of(model, [act.function], max_tool_iterations=2)
    talk = ringfence.conversation(team, id="t", user=user, approver=approver)
    await talk.run(task="Act")
    assert talk.status is Status.WAITING_FOR_APPROVAL
    return ringfence, talk, act


def verdicts(ringfence: Ringfence) -> list[tuple[str, str]]:
    """What the audit log says of approvals, and of whom."""
    return [(line["verdict"], line["by"]) for line in audit(ringfence) if line["event"] == "approval"]


@pytest.mark.parametrize("by", ["bob@contoso.com", " BOB@contoso.com\n", "eve@audit.contoso.com"])
async def test_somebody_who_may_decides(house: House, by: str) -> None:
    """By role, or by name; however the name is written."""
    _, talk, act = await waiting(house, APPROVERS)
    await talk.approve(talk.pending_approvals[0].id, by=by)
    await talk.resume()
    assert len(act.calls) == 1


@pytest.mark.parametrize("by", ["alice", "manager", "bob@contoso.com.evil.org", "eve@audit.contoso.com.org"])
async def test_nobody_else_does(house: House, by: str) -> None:
    """The error says who may; the call waits on as it did, and the attempt is on record."""
    ringfence, talk, act = await waiting(house, APPROVERS)
    pending = talk.pending_approvals
    who = r"it may be decided by manager or \*@audit\.contoso\.com"
    with pytest.raises(RingfenceError, match=who):
        await talk.approve(pending[0].id, by=by)
    with pytest.raises(RingfenceError, match=who):
        await talk.reject(pending[0].id, by=by)
    assert verdicts(ringfence) == [("refused", by), ("refused", by)]
    assert (talk.pending_approvals, act.calls) == (pending, [])


async def test_a_service_knows_roles_of_its_own(tmp_path: Path, house: House) -> None:
    """They are asked for when somebody decides; when they cannot be told, nobody has one."""
    known: dict[str, set[str]] = {"zoe": {"controller"}}
    policy = house(approvals={"by": ["controller"]}).policy
    ringfence = Ringfence(policy.model_copy(), store=tmp_path / "x.sqlite", roles=known.__getitem__)
    talk = ringfence.conversation(team_of(Scripted([call()], "After."), [recording().function]))
    await talk.run(task="Act")
    (request,) = talk.pending_approvals
    with pytest.raises(RingfenceError, match="it may be decided by controller"):
        await talk.approve(request.id, by="bob")
    await talk.approve(request.id, by="zoe")
    assert talk.pending_approvals == ()
    await ringfence.close()


async def test_a_tool_may_have_deciders_of_its_own(house: House) -> None:
    """What its rule does not say, the policy in general says."""
    tools = {"act": {"approvals": {"by": ["zoe", "ann"]}}}
    _, talk, act = await waiting(house, APPROVERS | {"approvers": 2}, tools=tools)
    (request,) = talk.pending_approvals
    assert (request.deciders.by, request.deciders.approvers) == (("zoe", "ann"), 2)
    with pytest.raises(RingfenceError, match="it may be decided by zoe or ann, 2 different persons"):
        await talk.approve(request.id, by="bob@contoso.com")
    assert act.calls == []


async def test_two_persons_have_to_approve(house: House) -> None:
    """The first yes runs nothing; the second does, and both are named."""
    ringfence, talk, act = await waiting(house, {"approvers": 2})
    (request,) = talk.pending_approvals
    await talk.approve(request.id, by="bob")
    assert [(one.approved_by, one.still_needed) for one in talk.pending_approvals] == [(("bob",), 1)]
    with pytest.raises(RingfenceError):
        await talk.resume()
    await talk.approve(request.id, by="carol")
    with pytest.raises(RingfenceError, match="approved already, by bob and carol"):
        await talk.approve(request.id, by="zoe")
    await talk.resume()
    assert len(act.calls) == 1
    assert verdicts(ringfence) == [("approved", "bob"), ("approved", "carol")]


@pytest.mark.parametrize("again", ["bob", "Bob", " bob ", "BOB\u200b", "ｂｏｂ"])
async def test_the_second_is_not_the_first(house: House, again: str) -> None:
    """However the name is written the second time."""
    ringfence, talk, act = await waiting(house, {"approvers": 2})
    (request,) = talk.pending_approvals
    await talk.approve(request.id, by="bob")
    with pytest.raises(RingfenceError, match="approved it already"):
        await talk.approve(request.id, by=again)
    assert [one.still_needed for one in talk.pending_approvals] == [1]
    assert verdicts(ringfence)[1][0] == "refused"
    assert act.calls == []


async def test_one_no_is_enough(house: House) -> None:
    """Also after somebody else's yes."""
    _, talk, act = await waiting(house, {"approvers": 2})
    (request,) = talk.pending_approvals
    await talk.approve(request.id, by="bob")
    await talk.reject(request.id, by="carol", reason="no")
    result = await talk.resume()
    assert "was rejected by carol: no" in str(result.messages)
    assert act.calls == []


async def test_the_first_yes_is_known_in_another_process(house: House, tmp_path: Path) -> None:
    """And two who speak at the same moment, each in a process of their own, do not overwrite each other."""
    policy: dict[str, Any] = {"store": {"url": f"sqlite:///{tmp_path}/desk.sqlite"}}
    _, talk, act = await waiting(house, {"approvers": 2}, **policy)
    (request,) = talk.pending_approvals
    others = [
        house(approvals={"approvers": 2}, roles=ROLES, **policy).conversation(
            team_of(Scripted("unused")), id="t", user="alice"
        )
        for _ in range(2)
    ]
    spoken = await asyncio.gather(
        others[0].approve(request.id, by="bob"),
        others[1].approve(request.id, by="carol"),
        return_exceptions=True,
    )
    assert len([one for one in spoken if one is None]) in {1, 2}
    for name, talks in (("bob", others[1]), ("carol", others[0])):
        try:
            await talks.approve(request.id, by=name)
        except RingfenceError:
            continue
    assert talk.status is Status.WAITING_FOR_APPROVAL
    await talk.resume()
    assert len(act.calls) == 1


async def test_what_somebody_said_meanwhile_is_not_overwritten(house: House, tmp_path: Path) -> None:
    """Whoever read the request before that has to look again."""
    policy: dict[str, Any] = {"store": {"url": f"sqlite:///{tmp_path}/desk.sqlite"}}
    _, talk, _ = await waiting(house, {"approvers": 2}, **policy)
    (request,) = talk.pending_approvals
    other = house(approvals={"approvers": 2}, roles=ROLES, **policy)
    late = other.conversation(team_of(Scripted("unused")), id="t", user="alice")
    await late.load()
    await talk.approve(request.id, by="bob")
    said = {"approved_by": ["carol"], "change": None}
    assert not await late._session.requests.decide(request.id, status="waiting", decision=said)
    await late.load()
    assert [one.approved_by for one in late.pending_approvals] == [("bob",)]


async def test_four_eyes_are_two_persons(house: House) -> None:
    """Whoever talks to the team does not decide on what it wants to do for them."""
    _, talk, act = await waiting(house, {"four_eyes": True}, user="Alice@contoso.com")
    (request,) = talk.pending_approvals
    with pytest.raises(RingfenceError, match="is the conversation's own user"):
        await talk.approve(request.id, by="alice@CONTOSO.com ")
    await talk.approve(request.id, by="bob")
    await talk.resume()
    assert len(act.calls) == 1


@pytest.mark.parametrize("answer", [Approved("mallory"), Rejected("mallory"), Approved("manager")])
async def test_an_approver_who_may_not_decide_has_said_nothing(house: House, answer: Any) -> None:
    """The call waits for somebody who may."""

    async def approver(_request: ApprovalRequest) -> Any:
        return answer

    ringfence, talk, act = await waiting(house, APPROVERS, approver=approver)
    assert verdicts(ringfence) == [("refused", answer.by)]
    await talk.approve(talk.pending_approvals[0].id, by="bob@contoso.com")
    await talk.resume()
    assert len(act.calls) == 1


async def test_the_approver_who_is_there_may_be_the_first_of_two(house: House) -> None:
    """The second comes later, and has the time of somebody who is not there."""

    async def approver(_request: ApprovalRequest) -> Approved:
        return Approved("bob")

    approvals = {"approvers": 2, "timeout_seconds": 1, "waits_seconds": 10_000}
    _, talk, act = await waiting(house, approvals, approver=approver)
    (request,) = talk.pending_approvals
    assert request.approved_by == ("bob",)
    await talk.approve(request.id, by="carol")
    await talk.resume()
    assert len(act.calls) == 1


async def test_nobody_approves_what_another_policy_asked_for(house: House, tmp_path: Path) -> None:
    """It would never run; it can still be rejected."""
    store: dict[str, Any] = {"store": {"url": f"sqlite:///{tmp_path}/desk.sqlite"}}
    _, talk, _ = await waiting(house, {}, **store)
    (request,) = talk.pending_approvals
    other = house(limits={"turns": 3}, **store).conversation(team_of(Scripted("x")), id="t", user="alice")
    with pytest.raises(RingfenceError, match="under another policy"):
        await other.approve(request.id, by="bob")
    await other.reject(request.id, by="bob")


@pytest.mark.parametrize(
    ("policy", "where"),
    [
        ({"approvals": {"by": ["bob@contoso.com"], "approvers": 2}}, "approvals.approvers"),
        ({"approvals": {"by": ["bob", " BOB"], "approvers": 2}}, "approvals.approvers"),
        ({"tools": {"a": {"approvals": {"by": ["bob"], "approvers": 2}}}}, "tools.a.approvals.approvers"),
        (
            {"approvals": {"approvers": 2}, "tools": {"a": {"approvals": {"by": ["bob"]}}}},
            "tools.a.approvals.by",
        ),
    ],
)
def test_more_approvals_than_persons_is_a_fault(policy: dict[str, Any], where: str) -> None:
    """Such a call could never run; a service that knows roles may mean one by the name."""
    with pytest.raises(PolicyError, match="takes 2 different persons, and `by` names 1") as caught:
        Ringfence(Policy.model_validate(policy))
    assert [fault.where for fault in caught.value.faults] == [where]
    Ringfence(Policy.model_validate(policy), roles=lambda _: ())


@pytest.mark.parametrize("by", [["bob", "carol"], ["*@contoso.com"], ["manager"], None])
def test_enough_persons_may_decide(by: list[str] | None) -> None:
    """By name, or by what several may be."""
    Ringfence(Policy.model_validate({"approvals": {"by": by, "approvers": 2}, "roles": ROLES}))
