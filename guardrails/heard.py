"""What a conversation has read and said so far, for guardrails that compare a text with it."""

from collections.abc import Iterable
from dataclasses import replace

from ringfence.guardrails.calls import ModelCall
from ringfence.guardrails.passages import PartKind, Passage, Point
from ringfence.guardrails.texts import (
    AssistantMessage,
    FunctionExecutionResultMessage,
    UserMessage,
    texts_of,
)

_MOST_TEXTS = 500


class Heard:
    """Texts that passed their checks, by where they came from; the newest few hundred of each kind."""

    def __init__(self) -> None:
        self._sources: dict[str, None] = {}
        self._questions: dict[str, None] = {}
        self._said: dict[tuple[Point, str], list[str]] = {}

    def note(self, passage: Passage) -> None:
        """Remember a text that passed."""
        if passage.part.kind is not PartKind.CONTENT:
            return
        match passage.point:
            case Point.INPUT:
                _add(self._questions, [passage.text])
            case Point.TOOL_RESULT:
                _add(self._sources, [passage.text])
            case Point.MESSAGE | Point.OUTPUT:
                said = self._said.setdefault((passage.point, passage.agent), [])
                said.append(passage.text)
                del said[:-_MOST_TEXTS]

    def read(self, call: ModelCall) -> None:
        """Remember what stands in a prompt: it may be older than this process."""
        for message in call.messages:
            if isinstance(message, FunctionExecutionResultMessage):
                _add(self._sources, (result.content for result in message.content if not result.is_error))
            elif isinstance(message, UserMessage) and message.source == "user":
                _add(self._questions, texts_of(message.content))
        said = self._said.setdefault((Point.MESSAGE, call.agent), [])
        if not said:
            said += [
                message.content
                for message in call.messages
                if isinstance(message, AssistantMessage) and isinstance(message.content, str)
            ]

    def beside(self, passage: Passage) -> Passage:
        """The passage with what was heard before it."""
        return replace(
            passage,
            sources=tuple(self._sources),
            questions=tuple(self._questions),
            history=tuple(self._said.get((passage.point, passage.agent), ())),
        )


def _add(known: dict[str, None], texts: Iterable[str]) -> None:
    for text in texts:
        known.pop(text, None)
        known[text] = None
    while len(known) > _MOST_TEXTS:
        del known[next(iter(known))]
