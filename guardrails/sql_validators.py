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
    called,
    hides_a_statement,
    is_call,
    is_unread,
    kind_of,
)
from ringfence.guardrails.sql_readings import UnclearError, is_dialect, opened, statements
from ringfence.guardrails.sql_tables import is_cte, is_harmless, is_named, may_be_in_a_table, sources_of
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
    common databases see the same words in it. With `tables`, FROM takes no function but a few that read
    nothing, such as `unnest`. With `functions`, all others are refused, as what
    `functions_denied` lists always is.
    """

    traits: ClassVar[Traits] = Traits(reads=Reads.CONTENT, window=Window.REPLY, sees_values=True)

    def __init__(
        self,
        *,
        allow: Sequence[str] = ("select",),
        dialect: str | None = None,
        tables: Sequence[str] | None = None,
        functions: Sequence[str] | None = None,
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
        for name, globs in (("tables", tables), ("functions", functions)):
            if globs is not None:
                _check_texts(name, globs)
        _check_texts("functions_denied", functions_denied)
        if type(most_statements) is not int or most_statements < 1:
            raise ValueError("most_statements must be a whole number from 1")
        super().__init__(
            on_fail=on_fail,
            use_local=True,
            allow=list(allow),
            dialect=dialect,
            tables=None if tables is None else list(tables),
            functions=None if functions is None else list(functions),
            functions_denied=list(functions_denied),
            most_statements=most_statements,
        )
        self._allow = frozenset(kind.lower() for kind in allow)
        self._dialect = dialect.lower() if dialect else None
        self._tables = None if tables is None else [one.casefold().split(".") for one in tables]
        self._functions = None if functions is None else [one.casefold() for one in functions]
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
            faults = [fault for one in found for fault in self._faults(one, value)]
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

    def _faults(self, statement: exp.Expr, text: str) -> Iterator[_Fault]:
        if isinstance(statement, exp.Command):
            inside = opened(statement, self._dialect)
            if not inside:
                yield _UNKNOWN
                return
            name, statement, text = inside
            yield from self._of_kind("call" if name == "CALL" else "describe")
            if name != "CALL" and kind_of(statement) is None:
                yield _UNKNOWN
            # Their places are those in the part, not in the text.
            yield from ((message, reason, None) for message, reason, _ in self._inside(statement, text))
            return
        if kind_of(statement) is None and not isinstance(statement, exp.Values):
            yield _UNKNOWN
        if isinstance(statement, exp.Values):
            yield from self._of_kind("select")
        yield from self._inside(statement, text)

    def _inside(self, statement: exp.Expr, text: str) -> Iterator[_Fault]:
        for node in statement.walk():
            if is_unread(node):
                yield _UNKNOWN
            kind = kind_of(node)
            if kind:
                yield from self._of_kind(kind)
            if isinstance(node, exp.Func | exp.Execute):
                yield from self._function(node, text)
            if isinstance(node, exp.Table):
                yield from self._table(node)
            if self._tables is not None and self._reads_beside(node, text):
                yield "it reads from something that is no plain table", "table", None
            if hides_a_statement(node):
                yield _UNKNOWN

    def _reads_beside(self, node: exp.Expr, text: str) -> bool:
        """Whether something is read that has no name which could be on the list of tables."""
        if self._dialect in {None, "clickhouse"} and may_be_in_a_table(node):
            return True
        return not all(is_harmless(one, text) for one in sources_of(node))

    def _of_kind(self, kind: str) -> Iterator[_Fault]:
        if kind not in self._allow:
            yield f"it holds a kind of statement that is not allowed here ({kind})", "statement", None

    def _function(self, node: exp.Expr, text: str) -> Iterator[_Fault]:
        name = called(node, text)
        is_denied = any(fnmatchcase(form, glob) for form in name.forms() for glob in self._functions_denied)
        if not is_denied and self._functions is not None and is_call(node):
            is_denied = not any(fnmatchcase(form, glob) for form in name.whole() for glob in self._functions)
        if is_denied:
            yield "it calls a function that is not allowed here", "function", node

    def _table(self, table: exp.Table) -> Iterator[_Fault]:
        if not is_named(table):
            yield "it reads from something that is no plain table", "table", table.this
            return
        names = [part.name.casefold() for part in table.parts if part.name]
        if self._tables is None or not isinstance(table.this, exp.Identifier | exp.Dot) or is_cte(table):
            return
        if not any(len(names) == len(glob) and all(map(fnmatchcase, names, glob)) for glob in self._tables):
            yield "it touches a table that is not allowed here", "table", table.this


_UNKNOWN: _Fault = ("it holds a statement that cannot be judged; write a plain one", "statement", None)


def _check_texts(name: str, texts: object) -> None:
    listed = texts if isinstance(texts, list | tuple) else [""]
    if not all(isinstance(one, str) and one.strip() for one in listed):
        raise ValueError(f"{name} must be a list of texts, none of them empty")


def _span(node: exp.Expr | None, reason: str) -> ErrorSpan | None:
    meta = node.meta if node is not None else {}
    if "start" not in meta or "end" not in meta:
        return None
    return ErrorSpan(start=meta["start"], end=meta["end"] + 1, reason=reason)
