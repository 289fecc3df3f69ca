"""A policy may change while conversations go on: each takes it at its next run, and never within one."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from fenced import EMAIL, audit, policy_file, recording, reply_of, team_of
from scripted import Scripted, call

from ringfence import ConversationChanged, GuardrailTripped, Policy, PolicyError, Ringfence, Status
from ringfence.policy import AuditSettings

Opened = Callable[[Path], Ringfence]
BANNED = {"use": "ringfence/banned_phrases", "at": ["message"], "with": {"phrases": ["secret"]}}


@pytest.fixture
def change(tmp_path: Path) -> Callable[..., Path]:
    """Writes the policy file anew."""
    return lambda **sections: policy_file(tmp_path, **sections)


@pytest.fixture
async def opened() -> AsyncIterator[Callable[[Path], Ringfence]]:
    """Makes a Ringfence from a file, and closes it in the end."""
    ringfences: list[Ringfence] = []

    def build(path: Path) -> Ringfence:
        ringfences.append(Ringfence.from_file(path))
        return ringfences[-1]

    yield build
    for ringfence in ringfences:
        await ringfence.close()


async def test_the_next_run_keeps_to_the_new_policy(
    tmp_path: Path, change: Callable[..., Path], opened: Opened
) -> None:
    """The same conversation, with what it knew; each audit line names the policy that held."""
    ringfence = opened(policy_file(tmp_path))
    conversation = ringfence.conversation(team_of(Scripted("a secret", "<EMAIL_ADDRESS_1>", "a secret")))
    await conversation.run(task=f"Mail {EMAIL}")
    old = ringfence.policy_version
    change(guardrails=[BANNED])
    assert ringfence.reload()
    assert ringfence.policy_version != old
    assert reply_of(await conversation.run(task="And now?")) == EMAIL
    spent = conversation.usage.model_calls
    with pytest.raises(GuardrailTripped):
        await conversation.run(task="And now?")
    assert (spent, conversation.usage.model_calls) == (2, 3)
    versions = [line["policy"] for line in audit(ringfence) if line["event"] == "run_started"]
    assert versions == [old, ringfence.policy_version, ringfence.policy_version]


async def test_a_run_under_way_keeps_its_policy(
    tmp_path: Path, change: Callable[..., Path], opened: Opened
) -> None:
    """It began with it."""
    ringfence = opened(policy_file(tmp_path))

    async def reload() -> None:
        change(guardrails=[BANNED])
        ringfence.reload()

    conversation = ringfence.conversation(team_of(Scripted("a secret", on_call=reload)))
    assert reply_of(await conversation.run(task="Go")) == "a secret"
    assert {line["policy"] for line in audit(ringfence)} != {ringfence.policy_version}


async def test_a_faulty_policy_changes_nothing(tmp_path: Path, opened: Opened) -> None:
    """All its faults are told, and the old one holds on."""
    path = policy_file(tmp_path, guardrails=[BANNED])
    ringfence = opened(path)
    version = ringfence.policy_version
    path.write_text("version: 1\nlimts: {}\nguardrails: [{use: ringfence/nope, at: [message]}]\n")
    with pytest.raises(PolicyError, match=r"ringfence.yaml:2:1: limts: unknown key; did you mean `limits`"):
        ringfence.reload()
    path.write_text("version: 1\nguardrails:\n  - use: ringfence/nope\n    at: [message]\n")
    with pytest.raises(PolicyError, match=r"ringfence.yaml:3:10"):
        ringfence.reload()
    assert ringfence.policy_version == version
    with pytest.raises(GuardrailTripped):
        await ringfence.conversation(team_of(Scripted("a secret"))).run(task="Go")


async def test_what_waits_is_withdrawn(tmp_path: Path, change: Callable[..., Path], opened: Opened) -> None:
    """An approval binds the policy under which it was asked for."""
    act = recording()
    ringfence = opened(policy_file(tmp_path))
    conversation = ringfence.conversation(team_of(Scripted([call()], "ok"), [act.function]))
    await conversation.run(task="Go")
    (request,) = conversation.pending_approvals
    await conversation.approve(request.id, by="bob")
    change(tools={"act": {"decision": "deny"}})
    ringfence.reload()
    with pytest.raises(ConversationChanged, match="the policy is another one"):
        await conversation.resume()
    result = await conversation.run(task="Then?")
    assert conversation.status is Status.DONE
    assert "withdrawn" in json.dumps([one.to_text() for one in result.messages])
    assert act.calls == []


async def test_a_turn_that_waits_can_begin_anew_under_the_new_policy(
    tmp_path: Path, change: Callable[..., Path], opened: Opened
) -> None:
    """When that is allowed: the approval counts no more, and the new policy decides."""
    act = recording()
    ringfence = opened(policy_file(tmp_path))
    model = Scripted([call()], [call()], "ok")
    conversation = ringfence.conversation(team_of(model, [act.function], max_tool_iterations=2))
    await conversation.run(task="Go")
    (request,) = conversation.pending_approvals
    await conversation.approve(request.id, by="bob")
    change(tools={"act": {"decision": "deny"}})
    ringfence.reload()
    assert reply_of(await conversation.resume(allow_changes=True)) == "ok"
    assert "was not run" in model.tool_results()[0]
    assert (conversation.status, conversation.pending_approvals) == (Status.DONE, ())
    assert act.calls == []


async def test_new_limits_count_what_was_spent(
    tmp_path: Path, change: Callable[..., Path], opened: Opened
) -> None:
    """Nobody gets a new budget by a new file."""
    ringfence = opened(policy_file(tmp_path, limits={"model_calls": 1}))
    conversation = ringfence.conversation(team_of(Scripted("ok")))
    await conversation.run(task="Go")
    change(limits={"model_calls": 2})
    ringfence.reload()
    await conversation.run(task="Go")
    assert conversation.usage.model_calls == 2
    await conversation.run(task="Go")
    assert conversation.status is Status.LIMIT_REACHED


def test_the_same_file_is_no_change(tmp_path: Path, opened: Opened) -> None:
    """Conversations keep their teams."""
    assert not opened(policy_file(tmp_path)).reload()


@pytest.mark.parametrize("file", ["order.json", "checks.py"])
def test_a_file_that_a_guardrail_names_is_part_of_the_policy(
    tmp_path: Path, file: str, opened: Opened
) -> None:
    """Changed, it is another version."""
    (tmp_path / "order.json").write_text('{"type": "object"}')
    source = "from pydantic import BaseModel\nclass Order(BaseModel):\n    id: int\n"
    (tmp_path / "checks.py").write_text(source)
    uses = [{"use": "order.json", "at": ["message"]}, {"use": "checks.py:Order", "at": ["message"]}]
    ringfence = opened(policy_file(tmp_path, guardrails=uses))
    version = ringfence.policy_version
    with (tmp_path / file).open("a") as changed:
        changed.write("\n")
    assert ringfence.reload()
    assert ringfence.policy_version != version


def test_the_audit_log_stays_where_it_is(tmp_path: Path, change: Callable[..., Path], opened: Opened) -> None:
    """A log that moves in the middle of a process is none."""
    ringfence = opened(policy_file(tmp_path))
    change(audit={"path": "elsewhere.jsonl"})
    with pytest.raises(PolicyError, match=r"audit\.path: cannot change while the process runs"):
        ringfence.reload()


async def test_a_policy_in_code_is_handed_in(tmp_path: Path) -> None:
    """There is no file to read again."""
    kept: dict[str, Any] = {
        "audit": AuditSettings(path=str(tmp_path / "a.jsonl")),
        "prices": {"scripted": "free"},
    }
    ringfence = Ringfence(Policy(**kept))
    conversation = ringfence.conversation(team_of(Scripted("a secret")))
    await conversation.run(task="Go")
    with pytest.raises(PolicyError, match="no policy file"):
        ringfence.reload()
    assert ringfence.reload(
        Policy.model_validate(kept | {"guardrails": [yaml.safe_load(yaml.safe_dump(BANNED))]})
    )
    with pytest.raises(GuardrailTripped):
        await conversation.run(task="Go")
    await ringfence.close()
