"""What stands in `ringfence`, and that the fence hides nothing behind a default of AutoGen's."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from autogen_core import ComponentBase
from autogen_core.memory import Memory
from autogen_core.models import ChatCompletionClient
from autogen_core.tools import Workbench

import ringfence
from ringfence import RingfenceError, errors, testing
from ringfence.agents.memory import FencedMemory
from ringfence.agents.model_client import FencedModelClient
from ringfence.agents.workbench import FencedWorkbench

ROOT = Path(__file__).parent.parent
PUBLIC: list[str] = list(ringfence.__all__)


def test_the_public_names_are_sorted_and_there_once() -> None:
    """A reader finds a name where it belongs."""
    assert sorted(set(PUBLIC)) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_each_public_name_can_be_imported_and_is_documented(name: str) -> None:
    """A class or function has a docstring of its own; an alias has one in the source below it."""
    value = getattr(ringfence, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert value.__doc__
        assert value.__module__.startswith("ringfence")
    elif name == "TeamFactory":
        assert callable(value) or "Callable" in str(value)
    else:
        assert "Callable" in str(value)


def test_the_names_for_tests_of_tools_are_documented() -> None:
    """`ringfence.testing` says what each of its names is."""
    assert sorted(testing.__all__) == testing.__all__
    assert all(getattr(testing, name).__doc__ for name in testing.__all__)


def test_every_error_is_public() -> None:
    """Who catches an error can import it from `ringfence`."""
    assert set(errors.__all__) - set(PUBLIC) == set()


def test_the_error_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    """The drawing in `ringfence/errors.py` names each error under its base."""
    drawn: dict[str, str] = {}
    above: list[str] = []
    for depth, name in re.findall(r"^    ([│├└─ ]*)([A-Z]\w+)", str(errors.__doc__), re.MULTILINE):
        level = len(depth) // 4
        above[level:] = [name]
        drawn[name] = above[level - 1] if level else ""
    real = {
        kind.__name__: kind.__bases__[0].__name__ if kind is not RingfenceError else ""
        for kind in vars(errors).values()
        if inspect.isclass(kind) and issubclass(kind, RingfenceError)
    }
    assert drawn == real


def test_importing_ringfence_loads_nothing_heavy() -> None:
    """Presidio, spaCy, guardrails-ai and the SDKs of providers are loaded when they are needed."""
    heavy = (
        "presidio_analyzer",
        "spacy",
        "guardrails.guard",
        "openai",
        "anthropic",
        "ollama",
        "torch",
        "litellm",
    )
    probe = f"import sys, ringfence; print(*[name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


OWN = {"component_version", "component_description", "component_label"}


def offered_by(base: type) -> list[str]:
    """The public names, and those that have to be there, of one of AutoGen's interfaces."""
    theirs = set(dir(base)) - set(dir(ComponentBase)) - set(dir(object))
    return sorted(name for name in theirs if not name.startswith("_") and name not in OWN)


@pytest.mark.parametrize(
    ("fenced", "base", "name"),
    [
        pytest.param(fenced, base, name, id=f"{fenced.__name__}.{name}")
        for fenced, base in (
            (FencedModelClient, ChatCompletionClient),
            (FencedWorkbench, Workbench),
            (FencedMemory, Memory),
        )
        for name in offered_by(base)
        if name not in {"component_type", "component_config_schema"} and not name.startswith("component_")
    ],
)
def test_each_method_of_autogens_interface_is_written_out(fenced: type, base: type, name: str) -> None:
    """A default of the base class would answer past what is wrapped; what AutoGen adds shows here."""
    if (base, name) in {(Workbench, "__aenter__"), (Workbench, "__aexit__")}:
        return
    assert name in vars(fenced), f"{fenced.__name__} inherits {name} from {base.__name__}"
    mine, theirs = getattr(fenced, name), getattr(base, name)
    if callable(theirs):
        assert parameters(mine) == parameters(theirs)


def parameters(function: Any) -> list[str]:
    """The names of what a function takes."""
    return list(inspect.signature(function).parameters)


def test_no_proxy_delegates_by_itself() -> None:
    """`__getattr__` would hand out what nobody thought of."""
    for kind in (FencedModelClient, FencedWorkbench, FencedMemory):
        assert not any(
            "__getattr__" in vars(base) for base in kind.__mro__ if base.__module__.startswith("ringfence")
        )


def test_nobody_imports_a_room_by_its_folder() -> None:
    """`import guardrails` is guardrails-ai; our rooms are `ringfence.guardrails` and so on."""
    rooms = {"agents", "budgets", "conversations", "adapters"}
    for folder in (*rooms, "guardrails", "ringfence", "tests", "examples"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
                assert not rooms & {name.partition(".")[0] for name in names}, file
