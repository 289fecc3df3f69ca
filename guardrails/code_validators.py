"""In which programming languages a text may hold code."""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from guardrails.classes.validation.validation_result import (
    ErrorSpan,
    FailResult,
    PassResult,
    ValidationResult,
)
from guardrails.validator_base import Validator, register_validator

from ringfence.guardrails.validator_traits import Reads, Traits, Window

OnFail = Any
"""One of guardrails-ai's words, such as "fix", or a function; its own hint leaves the words out."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
# Behind quotes and the marks of lists, however deep: more than Markdown takes for a fence, but others do.
_LIST = r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t>]+)*"
_FENCE = re.compile(rf"{_LIST}(?P<marks>`{{3,}}|~{{3,}})(?P<rest>[^\r\n]*)")
# Programs that run the code of a reply look for marks in the middle of a line, too.
_FENCE_WITHIN = re.compile(r"(?P<marks>`{3,})(?P<rest>[ \t]*[\w+#.-]+[ \t]*)(?=[\r\n]|\Z)")
_NAME = re.compile(r"[\s{.=]*(?:lang(?:uage)?[-=:])?[\"']?(?P<name>[^\s{}\"',;:=()]+)", re.IGNORECASE)
_UNNAMED = ""
_REMOVED = "[code removed]"
# Beside the lexers' own names: what people take for the same language.
_FAMILIES = {
    "bash": "ash bash-session command-line commandline console csh dash fish ksh linux posix-shell sh "
    "sh-session shell shell-script shell-session shellscript tcsh terminal unix zsh",
    "python": "cython ipython ipython3 numpy py2 py3 py3tb pycon pypy pytb python-console python-repl "
    "python2 python3 pyx sage",
    "javascript": "js jsx node nodejs mjs cjs ecmascript es6 react",
    "typescript": "ts tsx mts cts",
    "powershell": "pwsh ps1con pwsh-session ps1 ps posh",
    "batch": "bat cmd dos dosbatch winbatch batchfile",
    "sql": "mysql postgresql postgres psql plpgsql plsql tsql t-sql sqlite sqlite3 mssql bigquery snowflake",
    "html": "htm xhtml html5",
    "text": "plaintext plain plain-text txt none",
}


class _Block(NamedTuple):
    start: int
    end: int
    languages: tuple[str, ...]
    """More than one where a fence stands within another: not everybody reads them alike."""


@register_validator(name="ringfence/code_languages", data_type="string")
class CodeLanguages(Validator):
    """Fenced code is in an allowed language, or in none that is denied.

    Names of one language are one: `py` is python, and `sh`, `bash`, `zsh` and `console` are shell. A fence
    that never closes counts, and so does one within another. Code without a language is denied unless
    `unnamed` is "allow", because it may be in any. Fix: `[code removed]` in place of each block.
    """

    traits: ClassVar[Traits] = Traits(reads=Reads.CONTENT, window=Window.REPLY, quick=True)

    def __init__(
        self,
        *,
        allow: Sequence[str] | None = None,
        deny: Sequence[str] | None = None,
        unnamed: str = "deny",
        on_fail: OnFail = None,
    ) -> None:
        if (allow is None) == (deny is None):
            raise ValueError("give either allow or deny, and not both")
        name, languages = ("allow", allow) if deny is None else ("deny", deny)
        languages = [] if languages is None else languages
        if isinstance(languages, str) or not all(map(_is_text, languages)):
            raise ValueError(f"{name} must be a list of languages, none of them empty")
        if unnamed not in {"allow", "deny"}:
            raise ValueError("unnamed must be allow or deny")
        options = {name: list(languages), "unnamed": unnamed}
        super().__init__(on_fail=on_fail, use_local=True, **options)
        self._allows = deny is None
        self._languages = frozenset(map(_canonical, languages))
        self._unnamed = unnamed == "allow"

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:  # noqa: ARG002 - its signature
        if not isinstance(value, str):
            return FailResult(error_message="it is no text")
        bad = [*self._bad_blocks(value)]
        if not bad:
            return PassResult()
        pieces: list[str] = []
        done = 0
        for block in bad:
            pieces += value[done : block.start], _REMOVED
            done = block.end
        fixed = "".join([*pieces, value[done:]])
        named = any(one != _UNNAMED for block in bad for one in block.languages if not self._is_good(one))
        message = "it contains code without its language; name the language behind the fence"
        if named:
            message = "it contains code in a language that is not allowed here"
        return FailResult(
            error_message=message,
            # Without a block, what stood around it might read as another one.
            fix_value=None if any(self._bad_blocks(fixed)) else fixed,
            error_spans=[ErrorSpan(start=one.start, end=one.end, reason="code_language") for one in bad],
        )

    def _bad_blocks(self, text: str) -> Iterator[_Block]:
        return (block for block in _blocks(text) if not all(map(self._is_good, block.languages)))

    def _is_good(self, language: str) -> bool:
        if language == _UNNAMED:
            return self._unnamed
        return (language in self._languages) is self._allows


def _is_text(option: object) -> bool:
    return isinstance(option, str) and bool(option.strip())


def _blocks(text: str) -> Iterator[_Block]:
    if "```" not in text and "~~~" not in text:
        return
    begin, marks, languages = 0, "", [_UNNAMED]
    for line in _LINE.finditer(text):
        fence = _FENCE.match(text, *line.span()) or _FENCE_WITHIN.search(text, *line.span())
        if not fence:
            continue
        rest = fence["rest"]
        if marks and fence["marks"].startswith(marks) and not rest.strip():
            yield _Block(begin, fence.end(), tuple(languages))
            marks = ""
        elif "`" in rest and fence["marks"][0] == "`":
            continue  # `inline code`
        elif not marks:
            begin, marks, languages = fence.start("marks"), fence["marks"], [_language(rest)]
        elif rest.strip():
            languages.append(_language(rest))
    if marks:
        yield _Block(begin, len(text), tuple(languages))


def _language(info: str) -> str:
    found = _NAME.match(html.unescape(info))
    return _canonical(found["name"]) if found else _UNNAMED


def _canonical(name: str) -> str:
    plain = unicodedata.normalize("NFKC", name).casefold().strip()
    plain = "".join(sign for sign in plain if unicodedata.category(sign) != "Cf")
    return _same_language().get(plain, plain)


@lru_cache(maxsize=1)
def _same_language() -> dict[str, str]:
    """Every name of a language, and the one that stands for it."""
    from pygments.lexers import get_all_lexers

    names: dict[str, str] = {}
    for name, aliases, _, _ in get_all_lexers(plugins=False):  # type: ignore[no-untyped-call]  # pygments has no types
        for alias in (name, *aliases):
            names.setdefault(alias.casefold(), aliases[0].casefold() if aliases else name.casefold())
    for name, others in _FAMILIES.items():
        names.update(dict.fromkeys([name, *others.split()], name))
    return names
