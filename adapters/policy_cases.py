"""The file of cases: what a policy is expected to do with a text or a call."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from ringfence.adapters.dry_run_outcome import Kind
from ringfence.adapters.dry_run_text import CLEANING, MASK
from ringfence.errors import Fault, PolicyError
from ringfence.guardrails.passages import Point
from ringfence.located_yaml import Document, Loc, parse
from ringfence.policy_file import SectionError, attempt, in_order, read_text, validate
from ringfence.settings import Section

_TOOL_POINTS = {Point.MESSAGE, Point.TOOL_CALL, Point.TOOL_RESULT}
_ARGUMENT_POINTS = {Point.MESSAGE, Point.TOOL_CALL}
OTHERS = {MASK, CLEANING, "tool_policy", "clearance"}
"""Who may say something beside the guardrails."""

Text = Annotated[str, Field(min_length=1)]


class Case(Section):
    """One text or one call, and what is expected to become of it."""

    name: Text
    """What the case shows; no two have the same."""
    at: Point | None = None
    """Where the text stands. A call needs none."""
    text: str | None = None
    agent: str = ""
    """Who says it, reads it or calls."""
    tool: str = ""
    argument: str = ""
    """Of the tool's call, the argument that the text stands in."""
    arguments: dict[str, Any] | None = None
    """Of a call, in place of a text."""
    question: str = ""
    """What the user asked before."""
    sources: tuple[str, ...] = ()
    """What tools and memories told before, for guardrails that compare."""
    history: tuple[str, ...] = ()
    """What the same agent said before, oldest first."""
    suspected: bool = False
    """Of a call: something that was read before looks like an attack."""
    expect: Kind
    by: Text | None = None
    """The guardrail that says so, or `pii`, `tool_policy`."""
    becomes: str | None = None
    """The text that goes on, with `expect: rewrite`."""
    signs: tuple[str, ...] = ()
    """Signs of an attack that are found in the text, perhaps with others."""

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Self:
        wrong = [*(self._wrong_in_text() if self.arguments is None else self._wrong_in_call())]
        if self.expect is Kind.ALLOW and self.by is not None:
            wrong.append((("by",), "nobody has to say so for a text to go on as it is; remove it"))
        if self.becomes is not None and self.expect is not Kind.REWRITE:
            wrong.append((("becomes",), "goes with `expect: rewrite` only"))
        if wrong:
            raise SectionError(*wrong)
        return self

    def _wrong_in_text(self) -> Iterator[tuple[Loc, str]]:
        if self.text is None:
            yield ("text",), "is missing; a case has a `text`, or a `tool` and its `arguments`"
            return
        if self.at is None:
            yield ("at",), f"is missing; a text stands at one of {', '.join(Point)}"
            return
        if self.tool and self.at not in _TOOL_POINTS:
            yield ("tool",), f"there is no tool at {self.at}"
        if self.argument and self.at not in _ARGUMENT_POINTS:
            yield ("argument",), f"there is no argument at {self.at}"
        if self.suspected:
            yield ("suspected",), "is for a call with `arguments`"

    def _wrong_in_call(self) -> Iterator[tuple[Loc, str]]:
        if not self.tool:
            yield ("tool",), "is missing; `arguments` are those of a tool's call"
        for key in ("text", "at", "argument", "question", "sources", "history", "signs", "becomes"):
            if getattr(self, key) not in {None, "", ()}:
                yield (key,), "is for a text; a call with `arguments` has no use for it"


class Cases(Section):
    """The file of cases."""

    policy: Text | None = None
    """The policy file, relative to this file."""
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class CaseFile:
    """What was read of a file of cases, and what is wrong with it so far."""

    document: Document = field(repr=False)
    policy: Path
    cases: Mapping[int, Case]
    """Those that are sound, by their place in the file."""

    def fault(self, message: str, index: int, key: str) -> None:
        """Note what is wrong with one of them."""
        self.document.faults.append(self.document.fault(message, ("cases", index, key)))

    def check(self, *others: Fault) -> None:
        """Tell what was found.

        Raises:
            PolicyError: Something was found, here or by others.
        """
        if self.document.faults or others:
            raise PolicyError([*in_order(self.document.faults), *others])


def read_cases(path: Path, policy: Path | None) -> CaseFile:
    """Read a file of cases; the policy is the one handed in, or the one that it names.

    Raises:
        PolicyError: It cannot be read, is no YAML, or there is no policy to try.
    """
    _, text = read_text(path)
    document = parse(text, str(path))
    validate(document, Cases)
    data = document.data if isinstance(document.data, dict) else {}
    named = data.get("policy")
    if policy is None and isinstance(named, str) and named:
        policy = path.parent / named
    elif policy is None and named is None and ("policy",) not in document.broken:
        said = "is missing; name the policy file, or hand it in with --policy"
        document.faults.append(document.fault(said, ("policy",)))
    entries = data.get("cases")
    listed = entries if isinstance(entries, list) else []
    if entries == []:
        document.faults.append(document.fault("must not be empty", ("cases",)))
    for index, earlier in _named_twice(listed):
        said = f"cases[{earlier}] has the same name"
        document.faults.append(document.fault(said, ("cases", index, "name")))
    if policy is None:
        raise PolicyError(in_order(document.faults))
    cases = {index: case for index, entry in enumerate(listed) if (case := attempt(entry, Case))}
    return CaseFile(document, policy, cases)


def _named_twice(entries: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """The places of cases that have a name which another one has before them."""
    first: dict[str, int] = {}
    for index, entry in enumerate(entries):
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str) and (earlier := first.setdefault(name, index)) != index:
            yield index, earlier
