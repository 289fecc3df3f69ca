"""What would happen to a text or a call, for a person to read."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ringfence.adapters.console import call_line
from ringfence.adapters.dry_run_call import CallTrial
from ringfence.adapters.dry_run_outcome import Asked, Kind, Outcome
from ringfence.adapters.dry_run_text import TextTrial
from ringfence.adapters.harmless import harmless, one_line
from ringfence.guardrails.clean_text import clean_text
from ringfence.guardrails.pii import PiiAction

Row = tuple[str, str, str]

_LONGEST_EXCERPT = 60
_MOST_ROWS = 20
"""Of what was found in a text; JSON has all."""
_PERSONAL_DATA = {
    PiiAction.PSEUDONYMIZE: "gets a stand-in",
    PiiAction.MASK: "all but its end becomes *",
    PiiAction.REDACT: "is removed",
    PiiAction.HASH: "becomes a hash",
    PiiAction.BLOCK: "blocks the text",
    PiiAction.ALLOW: "stays as it is",
}
_OUTCOMES = {
    Kind.ALLOW: ("passes", "bold green", "as it is"),
    Kind.REWRITE: ("passes", "bold green", "rewritten"),
    Kind.REASK: ("refused", "bold yellow", "the model is asked again"),
    Kind.ESCALATE: ("waits", "bold yellow", "a person is asked"),
    Kind.BLOCK: ("blocked", "bold red", "it goes no further"),
    Kind.HALT: ("blocked", "bold red", "it goes no further, and the conversation stops"),
}
STYLES = {kind: style for kind, (_, style, _) in _OUTCOMES.items()}


def print_text(console: Console, trial: TextTrial, *, threshold: float) -> None:
    """What would happen to a text."""
    passage = trial.passage
    tool = passage.tool or passage.part.tool
    named = {"tool": tool, "argument": passage.part.argument, "agent": passage.agent}
    place = [f"at {passage.point}", *(f"{word} {name}" for word, name in named.items() if name)]
    _head(console, trial.outcome, one_line(", ".join(place)))
    print_rows(console, _text_rows(trial, threshold))


def print_call(console: Console, calm: CallTrial, suspected: CallTrial) -> None:
    """What would become of a call, as it is and once something looks like an attack."""
    _head(console, calm.outcome, one_line(call_line(calm.call.tool, calm.call.arguments), most=200))
    print_rows(console, _call_rows(calm, suspected))


def _head(console: Console, outcome: Outcome, what: str) -> None:
    word, style, _ = _OUTCOMES[outcome.kind]
    console.print(Text.assemble((word, style), f"  {what}"))


def print_rows(console: Console, rows: Iterator[Row]) -> None:
    """A table whose sections are named once."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column()
    table.add_column(style="dim", overflow="fold")
    before = ""
    for section, name, words in rows:
        table.add_row(Text("" if section == before else section), Text(one_line(name)), Text(harmless(words)))
        before = section
    console.print(table)


def _text_rows(trial: TextTrial, threshold: float) -> Iterator[Row]:
    given = trial.passage.text
    cleaned = clean_text(given)
    for finding, action in trial.findings[:_MOST_ROWS]:
        words = one_line(cleaned[finding.start : finding.end], most=_LONGEST_EXCERPT)
        place = f"{finding.start}-{finding.end}"
        yield "personal data", finding.entity, f'{place} "{words}" {_PERSONAL_DATA[PiiAction(action)]}'
    yield from _more("personal data", len(trial.findings))
    if not trial.findings:
        yield "personal data", "none found", ""
    elif trial.masked is not None:
        yield "personal data", "masked", trial.masked
    for sign in trial.scanned.signs[:_MOST_ROWS]:
        words = one_line(given[sign.start : sign.end], most=_LONGEST_EXCERPT)
        yield "signs of attack", sign.kind, f'{sign.start}-{sign.end} "{words}" weighs {sign.weight:.2f}'
    yield from _more("signs of attack", len(trial.scanned.signs))
    risk = f"{trial.scanned.risk:.2f}, and counts from {threshold:.2f}"
    yield "signs of attack", "risk" if trial.scanned.signs else "none found", risk
    yield from guardrail_rows(trial.asked)
    yield from _outcome_rows("outcome", trial.outcome)
    if trial.suspicion:
        said = f"{trial.suspicion}: a person decides on every consequential call from now on"
        yield "outcome", "suspicion", said
    for note in trial.notes:
        yield "outcome", "note", note


def _more(section: str, found: int) -> Iterator[Row]:
    if found > _MOST_ROWS:
        yield section, f"and {found - _MOST_ROWS} more", ""


def _call_rows(calm: CallTrial, suspected: CallTrial) -> Iterator[Row]:
    if calm.seen is not None:
        yield "arguments", "agents see", call_line(calm.call.tool, calm.seen)
    if calm.real is not None:
        yield "arguments", "the tool gets", call_line(calm.call.tool, calm.real)
    yield from guardrail_rows(calm.asked)
    yield from _outcome_rows("outcome", calm.outcome)
    if suspected.outcome.kind is calm.outcome.kind:
        yield "after an attack", "the same", ""
    else:
        yield from _outcome_rows("after an attack", suspected.outcome)


def guardrail_rows(asked: tuple[Asked, ...]) -> Iterator[Row]:
    """What each guardrail said, or why it was not asked."""
    for number, one in enumerate(asked, 1):
        if one.verdict is None:
            yield "guardrails", f"–  {one.name}", f"not asked: {one.why_not}"
            continue
        said = [one.word, one.verdict.reason, f"{one.seconds * 1000:.1f} ms"]
        said.append("shadow: its word does not count" if one.shadow else "")
        yield "guardrails", f"{number}  {one.name}", ", ".join(part for part in said if part)
    if not asked:
        yield "guardrails", "none", ""


def _outcome_rows(section: str, outcome: Outcome) -> Iterator[Row]:
    word, _, meaning = _OUTCOMES[outcome.kind]
    by = f", by {', '.join(outcome.by)}" if outcome.by else ""
    yield section, word, f"{meaning}{by}{': ' + outcome.reason if outcome.reason else ''}"
    if outcome.kind is Kind.REWRITE and outcome.text is not None:
        yield section, "becomes", outcome.text
    for heard in outcome.heard:
        yield section, f"the {heard.who} hears", heard.text
