"""Loading the team factory that a policy file names, such as `team.py:support_team`."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ringfence.errors import Fault, PolicyError


def load_factory(reference: str, folder: Path) -> Callable[[Any], Any]:
    """The function that a reference `file.py:name` stands for; the file is found beside the policy file.

    Raises:
        PolicyError: There is no such file or function, or the file fails when it is loaded.
    """
    file_name, _, name = reference.partition(":")
    path = (folder / file_name).resolve()
    if not path.is_file():
        raise _fault(f"the file {file_name} is not there")
    # The file may import its neighbours, as a script that is started from its folder may.
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(f"ringfence_team_{path.parent.name}_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise _fault(f"{file_name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except PolicyError:
        raise
    except Exception as error:
        line = _line_in(error, path)
        raise _fault(f"{file_name} cannot be loaded{line}: {type(error).__name__}: {error}") from error
    factory = getattr(module, name, None)
    if not callable(factory):
        raise _fault(f"{file_name} has no function {name}")
    return factory


def _line_in(error: BaseException, path: Path) -> str:
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.lineno:
        line = error.lineno
    return f", line {line}" if line else ""


def _fault(message: str) -> PolicyError:
    return PolicyError([Fault(message, where="team")])
