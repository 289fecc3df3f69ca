"""`ringfence replay`: a conversation on the terminal, in JSON, and against another policy or team."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from small_team import POLICY, TEAM, small_team

from ringfence import Ringfence
from ringfence.cli import main

EMAIL = "jane@acme.example"


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def replay(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `ringfence replay` in this process."""

    def run(*arguments: str | Path) -> Done:
        capsys.readouterr()
        code = main(["replay", *map(str, arguments)])
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """The small team, with two conversations in its store: one that is done, and one that waits."""
    file = small_team(tmp_path / "desk")

    async def talk() -> None:
        ringfence = Ringfence.from_file(file)
        try:
            paid = ringfence.conversation(id="paid", user="alice")
            await paid.run(task=f"pay 12 and mail {EMAIL}")
            await paid.approve(paid.pending_approvals[0].id, by="bob")
            await paid.resume()
            await paid.run(task="look at \x1b[2Jthe vase")
            await ringfence.conversation(id="waits", user="alice").run(task="pay 5")
        finally:
            await ringfence.close()

    asyncio.run(talk())
    return file


def other_policy(policy: Path, before: str, after: str) -> Path:
    """Another policy beside it."""
    assert before in POLICY
    file = policy.with_name("other.yaml")
    file.write_text(POLICY.replace(before, after))
    return file


def test_a_conversation_step_by_step(replay: Command, policy: Path) -> None:
    """Tasks, model calls with their cost, tool calls with who approved, refusals, and what went out."""
    shown = replay(policy, "paid")

    assert shown.code == 0
    for words in (
        "paid  done\n",
        "user alice · team team · policy ",
        "Stand-ins are shown; --reveal shows real values.\n",
        "turn 1 of task 1\n",
        "to the user: user TextMessage: pay 12 and mail <EMAIL_ADDRESS_1>\n",
        "   1 clerk asks rehearsal · ",
        '   2 clerk runs pay(amount="12", note="two\\nlines")\n       → paid 12\n       approval approval-',
        ": approved by bob at 20",
        '     clerk wants mail(to="<EMAIL_ADDRESS_1>")\n       Refused: argument `to` of mail does not match',
        "turn 2 of task 2\n",
        'clerk runs look(thing="',
    ):
        assert words in shown.out
    assert EMAIL not in shown.out
    assert "\x1b" not in shown.out


def test_one_turn(replay: Command, policy: Path) -> None:
    """And a turn that is not there."""
    shown = replay(policy, "paid", "--turn", "2")
    assert "turn 2 of task 2\n" in shown.out
    assert "turn 1 of task 1\n" not in shown.out
    missing = replay(policy, "paid", "--turn", "3")
    assert (missing.code, missing.out) == (2, "")
    assert "the conversation has 2 turns, and not 3" in missing.err


def test_real_values_when_they_are_wanted(replay: Command, policy: Path) -> None:
    """It says that they are shown."""
    shown = replay(policy, "paid", "--reveal")
    assert f"pay 12 and mail {EMAIL}" in shown.out
    assert "Real values are shown.\n" in shown.out


def test_a_conversation_that_waits(replay: Command, policy: Path) -> None:
    """For whom, for what, and until when; to show it is no failure."""
    shown = replay(policy, "waits")
    assert shown.code == 0
    assert "waits  waiting for approval\n" in shown.out
    assert "turn 1 of task 1, open: resume() goes on within it\n" in shown.out
    assert "stopped: a person has to decide on approval-" in shown.out
    assert 'pay(amount="5"' in shown.out.splitlines()[-1]


def test_json(replay: Command, policy: Path) -> None:
    """One object with all of it."""
    facts = json.loads(replay(policy, "paid", "--json").out)
    assert (facts["id"], facts["status"], facts["revealed"], facts["waiting"]) == ("paid", "done", False, [])
    first = facts["turns"][0]
    assert (first["number"], first["task"], first["ended"]) == (1, 1, "done")
    steps = [one for one in first["entries"] if one["type"] == "step"]
    assert steps[0]["calls"] == [{"tool": "pay", "arguments": '{"amount": "12", "note": "two\\nlines"}'}]
    assert steps[0]["usage"]["input_tokens"] > 0
    assert (steps[1]["result"], steps[1]["asked"][0]["by"]) == ("paid 12", "bob")
    assert "said" not in steps[1]["asked"][0]
    assert [one["tool"] for one in first["entries"] if one["type"] == "refused"] == ["mail"]
    assert [one["number"] for one in first["entries"] if one["type"] == "event"] == [1, 2, 3, 4, 5, 6]
    waits = json.loads(replay(policy, "waits", "--json", "--reveal").out)
    assert (waits["turns"][0]["entries"][-1]["type"], waits["revealed"]) == ("asked", True)


def test_no_team_is_built(replay: Command, policy: Path) -> None:
    """A team that cannot be loaded does not matter; nor is the audit log written to."""
    policy.with_name("team.py").write_text("raise SystemExit(9)")
    before = policy.with_name("ringfence-audit.jsonl").read_bytes()
    assert replay(policy, "paid").code == 0
    assert policy.with_name("ringfence-audit.jsonl").read_bytes() == before


def test_another_policy(replay: Command, policy: Path) -> None:
    """The decisions that differ, by turn and step; and the exit code says that there are some."""
    other = other_policy(policy, "tools:\n", "tools:\n  pay: {decision: deny}\n")
    shown = replay(policy, "paid", "--policy", other)
    assert shown.code == 1
    assert (
        "turn 1\n"
        '   2 pay(amount="12", note="two\\nlines")\n'
        "       recorded  approved by bob, it runs\n"
        "       now       Refused: the policy denies pay. The call was not run.\n"
    ) in shown.out
    assert "printed by a tool" not in shown.out
    facts = json.loads(replay(policy, "paid", "--policy", other, "--json").out)
    assert facts["status"] == "failed"
    assert facts["differences"][0]["what"].startswith("pay(")


@pytest.mark.parametrize("conversation", ["paid", "waits"])
def test_the_same_policy(replay: Command, policy: Path, conversation: str) -> None:
    """No decision differs."""
    shown = replay(policy, conversation, "--policy", policy)
    assert shown.code == 0
    assert "\n0 differences, " in shown.out


def test_another_team(replay: Command, policy: Path) -> None:
    """One without a tool that was called."""
    policy.with_name("other.py").write_text(TEAM.replace("[look, pay, mail]", "[look, mail]"))
    shown = replay(policy, "paid", "--team", "other.py:team")
    assert shown.code == 1
    assert "now       the team no longer has this tool\n" in shown.out


def test_options_that_do_not_go_together(replay: Command, policy: Path) -> None:
    """What is shown of a recording is not shown of a comparison."""
    assert replay(policy, "paid", "--policy", policy, "--turn", "1").code == 2
    assert replay(policy, "paid", "--team", "team.py:team", "--reveal").code == 2


def _unknown(policy: Path) -> None:
    policy.with_name("ringfence.sqlite").unlink()


def _tampered(policy: Path) -> None:
    _execute(policy, "UPDATE ringfence_journal SET name = 'other' WHERE number = 1")


def _truncated(policy: Path) -> None:
    _execute(policy, "DELETE FROM ringfence_events WHERE number = 1")


def _newer(policy: Path) -> None:
    _execute(policy, "UPDATE ringfence_schema_version SET version_num = '9999'")


def _faulty(policy: Path) -> None:
    policy.write_text("limitz: {}")


@pytest.mark.parametrize(
    ("harm", "code", "words"),
    [
        (_unknown, 1, "There is no store ringfence.sqlite yet"),
        (_tampered, 1, "holds a value that does not open"),
        (_truncated, 1, "rows and not"),
        (_newer, 1, "was written by a newer Ringfence"),
        (_faulty, 2, "limitz"),
    ],
)
def test_what_cannot_be_shown(
    replay: Command, policy: Path, harm: Callable[[Path], None], code: int, words: str
) -> None:
    """A clear error each."""
    harm(policy)
    shown = replay(policy, "paid")
    assert (shown.code, shown.out) == (code, "")
    assert words in shown.err
    facts: dict[str, Any] = json.loads(replay(policy, "paid", "--json").out)
    assert words in str(facts["error"])


def test_an_unknown_id(replay: Command, policy: Path) -> None:
    """The store has none."""
    shown = replay(policy, "nobody")
    assert (shown.code, shown.out) == (1, "")
    assert "knows no conversation 'nobody'" in shown.err


def _execute(policy: Path, statement: str) -> None:
    with sqlite3.connect(policy.with_name("ringfence.sqlite")) as db:
        assert db.execute(statement).rowcount > 0
    db.close()
