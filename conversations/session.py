"""What belongs to one conversation, whatever framework its team is made with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ringfence.budgets.ledger import Ledger
from ringfence.budgets.usage import Step, Usage
from ringfence.conversations.audit import RunRecorder
from ringfence.conversations.counted_calls import counted_calls
from ringfence.conversations.journal import Journal
from ringfence.conversations.record import Record
from ringfence.conversations.records import Row
from ringfence.conversations.requests import Requests
from ringfence.guardrails.approval_book import ApprovalBook
from ringfence.guardrails.heard import Heard
from ringfence.guardrails.live_pieces import LivePieces
from ringfence.guardrails.masking import Masker
from ringfence.guardrails.middleware import Middleware
from ringfence.guardrails.passages import Point
from ringfence.guardrails.provenance import Provenance
from ringfence.guardrails.provenance_notes import OTHERS, note_all, note_row
from ringfence.guardrails.standing import Standing
from ringfence.guardrails.stop import StopSignal
from ringfence.guardrails.streaming import StreamedReveal
from ringfence.guardrails.suspicions import Suspicions
from ringfence.guardrails.texts import map_text
from ringfence.guardrails.tool_listings import ToolListings
from ringfence.guardrails.vault import Vault
from ringfence.guardrails.verdicts import Guardrail

T = TypeVar("T")


@dataclass(frozen=True)
class Session:
    """The state and the user door of one conversation, bound explicitly into all that serves it."""

    id: str
    user: str
    policy_version: str
    record: RunRecorder
    journal: Journal = field(repr=False)
    """Where its steps are written down."""
    requests: Requests = field(repr=False)
    """What waits for a person."""
    vault: Vault = field(repr=False)
    masker: Masker = field(repr=False)
    ledger: Ledger = field(repr=False)
    judge_ledger: Ledger = field(repr=False)
    """What the models cost that judge the conversation: an account of its own."""
    approvals: ApprovalBook = field(repr=False)
    stop: StopSignal = field(repr=False)
    user_door: Sequence[Middleware[Any, Any]] = field(repr=False)
    """What a user's turn passes on its way in."""
    delivery_door: Sequence[Middleware[Any, Any]] = field(repr=False)
    """What a message of the team passes on its way to the user."""
    live_pieces: LivePieces = field(default_factory=LivePieces, repr=False)
    """Pieces of replies that passed the model door while the model was writing."""
    guardrails: Mapping[Point, Sequence[Guardrail]] = field(default_factory=dict, repr=False)
    """What judges the texts of this conversation."""
    heard: Heard | None = field(default=None, repr=False)
    suspicions: Suspicions = field(default_factory=Suspicions, repr=False)
    provenance: Provenance = field(default_factory=Provenance, repr=False)
    """What it has read, by source."""
    listings: ToolListings = field(default_factory=ToolListings, repr=False)
    """What servers said of their tools when it first saw them."""
    standing: Standing = field(default_factory=Standing, repr=False)
    """What its calls are judged by beside their own words."""
    answers: dict[str, str] = field(default_factory=dict, repr=False)
    """What the user answered to questions of the open turn, as it was typed in; by question."""
    reveal_to_user: tuple[str, ...] | None = None
    """Entity types whose real values the user sees; None means all."""

    def revealed(self, message: T) -> T:
        """A message as the user may see it."""
        return map_text(message, lambda text: self.vault.reveal(text, self.reveal_to_user))

    def streamed_reveal(self) -> StreamedReveal:
        """Reveals a text that comes in pieces as `revealed` would the whole of it."""
        return StreamedReveal(self.vault, self.reveal_to_user)

    def saved(self) -> dict[str, Any]:
        """What is written down beside the team's state and the vault."""
        return {
            "spent": self.ledger.spent.as_dict(),
            "judges_spent": self.judge_ledger.spent.as_dict(),
            "suspicions": self.suspicions.saved(),
            "provenance": self.provenance.saved(),
            "salt": self.journal.salt,
            "tools": self.listings.saved(),
            "requests": self.requests.asked,
            "run_turns": self.ledger.run_turns,
            "bounds": self.standing.bounds.saved(),
        }

    def restore(self, record: Record, rows: Sequence[Row]) -> None:
        """Take up what was written down."""
        kept = record.session
        if record.vault is not None:
            self.vault.restore(record.vault)
        if kept:
            models = [row for row in rows if row.kind in {"model", "reask"}]
            self.ledger.restore(Usage.of(kept["spent"]), _steps(models))
            judges = [row for row in rows if row.kind == "judge"]
            self.judge_ledger.restore(Usage.of(kept["judges_spent"]), _steps(judges))
            self.suspicions.clear()
            self.suspicions.load(kept["suspicions"])
            self._restore_provenance(record, rows)
            self.journal.salt = kept["salt"]
            self.listings.load(kept.get("tools", {}))
            self.requests.asked = kept["requests"]
            self.ledger.run_turns = kept["run_turns"]
            self.standing.bounds.load(kept.get("bounds", {}))
        self.standing.made.load(counted_calls(rows, self.vault.reveal))

    def _restore_provenance(self, record: Record, rows: Sequence[Row]) -> None:
        saved = record.session.get("provenance", {})
        if saved.get("since", 0) != self.provenance.since:
            self.provenance.clear()  # another process made the agents forget
        self.provenance.load(saved)
        if saved.get("is_loaded") and record.state is not None:
            note_all(self.provenance, record.state, OTHERS)
        for row in rows:
            if row.turn > self.provenance.since and row.outcome is not None:
                note_row(self.provenance, row.kind, row.name, row.request, row.outcome)

    def start_run(self, *, resumes: bool = False) -> None:
        """Begin a run: a new trace, fresh seconds, no reason to stop, and fresh turns unless it goes on."""
        self.stop.clear()
        self.live_pieces.clear()
        self.record.start_run()
        self.ledger.start_run(resumes=resumes)
        self.judge_ledger.start_run()


def _steps(rows: Sequence[Row]) -> list[Step]:
    return [Step.of(step) for row in rows for step in (row.outcome or {}).get("steps", ())]
