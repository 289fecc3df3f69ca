"""The key of a store in a file: it lies beside the database, so that nobody has to make one."""

import base64
import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from ringfence.conversations.store_engine import Place
from ringfence.errors import VaultError
from ringfence.guardrails.sealing import KEYS_VARIABLE, Keyring, KeySource, keyring_of


def keys_of(source: KeySource, place: Place) -> Keyring:
    """The keys of a store: those of the source, of the environment, or of the file beside the database.

    Raises:
        VaultError: There are none.
    """
    if source is None and place.is_private:
        return Keyring({"private": secrets.token_bytes(32)})
    if source is not None or place.file is None or os.environ.get(KEYS_VARIABLE):
        return keyring_of(source)
    return keys_beside(place.file)


def key_file_of(database: Path) -> Path:
    """Where the key of a database file lies."""
    return database.with_name(f"{database.name}.key")


def keys_beside(database: Path) -> Keyring:
    """The keys beside a database file; while it holds no rows, they are made, readable by their owner alone.

    Raises:
        VaultError: The file cannot be read or made, or the database holds rows and the file is gone.
    """
    file = key_file_of(database)
    try:
        return _read(file)
    except FileNotFoundError:
        pass
    holds_rows = _holds_rows(database)
    try:
        # Another process may have made it, and written rows, in the meantime.
        return _read(file)
    except FileNotFoundError:
        if holds_rows:
            raise VaultError(
                f"The key file {file.name} is gone, and {database.name} holds rows that were sealed with it; "
                f"put it back, or set {KEYS_VARIABLE} to its content"
            ) from None
    try:
        _make(file)
        return _read(file)
    except OSError as error:
        raise VaultError(f"The key file {file.name} cannot be made: {_reason(error)}") from None


def _read(file: Path) -> Keyring:
    try:
        return Keyring.from_text(file.read_text("ascii").strip())
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise VaultError(f"The key file {file.name} cannot be read: {_reason(error)}") from None
    except VaultError as error:
        raise VaultError(f"The key file {file.name} holds no key: {error}") from None


def _make(file: Path) -> None:
    """Make the file with a new key, whole or not at all; of several processes, the first one's key counts."""
    draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    key = base64.b64encode(secrets.token_bytes(32)).decode("ascii")
    try:
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as opened:
            opened.write(f"file-{secrets.token_hex(4)}:{key}\n")
            opened.flush()
            os.fsync(opened.fileno())
        os.link(draft, file)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)


def _holds_rows(database: Path) -> bool:
    """Whether a store in the database, of whatever prefix, has rows."""
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as db:
            named = db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%user_hash%'"
            )
            tables = [str(name).replace('"', '""') for (name,) in named]
            return any(db.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone() for table in tables)  # noqa: S608 - a table of this database, quoted
    except sqlite3.Error:
        # Nothing was sealed in what is no database; whoever opens it says what is wrong with it.
        return False


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or "it is no text").lower()
