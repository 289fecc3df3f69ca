"""What a row says of people is sealed: it opens in its own row, with its own key, and nowhere else."""

import base64
import json
import stat
from pathlib import Path

import pytest
from databases import KEYS, KEYS_TEXT, note, python, store_at, turns_in
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ringfence.conversations.store import Store
from ringfence.errors import StoreError, VaultError
from ringfence.guardrails.sealing import KEYS_VARIABLE, Keyring

_SEAL = """
import sys
from ringfence.conversations.store import Store
store = Store(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(store.sealer.seal("Jane Doe", "turns", 1))
"""


async def test_a_tampered_value_does_not_open(tmp_path: Path) -> None:
    """Neither changed, nor put into another row; the row is named, and not what it holds."""
    store = Store(tmp_path / "store.sqlite")
    said = store.tables.turns.c.said

    async def write(db: AsyncConnection) -> None:
        rows = [
            {
                "conversation": "c-1",
                "turn": turn,
                "run": 1,
                "said": store.sealer.seal(f"Jane {turn}", "turns", turn),
            }
            for turn in (1, 2)
        ]
        await db.execute(insert(store.tables.turns), rows)

    async def swap(db: AsyncConnection) -> None:
        other = select(said).where(store.tables.turns.c.turn == 2).scalar_subquery()
        await db.execute(update(store.tables.turns).where(store.tables.turns.c.turn == 1).values(said=other))

    async def read(db: AsyncConnection) -> list[str]:
        return [*(await db.execute(select(said).order_by(store.tables.turns.c.turn))).scalars()]

    await store.run(write)
    first, second = await store.read(read)
    assert "Jane" not in first
    assert store.sealer.open(first, "turns", 1) == "Jane 1"

    await store.run(swap)
    moved, _ = await store.read(read)
    changed = json.loads(second) | {"data": "AAAA"}

    for sealed, turn in ((moved, 1), (json.dumps(changed), 2), ("", 2), (None, 2), ("{}", 2), ("[]", 2)):
        with pytest.raises(StoreError) as told:
            store.sealer.open(sealed, "turns", turn)
        assert str(told.value) == (
            f"The store store.sqlite holds a value that does not open (turns {turn}): it was changed, or "
            "sealed with another key"
        )


def test_what_was_sealed_opens_after_a_change_of_keys() -> None:
    """With the old key behind the new one; and a user is looked up by the hashes of both."""
    old, new = bytes(32), bytes([1]) * 32
    before = Store(keys=Keyring({"old": old})).sealer
    after = Store(keys=Keyring({"new": new, "old": old})).sealer
    without = Store(keys=Keyring({"new": new})).sealer
    sealed = before.seal({"name": "Jane"}, "turns", 1)

    assert after.open(sealed, "turns", 1) == {"name": "Jane"}
    assert json.loads(after.seal("-", "turns", 1))["key"] == "new"
    assert after.hashes_of("jane") == [without.hash_of("jane"), before.hash_of("jane")]
    with pytest.raises(StoreError, match="sealed with another key"):
        without.open(sealed, "turns", 1)


def test_a_hash_tells_nothing_without_the_key() -> None:
    """Two stores with other keys have other hashes for one name."""
    one, other = (Store(keys=Keyring({"k": bytes([number]) * 32})).sealer for number in (1, 2))

    assert one.hash_of("jane") == one.hash_of("jane")
    assert len({one.hash_of("jane"), one.hash_of("john"), other.hash_of("jane")}) == 3
    assert len(one.hash_of("jane")) == 64


def test_a_vault_and_a_row_are_not_taken_for_each_other() -> None:
    """What was sealed as the one does not open as the other."""
    with pytest.raises(VaultError):
        KEYS.open(KEYS.seal_row({"a": 1}, ["c-1"]), conversation="c-1")
    with pytest.raises(VaultError):
        KEYS.open_row(KEYS.seal({"a": 1}, conversation="c-1"), ["c-1"])


def test_a_file_of_sqlite_gets_a_key_beside_it(tmp_path: Path) -> None:
    """Readable by its owner alone; another process opens with it what this one sealed."""
    sealed = Store(tmp_path / "store.sqlite").sealer.seal("Jane", "turns", 1)

    assert stat.S_IMODE((tmp_path / "store.sqlite.key").stat().st_mode) == 0o600
    assert Store(tmp_path / "store.sqlite").sealer.open(sealed, "turns", 1) == "Jane"
    assert [file.name for file in tmp_path.iterdir()] == ["store.sqlite.key"]


def test_processes_that_make_the_key_at_once_agree(tmp_path: Path) -> None:
    """The first one's key counts for all."""
    file = tmp_path / "store.sqlite"
    processes = [python(_SEAL, str(file)) for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    ends = [process.communicate() for process in processes]

    assert [errors for _, errors in ends] == [""] * 4
    assert [Store(file).sealer.open(sealed, "turns", 1) for sealed, _ in ends] == ["Jane Doe"] * 4
    assert [one.name for one in tmp_path.iterdir()] == ["store.sqlite.key"]


async def test_a_key_file_that_is_gone_is_not_replaced(tmp_path: Path) -> None:
    """With a new key, nothing that was sealed before would open."""
    store = Store(tmp_path / "store.sqlite")
    table = store.tables.conversations
    texts = {column.name: "-" for column in table.c if column.type.python_type is str and not column.nullable}
    numbers = {column.name: 0 for column in table.c if column.type.python_type is not str}
    key = store.sealer.seal("-", "turns")
    await store.run(lambda db: db.execute(insert(table).values(**texts, **numbers)))
    kept = (tmp_path / "store.sqlite.key").read_text()
    (tmp_path / "store.sqlite.key").unlink()

    with pytest.raises(VaultError, match=r"store\.sqlite\.key is gone, and store\.sqlite holds rows"):
        Store(tmp_path / "store.sqlite").sealer.open(key, "turns")

    assert not (tmp_path / "store.sqlite.key").exists()
    (tmp_path / "store.sqlite.key").write_text(kept)
    assert Store(tmp_path / "store.sqlite").sealer.open(key, "turns") == "-"


@pytest.mark.parametrize("content", ["", "garbage", "k1:AAAA", "k1:é"])
def test_a_key_file_that_holds_no_key_is_told(tmp_path: Path, content: str) -> None:
    """The file is named, and what it holds is not repeated."""
    (tmp_path / "store.sqlite.key").write_text(content, encoding="utf-8")

    with pytest.raises(VaultError, match=r"store\.sqlite\.key") as told:
        Store(tmp_path / "store.sqlite").sealer.seal("-", "turns")

    assert not content or content not in str(told.value)


def test_the_keys_of_the_environment_come_before_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file is made then."""
    monkeypatch.setenv(KEYS_VARIABLE, KEYS_TEXT)

    sealed = Store(tmp_path / "store.sqlite").sealer.seal("-", "turns")

    assert Store(keys=KEYS).sealer.open(sealed, "turns") == "-"
    assert [*tmp_path.iterdir()] == []


def test_a_store_on_a_server_never_makes_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another machine would not have it; the message tells how to make one."""
    monkeypatch.delenv(KEYS_VARIABLE, raising=False)

    with pytest.raises(VaultError, match=f"export {KEYS_VARIABLE}="):
        Store("postgresql://db.example/ringfence").sealer.seal("-", "turns")


async def test_without_a_key_nothing_but_sealing_fails(tmp_path: Path) -> None:
    """The key is asked for when it is first needed."""

    def none() -> Keyring:
        raise VaultError("no key today")

    store = Store(tmp_path / "store.sqlite", keys=none)
    await note(store, 1)

    assert await turns_in(store_at(tmp_path / "store.sqlite")) == [1]
    with pytest.raises(VaultError, match="no key today"):
        store.sealer.seal("-", "turns")


def test_the_repr_of_keys_shows_no_key() -> None:
    """Nor that of the store."""
    secret = base64.b64encode(bytes(32)).decode()

    assert secret not in f"{KEYS!r} {Store(keys=KEYS)!r} {vars(Store(keys=KEYS).sealer)!r}"
