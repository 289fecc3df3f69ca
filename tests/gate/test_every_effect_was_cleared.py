"""Whatever models, people, processes and stores do: every effect in the world was cleared, and ran once.

A state machine of hypothesis drives real conversations of real teams, on a file that two processes share,
against a world that keeps its own ledger. After each step, every effect in it has a row of its own in the
journal that began before it and says the same, no policy forbids it, and where the policy asks a person, or a
stranger's instruction was read, people who may decide said yes to exactly this call, in time, under the same
policy and prompts, once.
"""

import os
from typing import Any

import pytest
from gate_facts import PLAIN, TOOLS, Law
from gate_laws import LAWS, PEOPLE
from gate_premises import Premises
from gate_teams import HANG, SHAPES
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

EXAMPLES = int(os.environ.get("RINGFENCE_GATE_EXAMPLES", "10"))
"""How many series of steps are tried; a longer look takes thousands, and shortens what it finds."""
STEPS = int(os.environ.get("RINGFENCE_GATE_STEPS", "25"))
IS_LONG = "RINGFENCE_GATE_EXAMPLES" in os.environ
MOST_PARALLEL = 50 if IS_LONG else 8

ODD = ("poison", "raises", "exits", "interrupts", "cancels", "garbage", "refuses")
BEHAVIOURS = [*["plain"] * 8, *["hangs"] * 4, *ODD]
RARE = ("wait_long", "reload", "change_prompt", "withdraw", "reset", "tamper")
DISTURBANCES = [*["die"] * 3, *["trouble", "sneak"] * 2, *RARE]

which = st.integers(0, 1)
arguments = st.builds(
    lambda what, how, amount: {"what": what, "how": how, "amount": amount},
    st.sampled_from("ab"),
    st.sampled_from(BEHAVIOURS),
    st.integers(1, 3),
)
edits = st.sampled_from([None, None, None, {"what": "a"}, {"what": "edited"}, {"nonsense": 1}])
identities = st.sampled_from(["", "", "", "call-1", "call-2"])
calls = st.tuples(st.sampled_from([*TOOLS, *[PLAIN] * 4, "nope", "transfer_to_clerk"]), arguments, identities)
replies = st.one_of(
    st.lists(calls, min_size=1, max_size=3),
    st.lists(calls, min_size=1, max_size=3),
    st.builds(lambda one, times: [one] * times, calls, st.integers(2, MOST_PARALLEL)),
    st.lists(calls, min_size=1, max_size=3),
    st.sampled_from([HANG, "Well."]),
)


class Gate(RuleBasedStateMachine):
    """Two conversations, two processes, one store, and everything that can go wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.premises = Premises()

    @initialize(shapes=st.tuples(*[st.sampled_from(sorted(SHAPES))] * 2), law=st.sampled_from(LAWS))
    def open(self, shapes: tuple[str, str], law: Law) -> None:
        """Two processes begin with the same policy."""
        self.premises.open(shapes, law)

    # What users and models do

    @precondition(lambda self: any(self.premises.is_free(talk) for talk in self.premises.talks))
    @rule(
        at=which,
        about=which,
        plan=st.lists(replies, min_size=1, max_size=3),
        twists=st.sampled_from([False] * 4 + [True]),
    )
    def ask(self, at: int, about: int, plan: list[Any], twists: bool) -> None:
        """A task, and what the models will make of it."""
        about = about if self.premises.is_free(self.premises.talks[about]) else 1 - about
        self.premises.talks[about].plan = [*plan]
        self.premises.talks[about].twists = twists
        self.premises.drive(at, about, lambda talk, token: talk.run(task="Go", cancellation_token=token))

    @precondition(lambda self: any(self.premises.is_open(talk) for talk in self.premises.talks))
    @rule(at=which, about=which, allows=st.sampled_from([False, False, True]))
    def resume(self, at: int, about: int, allows: bool) -> None:
        """The turn that stopped goes on, in whatever process."""
        about = about if self.premises.is_open(self.premises.talks[about]) else 1 - about
        self.premises.resume(at, about, allows=allows)

    @precondition(lambda self: self.premises.hanging())
    @rule(dies=st.booleans(), resumes=st.sampled_from([True, True, False]))
    def break_off(self, dies: bool, resumes: bool) -> None:
        """A run is cancelled or its process killed in the middle of a call; perhaps it goes on at once."""
        at, about = self.premises.hanging()[0]
        self.premises.break_off(at, about, dies=dies)
        if resumes:
            self.premises.resume(1 - at, about)

    @precondition(lambda self: any(self.premises.gates.waiting.values()))
    @rule(about=which)
    def go_on(self, about: int) -> None:
        """What hung comes back."""
        talk = self.premises.talks[about]
        self.premises.gates.open(talk.name)
        for office in self.premises.offices:
            if talk.name in office.running:
                self.premises.wait(office.until_quiet(talk))
                self.premises.note_requests(office, talk)

    # What people decide

    @precondition(lambda self: self.premises.requests(waiting=True))
    @rule(
        at=which,
        about=which,
        nth=st.integers(0, 9),
        by=st.sampled_from(PEOPLE),
        yes=st.sampled_from([True] * 4 + [False]),
        edit=edits,
    )
    def decide(self, *, at: int, about: int, nth: int, by: str, yes: bool, edit: Any) -> None:
        """Somebody says yes or no to something that waits."""
        talk = self.premises.talks[about]
        waiting = self.premises.requests(talk, waiting=True)
        if not waiting:
            talk = self.premises.talks[1 - about]
            waiting = self.premises.requests(talk, waiting=True)
        if waiting:
            self.premises.say(
                self.premises.offices[at], talk, waiting[nth % len(waiting)], by, yes=yes, edit=edit
            )

    @precondition(lambda self: self.premises.requests(waiting=True))
    @rule(at=which, late=st.sampled_from([False] * 3 + [True]), edit=edits)
    def approve_all_and_resume(self, at: int, late: bool, edit: Any) -> None:
        """The way that things take mostly; but it may be a long way."""
        for about, talk in enumerate(self.premises.talks):
            waiting = self.premises.requests(talk, waiting=True)
            for row in waiting:
                for by in ("bob", "carol"):
                    self.premises.say(self.premises.offices[at], talk, row, by, yes=True, edit=edit)
            if late:
                self.premises.world.now += 8 * 86_400
            if waiting and self.premises.is_open(talk):
                self.premises.resume(at, about)

    @precondition(lambda self: self.premises.requests())
    @rule(at=which, about=which, nth=st.integers(0, 9))
    def decide_again(self, at: int, about: int, nth: int) -> None:
        """Somebody says yes to whatever ever waited: decided, used, withdrawn, or another conversation's."""
        known = self.premises.requests()
        if known:
            self.premises.say(
                self.premises.offices[at],
                self.premises.talks[about],
                known[nth % len(known)],
                "bob",
                yes=True,
            )

    # What else happens

    @rule(at=which, about=which, what=st.sampled_from(DISTURBANCES), nth=st.integers(0, 9))
    def disturb(self, at: int, about: int, what: str, nth: int) -> None:
        """Something goes wrong, changes, or is tried by somebody who should not."""
        getattr(self.premises, what)(self.premises.offices[at], self.premises.talks[about], nth)

    def teardown(self) -> None:
        """End everything."""
        self.premises.close()

    @invariant()
    def every_effect_was_cleared(self) -> None:
        """What this test is about."""
        faults = self.premises.world.audit()
        assert not faults, "\n".join(faults)


@pytest.mark.timeout(0 if IS_LONG else 120)
def test_every_effect_was_cleared() -> None:
    """Whatever happens, and in whatever order; the steps that led to a fault are printed."""
    run_machine(
        Gate,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not IS_LONG,
            database=None,
            phases=[Phase.generate, Phase.shrink] if IS_LONG else [Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
