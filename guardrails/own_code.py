"""Loading what a policy file names in the user's own code, such as `team.py:support_team`."""

import hashlib
import importlib
import sys
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from ringfence.errors import PolicyError


def load_attribute(reference: str, folder: Path) -> Any:
    """What a reference `file.py:name` stands for; the file is found beside the policy file.

    Raises:
        PolicyError: There is no such file or name, or the file fails when it is loaded.
    """
    file_name, _, name = reference.partition(":")
    if not name:
        raise PolicyError(f"say what of {file_name} is meant: {file_name}:its_name")
    path = (folder / file_name).resolve()
    if not path.is_file():
        raise PolicyError(f"the file {file_name} is not there")
    module_name = _fresh_package(path.parent) + "." + path.stem
    try:
        module = importlib.import_module(module_name)
    except PolicyError:
        raise
    except (Exception, SystemExit) as error:
        # Python's own words say what to mend; anybody else's may quote a secret.
        words = f": {error}" if isinstance(error, ImportError | SyntaxError | NameError) else ""
        words += _beside(error, path.parent)
        said = f"{file_name} cannot be loaded{_line_in(error, path)}: {type(error).__name__}{words}"
        raise PolicyError(said) from error
    missing = object()
    found = getattr(module, name, missing)
    if found is missing:
        near = get_close_matches(name, vars(module), n=1)
        raise PolicyError(f"{file_name} has no {name}" + (f"; did you mean {near[0]}?" if near else ""))
    return found


def _fresh_package(folder: Path) -> str:
    """The folder as a package of its own, so that its files import each other as `from .tools import ...`.

    Named after the folder's place, because two folders may hold files of the same name.
    """
    name = f"ringfence_team_{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    for loaded in [module for module in sys.modules if module == name or module.startswith(f"{name}.")]:
        # A file that was edited since shall be read again.
        del sys.modules[loaded]
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package
    return name


def _beside(error: BaseException, folder: Path) -> str:
    name = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    is_there = name.isidentifier() and (folder / f"{name}.py").is_file()
    return f"; {name}.py stands beside it: from .{name} import ..." if is_there else ""


def _line_in(error: BaseException, path: Path) -> str:
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.lineno:
        line = error.lineno
    return f", line {line}" if line else ""
