"""What follows from where a value came from. `docs/provenance.md` says the rules in plain words."""

import re
from collections.abc import Collection, Sequence

from ringfence.guardrails.asking_words import words_of
from ringfence.guardrails.call_values import Value
from ringfence.guardrails.contacts import contacts_in
from ringfence.guardrails.noted_texts import Noted, NotedTexts
from ringfence.guardrails.sources import Source, SourceKind, Trace
from ringfence.guardrails.value_kinds import COMPOSED, CONTACTS, Found, ValueKind
from ringfence.guardrails.value_spellings import fold, skeleton, squeezed

_POLICY = Source(SourceKind.OPERATOR)
_A = {kind: f"{'an' if kind.value[0] in 'aeiou' else 'a'} {kind.value}" for kind in ValueKind}
_FEWEST_LETTERS = 3
_MOST_WORDS = 4
"""Of a name; what is longer is a sentence."""
_MOST_OF_AN_ADDRESS = 12
"""Words of a postal address; others may have said most of them in another order."""
_NAME = re.compile(rf"[^\W\d_]{{{_FEWEST_LETTERS},40}}")
_WITHIN_A_SENTENCE = re.compile(rf"(?<=[\w,;:)\"'][ \t])[\"'(]?([^\W\d_]{{{_FEWEST_LETTERS},40}})")
_MAILBOXES = "info mail contact hello office support sales team admin noreply com org net www http https"
_NO_NAMES = frozenset(_MAILBOXES.split())


def traced(
    value: Value,
    texts: NotedTexts,
    *,
    listed: Collection[str] = (),
    suppliers: Collection[SourceKind] | None = None,
    is_reading: bool = False,
    suspicious: Collection[str] = (),
) -> Trace:
    """Where the value came from, and whether a person has to look at it."""
    if value.key in listed and not suppliers:
        return _trace(value, _POLICY)
    said = texts.said_by(value)
    if suppliers is not None:
        return _from_suppliers(value, said, texts, suppliers)
    if said:
        return _trace(value, said[0].source)
    if twin := _lookalike(value, texts):
        why = f"`{value.argument}` only looks like what {twin.source} said: it is spelled otherwise"
        return _trace(value, None, why)
    came_from = texts.may_come_from(value)
    if not came_from:
        return _composed(value, texts)
    for one in came_from:
        is_suspicious = one.source.name in suspicious or "" in suspicious
        if not is_suspicious and _is_excused(value, one, texts, is_reading=is_reading):
            return _trace(value, one.source, place=one.text.place(value))
    first = came_from[0]
    place = first.text.place(value)
    where = f" ({place})" if place else ""
    why = f"`{value.argument}` came from {first.source}{where}, not from the user"
    return _trace(value, first.source, why, place=place)


def _trace(value: Value, source: Source | None, why: str = "", *, place: str = "") -> Trace:
    shown = value.written
    return Trace(value.argument, shown, value.kind.value, source, place, escalates=bool(why), why=why)


def _from_suppliers(
    value: Value, said: Sequence[Noted], texts: NotedTexts, suppliers: Collection[SourceKind]
) -> Trace:
    came_from = [*said]
    if not any(one.source.kind in suppliers for one in said):
        came_from += texts.may_come_from(value)
    for one in came_from:
        if one.source.kind in suppliers:
            return _trace(value, one.source)
    allowed = " or ".join(sorted(kind.value for kind in suppliers))
    source = came_from[0].source if came_from else None
    found = f"it came from {source}" if source else "nobody said it"
    return _trace(value, source, f"`{value.argument}` may only come from {allowed}, and {found}")


def _composed(value: Value, texts: NotedTexts) -> Trace:
    if texts.is_incomplete:
        why = f"nobody can say where `{value.argument}` came from: not all that was read could be kept"
        return _trace(value, None, why)
    if value.kind is ValueKind.TEXT and _is_pieced_together(value, texts):
        why = f"`{value.argument}` is put together of words that came from what was read, not from the user"
        return _trace(value, None, why)
    if value.kind in COMPOSED or (value.is_key and value.kind is ValueKind.IDENTIFIER):
        return _trace(value, None)
    return _trace(value, None, f"`{value.argument}` holds {_A[value.kind]} that nobody said before")


def _is_pieced_together(value: Value, texts: NotedTexts) -> bool:
    """Whether a text is made of words that only others said; a sentence may be about them.

    One such word is enough in what is as short as a name, and beside an address, which has no sentence.
    """
    words = [word for word in words_of(value.key) if len(word) >= _FEWEST_LETTERS]
    theirs = [word for word in words if texts.is_only_others(word)]
    if len(words_of(value.key)) <= _MOST_WORDS or contacts_in(value.written):
        return bool(theirs)
    return len(words) <= _MOST_OF_AN_ADDRESS and len(theirs) * 2 > len(words)


def _lookalike(value: Value, texts: NotedTexts) -> Noted | None:
    """The trusted text that says something which this value was made to look like."""
    if value.kind in COMPOSED:
        return None
    look = skeleton(fold(value.key))
    if len(squeezed(look)) < _FEWEST_LETTERS:
        return None
    for one in texts.kept():
        if one.source.kind is SourceKind.UNTRUSTED:
            continue
        if value.kind in CONTACTS:
            if (value.kind, look) in one.text.looks or (value.is_word and look in one.text.skeletons):
                return one
        elif look in one.text.skeletons:
            return one
    return None


def _is_excused(value: Value, noted: Noted, texts: NotedTexts, *, is_reading: bool) -> bool:
    """Whether the user named the source of a value that only others said."""
    source, text = noted.source, noted.text
    if not text.says(value):
        return False  # what was hidden there is nothing that the user could have meant
    if value.kind in CONTACTS:
        return texts.is_strongly_named(source) and _is_meant(value, noted, texts, is_reading=is_reading)
    if not (texts.is_weakly_named(source) or texts.is_strongly_named(source)):
        return False
    if value.kind in {ValueKind.NUMBER, ValueKind.DATE}:
        return True
    # Instructions live in prose: a value that stands in it is nothing that a service gave for one.
    return text.whole_field(value) is not None


def _is_meant(value: Value, noted: Noted, texts: NotedTexts, *, is_reading: bool) -> bool:
    """Whether a link, an address or an account is the one that the user can only have meant."""
    if is_reading and value.kind is ValueKind.LINK:
        return not noted.source.open_world
    if texts.user_gave(value.kind):
        return False
    found = {one for one in noted.text.contacts | noted.text.hidden_contacts if one[0] is value.kind}
    if not value.is_word:
        found.add((value.kind, value.key))  # a long number with commas is no account where it stands
    if len(found) == 1:
        return True
    names = {word for text in texts.user_texts for word in _names_in(text.text)}
    carrying = [one for one in found if names & _names_of(one)]
    return [(value.kind, value.key)] == carrying


def _names_in(text: str) -> set[str]:
    """Words of a text that may be somebody's name: with a capital, and not because a sentence begins."""
    return {fold(word) for word in _WITHIN_A_SENTENCE.findall(text) if word[0].isupper()} - _NO_NAMES


def _names_of(found: Found) -> set[str]:
    kind, key = found
    own = key.partition("@")[0] if kind is ValueKind.ADDRESS else key
    return {*_NAME.findall(own)} - _NO_NAMES
