"""One process of a chaos run: it takes the conversation to its end, or dies on the way."""

import asyncio
import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from benchmarks.chaos.killing import Killer, KillingStore, When
from benchmarks.chaos.team import STEPS, TASK, Derived, team_of
from benchmarks.chaos.world import World
from ringfence import Policy, Ringfence
from ringfence.conversations.store import StoreSettings
from ringfence.errors import ConversationInterrupted, RingfenceError, TaskError, UnknownConversation
from ringfence.guardrails.sealing import Keyring

ID = "chaos"
LEASE_SECONDS = 1.0
_KEYS = Keyring({"chaos": bytes(32)})
_POLICY = {
    "prices": {"derived": "free"},
    "tools": {"refund": {"decision": "approve"}, "*": {"decision": "allow"}},
}


@dataclass(frozen=True)
class Life:
    """What a process shall do, and when it shall die."""

    world: World
    at_once: int
    external: bool
    when: When = "before the commit"
    at: int | None = None
    sends: signal.Signals = signal.SIGKILL


def live(life: Life) -> None:
    """Take the conversation to its end."""
    asyncio.run(Person(life).see_to_the_end())


class Person:
    """Starts the conversation, decides what waits, and takes it up where it stopped."""

    def __init__(
        self, life: Life, store: type[KillingStore] = KillingStore, *, patience_seconds: float = 20
    ) -> None:
        """Take what shall happen, and a store with troubles of its own."""
        self._world = life.world
        self.effects = 0
        self.on_effect: Callable[[int], None] | None = None
        """Called after each effect with how many there were."""
        model = Derived(life.world, life.at_once)
        self._killer = Killer(
            life.world, life.when, life.at, life.sends, is_unrecorded=lambda: model.unrecorded
        )
        settings = StoreSettings(lease_seconds=LEASE_SECONDS, patience_seconds=patience_seconds, upgrade=True)
        self.store = store(life.world.store_url, settings=settings, keys=_KEYS)
        self.store.killer = self._killer
        self.store.recorded = lambda: setattr(model, "unrecorded", False)
        self.team = team_of(
            life.world,
            model,
            external=life.external,
            took_effect=self._took_effect,
        )
        self._ringfence = Ringfence(Policy.model_validate(_POLICY), store=self.store)

    def _took_effect(self) -> None:
        self._killer.passed("between effect and result")
        self.effects += 1
        if self.on_effect is not None:
            self.on_effect(self.effects)

    async def see_to_the_end(self) -> None:
        """Until the conversation has ended."""
        began = monotonic()
        is_over = False
        async with self._ringfence.store.opened():
            while not is_over:
                try:
                    is_over, talk = await self._go_on()
                except ConversationInterrupted as error:
                    if type(error) is not ConversationInterrupted:
                        raise
                    await asyncio.sleep(LEASE_SECONDS / 4)  # the lease of the one that died
            entries = [entry.as_dict() for entry in talk.transcript]
        await self._ringfence.close()
        self._world.note(
            "ends",
            json.dumps(
                {
                    "entries": entries,
                    "count": self._killer.count,
                    "seconds": monotonic() - began,
                    "status": talk.status.value,
                    "usage": [
                        talk.usage.model_calls,
                        talk.usage.tool_calls,
                        talk.usage.turns,
                        talk.usage.tokens,
                    ],
                }
            ),
        )

    async def _go_on(self) -> tuple[bool, Any]:
        """Whether it is over; else one more run."""
        try:
            talk = await self._ringfence.open(ID, team=self.team)
        except UnknownConversation:
            talk = self._ringfence.conversation(self.team, id=ID)
        if talk.status == "done" or self._is_over(talk):
            return True, talk
        await self._decide(talk)
        try:
            await talk.resume()
        except TaskError:
            await talk.run(task=TASK)
        return False, talk

    def _is_over(self, talk: Any) -> bool:
        """Died between the last checkpoint and the word that the run is over."""
        return talk.status == "interrupted" and f"so far {STEPS}" in str(talk.transcript[-1:])

    async def _decide(self, talk: Any) -> None:
        for request in talk.pending_approvals:
            step = int(request.arguments["step"])
            is_done = request.kind == "doubt" and self._world.done("send")[step] > 0
            if request.kind == "doubt":
                self._world.note("doubts", f"{step} {'done' if is_done else 'undone'}")
            try:
                if is_done:
                    await talk.reject(request.id, by="person", reason=f"send {step} is done")
                else:
                    await talk.approve(request.id, by="person")
            except RingfenceError as error:
                if type(error) is not RingfenceError:
                    raise
                # Somebody else was faster.
