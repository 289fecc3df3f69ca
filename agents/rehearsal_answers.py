"""The answer that the rules give to a conversation, as AutoGen wants it."""

import json
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from autogen_core import FunctionCall
from autogen_core.models import CreateResult, RequestUsage

from ringfence.agents.rehearsal_patterns import Found, Patterns, compiled, fill, one_or_more
from ringfence.agents.rehearsal_rules import Rule, Rules, When
from ringfence.agents.rehearsal_talk import Talk, Wanted
from ringfence.budgets.token_count import count_text, cut_text

__all__ = ["Answer", "answer_by", "result_of"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says, or the calls that it makes instead."""

    text: str = ""
    calls: tuple[Wanted, ...] = ()
    thought: str = ""


def answer_by(rules: Rules, talk: Talk, offered: Collection[str], *, must_call: bool = False) -> Answer:
    """The answer of the first rule that fits; a call of a tool that is not offered fits never."""
    roles = [role for role in rules.roles if _find(role.match, [talk.system], rules.patterns) is not None]
    for rule in (rule for role in roles for rule in role.rules):
        if (must_call and not rule.call) or not {use.tool for use in rule.call} <= set(offered):
            continue
        found = _found(rule.when, talk, rules.patterns)
        if found is not None:
            return _filled(rule, talk, {**found, **dict(_lines(rule, talk, found, rules.patterns))})
    otherwise = (role.otherwise for role in roles if role.otherwise is not None)
    return Answer(text=next(otherwise, rules.otherwise))


def result_of(answer: Answer, *, prompt_tokens: int, most: int | None = None) -> CreateResult:
    """The answer as AutoGen has it, cut to `most` tokens: half a text is one, half a call is none."""
    thought = answer.thought if most is None else cut_text(answer.thought, most)
    used = count_text(thought)
    calls: list[FunctionCall] = []
    for tool, arguments in answer.calls:
        call = FunctionCall(
            id=f"call_{uuid.uuid4().hex}", name=tool, arguments=json.dumps(arguments, ensure_ascii=False)
        )
        tokens = count_text(call.name) + count_text(call.arguments)
        if most is None or used + tokens <= most:
            used += tokens
            calls.append(call)
    text = answer.text if most is None else cut_text(answer.text, most - used)
    whole = (thought, len(calls), text) == (answer.thought, len(answer.calls), answer.text)
    return CreateResult(
        finish_reason="length" if not whole else "function_calls" if calls else "stop",
        content=calls or text,
        usage=RequestUsage(prompt_tokens=prompt_tokens, completion_tokens=used + count_text(text)),
        cached=False,
        thought=thought or None,
    )


def _found(when: When, talk: Talk, named: Mapping[str, str]) -> Found | None:
    """What the patterns found, or None when the rule does not fit."""
    called, not_called = one_or_more(when.called), one_or_more(when.not_called)
    if not talk.called.issuperset(called) or not talk.called.isdisjoint(not_called):
        return None
    if any(_find(pattern, talk.heard, named) is not None for pattern in one_or_more(when.not_heard)):
        return None
    finds: list[Found | None] = [
        _find(when.user, [talk.user], named),
        _find(when.last, [talk.last], named),
        _find(when.said, [talk.said], named),
        _find(when.heard, reversed(talk.heard), named),
        _unescaped(_find(when.since, reversed(talk.since), named)),
    ]
    for tool, patterns in when.result.items():
        newest = [talk.results[tool]] if tool in talk.results else []
        finds.append(_unescaped(_find(patterns or "", newest, named)))
    found: Found = {"user": talk.user, "last": talk.last}
    for find in finds:
        if find is None:
            return None
        _add(found, find)
    return found


def _find(patterns: Patterns, texts: Iterable[str], named: Mapping[str, str]) -> Found | None:
    """What the patterns find, each in the first of the texts that it fits; None when one fits none."""
    found: Found = {}
    several = list(texts)
    for pattern in one_or_more(patterns):
        search = compiled(pattern, named).search
        hit = next((hit for text in several if (hit := search(text))), None)
        if hit is None:
            return None
        _add(found, hit.groupdict(default=""))
    return found


def _add(found: Found, more: Mapping[str, str]) -> None:
    """Add what was found under new names; an earlier find stays, unless it is empty."""
    found.update({name: text for name, text in more.items() if not found.get(name)})


def _unescaped(found: Found | None) -> Found | None:
    """Pieces that were cut out of JSON strings, as the texts that they stand for."""
    return found and {name: _plain(text) for name, text in found.items()}


def _plain(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def _lines(rule: Rule, talk: Talk, found: Found, named: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, each in rule.each.items():
        hits = compiled(each.find, named).finditer(talk.results.get(each.result, ""))
        things = ({key: _plain(text) for key, text in hit.groupdict(default="").items()} for hit in hits)
        yield name, "\n".join(fill(each.say, {**found, **thing}) for thing in things)


def _filled(rule: Rule, talk: Talk, found: Found) -> Answer:
    say = rule.say or ""
    if isinstance(say, tuple):
        say = say[talk.times_spoken % len(say)]
    filled = fill(say, found)
    text = filled if isinstance(filled, str) else json.dumps(filled, ensure_ascii=False)
    thought = fill(rule.thought or "", found)
    if not rule.call:
        return Answer(text=text, thought=thought)
    # AutoGen has no place for a text beside calls; as a thought it is still shown.
    calls = tuple((use.tool, fill(use.arguments, found)) for use in rule.call)
    return Answer(calls=calls, thought=thought or text)
