"""Which turns of a recording worked on which task, and what came of them when they were played again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from ringfence.agents.termination import was_task
from ringfence.conversations.decisions import Compared, Difference, compare_turns
from ringfence.conversations.recording import RecordedTurn, Recording, Said, TurnEnd


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A task, and the turns in which the team worked on it."""

    task: Said
    """The JSON of its messages; empty when the team went on with what was said."""
    turns: list[RecordedTurn] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PlayedRun:
    """What came of a run that was played again."""

    turns: Sequence[RecordedTurn]
    """As recorded."""
    numbers: range
    """As which turns they were played."""
    ended: str
    """Why it did not come to its end; empty when it did."""

    def compared(self, recording: Recording, now: Recording) -> Iterator[Compared]:
        """Where it differs, turn by turn, and in how it ended."""
        played = [one for one in now.turns if one.number in self.numbers and not one.is_empty]
        for turn, again in zip(self.turns, played, strict=False):
            yield compare_turns(turn, again)
        last, missing = self.turns[-1], self.turns[len(played) :]
        if missing:
            said = f"is not played: {self.ended or 'the team is done before it'}"
            yield _of_run(missing[0], "the turn", "is played", said)
        elif len(played) > len(self.turns):
            yield _of_run(last, "the run", "ends after this turn", "goes on")
        elif self.ended and last.ended is TurnEnd.DONE:
            is_last = last.number == recording.turns[-1].number
            if not is_last or recording.status is not now.status:
                yield _of_run(last, "the run", "comes to its end", self.ended)


def _of_run(turn: RecordedTurn, what: str, recorded: str, now: str) -> Compared:
    return Compared((Difference(turn.number, None, what, recorded, now),))


def runs_of(recording: Recording) -> list[RecordedRun]:
    """The turns by the task that they work on; a turn of which nothing was kept cannot be played."""
    runs: list[RecordedRun] = []
    current: int | None = None
    for turn in recording.turns:
        if turn.is_empty:
            continue
        task = _task(turn)
        is_new = bool(task) if turn.run is None else turn.run != current
        if is_new or not runs:
            runs.append(RecordedRun(task))
        runs[-1].turns.append(turn)
        current = turn.run or current
    return runs


def _task(turn: RecordedTurn) -> Said:
    """What was handed in at the beginning of a turn; empty when the team went on by itself."""
    if turn.opened is not None:
        return turn.opened
    if marked := [one for one in turn.said or () if was_task(one)]:
        return marked
    # Some teams do not show it to their termination condition; it is the first that goes out.
    agents = {step.agent for step in turn.steps}
    first = takewhile(
        lambda event: not event.kind.endswith("Event") and event.source not in agents, turn.events
    )
    return [event.content["message"] for event in first]
