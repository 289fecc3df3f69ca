"""What happened in a conversation, turn by turn, read from the store; nothing is called, run or changed."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.record import Record
from ringfence.conversations.recording import AskedPerson, RecordedTurn, Recording, Said, TurnEnd
from ringfence.conversations.records import RAN, Row, StoredEvent, read_events, read_record, read_rows
from ringfence.conversations.requests import read_request
from ringfence.conversations.store import Store
from ringfence.errors import UnknownConversation
from ringfence.guardrails.vault import Vault


async def read_recording(store: Store, conversation: str, *, reveal: bool = False) -> Recording:
    """All that the store holds of a conversation, as it was at one moment; somebody may be running it.

    Args:
        store: Where the conversations are kept.
        conversation: The id of one.
        reveal: Show real values in place of pseudonyms.

    Raises:
        UnknownConversation: The store has none of this id.
        StoreError: What is stored was changed, is not complete, or cannot be read.
    """
    file = store.place.file
    if file is not None and not file.exists():
        # To look for something is no reason to make a file.
        raise UnknownConversation(
            f"There is no store {store.name} yet, so it knows no conversation {conversation!r}"
        )

    async def read(db: AsyncConnection) -> Recording:
        record = await read_record(db, store, conversation)
        vault = Vault()
        if reveal and record.vault is not None:
            vault.restore(record.vault)
        return Recording(record, await _turns(db, store, record, vault.reveal))

    return await store.read(read)


async def _turns(
    db: AsyncConnection, store: Store, record: Record, shown: Callable[[str], str]
) -> list[RecordedTurn]:
    steps: dict[int, list[Row]] = defaultdict(list)
    events: dict[int, list[StoredEvent]] = defaultdict(list)
    asked: dict[int, list[AskedPerson]] = defaultdict(list)
    for made in await read_rows(db, store, record.id):
        # What a tool answered is as the tool wrote it until it has passed the door.
        step = replace(made, outcome=_unchecked(made)) if made.status == RAN else made
        shown_step = {"request": _mapped(step.request, shown), "outcome": _mapped(step.outcome, shown)}
        steps[step.turn].append(replace(step, **shown_step))
    for event in await read_events(db, store, record.id):
        events[event.turn].append(replace(event, content=_mapped(event.content, shown)))
    for one in await _asked(db, store, record.id):
        content = _mapped(one.request.content, shown)
        asked[one.request.turn].append(replace(one, request=replace(one.request, content=content)))
    table = store.tables.turns
    said: dict[int, tuple[int, Said]] = {}
    for row in await db.execute(select(table).where(table.c.conversation == record.id)):
        content = store.sealer.open(row.said, "turns", record.id, row.turn, row.run)
        said[row.turn] = row.run, _mapped(content, shown)
    opened = record.open_turn
    turns = []
    for number in range(1, record.turn + 1):
        is_open = opened is not None and number == record.turn
        run, words = said.get(number, (record.run if is_open else None, None))
        ended = TurnEnd.DONE if number in said else TurnEnd.OPEN if is_open else TurnEnd.GIVEN_UP
        turn = RecordedTurn(
            number=number,
            run=run,
            ended=ended,
            said=words,
            opened=_mapped(opened["messages"], shown) if is_open and opened is not None else None,
            steps=steps[number],
            events=events[number],
            asked=asked[number],
        )
        turns.append(turn)
    return turns


async def _asked(db: AsyncConnection, store: Store, conversation: str) -> list[AskedPerson]:
    table = store.tables.requests
    wanted = select(table).where(table.c.conversation == conversation).order_by(table.c.asked_at, table.c.id)
    return [AskedPerson(read_request(store, row), row.decided_at) for row in await db.execute(wanted)]


def _mapped(content: Any, shown: Callable[[str], str]) -> Any:
    match content:
        case str():
            return shown(content)
        case dict():
            return {name: _mapped(value, shown) for name, value in content.items()}
        case list():
            return [_mapped(value, shown) for value in content]
        case _:
            return content


def _unchecked(step: Row) -> dict[str, Any]:
    said = "[It took effect; its result was not checked, so it is not shown.]"
    part = {"type": "TextResultContent", "content": said}
    return {"answered": {"type": "ToolResult", "name": step.name, "result": [part], "is_error": False}}
