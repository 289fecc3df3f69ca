"""The demo verifies what it claims, so a fence with a hole in it makes it fail."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ringfence.adapters.demo import perform
from ringfence.adapters.demo_stage import Stage
from ringfence.budgets.ledger import Ledger
from ringfence.conversations.audit import RunRecorder
from ringfence.conversations.conversation import Conversation
from ringfence.guardrails.approval_book import ApprovalBook
from ringfence.guardrails.injection_guardrail import InjectionGuardrail
from ringfence.guardrails.masking import Masker
from ringfence.guardrails.provenance import Provenance, Trace
from ringfence.guardrails.tool_policy import ToolPolicy
from ringfence.guardrails.verdicts import Allow


async def played(folder: Path) -> tuple[bool, str]:
    """Whether all claims held, and what was shown."""
    console = Console(width=100, file=io.StringIO(), _environ={})
    holds = await perform(console, folder)
    assert isinstance(console.file, io.StringIO)
    return holds, console.file.getvalue()


def failed(shown: str) -> list[str]:
    return re.findall(r"✗ (.+?) *\n", shown)


async def test_every_claim_holds(tmp_path: Path) -> None:
    """All scenes are played, and each says at the start what is not real."""
    holds, shown = await played(tmp_path)
    assert holds
    assert failed(shown) == []
    assert shown.count("✓") == 14
    assert "All 14 claims were verified." in shown
    assert "it answers by rules and is no language model" in shown.partition("1  Personal")[0]
    assert max(map(len, shown.splitlines()[:-5])) <= 100
    for words in ("<EMAIL_ADDRESS_1>", "jane@acme.com", "approval needed", "tokens limit", "ringfence chat"):
        assert words in shown


async def test_what_it_leaves_behind_can_be_talked_to(tmp_path: Path) -> None:
    """The desk of the demo stays where it says, with its shop and its audit."""
    _, shown = await played(tmp_path)
    folder = tmp_path / "support_desk"
    assert f"ringfence chat {folder / 'ringfence.yaml'}" in shown
    lines = (folder / "ringfence-audit.jsonl").read_text().splitlines()
    assert f"Read its {len(lines)} audit lines" in shown


# Holes, each in one part of the fence.

MASK, RESERVE, RECORD = Masker._mask_text, Ledger.reserve, RunRecorder.__call__


def masks_nothing(self: Masker, text: str, findings: Any) -> str:
    return text


def lets_phones_through(self: Masker, text: str, findings: Any) -> str:
    return self._vault.reveal(MASK(self, text, findings), ["PHONE_NUMBER"])


async def asks_nobody(self: ApprovalBook, call: Any, **_: Any) -> Any:
    return call


async def serves_twice(self: Conversation[Any, Any], approval_id: str, *, by: str) -> None:
    return None


def allows_all(self: ToolPolicy, *_: Any, **__: Any) -> Allow:
    return Allow("hole")


def traces_nothing(self: Provenance, *_: Any, **__: Any) -> tuple[Trace, ...]:
    return ()


def reserves_late(self: Ledger, worst_case: Any) -> Any:
    # It says no in the end, or the demo would have none.
    self._limits = self.limits.model_copy(update={"tokens": 1 if self.spent.tokens > 4_000 else 100_000})
    return RESERVE(self, worst_case)


def forgets_clearances(self: RunRecorder, event: str, /, **fields: object) -> None:
    if event != "clearance":
        RECORD(self, event, **fields)


def sees_nothing(self: InjectionGuardrail, text: str) -> Allow:
    return Allow("injection")


HOLES = [
    (Masker, "_mask_text", masks_nothing, "None of the shop's 40 names"),
    (Masker, "_mask_text", lets_phones_through, "None of the shop's 40 names"),
    (ApprovalBook, "settle", asks_nobody, "While the call waits, no money has moved"),
    (Conversation, "approve", serves_twice, "Each approval is on record and serves once"),
    (ToolPolicy, "judge", allows_all, "Behind the fence the model tried the same, and no mail left"),
    (Ledger, "reserve", reserves_late, "It was stopped before the call that would have gone over"),
    (RunRecorder, "__call__", forgets_clearances, "The attempt is on record"),
    (InjectionGuardrail, "_judged", sees_nothing, "The note was seen for what it is"),
    (Provenance, "trace", traces_nothing, "The mail waits for a person, who is told where its address"),
]


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole[2].__name__)
async def test_a_hole_in_the_fence_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hole: tuple[type, str, Any, str]
) -> None:
    """With one part of the fence broken, the claim that depends on it fails, and the demo with it."""
    owner, name, broken, claim = hole
    monkeypatch.setattr(owner, name, broken)
    holds, shown = await played(tmp_path)
    assert not holds
    assert any(one.startswith(claim) for one in failed(shown))
    assert "did NOT hold" in shown


async def test_a_refund_that_happens_twice_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of the database are counted, not the words of the model."""
    stage_rows = Stage.rows

    def twice(self: Stage, query: str) -> list[tuple[Any, ...]]:
        rows = stage_rows(self, query)
        return rows * 2 if "amount_cents FROM refunds" in query else rows

    monkeypatch.setattr(Stage, "rows", twice)
    holds, shown = await played(tmp_path)
    assert (holds, failed(shown)) == (False, ["The refund happened, and happened once"])


async def test_an_attack_that_is_not_tried_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the model does not obey, nothing was refused, and the demo does not claim that something was."""
    team = Stage.team
    monkeypatch.setattr(Stage, "team", lambda self, **_: team(self))
    holds, shown = await played(tmp_path)
    assert not holds
    assert "The policy said no; nobody had to notice" in failed(shown)


def test_as_a_command_without_a_terminal_a_home_or_a_key(tmp_path: Path) -> None:
    """It asks nothing, needs nothing, colours nothing, and writes only where it says."""
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "ringfence", "demo"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
        env={
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "PATH": os.environ["PATH"],
            "TERM": "xterm",
            "LANG": "C.UTF-8",
        },
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "All 14 claims were verified." in done.stdout
    assert "\x1b" not in done.stdout
    assert list(home.iterdir()) == []
    (folder,) = temporary.iterdir()
    assert folder.name.startswith("ringfence-demo-")
    assert str(folder) in done.stdout
