"""Which SQL an agent may write: kinds of statement, tables, functions."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from guardrails.classes.validation.validation_result import (
    ErrorSpan,
    FailResult,
    PassResult,
    ValidationResult,
)
from guardrails.validator_base import Validator, register_validator
from sqlglot import exp

from ringfence.guardrails.sql_kinds import (
    FUNCTIONS_DENIED,
    KINDS,
    hides_a_statement,
    is_unread,
    kind_of,
    names_of,
)
from ringfence.guardrails.sql_readings import UnclearError, is_dialect, opened, statements
from ringfence.guardrails.validator_traits import Reads, Traits, Window

OnFail = Any
"""One of guardrails-ai's words, such as "fix", or a function; its own hint leaves the words out."""

_Fault = tuple[str, str, exp.Expr | None]


@register_validator(name="ringfence/sql_statements", data_type="string")
class SqlStatements(Validator):
    """The text is SQL of the allowed kinds and nothing else, and touches only what it may.

    Everything inside counts: what a CTE or a subquery writes, what EXPLAIN or CALL wraps, `SELECT ... INTO`
    (create) and `FOR UPDATE` (lock). What cannot be read for sure is refused. A pattern of `tables` has as
    many parts as the name in the text: `orders`, `sales.*`. Without a `dialect` a text passes only if the
    common databases see the same words in it.
    """

    traits: ClassVar[Traits] = Traits(reads=Reads.CONTENT, window=Window.REPLY)

    def __init__(
        self,
        *,
        allow: Sequence[str] = ("select",),
        dialect: str | None = None,
        tables: Sequence[str] | None = None,
        functions_denied: Sequence[str] = FUNCTIONS_DENIED,
        most_statements: int = 1,
        on_fail: OnFail = None,
    ) -> None:
        _check_texts("allow", allow)
        if not allow:
            raise ValueError("allow must name at least one kind of statement")
        unknown = sorted({kind.lower() for kind in allow} - KINDS.keys())
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no kind of statement; there are {', '.join(KINDS)}")
        if dialect is not None and not is_dialect(dialect):
            raise ValueError(
                f"{dialect!r} is no dialect of SQL that is known here, such as postgres or mysql"
            )
        if tables is not None:
            _check_texts("tables", tables)
        _check_texts("functions_denied", functions_denied)
        if type(most_statements) is not int or most_statements < 1:
            raise ValueError("most_statements must be a whole number from 1")
        super().__init__(
            on_fail=on_fail,
            use_local=True,
            allow=list(allow),
            dialect=dialect,
            tables=None if tables is None else list(tables),
            functions_denied=list(functions_denied),
            most_statements=most_statements,
        )
        self._allow = frozenset(kind.lower() for kind in allow)
        self._dialect = dialect.lower() if dialect else None
        self._tables = None if tables is None else [one.casefold().split(".") for one in tables]
        self._functions_denied = [one.casefold() for one in functions_denied]
        self._most = most_statements

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002 - its signature
        if not isinstance(value, str):
            return FailResult(error_message="it is no text")
        try:
            found = statements(value, self._dialect)
            if not found:
                return FailResult(error_message="it contains no SQL statement")
            if len(found) > self._most:
                return FailResult(
                    error_message=f"it has {len(found)} statements, and at most {self._most} are allowed"
                )
            faults = [fault for one in found for fault in self._faults(one)]
        except UnclearError as error:
            return FailResult(error_message=str(error))
        except RecursionError:
            return FailResult(error_message="it is nested too deeply; write it more simply")
        if not faults:
            return PassResult()
        spans = [_span(node, reason) for _, reason, node in faults]
        return FailResult(
            error_message="; ".join(dict.fromkeys(message for message, _, _ in faults)),
            error_spans=[span for span in spans if span] or None,
        )

    def _faults(self, statement: exp.Expr) -> Iterator[_Fault]:
        if isinstance(statement, exp.Command):
            inside = opened(statement, self._dialect)
            if not inside:
                yield _UNKNOWN
                return
            name, statement = inside
            yield from self._of_kind("call" if name == "CALL" else "describe")
            if name != "CALL" and kind_of(statement) is None:
                yield _UNKNOWN
            # Their places are those in the part, not in the text.
            yield from ((message, reason, None) for message, reason, _ in self._inside(statement))
            return
        if kind_of(statement) is None and not isinstance(statement, exp.Values):
            yield _UNKNOWN
        if isinstance(statement, exp.Values):
            yield from self._of_kind("select")
        yield from self._inside(statement)

    def _inside(self, statement: exp.Expr) -> Iterator[_Fault]:
        for node in statement.walk():
            if is_unread(node):
                yield _UNKNOWN
            kind = kind_of(node)
            if kind:
                yield from self._of_kind(kind)
            if isinstance(node, exp.Func | exp.Execute):
                yield from self._function(node)
            if isinstance(node, exp.Table):
                yield from self._table(node)
            if hides_a_statement(node):
                yield _UNKNOWN

    def _of_kind(self, kind: str) -> Iterator[_Fault]:
        if kind not in self._allow:
            yield f"it holds a kind of statement that is not allowed here ({kind})", "statement", None

    def _function(self, node: exp.Expr) -> Iterator[_Fault]:
        if any(fnmatchcase(name, glob) for name in names_of(node) for glob in self._functions_denied):
            yield "it calls a function that is not allowed here", "function", node

    def _table(self, table: exp.Table) -> Iterator[_Fault]:
        parts = [part.name for part in table.parts if part.name]
        if any(sign in part for part in parts for sign in "./\\:@?*") or not all(
            isinstance(part, exp.Identifier | exp.Func | exp.Dot) for part in table.parts
        ):
            yield "it reads from something that is no plain table", "table", table.this
            return
        if self._tables is None or isinstance(table.this, exp.Func) or _is_cte(table) or not parts:
            return
        names = [name.casefold() for name in parts]
        if not any(len(names) == len(glob) and all(map(fnmatchcase, names, glob)) for glob in self._tables):
            yield "it touches a table that is not allowed here", "table", table.this


_UNKNOWN: _Fault = ("it holds a statement that cannot be judged; write a plain one", "statement", None)


def _check_texts(name: str, texts: object) -> None:
    listed = texts if isinstance(texts, list | tuple) else [""]
    if not all(isinstance(one, str) and one.strip() for one in listed):
        raise ValueError(f"{name} must be a list of texts, none of them empty")


def _is_cte(table: exp.Table) -> bool:
    """Whether the name is that of a WITH that can be seen from there; else a table hides behind it."""
    if table.args.get("db") or not isinstance(table.this, exp.Identifier):
        return False
    name = _key(table.this)
    child: exp.Expr = table
    inside: exp.Expr | None = None
    while (parent := child.parent) is not None:
        with_ = parent.args.get("with_")
        if isinstance(parent, exp.With):
            inside = child
        elif isinstance(with_, exp.With):
            visible = with_.expressions
            if child is with_ and inside is not None:
                place = next(number for number, one in enumerate(visible) if one is inside)
                visible = visible[: place + bool(with_.args.get("recursive"))]
            names = {_key(one.args["alias"].this) for one in visible if one.args.get("alias")}
            if name in names:
                return True
        child = parent
    return False


def _key(identifier: exp.Expr) -> tuple[str, bool]:
    quoted = bool(identifier.args.get("quoted"))
    return (identifier.name if quoted else identifier.name.casefold()), quoted


def _span(node: exp.Expr | None, reason: str) -> ErrorSpan | None:
    meta = node.meta if node is not None else {}
    if "start" not in meta or "end" not in meta:
        return None
    return ErrorSpan(start=meta["start"], end=meta["end"] + 1, reason=reason)
