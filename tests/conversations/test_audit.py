"""The audit log: a line of JSON for each crossing and decision; what cannot be written does not happen."""

import json
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fenced import (
    EMAIL,
    EVERY_CANARY,
    audit,
    audit_text,
    canaries_in,
    make,
    policy_file,
    recording,
    reply_of,
    team_of,
)
from scripted import Scripted, call

from ringfence import Approved, GuardrailTripped, Policy, Ringfence, RingfenceError, Status, StoreError
from ringfence.conversations.audit import AuditLog

House = Callable[..., Ringfence]


async def yes(_request: object) -> Approved:
    """Approve everything."""
    return Approved("bob")


async def test_a_run_reads_from_its_first_line_to_its_last(house: House) -> None:
    """Who did what at which door, and how it ended, in the order in which it happened."""
    ringfence, act = house(), recording(reveals={"what": ["EMAIL_ADDRESS"]})
    model = Scripted([call(arguments=json.dumps({"what": EMAIL}))], "ok")
    conversation = ringfence.conversation(
        team_of(model, [act.function], max_tool_iterations=2), id="ticket-7", user="alice", approver=yes
    )
    await conversation.run(task=f"Mail {EVERY_CANARY}")
    lines = [line for line in audit(ringfence) if line["event"] != "delivers"]
    assert [(line["event"], line.get("door"), line.get("agent"), line.get("outcome")) for line in lines] == [
        ("run_started", None, None, None),
        ("enters", "user", None, None),
        ("enters", "model", "desk", None),
        ("model_usage", None, "desk", None),
        ("clearance", "model", "desk", None),
        ("leaves", "model", "desk", "passed"),
        ("enters", "tool", "desk", None),
        ("approval_requested", None, "desk", None),
        ("approval", None, None, None),
        ("leaves", "tool", "desk", "passed"),
        ("enters", "model", "desk", None),
        ("model_usage", None, "desk", None),
        ("leaves", "model", "desk", "passed"),
        ("leaves", "user", None, "passed"),
        ("run_ended", None, None, None),
    ]
    assert {line["conversation"] for line in lines} == {"ticket-7"}
    assert {line["trace"] for line in lines} == {conversation.trace_id}
    assert len({line["policy"] for line in lines}) == 1
    clearance = next(line for line in lines if line["event"] == "clearance")
    assert (clearance["tool"], clearance["verdict"]) == ("act", "escalate")
    assert act.calls == [{"what": EMAIL}]
    assert not canaries_in(audit_text(ringfence))


async def test_every_line_is_json_with_a_time(house: House) -> None:
    """Times are UTC and never run backwards; no line has an empty field."""
    ringfence = house()
    await ringfence.conversation(team_of(Scripted("Grüße 🎈\n"))).run(task="Zwei\nZeilen \u2028 \x00")
    lines = audit_text(ringfence).split("\n")
    assert lines.pop() == ""
    parsed = [json.loads(line) for line in lines]
    times = [datetime.fromisoformat(line["timestamp"]) for line in parsed]
    assert times == sorted(times)
    assert {time.utcoffset() for time in times} == {timedelta()}
    assert not [value for line in parsed for value in line.values() if value in ("", None, [])]


async def test_each_run_has_a_trace_of_its_own(house: House) -> None:
    """All lines of a run carry one id, and the next run has another."""
    ringfence, traces = house(), []
    conversation = ringfence.conversation(team_of(Scripted("ok")))
    for _ in range(2):
        await conversation.run(task="Go")
        traces.append(conversation.trace_id)
    seen = [line["trace"] for line in audit(ringfence)]
    assert list(dict.fromkeys(seen)) == traces
    starts = [line["trace"] for line in audit(ringfence) if line["event"] == "run_started"]
    assert starts == traces


async def test_what_is_carried_out_on_resume_is_in_the_trace_of_the_resumed_run(house: House) -> None:
    """From the decision's tool call to the answer: one trace."""
    ringfence, act = house(), recording()
    conversation = ringfence.conversation(team_of(Scripted([call()], "ok"), [act.function]))
    await conversation.run(task="Go")
    await conversation.approve(conversation.pending_approvals[0].id, by="bob")
    await conversation.resume()
    mine = [line for line in audit(ringfence) if line["trace"] == conversation.trace_id]
    assert mine[0]["event"] == "run_started"
    assert ("leaves", "passed") in {
        (line["event"], line.get("outcome")) for line in mine if line.get("door") == "tool"
    }
    assert mine[-1]["event"] == "run_ended"


@pytest.mark.parametrize(
    ("replies", "policy", "outcome", "status"),
    [
        ([ValueError("boom")], {}, "ModelCallFailed", "failed"),
        (["the secret"], {}, "GuardrailTripped", "blocked"),
        (["one", "two"], {"limits": {"model_calls": 1}}, "LimitExceeded", "limit_reached"),
    ],
)
async def test_what_went_wrong_is_on_record(
    house: House, replies: list[Any], policy: dict[str, Any], outcome: str, status: str
) -> None:
    """The door says by which error a call left, and the last line says how the run ended."""
    rule = {"use": "ringfence/banned_phrases", "at": ["message"], "with": {"phrases": ["secret"]}}
    ringfence = house(guardrails=[rule], **policy)
    with suppress(RingfenceError):
        await ringfence.conversation(team_of(Scripted(*replies), turns=2)).run(task="Go")
    left = [
        line["outcome"] for line in audit(ringfence) if line["event"] == "leaves" and line["door"] == "model"
    ]
    assert left[-1] == outcome
    assert audit(ringfence)[-1]["status"] == status


async def test_a_guardrails_verdict_is_on_record_without_the_text(house: House) -> None:
    """Which guardrail, where, what it said."""
    rule = {"use": "ringfence/banned_phrases", "at": ["input"], "with": {"phrases": ["secret"]}}
    ringfence = house(guardrails=[rule])
    with pytest.raises(GuardrailTripped):
        await ringfence.conversation(team_of(Scripted("ok"))).run(task=f"secret of {EMAIL}")
    (line,) = [line for line in audit(ringfence) if line["event"] == "guardrail"]
    assert (line["guardrail"], line["point"], line["verdict"]) == (
        "ringfence/banned_phrases",
        "input",
        "block",
    )
    assert "secret of" not in audit_text(ringfence)


async def test_a_refused_task_leaves_a_line_too(house: House) -> None:
    """Personal data that the policy blocks: that it happened is on record, the data is not."""
    ringfence = house(pii={"entities": {"EMAIL_ADDRESS": "block"}})
    with pytest.raises(GuardrailTripped):
        await ringfence.conversation(team_of(Scripted("ok"))).run(task=EMAIL)
    assert [line["outcome"] for line in audit(ringfence) if line["event"] == "leaves"] == ["GuardrailTripped"]
    assert audit(ringfence)[-1]["status"] == "blocked"
    assert EMAIL not in audit_text(ringfence)


# A log that cannot be written


async def test_what_cannot_be_recorded_does_not_happen(tmp_path: Path) -> None:
    """With a folder where the file should be, the run fails with StoreError before any model is called."""
    ringfence = make(tmp_path, audit={"path": "log/audit.jsonl"})
    (tmp_path / "log/audit.jsonl").mkdir(parents=True)
    model = Scripted("never")
    conversation = ringfence.conversation(team_of(model))
    with pytest.raises(StoreError, match="cannot be written"):
        await conversation.run(task="Go")
    assert (model.calls, conversation.status) == (0, Status.FAILED)
    (tmp_path / "log/audit.jsonl").rmdir()
    assert reply_of(await conversation.run(task="Again")) == "never"
    await ringfence.close()


FAILING = [
    ("enters", "user"),
    ("enters", "model"),
    ("model_usage", None),
    ("clearance", "model"),
    ("leaves", "model"),
    ("enters", "tool"),
    ("approval_requested", None),
    ("approval", None),
]


@pytest.mark.parametrize(("event", "door"), FAILING, ids=[" ".join(filter(None, pair)) for pair in FAILING])
async def test_a_log_that_fails_before_the_tool_ran_keeps_it_from_running(
    house: House, monkeypatch: pytest.MonkeyPatch, event: str, door: str | None
) -> None:
    """Whichever line cannot be written on the way to a consequential call, the call does not run."""
    act, fails = recording(), failing(monkeypatch, event, door)
    conversation = house().conversation(team_of(Scripted([call()], "ok"), [act.function]), approver=yes)
    with pytest.raises(StoreError):
        await conversation.run(task="Go")
    assert act.calls == []
    assert fails == [True]
    assert conversation.status is Status.FAILED


async def test_a_log_that_fails_after_the_tool_ran_does_not_say_that_it_did_not(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ends with StoreError, and nobody is told that the call was not run."""
    act = recording()
    failing(monkeypatch, "leaves", "tool")
    conversation = house().conversation(team_of(Scripted([call()], "ok"), [act.function]), approver=yes)
    with pytest.raises(StoreError):
        await conversation.run(task="Go")
    assert len(act.calls) == 1
    assert "was not run" not in str(conversation.transcript)


def failing(monkeypatch: pytest.MonkeyPatch, event: str, door: str | None) -> list[bool]:
    """Make the log fail at the first line of this kind; the list says whether it did."""
    failed: list[bool] = []
    write = AuditLog.info

    def info(self: AuditLog, line: str) -> None:
        fields = json.loads(line)
        if not failed and (fields["event"], fields.get("door")) == (event, door):
            failed.append(True)
            raise StoreError("The audit log cannot be written: No space left on device")
        write(self, line)

    monkeypatch.setattr(AuditLog, "info", info)
    return failed


# The file


async def test_the_file_is_for_its_owner_only_and_is_only_appended_to(tmp_path: Path) -> None:
    """Another process with the same policy adds its lines at the end."""
    policy = policy_file(tmp_path, audit={"path": "deep/down/audit.jsonl"})
    for _ in range(2):
        ringfence = Ringfence.from_file(policy)
        await ringfence.conversation(team_of(Scripted("ok"))).run(task="Go")
        await ringfence.close()
    path = tmp_path / "deep/down/audit.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [line["event"] for line in audit(ringfence)].count("run_started") == 2


async def test_a_closed_log_opens_again(house: House) -> None:
    """`close` ends nothing for good."""
    ringfence = house()
    conversation = ringfence.conversation(team_of(Scripted("ok")))
    await conversation.run(task="Go")
    await ringfence.close()
    await conversation.run(task="Go")
    assert [line["event"] for line in audit(ringfence)].count("run_ended") == 2


async def test_a_policy_in_code_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a policy file there is no place for the log."""
    monkeypatch.chdir(tmp_path)
    ringfence = Ringfence(Policy(prices={"scripted": "free"}))
    assert reply_of(await ringfence.conversation(team_of(Scripted("ok"))).run(task="Go")) == "ok"
    assert ringfence.audit.path is None
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - ruff takes Path's own way for one that blocks
