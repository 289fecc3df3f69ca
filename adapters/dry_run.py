"""A policy made ready to be tried: its doors without a team at work and, unless wanted, without a model."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from autogen_core.models import ChatCompletionClient

from ringfence.adapters.dry_run_outcome import Asked, why_not_concerned
from ringfence.agents.compiled_policy import CompiledPolicy, compile_policy
from ringfence.agents.providers import build_client
from ringfence.agents.sessions import new_session
from ringfence.conversations.audit import AuditLog
from ringfence.errors import PolicyError
from ringfence.guardrails.injection_guardrail import InjectionGuardrail
from ringfence.guardrails.judging import Judgement
from ringfence.guardrails.masking import Masker
from ringfence.guardrails.passages import Passage, Point
from ringfence.guardrails.validators import ValidatorGuardrail
from ringfence.guardrails.vault import Vault
from ringfence.guardrails.verdicts import Guardrail, strictest
from ringfence.places import located
from ringfence.policy import Policy, load_policy

_LLM_JUDGE = "ringfence/llm_judge"


@dataclass(frozen=True)
class DryRun:
    """A policy whose doors are tried."""

    path: Path
    compiled: CompiledPolicy
    guardrails: Mapping[Point, Sequence[Guardrail]] = field(repr=False)
    ask_models: bool = False
    """Guardrails that ask a model are asked."""

    @property
    def policy(self) -> Policy:
        """What is tried."""
        return self.compiled.policy

    @property
    def names(self) -> frozenset[str]:
        """Of every guardrail."""
        return frozenset(guardrail.name for guardrail, _ in self._everybody())

    def conversation(self) -> tuple[Vault, Masker]:
        """The memory of a conversation that has just begun."""
        vault = Vault()
        return vault, Masker(finder=self.compiled.finder, settings=self.policy.pii, vault=vault)

    def scanners_at(self, point: Point) -> Sequence[Guardrail]:
        """What looks at a text as it came in."""
        return self.compiled.scanners.get(point, ())

    def guardrails_at(self, point: Point) -> Sequence[Guardrail]:
        """Those that are asked here, in the policy's order."""
        return [one for one in self.guardrails.get(point, ()) if not self._needs_model(one)]

    def rows(
        self, asked: Sequence[Judgement], passages: Sequence[Passage], *, stopped_by: str
    ) -> tuple[Asked, ...]:
        """Each guardrail once: those that were asked, in the order in which they were, then the others."""
        said: dict[str, list[Judgement]] = {}
        for one in asked:
            said.setdefault(one.guardrail.name, []).append(one)
        rows = [Asked.of(_together(those)) for those in said.values()]
        done = {row.name for row in rows}
        for guardrail, points in self._everybody():
            if guardrail.name in done:
                continue
            why = why_not_concerned(guardrail, points, passages)
            if not why and self._needs_model(guardrail):
                why = "it asks a model; --ask-models does"
            why = why or (f"{stopped_by} had said no" if stopped_by else "there was nothing for it to judge")
            rows.append(Asked(guardrail.name, shadow=guardrail.terms.shadow, why_not=why))
        return tuple(rows)

    def _needs_model(self, guardrail: Guardrail) -> bool:
        if self.ask_models or not isinstance(guardrail, ValidatorGuardrail):
            return False
        judges = {use.known_as for use in self.policy.guardrails if use.use == _LLM_JUDGE}
        return guardrail.model is not None or guardrail.name in judges

    def _everybody(self) -> Iterator[tuple[Guardrail, list[Point]]]:
        """Every guardrail and where it stands: the scanner first, then in the policy's order."""
        places = {use.known_as: place for place, use in enumerate(self.policy.guardrails)}
        known: dict[int, Guardrail] = {}
        points: dict[int, list[Point]] = {}
        for table in (self.compiled.scanners, self.guardrails):
            for point, listed in table.items():
                for one in listed:
                    # One that asks a model was made anew for each point.
                    place = -1 if isinstance(one, InjectionGuardrail) else places[one.name]
                    known.setdefault(place, one)
                    points.setdefault(place, []).append(point)
        for place in sorted(known):
            yield known[place], points[place]


def _together(said: Sequence[Judgement]) -> Judgement:
    """What one guardrail said of several texts."""
    verdict, seconds = strictest(one.verdict for one in said), sum(one.seconds for one in said)
    return Judgement(said[0].guardrail, verdict, seconds)


@asynccontextmanager
async def dry_run(path: Path, *, ask_models: bool = False) -> AsyncIterator[DryRun]:
    """Make a policy file ready to be tried.

    Raises:
        PolicyError: It has faults; all of them are listed.
    """
    clients: dict[str, ChatCompletionClient] = {}
    try:
        compiled = compile_policy(load_policy(path))

        def tier_client(name: str) -> ChatCompletionClient:
            if name not in clients:
                clients[name] = build_client(compiled.policy.models[name], folder=compiled.folder, name=name)
            return clients[name]

        guardrails = _asking(compiled, tier_client) if ask_models else compiled.guardrails
        yield DryRun(path, compiled, guardrails, ask_models)
    except PolicyError as error:
        raise PolicyError(located(error.faults, path)) from None
    finally:
        for client in clients.values():
            await client.close()


def _asking(
    compiled: CompiledPolicy, tier_client: Callable[[str], ChatCompletionClient]
) -> Mapping[Point, Sequence[Guardrail]]:
    """The guardrails of one session for all that is tried: the budget of `judges` bounds all of it."""
    session = new_session(
        compiled, id="dry-run", user="", approver=None, audit=AuditLog(None), tier_client=tier_client
    )
    session.start_run()
    return session.guardrails
