"""A process that is stopped past its lease and woken, after another one has gone on with its conversation."""

import os
import signal
import time

from benchmarks.chaos.life import LEASE_SECONDS, Life, live
from benchmarks.chaos.series import Configuration, Outcome, Place, judge
from benchmarks.chaos.zygote import fork

_FENCED = ("has taken this conversation over", "gave up a transaction that was left open for too long")
_LONGEST_SECONDS = 60


def taken_over(place: Place, configuration: Configuration, *, at: int, undisturbed: Outcome) -> Outcome:
    """Stop a process after its n-th effect, let another one end the conversation, and wake the first."""
    outcome = Outcome(f"{configuration}: stopped after effect {at} and woken")
    with place.world(configuration) as world:
        world.set_up()
        how = (world, configuration.at_once, configuration.external)
        stopped = Life(*how, "between effect and result", at, signal.SIGSTOP)
        sleeper = fork(lambda: live(stopped), world.folder / "failure")
        _, status = os.waitpid(sleeper, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            outcome.differences.append(f"it was never stopped: {world.lines('failure')[-8:]}")
            return outcome
        time.sleep(LEASE_SECONDS)
        successor = fork(lambda: live(Life(*how)), world.folder / "failure of the successor")
        ended = _status_of(successor)
        if ended:
            lines = world.lines("failure of the successor")[-12:]
            outcome.differences.append(f"the successor failed: {ended} {' '.join(lines)}")
        judge(outcome, world, undisturbed)
        before = world.everything()
        os.kill(sleeper, signal.SIGCONT)
        outcome.kills = outcome.resumes = 1
        ended = _status_of(sleeper)
        said = "\n".join(world.lines("failure")[-3:])
        if ended == 0 or not any(one in said for one in _FENCED):
            outcome.differences.append(f"the one that was woken ended with {ended} and said: {said}")
        if world.everything() != before:
            outcome.differences.append("the one that was woken changed something")
    return outcome


def _status_of(process: int) -> int:
    until = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < until:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.kill(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
