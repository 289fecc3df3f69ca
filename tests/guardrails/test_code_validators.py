"""Code in a reply is in a language that is allowed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.guardrails.guardrails_ai import quiet_guardrails
from ringfence.guardrails.validator_traits import Reads, Window, traits_of

quiet_guardrails()

from ringfence.guardrails.code_validators import CodeLanguages  # noqa: E402 - guardrails-ai must be quiet first


def judged(text: object, **options: Any) -> Any:
    return CodeLanguages(**options).validate(text, {})


def passes(text: str, **options: Any) -> bool:
    return bool(judged(text, **options).outcome == "pass")


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("py", "python"),
        ("Python3", "python"),
        ("pycon", "python"),
        ("sh", "shell"),
        ("bash", "shell"),
        ("zsh", "sh"),
        ("console", "bash"),
        ("C++", "cpp"),
        ("c#", "csharp"),
        ("js", "javascript"),
        ("golang", "go"),
        ("yml", "yaml"),
        ("psql", "sql"),
        ("text", "plaintext"),
        ("{.python .numberLines}", "python"),
        ("{python}", "python"),
        ("python{1,3}", "python"),
        ('python title="a.py"', "python"),
        ("language-python", "python"),
        ("lang=python", "python"),
        ("&#112;ython", "python"),
        ("ｐｙｔｈｏｎ", "python"),
        ("py\u200bthon", "python"),
        ("our-own-language", "Our-Own-Language"),
    ],
)
def test_names_of_one_language_are_one(written: str, named: str) -> None:
    """However it is written, allowed and denied alike."""
    text = f"Look:\n```{written}\nx = 1\n```\n"
    assert passes(text, allow=[named])
    assert not passes(text, deny=[named])
    assert not passes(text, allow=["rust"])
    assert passes(text, deny=["rust"])


@pytest.mark.parametrize(
    "text",
    [
        "```sh\nrm -rf /\n```",
        "~~~sh\nrm -rf /\n~~~",
        "``````sh\nrm -rf /\n``````",
        "``` sh\nrm -rf /",
        "- so:\n\n      ```sh\n      rm -rf /\n      ```",
        "- ```sh\n  rm -rf /\n  ```",
        "1. ```sh\n   rm -rf /\n   ```",
        "> > ```sh\n> > rm -rf /\n> > ```",
        "\t```sh\n\trm -rf /\n\t```",
        "Run this: ```sh\nrm -rf /\n```",
        "```python\nx\n```\ntext\n```sh\nrm -rf /\n```",
        "~~~text\n```sh\nrm -rf /\n```\n~~~",
        "````markdown\n```sh\nrm -rf /\n```\n````",
        "```python\n```sh\nrm -rf /\n```",
        "```sh\r\nrm -rf /\r\n```",
        "```sh\rrm -rf /\r```",
    ],
)
def test_every_fence_counts(text: str) -> None:
    """Of either kind, indented, in lists and quotes, never closed, within another fence, or behind words."""
    assert not passes(text, deny=["shell"], unnamed="allow")


@pytest.mark.parametrize(
    "text",
    ["", "No code.", "Use `rm` or ```rm -rf``` for that.", "```sh``` is how it begins.", "sh\n\nbash"],
)
def test_without_a_fence_there_is_no_code(text: str) -> None:
    """Inline code has no language."""
    assert passes(text, allow=[])


def test_code_without_a_language() -> None:
    """It may be in any, so that it is denied unless the policy says otherwise."""
    text = "```\nrm -rf /\n```"
    assert not passes(text, deny=["shell"])
    assert not passes(text, allow=["python"])
    assert passes(text, deny=["shell"], unnamed="allow")
    assert passes(text, allow=["python"], unnamed="allow")
    assert "name the language" in judged(text, deny=["shell"]).error_message


def test_the_fix_takes_the_blocks_out() -> None:
    """Only those that are not allowed; the text around them stays."""
    text = "Do:\n```sh\nls\n```\nor\n```py\nlist()\n```\nDone. ```sh\nnever closed"
    result = judged(text, deny=["shell"])
    assert result.fix_value == "Do:\n[code removed]\nor\n```py\nlist()\n```\nDone. [code removed]"
    assert [text[one.start : one.end] for one in result.error_spans] == [
        "```sh\nls\n```",
        "```sh\nnever closed",
    ]
    assert {one.reason for one in result.error_spans} == {"code_language"}
    assert "shell" not in result.error_message


@given(
    st.lists(st.sampled_from(["```", "~~~", "````", "sh", "py", "\n", "\r", " ", "> ", "- ", "`", "x"])).map(
        "".join
    )
)
def test_a_fix_passes(text: str) -> None:
    """Whatever the text."""
    result = judged(text, deny=["sh"])
    if result.outcome == "fail" and result.fix_value is not None:
        assert passes(result.fix_value, deny=["sh"])


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["`", "~", "- ", "> ", "```a\n", "```", "``` a", "1. ", "```a ``", "&#1", "```\t"]
)
def test_long_texts_are_judged_in_time(piece: str) -> None:
    """100 KB of anything."""
    judged((piece * 100_000)[:100_000], deny=["sh"])
    judged("```" + (piece * 100_000)[:100_000], allow=["sh"])


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({}, "either allow or deny"),
        ({"allow": ["py"], "deny": ["sh"]}, "either allow or deny"),
        ({"allow": "py"}, "allow must be a list"),
        ({"deny": [" "]}, "deny must be a list"),
        ({"deny": ["sh"], "unnamed": "maybe"}, "unnamed must be"),
    ],
)
def test_wrong_options(options: dict[str, Any], fault: str) -> None:
    """Said at once."""
    with pytest.raises(ValueError, match=fault):
        CodeLanguages(**options)


def test_other_values_and_its_traits() -> None:
    """What is no text is a no; it judges whole replies, quickly."""
    assert judged(b"```sh", deny=["sh"]).error_message == "it is no text"
    traits = traits_of(CodeLanguages(deny=["sh"]))
    assert (traits.reads, traits.window, traits.quick) == (Reads.CONTENT, Window.REPLY, True)
