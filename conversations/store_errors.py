"""What a database's error means: whether the same thing may work later, and in words that tell no secret."""

import sqlite3
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ringfence.errors import StoreError

_PRIMARY = 0xFF
"""The part of SQLite's extended result codes that names the kind of error."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the database did not do it."""

    said: str
    """The rest of a sentence that begins with the store."""
    passes: bool = False
    """The same thing may work later."""

    def as_error(self, name: str) -> StoreError:
        """The error for whoever asked."""
        return StoreError(f"The store {name} {self.said}")


_LOCKED = Failure("is locked by another process; nothing was written", passes=True)
_LOST = Failure("is not reachable; nothing is known to be written", passes=True)
_SILENT = Failure("does not answer in time; nothing is known to be written", passes=True)
_FULL = Failure("is full: there is no space left on its disk; nothing was written", passes=True)
_READ_ONLY = Failure("is read-only: this process may not write to it")
_BUSY = Failure("is busy: no connection became free in time; nothing was written", passes=True)
_NO_TABLES = Failure("lacks a table or column that it must have; was it replaced while it was in use?")
_TWICE = Failure("holds a row with this key already")

_SQLITE = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_PROTOCOL: _LOCKED,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: Failure("cannot be read or written: its disk reports an error", passes=True),
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: Failure("cannot be opened: its folder is gone, or this process may not use it"),
    sqlite3.SQLITE_CORRUPT: Failure("is no SQLite database, or a damaged one"),
    sqlite3.SQLITE_NOTADB: Failure("is no SQLite database, or a damaged one"),
    sqlite3.SQLITE_CONSTRAINT: _TWICE,
    sqlite3.SQLITE_ERROR: _NO_TABLES,
}
_POSTGRES = {
    "08": _LOST,
    "57": _LOST,
    "40": Failure("was asked for the same rows by another process; nothing was written", passes=True),
    "53": Failure("has no resources left; nothing was written", passes=True),
    "53100": _FULL,
    "53300": Failure("takes no more connections", passes=True),
    "55P03": _LOCKED,
    "25P03": Failure("gave up a transaction that was left open for too long", passes=True),
    "25006": _READ_ONLY,
    "28": Failure("does not let this user in: check the user name and the password of its URL"),
    "3D": Failure("does not exist on this server; make the database first"),
    "42501": Failure("does not allow this user to do it: a privilege is missing"),
    "42P01": _NO_TABLES,
    "42703": _NO_TABLES,
    "23": _TWICE,
}
# libpq tells no code of a connection that was refused, only words.
_REFUSALS = {
    "authentication failed": _POSTGRES["28"],
    "no password supplied": _POSTGRES["28"],
    'role "': _POSTGRES["28"],
    "no pg_hba.conf entry": _POSTGRES["28"],
    "does not exist": _POSTGRES["3D"],
    "too many": _POSTGRES["53300"],
    "connection slots": _POSTGRES["53300"],
    "permission denied": _POSTGRES["42501"],
}


def failure_of(error: BaseException) -> Failure | None:
    """What the error means; None when it is not the database's."""
    match error:
        case PoolTimeout():
            return _BUSY
        case TimeoutError():
            return _SILENT
        case DBAPIError():
            return _failure(error)
        case SQLAlchemyError() | sqlite3.Error():
            return _driver_failure(error)
    return _driver_failure(error) if _is_of_psycopg(error) else None


def _failure(error: DBAPIError) -> Failure:
    found = _driver_failure(error.orig) if error.orig is not None else _other(error)
    return _LOST if error.connection_invalidated and not found.passes else found


def _driver_failure(error: BaseException) -> Failure:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return _SQLITE.get(code & _PRIMARY) or _other(error)
    if state := getattr(error, "sqlstate", None):
        return _POSTGRES.get(state) or _POSTGRES.get(state[:2]) or _other(error)
    if _is_of_psycopg(error) and "FATAL" in (words := str(error)):
        return next((failure for sign, failure in _REFUSALS.items() if sign in words), _LOST)
    # Of a connection that broke, the drivers tell no code.
    is_lost = type(error).__name__ in {"OperationalError", "InterfaceError", "ConnectionTimeout"}
    return _LOST if is_lost else _other(error)


def _is_of_psycopg(error: BaseException) -> bool:
    return type(error).__module__.startswith("psycopg")


def _other(error: BaseException) -> Failure:
    return Failure(f"failed in an unexpected way ({type(error).__name__})")
