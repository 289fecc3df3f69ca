"""SQL read into statements, or a reason why nobody can be sure what a database would make of it."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token

LONGEST = 100_000
"""Characters; a longer text is not read."""
_DEEPEST = 60
"""Brackets within brackets."""
_READ_ALIKE = ("mysql", "postgres", "tsql", "sqlite")
"""Where no dialect is named, these must see the same words in the text."""
_CONDITIONAL = re.compile(r"/\*M?!", re.IGNORECASE)
"""MySQL and MariaDB run what stands in such a comment."""
_UNUSUAL = re.compile(r"(?![ \t\n\r])[\s\x00-\x1f\x7f-\x9f]|\r(?!\n)")
"""Spaces and ends of lines that end a comment, or begin one, in some databases and not in others."""
_ESCAPED_NAME = re.compile(r"U&[\"']", re.IGNORECASE)
"""PostgreSQL spells names with escapes in it, which the parser does not read."""
_MAY_DIFFER = re.compile(r"[\\`\[$#\"{]|--|//|/\*|[\w&]'")
"""Signs that some databases take for a quote, a comment or an escape, and others do not."""
_EXPLAIN_OPTION = re.compile(
    r"\s*+(?:\([^()]*+\)|(?:ANALY[SZ]E|VERBOSE|EXTENDED|PLAN\s++FOR|QUERY\s++PLAN|LOGICAL|PHYSICAL"
    r"|FORMAT\s*+=?\s*+\w++)(?!\w))",
    re.IGNORECASE,
)

_quiet: ContextVar[bool] = ContextVar("ringfence_sqlglot_is_quiet", default=False)


class UnclearError(ValueError):
    """Nobody can be sure what this does; the message says why, and quotes nothing."""


def statements(text: str, dialect: str | None) -> list[exp.Expr]:
    """The statements of the text.

    Raises:
        UnclearError: It is no SQL, or databases may read it in different ways.
    """
    if len(text) > LONGEST:
        raise UnclearError(f"it is longer than {LONGEST} characters")
    if _CONDITIONAL.search(text):
        raise UnclearError("it contains a comment that some databases run; leave it out")
    if _UNUSUAL.search(text):
        raise UnclearError("it contains an unusual space or control character; write plain spaces and lines")
    if _ESCAPED_NAME.search(text):
        raise UnclearError("it contains a name or text in escapes; write it plainly")
    try:
        with _silence():
            _check_tokens(text, dialect)
            found = sqlglot.parse(text, read=dialect)
    except UnclearError:
        raise
    except SqlglotError:
        raise UnclearError("it cannot be read as SQL; write plain statements and nothing else") from None
    except RecursionError:
        raise UnclearError("it is nested too deeply; write it more simply") from None
    except Exception:  # a parser's own fault on a hostile text
        raise UnclearError("it cannot be read as SQL; write plain statements and nothing else") from None
    return [one for one in found if one is not None and not isinstance(one, exp.Semicolon)]


def opened(command: exp.Command, dialect: str | None) -> tuple[str, exp.Expr, str] | None:
    """What stands within a statement that the parser leaves unread: CALL and EXPLAIN can be looked into.

    Returns:
        The word, the statement behind it, and the text of that.
    """
    name, rest = str(command.this).upper(), command.text("expression")
    if name == "EXPLAIN":
        while option := _EXPLAIN_OPTION.match(rest):
            rest = rest[option.end() :]
    elif name != "CALL":
        return None
    inner = statements(rest, dialect)
    if len(inner) != 1 or isinstance(inner[0], exp.Command):
        return None
    if name == "CALL" and not isinstance(inner[0], exp.Func | exp.Dot):
        return None
    return name, inner[0], rest


def is_dialect(name: object) -> bool:
    """Whether the parser knows this dialect."""
    return isinstance(name, str) and bool(name) and sqlglot.Dialect.get(name.lower()) is not None


def _check_tokens(text: str, dialect: str | None) -> None:
    tokens = sqlglot.tokenize(text, read=dialect)
    depth = 0
    for token in tokens:
        depth += (token.text in {"(", "[", "{"}) - (token.text in {")", "]", "}"})
        if depth > _DEEPEST:
            raise UnclearError("it is nested too deeply; write it more simply")
    if any("/*" in comment for token in tokens for comment in token.comments):
        raise UnclearError("it contains a comment within a comment; leave it out")
    # Across lines, PostgreSQL goes on with the escapes of the text before.
    if "\\" in text and any(_is_text(one) and _is_text(other) for one, other in pairwise(tokens)):
        raise UnclearError("it contains texts side by side; write them as one")
    if dialect or not _MAY_DIFFER.search(text):
        return
    places = [*_places(text, tokens)]
    if any([*_places(text, sqlglot.tokenize(text, read=one))] != places for one in _READ_ALIKE):
        raise UnclearError(
            "databases read its quotes or comments in different ways; write it without backslashes, "
            "backticks, square brackets, dollar quotes and comments"
        )


def _is_text(token: Token) -> bool:
    return token.token_type.name.endswith("STRING")


def _places(text: str, tokens: list[Token]) -> Iterator[int]:
    """Where words, quotes, brackets and ends of statements are; dialects may differ in operators."""
    return (one.start for one in tokens if text[one.start].isalnum() or text[one.start] in "_\"'`();")


@contextmanager
def _silence() -> Iterator[None]:
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


# The parser warns of what it leaves unread; here that is a refusal, and a log would show the text.
logging.getLogger("sqlglot").addFilter(lambda _: not _quiet.get())
