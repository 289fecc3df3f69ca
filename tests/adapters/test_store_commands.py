"""The commands of `ringfence store`, on a real file."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import Result
from databases import KEYS_TEXT, note, postgres_url, store_at
from typer.testing import CliRunner

from ringfence.adapters.store_commands import store_commands
from ringfence.conversations.schema import SCHEMA_VERSION
from ringfence.errors import PolicyError, StoreError
from ringfence.guardrails.sealing import KEYS_VARIABLE

__all__ = ["postgres_url"]


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A policy file whose store is a file beside it."""
    monkeypatch.setenv(KEYS_VARIABLE, KEYS_TEXT)
    file = tmp_path / "policy.yaml"
    file.write_text("store: {url: 'sqlite:///desk.sqlite'}\n")
    return file


def command(*arguments: str | Path) -> Result:
    """What `ringfence store` does with these arguments."""
    return CliRunner().invoke(store_commands, [str(one) for one in arguments], standalone_mode=False)


def test_upgrade_makes_the_tables_and_finds_them_made(policy: Path, tmp_path: Path) -> None:
    """It may be run again and again."""
    assert command("upgrade", policy).output == (
        f"desk.sqlite now has schema {SCHEMA_VERSION}, and had none.\n"
    )
    assert command("upgrade", policy).output == f"desk.sqlite has the newest schema, {SCHEMA_VERSION}.\n"
    assert json.loads(command("upgrade", policy, "--json").output) == {
        "name": "desk.sqlite",
        "schema": SCHEMA_VERSION,
        "schema_before": SCHEMA_VERSION,
    }


def test_info_tells_what_a_store_holds(policy: Path, tmp_path: Path) -> None:
    """By status; and how much room it takes."""
    asyncio.run(_fill(tmp_path / "desk.sqlite"))

    facts = json.loads(command("info", policy, "--json").output)

    assert facts.pop("bytes") > 0
    assert facts == {
        "name": str(tmp_path / "desk.sqlite"),
        "schema": SCHEMA_VERSION,
        "newest_schema": SCHEMA_VERSION,
        "conversations": {"done": 2, "waiting_for_approval": 1},
        "jobs": {},
    }
    shown = command("info", policy).output
    assert "conversations  3 (2 done, 1 waiting_for_approval)\n" in shown
    assert "jobs           0\n" in shown


def test_info_changes_nothing(policy: Path, tmp_path: Path) -> None:
    """Not even a file is made."""
    assert "schema         none yet" in command("info", policy).output
    assert [one.name for one in tmp_path.iterdir()] == ["policy.yaml"]


def test_forget_deletes_what_is_kept_of_a_user(policy: Path, tmp_path: Path) -> None:
    """And says how many conversations and jobs that was."""
    asyncio.run(_fill(tmp_path / "desk.sqlite"))

    assert command("forget", policy, "--user", "jane").output == "Conversations and jobs deleted: 2\n"
    assert json.loads(command("forget", policy, "--user", "jane", "--json").output) == {"deleted": 0}


def test_prune_deletes_what_ended(policy: Path, tmp_path: Path) -> None:
    """What waits for a person is kept."""
    asyncio.run(_fill(tmp_path / "desk.sqlite"))

    assert command("prune", policy, "--days", "30").output == "Conversations and jobs deleted: 2\n"


def test_prune_without_days_is_refused(policy: Path) -> None:
    """Neither the command nor the policy file says how old."""
    refused = command("prune", policy)

    assert "--days" in str(refused.exception)


def test_a_fault_of_the_policy_or_the_store_is_an_error(policy: Path, tmp_path: Path) -> None:
    """The command line turns it into a message and an exit code."""
    (tmp_path / "desk.sqlite").write_text("no database " * 100)

    assert isinstance(command("info", policy).exception, StoreError)
    policy.write_text("store: {url: 'mysql://db'}\n")
    assert isinstance(command("info", policy).exception, PolicyError)


def test_a_server_is_named_without_its_password(policy: Path, postgres_url: str) -> None:
    """The URL comes from the environment."""
    policy.write_text("store: {url_env: DESK_STORE}\n")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DESK_STORE", postgres_url.replace("postgres@", "postgres:hunter2@"))

        assert "now has schema" in command("upgrade", policy).output
        shown = command("info", policy).output

    assert "hunter2" not in shown
    assert "127.0.0.1:5432/ringfence_test_" in shown


def test_without_a_command_the_help_is_shown() -> None:
    """As for the other groups."""
    shown = command()

    assert all(name in shown.output for name in ("upgrade", "info", "forget", "prune"))


async def _fill(file: Path) -> None:
    store = store_at(file)
    await note(store, 1)
    values = {"user_hash": store.sealer.hash_of("jane"), "user_sealed": "-", "created_at": 0, "updated_at": 0}
    rows = [
        values | {"id": "c-1", "status": "done"},
        values | {"id": "c-2", "status": "waiting_for_approval"},
        values | {"id": "c-3", "status": "done", "user_hash": store.sealer.hash_of("john")},
    ]
    await store.run(lambda db: db.execute(store.tables.conversations.insert(), rows))
