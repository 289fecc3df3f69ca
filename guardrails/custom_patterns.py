"""Regular expressions of the policy, tried on hostile text before they may read a conversation."""

import re
from collections.abc import Iterator
from itertools import islice, pairwise, product

import regex

FLAGS = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE
"""Presidio's own, so that a pattern means the same here and there."""
_LONG = 2_000
"""Characters of a hostile text; as many as are analysed at once."""
_SECONDS = 0.25
_PROBES = 120
"""At most this many hostile texts; a sound expression takes a fraction of a millisecond for each."""
_COMMON = "a1 -."


def problem_of(expression: str) -> str | None:
    """What is wrong with a regular expression, or None."""
    try:
        compiled = regex.compile(expression, FLAGS)  # type: ignore[no-untyped-call]  # regex has no types
    except regex.error as error:
        return f"is no regular expression: it fails at character {(error.pos or 0) + 1}"
    if compiled.fullmatch("", timeout=_SECONDS):
        return "matches the empty text; require at least one character"
    try:
        for probe in islice(_probes(expression), _PROBES):
            for _ in compiled.finditer(probe, timeout=_SECONDS):
                pass
    except TimeoutError:
        return "takes too long on hostile text; avoid a repetition inside a repetition, such as (a+)+"
    return None


def _probes(expression: str) -> Iterator[str]:
    """Long repetitions of what the expression speaks of, ended by what it does not expect.

    Its own letters stand at the end, because an expression is not even tried where a letter that it needs is
    missing.
    """
    literals = "".join(dict.fromkeys(re.sub(r"\\.|[\W_]", "", expression)))
    signs = "".join(dict.fromkeys(_COMMON + re.sub(r"\\[a-zA-Z]", "", expression)))
    pieces = [*signs, *(first + second for first, second in pairwise(literals))]
    pieces += ["".join(pair) for pair in product(literals[:4] + "1a", "1a -")]
    for piece in dict.fromkeys(pieces):
        run = (piece * _LONG)[:_LONG] + "\x00"
        yield run + signs
        # After a beginning that fits: many expressions look further only then.
        yield literals[:1] + run + literals
