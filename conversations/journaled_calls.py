"""Model calls are written down before they are made and after, and a recorded one is not made again."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from ringfence.budgets.usage import Step
from ringfence.conversations.journal import Intent, Journal, no_run
from ringfence.conversations.outcomes import answered, model_reply, refused
from ringfence.conversations.records import DONE, STARTED
from ringfence.errors import RingfenceError
from ringfence.guardrails.calls import ModelCall
from ringfence.guardrails.middleware import Handler
from ringfence.guardrails.records import Record
from ringfence.guardrails.texts import CreateResult, FunctionCall, map_text, texts_of

_OWN = frozenset({"cancellation_token"})
"""Options that say nothing of what is asked."""
_MARK = re.compile(r"^[0-9a-f]{32}$", re.MULTILINE)
"""The lines between which a judge is shown a text; nobody can guess them, and they are others each time."""
_LETTERS = str.maketrans("0123456789", "ghijklmnop")
"""An id with many digits in a row looks like a phone number, and would be replaced by a random one."""


class JournalModelCalls:
    """Answers a model call from the journal when it was made before, else makes it and writes it down.

    It stands where replies have passed their checks, so what is kept is masked, and a refusal is kept, too.
    """

    def __init__(self, journal: Journal, record: Record, *, kind: str = "model") -> None:
        self._journal = journal
        self._record = record
        self._kind = kind

    async def __call__(self, call: ModelCall, call_next: Handler[ModelCall, CreateResult]) -> CreateResult:
        """Answer the call.

        Raises:
            GuardrailTripped: The reply was refused, now or when it was recorded.
            ConversationChanged: A turn that is played again asks something else than it did.
            StoreError: The call could not be written down, so it was not made.
        """
        journal = self._journal
        if not journal.is_open:
            if journal.ended:
                raise no_run()
            return await call_next(call)
        kind = "reask" if call.attempt and self._kind == "model" else self._kind
        asked = without_marks(call) if self._kind == "judge" else call
        key = journal.occurrence(f"{self._kind}:{call.agent}:{fingerprint_of(asked)}")
        row = journal.row(key)
        if row is not None and row.outcome is not None and row.status == DONE:
            self._record("replays", door="model", agent=call.agent, model=call.model)
            return model_reply(row.outcome)
        if self._kind == "model":
            journal.check_on_course(key, call.agent)
        await journal.start(Intent(key, kind, call.agent, call.model, _shown(call)))
        steps: list[Step] = []
        try:
            is_repeated = row is not None and row.status == STARTED
            reply = await call_next(replace(call, settled=steps.append, is_repeated=is_repeated))
        except RingfenceError as error:
            cost = {"steps": [step.as_dict() for step in steps]}
            outcome = refused(error)
            if outcome is not None:
                await journal.finish(key, {**outcome, **cost})
            else:
                await journal.fail(key, {"failed": str(error), "error": type(error).__name__, **cost})
            raise
        reply = self._with_own_ids(reply, key)
        cost = {"steps": [step.as_dict() for step in steps]}
        await journal.finish(key, {**answered(reply), **cost})
        return reply

    def _with_own_ids(self, reply: CreateResult, key: str) -> CreateResult:
        """The reply with ids of its calls that nobody else has, and that are the same whenever it is read."""
        if isinstance(reply.content, str):
            return reply
        calls = [
            FunctionCall(
                id=own_id(self._journal, key, place),
                name=wanted.name,
                arguments=wanted.arguments,
            )
            for place, wanted in enumerate(reply.content)
        ]
        return reply.model_copy(update={"content": calls})


def own_id(journal: Journal, key: str, place: int = 0) -> str:
    """The id of a call that nobody else has, and that is the same whenever its turn is played."""
    return f"call_{_hash([journal.salt, journal.turn, key, place])[:24].translate(_LETTERS)}"


def fingerprint_of(call: ModelCall) -> str:
    """What is asked, whoever asks and whenever: SHA-256 over model, messages, tools and options."""
    options = {name: _plain(value) for name, value in call.options.items() if name not in _OWN}
    return _hash([call.model, _plain(call.messages), _plain(call.tools), options])[:40]


def without_marks(call: ModelCall) -> ModelCall:
    """The question of a judge as it is whenever it judges the same text."""

    def unmarked(text: str) -> str:
        for mark in {*_MARK.findall(text)}:
            text = text.replace(mark, "")
        return text

    return replace(call, messages=map_text(call.messages, unmarked))


def _shown(call: ModelCall) -> Mapping[str, Any]:
    """What the journal keeps of a question: its last message. The others stand in the steps before."""
    last = texts_of(call.messages[-1]) if call.messages else []
    tools = [tool["name"] if isinstance(tool, Mapping) else tool.name for tool in call.tools]
    return {"messages": len(call.messages), "last": last, "tools": tools}


def _plain(value: Any) -> Any:
    match value:
        case BaseModel():
            return value.model_dump(mode="json")
        case type() if issubclass(value, BaseModel):
            return value.model_json_schema()
        case Mapping():
            return {str(name): _plain(one) for name, one in value.items()}
        case str() | int() | float() | None:
            return value
        case Sequence():
            return [_plain(one) for one in value]
        case _:
            schema = getattr(value, "schema", None)
            return schema if isinstance(schema, Mapping) else str(value)


def _hash(parts: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
