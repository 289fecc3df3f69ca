"""What one agent of a rehearsal can see of its conversation, and the answer that the rules give to it."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autogen_core.models import (
    AssistantMessage,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
)

from ringfence.agents.rehearsal_patterns import Found, Patterns, compiled, fill, one_or_more
from ringfence.agents.rehearsal_rules import Each, Rule, Rules, When

__all__ = ["Answer", "Talk", "Wanted", "answer", "read_talk", "text_of"]

Wanted = tuple[str, dict[str, Any]]
"""A call that the model wants to make: the tool and its arguments."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says, or the calls that it makes instead."""

    text: str = ""
    calls: tuple[Wanted, ...] = ()
    thought: str | None = None


@dataclass(slots=True)
class Talk:
    """A conversation as one agent's context has it."""

    system: str = ""
    user: str = ""
    """The latest message from the user."""
    last: str = ""
    """The last message, whoever it is from."""
    said: str = ""
    """What this agent said last."""
    times_spoken: int = 0
    heard: list[str] = field(default_factory=list)
    """Every message, the agent's own included, but no tool results."""
    results: dict[str, str] = field(default_factory=dict)
    """Tool → its newest result."""
    called: set[str] = field(default_factory=set)
    """Tools that this agent has called since the latest message from the user."""


def read_talk(messages: Sequence[LLMMessage]) -> Talk:
    """The conversation that these messages are."""
    talk = Talk()
    for message in messages:
        text = text_of(message)
        match message:
            case SystemMessage():
                talk.system = f"{talk.system}\n{text}".strip()
                continue
            case FunctionExecutionResultMessage():
                talk.results.update({result.name: result.content for result in message.content})
            case AssistantMessage() if not isinstance(message.content, str):
                talk.called.update(call.name for call in message.content)
            case AssistantMessage():
                talk.said = text
                talk.times_spoken += 1
                talk.heard.append(text)
            case UserMessage():
                talk.heard.append(text)
                if message.source == "user":
                    talk.user = text
                    talk.called.clear()
        talk.last = text
    return talk


def text_of(message: LLMMessage) -> str:
    """What a message says in words; images and calls say nothing."""
    match message:
        case FunctionExecutionResultMessage():
            return "\n".join(result.content for result in message.content)
        case SystemMessage() | UserMessage() | AssistantMessage() if isinstance(message.content, str):
            return message.content
        case _:
            return "\n".join(part for part in message.content if isinstance(part, str))


def answer(rules: Rules, talk: Talk, offered: Collection[str], *, must_call: bool = False) -> Answer:
    """The answer of the first rule that fits."""
    roles = [role for role in rules.roles if _find(role.match, talk.system, rules.patterns) is not None]
    for rule in (rule for role in roles for rule in role.rules):
        if not {use.tool for use in rule.call} <= set(offered) or (must_call and not rule.call):
            continue
        found = _fit(rule.when, talk, rules.patterns)
        if found is not None:
            return _answered(rule, talk, {**found, **_lines(rule.each, talk, found, rules.patterns)})
    otherwise = (role.otherwise for role in roles if role.otherwise is not None)
    return Answer(text=next(otherwise, rules.otherwise))


def _fit(when: When, talk: Talk, named: Mapping[str, str]) -> Found | None:
    """What the patterns found, or None when the rule does not fit."""
    if not talk.called.issuperset(one_or_more(when.called)):
        return None
    if not talk.called.isdisjoint(one_or_more(when.not_called)):
        return None
    if any(_heard((pattern,), talk, named) is not None for pattern in one_or_more(when.not_heard)):
        return None
    finds = [
        _find(when.user, talk.user, named),
        _find(when.last, talk.last, named),
        _find(when.said, talk.said, named),
        _heard(one_or_more(when.heard), talk, named),
        *(_result(tool, patterns, talk, named) for tool, patterns in when.result.items()),
    ]
    found: Found = {"user": talk.user, "last": talk.last}
    for find in finds:
        if find is None:
            return None
        # What the user says goes before what a tool says, unless the user left it out.
        found = {**find, **{name: text for name, text in found.items() if text or name not in find}}
    return found


def _find(patterns: Patterns, text: str, named: Mapping[str, str]) -> Found | None:
    found: Found = {}
    for pattern in one_or_more(patterns):
        hit = compiled(pattern, named).search(text)
        if hit is None:
            return None
        found.update(
            {name: value or "" for name, value in hit.groupdict().items() if value or name not in found}
        )
    return found


def _heard(patterns: Sequence[str], talk: Talk, named: Mapping[str, str]) -> Found | None:
    found: Found = {}
    for pattern in patterns:
        finds = (_find(pattern, text, named) for text in reversed(talk.heard))
        find = next((find for find in finds if find is not None), None)
        if find is None:
            return None
        found.update(find)
    return found


def _result(tool: str, patterns: Patterns, talk: Talk, named: Mapping[str, str]) -> Found | None:
    if tool not in talk.results:
        return None
    find = _find(patterns, talk.results[tool], named)
    return None if find is None else {name: _unescaped(text) for name, text in find.items()}


def _unescaped(text: str) -> str:
    """A piece that was cut out of a JSON string, as the text that it stands for."""
    try:
        plain = json.loads(f'"{text}"', strict=False)
    except ValueError:
        return text
    return str(plain)


def _lines(each: Mapping[str, Each], talk: Talk, found: Found, named: Mapping[str, str]) -> Found:
    lines: Found = {}
    for name, of in each.items():
        hits: list[re.Match[str]] = list(compiled(of.find, named).finditer(talk.results.get(of.result, "")))
        texts = ({key: _unescaped(value or "") for key, value in hit.groupdict().items()} for hit in hits)
        lines[name] = "\n".join(fill(of.say, {**found, **text}) for text in texts)
    return lines


def _answered(rule: Rule, talk: Talk, found: Found) -> Answer:
    say = rule.say
    if isinstance(say, tuple):
        say = say[talk.times_spoken % len(say)]
    filled = fill(say, found) if say else ""
    text = filled if isinstance(filled, str) else json.dumps(filled, ensure_ascii=False)
    thought = fill(rule.thought, found) if rule.thought else None
    if not rule.call:
        return Answer(text=text, thought=thought)
    calls = tuple((use.tool, fill(use.arguments, found)) for use in rule.call)
    return Answer(calls=calls, thought=thought or text or None)
