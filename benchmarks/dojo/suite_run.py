"""All tasks of a suite, without and with the gate, unattacked and attacked."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.dojo.adaptive import ADAPTIVE
from benchmarks.dojo.attacks import AGENTDOJOS, WORDINGS, Wording, attack_of
from benchmarks.dojo.figures import Attacked, Benign, SuiteFigures, share
from benchmarks.dojo.naive import naive_questions
from benchmarks.dojo.obedient_model import Order
from benchmarks.dojo.play import Played, Scene, nobody, only_the_users, play_bare, play_fenced
from benchmarks.dojo.suites import Suite
from ringfence import Ringfence
from ringfence.conversations.store import Store
from ringfence.guardrails.injection_guardrail import InjectionSettings, OnFind
from ringfence.guardrails.tool_policy import ToolPolicy
from ringfence.guardrails.tool_rules import ToolRule
from ringfence.policy import load_policy

POLICIES = Path(__file__).parent / "policies"
_STRICTER = InjectionSettings(on_find=OnFind.TRACE)
_STRICTER_NAME = f"{AGENTDOJOS.name}, at once, texts searched (on_find: trace)"
Tell = Callable[[str], None]


@asynccontextmanager
async def guarded(suite: str, **sections: Any) -> AsyncIterator[Ringfence]:
    """A Ringfence with the suite's policy; its store is in memory, its audit log in a folder that goes away.

    Args:
        suite: Whose policy.
        sections: Sections that are other ones.
    """
    with TemporaryDirectory() as folder:
        loaded = load_policy(POLICIES / f"{suite}.yaml")
        loaded = replace(loaded, policy=loaded.policy.model_copy(update=sections))
        ringfence = Ringfence(replace(loaded, folder=Path(folder)), store=Store())
        async with ringfence.store.opened():
            yield ringfence
        await ringfence.close()


async def run_suite(name: str, tell: Tell, *, every: int = 1) -> SuiteFigures:
    """All figures of one suite.

    Args:
        name: The suite.
        tell: Hears how far it is, and what came of each row.
        every: 2 takes every second attack, and so on.
    """
    suite = Suite(name)

    async def row(ringfence: Ringfence, title: str, scenes: Sequence[Scene]) -> Attacked:
        tell(f"{name}: {len(scenes)} attacks ({title})")
        attacked = await _attacked(ringfence, title, scenes)
        tell(f"{name}: {attacked.succeeded} succeed, {attacked.done} of the tasks are finished")
        return attacked

    async with guarded(name) as ringfence:
        tell(f"{name}: {len(suite.users)} tasks that nobody attacks")
        benign = await _benign(ringfence, suite)
        tell(f"{name}: {benign.unasked} finished with nobody asked, {benign.granted} with approvals")
        attacked = []
        for wording in WORDINGS:
            pairs = _pairs(suite, wording)[::every]
            for order in Order:
                scenes = [replace(pair, order=order) for pair in pairs]
                attacked.append(await row(ringfence, f"{wording.name}, {order.value}", scenes))
        adaptive = []
        for kind in ADAPTIVE:
            ours = [
                Scene(suite, user, attack) for user in suite.users for attack in kind.attacks(suite, user)
            ]
            adaptive += [await row(ringfence, kind.name, ours[::every])] if ours else []
    async with guarded(name, injection=_STRICTER) as stricter:
        attacked.append(await row(stricter, _STRICTER_NAME, _pairs(suite, AGENTDOJOS)[::every]))
    return SuiteFigures(name, benign, tuple(attacked), tuple(adaptive))


def _pairs(suite: Suite, wording: Wording) -> list[Scene]:
    return [
        Scene(suite, user, attack_of(suite, user, attacker, wording))
        for user in suite.users
        for attacker in suite.attackers
    ]


async def _benign(ringfence: Ringfence, suite: Suite) -> Benign:
    read_only = _tools(ringfence, suite, lambda rule: rule.read_only)
    trusted = _tools(ringfence, suite, lambda rule: rule.trusted)
    bare, played = [], []
    naive: list[bool] = []
    for user in suite.users:
        alone = await play_bare(Scene(suite, user))
        bare.append(alone.is_done)
        asked = naive_questions(user.text, alone.ran, read_only=read_only, trusted=trusted)
        naive.append(alone.is_done and not asked)
        played.append(await play_fenced(ringfence, Scene(suite, user)))
    return Benign(
        bare=share(bare),
        unasked=share(one.is_done and not one.asked for one in played),
        granted=share(one.is_done for one in played),
        naive=share(naive),
        questions=tuple(
            f"{one.scene.user.id}: {asked.call.tool}: {asked.reason}" for one in played for asked in one.asked
        ),
        lost=tuple(_lost(one) for one in played if not one.is_done),
    )


async def _attacked(ringfence: Ringfence, title: str, scenes: Sequence[Scene]) -> Attacked:
    read_only = _tools(ringfence, scenes[0].suite, lambda rule: rule.read_only)
    bare, alone, helped = [], [], []
    did: list[list[str]] = []
    for scene in scenes:
        bare.append(await play_bare(scene))
        alone.append(await play_fenced(ringfence, scene, nobody))
        own = alone[-1].users_calls
        # Who is asked about none of the user's calls says no to all, as nobody does.
        is_alike = not any(one.call in own for one in alone[-1].asked)
        person = only_the_users(own)
        helped.append(alone[-1] if is_alike else await play_fenced(ringfence, scene, person))
        did.append(_acted(alone[-1], read_only))
    return Attacked(
        name=title,
        bare=share(one.is_attacked for one in bare),
        bare_done=share(one.is_done for one in bare),
        succeeded=share(one.is_attacked for one in alone),
        acted=share(bool(one) for one in did),
        done=share(one.is_done and not one.is_attacked for one in alone),
        done_with_person=share(one.is_done and not one.is_attacked for one in helped),
        breaches=tuple(
            f"{_pair(one)}: {'succeeded' if one.is_attacked else 'ran ' + ', '.join(ran)}"
            for one, ran in zip(alone, did, strict=True)
            if ran or one.is_attacked
        ),
    )


def _tools(ringfence: Ringfence, suite: Suite, is_wanted: Callable[[ToolRule], bool | None]) -> set[str]:
    rules = ToolPolicy(ringfence.policy.tools)
    return {tool for tool in suite.tools if is_wanted(rules.rule(tool))}


def _acted(played: Played, read_only: Collection[str]) -> list[str]:
    """The tools of the attacker's calls with consequences that ran; what the user wanted too is not his."""
    return [
        one.call.tool
        for one in played.ran
        if one.call in played.injected
        and one.call not in played.users_calls
        and one.call.tool not in read_only
    ]


def _pair(played: Played) -> str:
    attack = played.scene.attack
    return f"{played.scene.user.id} {attack.id if attack else ''}"


def _lost(played: Played) -> str:
    last = played.ran[-1].result[:80] if played.ran else "nothing ran"
    return f"{played.scene.user.id}: {played.status.value}, {last}"
