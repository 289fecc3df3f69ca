"""Which pseudonym stands for which value, within one conversation."""

import threading
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from ringfence.errors import VaultError
from ringfence.guardrails.person_names import People, PersonName
from ringfence.guardrails.placeholders import MOST_FORMS, Mention, StandIn, label_of, mentions, reader_of
from ringfence.guardrails.sealing import KeySource, keyring_of
from ringfence.guardrails.value_keys import value_key

_PERSON = "PERSON"
Number = tuple[str, int]
"""The label and the number of a stand-in: one value, in however many written forms."""


@dataclass(slots=True)
class _Subject:
    """One value, or one person."""

    entity: str
    forms: dict[int, str] = field(default_factory=dict)
    """How it was written, by the number of the form."""
    last_form: int = 0
    uncertain: bool = False
    """Somebody whose name is no sign of who it is, because several people may have it."""


class Vault:
    """Stable pseudonyms: the same value gets the same name for as long as the conversation lives.

    A value that is written in another way keeps its number, and each way to write it comes back as it was.
    Safe to use from several threads. Its repr shows counts, never values.
    """

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        """Tells this vault from every other; a state that was saved beside it carries it."""
        self.epoch = 0
        """How often something was forgotten: what was remembered of an earlier one holds no more."""
        self.version = 0
        """Grows with every change, so that a vault that was written down is not written again for nothing."""
        self._lock = threading.RLock()
        self._empty()
        self._counts: dict[str, int] = {}
        self._taken: set[Number | StandIn] = set()

    def _empty(self) -> None:
        self._stand_ins: dict[tuple[str, str], StandIn] = {}
        self._numbers: dict[tuple[str, str], Number] = {}
        self._subjects: dict[Number, _Subject] = {}
        self._people = People()
        self._labels: frozenset[str] = frozenset()
        self._size = 0

    def __repr__(self) -> str:
        return f"Vault({self._size} values)"

    def pseudonym(self, entity: str, value: str) -> str:
        """The name that stands for this value, such as `<EMAIL_ADDRESS_1>`.

        Another way to write it is `<EMAIL_ADDRESS_1.2>`, and so are the parts of a person's name.
        """
        with self._lock:
            stand_in = self._stand_ins.get((entity, value))
            return str(stand_in or self._add(entity, value))

    def reserve(self, text: str) -> None:
        """Never give out a name that somebody wrote before it meant anything, in whatever way."""
        with self._lock:
            for mention in mentions(text):
                self.version += 1
                label, number, form = mention.stand_in
                if (subject := self._subjects.get((label, number))) is None:
                    self._taken.add((label, number))
                elif form not in subject.forms:
                    self._taken.add(mention.stand_in)

    def forget(self, value: str | None = None) -> int:
        """Forget a value with everything that is or holds it, or all; says how many written forms that was.

        No name that was given out for it will mean anything again. Of a person, other ways to write the
        name go with it, its parts, and people who may be the same.
        """
        with self._lock:
            self.epoch += 1
            self.version += 1
            before = self._size
            if value is None:
                self._empty()
            else:
                for number in [*self._numbers_of(value)]:
                    self._drop(number)
            return before - self._size

    def is_stand_in(self, value: object) -> bool:
        """Whether a value is one name that was given out, and nothing else."""
        if not isinstance(value, str):
            return False
        text = value.strip()
        return [one[:2] for one in self.stand_ins(text)] == [(0, len(text))]

    def stand_ins(self, text: str, start: int = 0) -> list[Mention]:
        """Where names that were given out stand in a text, in order."""
        with self._lock:
            return [*reader_of(self._labels).known(text, self._is_known, start)] if self._labels else []

    def reveal(self, text: str, entities: Collection[str] | None = None, *, start: int = 0) -> str:
        """The text from `start` with the real values of these entity types (None: all).

        Names that mean nothing stay as they are written.
        """
        with self._lock:
            return self._revealed(text, self.stand_ins(text, start), start, len(text), entities)

    def reveal_settled(
        self, text: str, start: int, entities: Collection[str] | None = None
    ) -> tuple[str, int]:
        """As `reveal`, of a text that may go on: as far as no more text can change it, and where that is."""
        with self._lock:
            if not self._labels:
                return text[start:], len(text)
            found, end = reader_of(self._labels).settled(text, start, self._is_known)
            return self._revealed(text, found, start, end, entities), end

    def seal(self, keys: KeySource = None, *, conversation: str) -> dict[str, Any]:
        """All that the vault holds, encrypted, as JSON can hold it.

        Args:
            keys: None takes those of the environment, see `Keyring.from_environment`.
            conversation: Its id; for another one it does not open again.

        Raises:
            VaultError: There is no key.
        """
        return keyring_of(keys).seal(self.content(), conversation=conversation)

    def content(self) -> dict[str, Any]:
        """All that the vault holds, as JSON can hold it: real values, for whoever seals it at once."""
        with self._lock:
            subjects = [
                [label, number, one.entity, one.uncertain, [*one.forms.items()]]
                for (label, number), one in self._subjects.items()
            ]
            taken = [list(one) for one in sorted(self._taken)]
            return {"id": self.id, "counts": dict(self._counts), "taken": taken, "subjects": subjects}

    @classmethod
    def unseal(cls, sealed: Mapping[str, Any], keys: KeySource = None, *, conversation: str) -> Self:
        """The vault that was sealed for this conversation.

        Raises:
            VaultError: There is no key, it is another one, or what was kept was changed.
        """
        vault = cls()
        vault.restore(keyring_of(keys).open(sealed, conversation=conversation))
        return vault

    def restore(self, content: Mapping[str, Any]) -> None:
        """Hold what `content` gave, and nothing else.

        Raises:
            VaultError: It is of another version.
        """
        with self._lock:
            try:
                self._empty()
                self.epoch += 1
                self.id = content["id"]
                self._counts = dict(content["counts"])
                self._taken = {
                    (one[0], one[1]) if len(one) == 2 else StandIn(*one)  # noqa: PLR2004 - a number, or a form of it
                    for one in content["taken"]
                }
                for label, number, entity, uncertain, forms in content["subjects"]:
                    self._subjects[label, number] = _Subject(entity, uncertain=uncertain)
                    for form, value in forms:
                        self._keep(StandIn(label, number, form), value)
            except (KeyError, TypeError, ValueError, AttributeError):
                raise VaultError("The sealed vault is of another version") from None

    def _add(self, entity: str, value: str) -> StandIn:
        label, number = self._number(entity, value)
        subject = self._subjects[label, number]
        form = subject.last_form + 1
        while StandIn(label, number, form) in self._taken:
            form += 1
        if form > MOST_FORMS:
            label, number = self._new_number(entity)
            form = 1
        return self._keep(StandIn(label, number, form), value)

    def _number(self, entity: str, value: str) -> Number:
        name = PersonName.of(value) if entity == _PERSON else None
        number = self._numbers.get((entity, _key(entity, value, name)))
        is_somebody = False
        if number is None and name is not None:
            person, is_somebody = self._people.same_as(name)
            number = None if person is None else (label_of(entity), person)
        return number or self._new_number(entity, uncertain=is_somebody)

    def _new_number(self, entity: str, *, uncertain: bool = False) -> Number:
        label = label_of(entity)
        number = self._counts.get(label, 0) + 1
        while (label, number) in self._taken:
            number += 1
        self._counts[label] = number
        self._subjects[label, number] = _Subject(entity, uncertain=uncertain)
        return label, number

    def _keep(self, stand_in: StandIn, value: str) -> StandIn:
        """Note a written form wherever it is looked for."""
        self.version += 1
        label, number, form = stand_in
        subject = self._subjects[label, number]
        name = PersonName.of(value) if subject.entity == _PERSON else None
        if name is not None:
            self._people.add(number, name, uncertain=subject.uncertain)
        subject.forms[form] = value
        subject.last_form = form
        self._stand_ins[subject.entity, value] = stand_in
        self._numbers[subject.entity, _key(subject.entity, value, name)] = label, number
        self._labels |= {label}
        self._size += 1
        return stand_in

    def _drop(self, number: Number) -> None:
        subject = self._subjects.pop(number)
        self._size -= len(subject.forms)
        for value in subject.forms.values():
            name = PersonName.of(value) if subject.entity == _PERSON else None
            self._stand_ins.pop((subject.entity, value), None)
            self._numbers.pop((subject.entity, _key(subject.entity, value, name)), None)
        if subject.entity == _PERSON:
            self._people.remove(number[1])

    def _numbers_of(self, value: str) -> Iterator[Number]:
        """Everything that is this value, holds it, or may be the same person. Looks at all there is."""
        name = PersonName.of(value)
        people = set(self._people.who_may_be(name)) if name else set()
        words = f" {_words(value)} "
        for number, subject in self._subjects.items():
            asked = value_key(subject.entity, value)
            is_same = any(value_key(subject.entity, form) == asked for form in subject.forms.values())
            holds = words.strip() and any(words in f" {_words(form)} " for form in subject.forms.values())
            if is_same or holds or (subject.entity == _PERSON and number[1] in people):
                yield number

    def _is_known(self, stand_in: StandIn) -> bool:
        subject = self._subjects.get(stand_in[:2])
        return subject is not None and stand_in.form in subject.forms

    def _revealed(
        self, text: str, found: list[Mention], start: int, end: int, entities: Collection[str] | None
    ) -> str:
        pieces: list[str] = []
        for mention in found:
            subject = self._subjects[mention.stand_in[:2]]
            if entities is None or subject.entity in entities:
                value = subject.forms[mention.stand_in.form]
                pieces += text[start : mention.start], value, mention.ending
                start = mention.end
        return "".join([*pieces, text[start:end]])


def _key(entity: str, value: str, name: PersonName | None) -> str:
    return value_key(entity, value) if name is None else name.key


def _words(text: str) -> str:
    """The words of a text in lower case, with one space between them."""
    signs = (sign if sign.isalnum() else " " for sign in text.casefold())
    return " ".join("".join(signs).split())
