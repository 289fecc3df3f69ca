"""An agent's question to the user suspends the conversation; the answer passes the user door."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ringfence.conversations.journal import Intent, no_run
from ringfence.conversations.requests import QUESTION
from ringfence.conversations.session import Session
from ringfence.errors import AnswerRequired, RingfenceError
from ringfence.guardrails.calls import UserTurn
from ringfence.guardrails.middleware import door
from ringfence.guardrails.texts import texts_of

_LASTS_SECONDS = 365 * 86_400.0


class Questions:
    """Asks the user for the agents of one conversation."""

    def __init__(self, session: Session, *, task_messages: Callable[[Any, str], Sequence[Any]]) -> None:
        self._session = session
        self._task_messages = task_messages

    async def ask(self, agent: str, prompt: str) -> str:
        """The user's answer, masked, once there is one.

        Raises:
            AnswerRequired: There is none yet.
            GuardrailTripped: A guardrail blocked the answer.
        """
        session, journal = self._session, self._session.journal
        if not journal.is_open:
            raise no_run()
        asked = hashlib.sha256(prompt.encode()).hexdigest()[:40]
        key = journal.occurrence(f"question:{agent}:{asked}")
        row = journal.row(key)
        if row is not None and row.outcome is not None:
            return str(row.outcome["text"])
        place = f"{journal.conversation}:{journal.turn}:{key}"
        question_id = f"question-{hashlib.sha256(place.encode()).hexdigest()[:16]}"
        if question_id not in session.answers:
            error = AnswerRequired(question_id=question_id, agent=agent)
            session.stop.set(error)
            shown = await session.masker.mask(prompt, point="question")
            expires_at = datetime.now(UTC) + timedelta(seconds=_LASTS_SECONDS)
            asked_for = {"agent": agent, "prompt": shown, "user": session.user}
            await session.requests.ask(
                id=question_id,
                turn=journal.turn,
                kind=QUESTION,
                key=key,
                content={**asked_for, "expires_at": expires_at.isoformat()},
                expires_at=expires_at.timestamp(),
            )
            raise error
        text = await self._taken_in(session.answers[question_id])
        await journal.start(Intent(key, QUESTION, agent, "", {"prompt": prompt}), {"text": text})
        return text

    async def _taken_in(self, answer: str) -> str:
        async def through(turn: UserTurn) -> str:
            return "\n".join(texts_of(turn.messages[0].content))

        try:
            messages = tuple(self._task_messages(answer, "user"))
            text: str = await door(self._session.user_door, through)(UserTurn(messages))
        except RingfenceError as error:
            # A team loses the type of what is raised in it.
            self._session.stop.set(error)
            raise
        return text
