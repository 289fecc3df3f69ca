"""`ringfence policy test`: the cases of a file, tried on a policy."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ringfence.adapters.dry_run import DryRun, dry_run
from ringfence.adapters.dry_run_call import CallTrial, WantedCall, try_call
from ringfence.adapters.dry_run_outcome import Kind
from ringfence.adapters.dry_run_team import TeamTools, tools_of
from ringfence.adapters.dry_run_text import TextTrial, passage_at, try_text
from ringfence.adapters.outcome import Exit
from ringfence.adapters.policy_cases import OTHERS, Case, CaseFile, read_cases
from ringfence.errors import PolicyError
from ringfence.guardrails.passages import Point


@dataclass(frozen=True)
class Tried:
    """A case, and what came of it."""

    case: Case
    trial: TextTrial | CallTrial
    why: tuple[str, ...]
    """What is not as expected; empty for a case that passes."""

    @property
    def passed(self) -> bool:
        """Whether all is as expected."""
        return not self.why

    @property
    def got(self) -> Kind:
        """What became of it."""
        return self.trial.outcome.kind

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.case.name,
            "passed": self.passed,
            "expected": self.case.model_dump(mode="json", include={"expect", "by", "becomes", "signs"}),
            "got": self.got.value,
            "by": list(self.trial.outcome.by),
            "why": list(self.why),
            "trial": self.trial.as_dict(),
        }


@dataclass(frozen=True)
class CasesRun:
    """All cases of a file."""

    file: str
    policy: str
    tried: tuple[Tried, ...]

    @property
    def failed(self) -> int:
        """How many cases are not as expected."""
        return sum(not one.passed for one in self.tried)

    @property
    def exit(self) -> Exit:
        """The command's exit code."""
        return Exit.FAILED if self.failed else Exit.DONE

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "status": self.exit.word,
            "file": self.file,
            "policy": self.policy,
            "passed": len(self.tried) - self.failed,
            "failed": self.failed,
            "cases": [one.as_dict() for one in self.tried],
        }


async def run_cases(path: Path, *, policy: Path | None = None, ask_models: bool = False) -> CasesRun:
    """Try every case of a file, each in a conversation of its own.

    Raises:
        PolicyError: The file of cases, the policy or its team has faults; all of them are listed.
    """
    file = read_cases(path, policy)
    try:
        async with dry_run(file.policy, ask_models=ask_models) as run:
            cases = [*file.cases.values()]
            # A team is built only for cases that ask for its tools.
            named = any(case.tool for case in cases)
            tools = await tools_of(run) if named else TeamTools(run.compiled.tool_policy)
            _find_unknown_names(file, run, tools)
            file.check()
            tried = [await _tried(case, run, tools) for case in cases]
    except PolicyError as error:
        file.check(*(fault for fault in error.faults if fault not in file.document.faults))
        raise
    return CasesRun(str(path), str(file.policy), tuple(tried))


def _find_unknown_names(file: CaseFile, run: DryRun, tools: TeamTools) -> None:
    """Find what would make a case pass or fail for want of a name that is there."""
    known = run.names | OTHERS
    for index, case in file.cases.items():
        if case.by is not None and case.by not in known:
            near = get_close_matches(case.by, sorted(known), n=1)
            advice = f"did you mean `{near[0]}`?" if near else f"there is: {', '.join(sorted(known))}"
            file.fault(f"the policy has no guardrail of this name; {advice}", index, "by")
        if case.tool and (missing := tools.missing(case.tool)):
            file.fault(missing, index, "tool")


async def _tried(case: Case, run: DryRun, tools: TeamTools) -> Tried:
    trial: TextTrial | CallTrial
    if case.arguments is not None:
        call = WantedCall(case.tool, case.arguments, case.agent)
        trial = await try_call(run, tools, call, suspected=case.suspected)
        return Tried(case, trial, tuple(_differences(case, trial)))
    passage = passage_at(
        case.at or Point.INPUT,
        case.text or "",
        agent=case.agent,
        tool=case.tool,
        argument=case.argument,
        questions=(case.question,) if case.question else (),
        sources=case.sources,
        history=case.history,
    )
    trial = await try_text(run, passage)
    return Tried(case, trial, (*_differences(case, trial), *_missing_signs(case, trial)))


def _differences(case: Case, trial: TextTrial | CallTrial) -> Iterator[str]:
    got = trial.outcome
    for one in trial.asked:
        if one.crashed and one.verdict is not None:
            yield f"{one.name} gave no answer: {one.verdict.reason}"
    if got.crashed and not any(one.crashed for one in trial.asked):
        yield f"{', '.join(got.by)} gave no answer: {got.reason}"
    said = f" by {', '.join(got.by)}" if got.by else ""
    reason = f": {got.reason}" if got.reason else ""
    if got.kind is not case.expect:
        yield f"expected {case.expect}, and it is {got.kind}{said}{reason}"
    elif case.by is not None and case.by not in got.by:
        yield f"expected {case.expect} by {case.by}, and it is{said}{reason}"
    if case.by is not None and case.by not in got.by:
        silent = [one for one in trial.asked if one.name == case.by and one.verdict is None]
        yield from (f"{one.name} was not asked: {one.why_not}" for one in silent)
    if case.becomes is not None and got.text is not None and got.text != case.becomes:
        yield f"it becomes {got.text!r}"


def _missing_signs(case: Case, trial: TextTrial) -> Iterator[str]:
    if missing := sorted({*case.signs} - trial.kinds_of_signs):
        there = ", ".join(sorted(trial.kinds_of_signs)) or "none"
        yield f"without the signs {', '.join(missing)}; found: {there}"
