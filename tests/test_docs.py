"""The documents say what the code does."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

from ringfence import register_validators
from ringfence.guardrails.guardrail_use import GuardrailUse
from ringfence.guardrails.guardrails_ai import quiet_guardrails
from ringfence.guardrails.judging import judge
from ringfence.guardrails.passages import Passage, Point
from ringfence.guardrails.shipped_validators import MODULES
from ringfence.guardrails.validators import ValidatorGuardrail
from ringfence.guardrails.verdicts import Rewrite
from ringfence.policy import Policy
from ringfence.policy_file import load_text
from ringfence.settings import Section

quiet_guardrails()

from guardrails.validator_base import validators_registry  # noqa: E402 - after its telemetry is off

ROOT = Path(__file__).parent.parent


def blocks(document: str, language: str) -> list[str]:
    """The code blocks of a document in one language."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def keys(model: type[Section]) -> set[str]:
    """Every key that a section and the sections in it know."""
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return {name for part in parts for name in part.get("properties", {})}


def test_the_policy_page_shows_every_key_and_is_itself_a_valid_policy() -> None:
    """The blocks of docs/policy.md, put together, load; and no key of the policy is missing from them."""
    text = "\n".join(blocks("docs/policy.md", "yaml"))
    loaded = load_text(text, Policy)
    assert loaded.tools["refund"].arguments["amount_usd"].maximum == 200
    said = set(re.findall(r"[a-z_]+", text + (ROOT / "docs/policy.md").read_text(encoding="utf-8")))
    assert keys(Policy) - said == set()
    assert set(yaml.safe_load(text)) == set(Policy.model_fields)


def test_the_readme_example_runs() -> None:
    """What the README tells a developer to write works as it stands, and prints what it says."""
    example, *_ = blocks("README.md", "python")
    command = [sys.executable, "-c", example]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    expected = [line.removeprefix("# ") for line in example.splitlines() if line.startswith("# ")]
    assert done.stdout.splitlines() == expected


def test_the_page_of_guardrails_shows_all_that_ship_and_its_example_runs() -> None:
    """A validator that is added stands in the table, and serves outside as the page says."""
    text = (ROOT / "docs/guardrails.md").read_text(encoding="utf-8")
    shown = {
        name
        for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
        for name in re.findall("`(.*?)`", row)
    }
    assert {name.removeprefix("ringfence/") for name in MODULES} - shown == set()
    register_validators()
    for name in MODULES:
        options = {*inspect.signature(validators_registry[name].__init__).parameters} - {"self", "on_fail"}
        assert {option for option in options if f"`{option}" not in text} == set(), name
    _, example, _ = blocks("docs/guardrails.md", "python")
    done = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.stdout, done.returncode) == ("False\n", 0), done.stderr


async def test_the_validator_of_ones_own_works_as_it_is_printed(tmp_path: Path) -> None:
    """With its option, its fix, and its place in a policy."""
    *_, source = blocks("docs/guardrails.md", "python")
    (tmp_path / "checks.py").write_text(source)
    fields = {"use": "checks.py:NoShouting", "at": ["message"], "on_fail": "fix", "with": {"shares": 0.4}}
    one = ValidatorGuardrail(GuardrailUse.model_validate(fields), folder=tmp_path)
    verdict = await judge(one, Passage("GO AWAY", Point.MESSAGE))
    assert isinstance(verdict, Rewrite)
    assert verdict.text == "Go away"
    assert one.terms.traits.quick


@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore")  # Jupyter's own deprecations are not ours to mend
def test_a_notebook_runs_from_top_to_bottom(notebook: Path) -> None:
    """Every cell of every notebook works, in a fresh kernel started in its own folder."""
    book = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]  # nbformat has no types
    client = NotebookClient(book, timeout=120, resources={"metadata": {"path": str(notebook.parent)}})
    client.execute()
    shown = [output for cell in book.cells for output in cell.get("outputs", [])]
    assert not [output for output in shown if output.output_type == "error"]
    assert any("image/png" in output.get("data", {}) for output in shown)


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "docs/policy.md",
        "docs/delivery.md",
        "docs/threat-model.md",
        "docs/durability.md",
        "docs/jobs.md",
        "docs/guardrails.md",
        "docs/policy_commands.md",
        "docs/pii.md",
        "docs/autonomy.md",
    ],
)
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link of a page leads to a file that exists."""
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", text)]
    local = [target for target in targets if target and "://" not in target]
    assert [target for target in local if not ((ROOT / page).parent / target).exists()] == []
