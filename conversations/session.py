"""What belongs to one conversation, whatever framework its team is made with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ringfence.budgets.ledger import Ledger
from ringfence.conversations.audit import RunRecorder
from ringfence.guardrails.approval import ApprovalBook
from ringfence.guardrails.heard import Heard
from ringfence.guardrails.live_pieces import LivePieces
from ringfence.guardrails.masking import Masker
from ringfence.guardrails.middleware import Middleware
from ringfence.guardrails.passages import Point
from ringfence.guardrails.stop import StopSignal
from ringfence.guardrails.streaming import StreamedReveal
from ringfence.guardrails.suspicions import Suspicions
from ringfence.guardrails.texts import map_text
from ringfence.guardrails.vault import Vault
from ringfence.guardrails.verdicts import Guardrail

T = TypeVar("T")


@dataclass(frozen=True)
class Session:
    """The state and the user door of one conversation, bound explicitly into all that serves it."""

    id: str
    user: str
    record: RunRecorder
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
    effects: list[str] = field(default_factory=list, repr=False)
    """What consequential calls of the current run did, masked."""
    reveal_to_user: tuple[str, ...] | None = None
    """Entity types whose real values the user sees; None means all."""

    def revealed(self, message: T) -> T:
        """A message as the user may see it."""
        return map_text(message, lambda text: self.vault.reveal(text, self.reveal_to_user))

    def streamed_reveal(self) -> StreamedReveal:
        """Reveals a text that comes in pieces as `revealed` would the whole of it."""
        return StreamedReveal(self.vault, self.reveal_to_user)

    def start_run(self) -> None:
        """Begin a run: a new trace, fresh turns and seconds, no reason to stop."""
        self.stop.clear()
        self.effects.clear()
        self.live_pieces.clear()
        self.record.start_run()
        self.ledger.start_run()
        self.judge_ledger.start_run()
