"""guardrails-ai without its telemetry, and what of it a policy may name."""

import inspect
import warnings
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from pydantic import BaseModel

from ringfence.errors import Fault, PolicyError
from ringfence.guardrails.own_code import load_attribute

_HUB = "hub://"


@lru_cache(maxsize=1)
def quiet_guardrails() -> Any:
    """guardrails-ai with its telemetry off. Imported on first use: it takes two seconds.

    Telemetry is on by default and starts a thread that calls out. The object in its place has no tracer, so
    there is nothing to send and nothing that could.
    """
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        from guardrails.settings import settings
        from guardrails.utils.hub_telemetry_utils import HubTelemetry

        import guardrails

    settings.disable_tracing = True
    HubTelemetry._instance = object.__new__(HubTelemetry)  # noqa: SLF001 - there is no public switch
    return guardrails


def load_validator(
    use: str, options: Mapping[str, Any], *, folder: Path, given: Mapping[str, Any] | None = None
) -> Any:
    """The Validator or Guard that a policy names, made with these options.

    Args:
        use: A name in `given`; a name that is registered with guardrails-ai (`ringfence/length`,
            `guardrails/regex_match`, with or without `hub://`); `file.py:name`, a Validator, Guard or
            pydantic model in the user's own code; or a file that ends in `.rail`, or in `.json` for a JSON
            Schema.
        options: Keyword arguments of a validator's class.
        folder: What files are relative to.
        given: Objects that the code hands in, by name.

    Raises:
        PolicyError: There is none, or it cannot be made with these options.
    """
    guardrails = quiet_guardrails()
    found = _found(use, folder, given or {})
    if isinstance(found, type) and issubclass(found, BaseModel) and not _is_validator_class(found):
        found = guardrails.Guard.for_pydantic(found)
    if _is_validator_class(found):
        return _local(_made(found, use, options))
    if options:
        raise PolicyError([Fault(f"{use} takes no options; it is made already", where="with")])
    if isinstance(found, guardrails.Guard | guardrails.AsyncGuard):
        _check_guard(found, use)
        return found
    from guardrails.validator_base import Validator

    if isinstance(found, Validator):
        return _local(found)
    said = f"{use} is a {type(found).__name__}; name a guardrails-ai Validator or Guard, or a pydantic model"
    raise PolicyError(said)


def files_of(use: str) -> str | None:
    """The file that a guardrail is read from, relative to the policy file; None when it is a name."""
    file = use.partition(":")[0] if ".py:" in use else use
    return file if file.endswith((".py", ".rail", ".json")) else None


def _found(use: str, folder: Path, given: Mapping[str, Any]) -> Any:
    if use in given:
        return given[use]
    file = files_of(use)
    if file is None:
        return _registered(use, given)
    if file.endswith(".py"):
        return load_attribute(use, folder)
    path = folder / file
    if not path.is_file():
        raise PolicyError(f"the file {file} is not there")
    try:
        return _guard_of(path)
    except Exception as error:  # whatever an XML or JSON parser raises
        raise PolicyError(f"{file} is no sound schema: {type(error).__name__}: {error}") from None


def _guard_of(path: Path) -> Any:
    guard = quiet_guardrails().Guard
    if path.suffix == ".rail":
        return guard.for_rail(str(path))
    # In a validator of our own: guardrails-ai drops what the schema does not know, and what follows the JSON.
    from json import loads

    from ringfence.guardrails.json_validators import ValidJson

    return ValidJson(schema=loads(path.read_text(encoding="utf-8")))


def _registered(use: str, given: Mapping[str, Any]) -> Any:
    from guardrails.validator_base import validators_registry

    from ringfence.guardrails.shipped_validators import MODULES, register_validators

    name = use.removeprefix(_HUB)
    # The registry itself, because asking for an unknown name makes guardrails-ai look for a hub package.
    if name in MODULES:
        register_validators(name)
    elif name not in validators_registry:
        _import_installed(name)
    found = validators_registry.get(name)
    if found is not None:
        return found
    known = sorted({*MODULES, *given})
    near = get_close_matches(name, [*known, *_installed()], n=1)
    advice = f"did you mean {near[0]}" if near else f"Ringfence brings {', '.join(known)}"
    raise PolicyError(
        f"no validator is registered as {use!r}; {advice}. Your own: checks.py:MyValidator, or an object "
        "that the code hands in by this name; one of the Guardrails hub: install its package first"
    )


def _installed() -> list[str]:
    """The hub's validators whose packages are here, by the names that their packages suggest."""
    import guardrails_ai

    return [f"guardrails/{one.name}" for one in iter_modules(guardrails_ai.__path__) if one.name != "types"]


def _import_installed(name: str) -> None:
    """Import the package that brings a validator of the hub, if it is installed; never fetch one."""
    module = f"guardrails_ai.{name.rpartition('/')[2]}"
    try:
        if name.replace("/", "").isidentifier() and find_spec(module) is not None:
            with warnings.catch_warnings(action="ignore"):
                import_module(module)
    except Exception as error:
        said = f"the package of {name} is there and cannot be imported: {type(error).__name__}"
        raise PolicyError(said) from None


def _is_validator_class(found: Any) -> bool:
    from guardrails.validator_base import Validator

    return isinstance(found, type) and issubclass(found, Validator)


def _made(make: Any, use: str, options: Mapping[str, Any]) -> Any:
    if faults := [*_unknown_options(make, options), *_missing_options(make, options)]:
        raise PolicyError(faults)
    try:
        # It only judges, and proposes a fix; what follows from its word is decided elsewhere.
        return make(on_fail="noop", **options)
    except Exception as error:  # what somebody's validator raises about its options is not known
        if "is not registered" in str(error):
            said = f'{use} needs @register_validator(name="mine/it", data_type="string") above its class'
            raise PolicyError(said) from None
        said = f"{use} cannot be made with these options: {error}"
        raise PolicyError([Fault(said, where="with")]) from None


def _unknown_options(make: Any, options: Mapping[str, Any]) -> Iterator[Fault]:
    parameters = inspect.signature(make.__init__).parameters
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return
    known = [name for name in parameters if name not in {"self", "on_fail"}]
    for name in options:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            advice = f"did you mean `{near[0]}`?" if near else f"the options are {', '.join(known) or 'none'}"
            yield Fault(f"unknown option; {advice}", where=f"with.{name}")


def _missing_options(make: Any, options: Mapping[str, Any]) -> Iterator[Fault]:
    for name, one in inspect.signature(make.__init__).parameters.items():
        is_needed = one.default is one.empty and one.kind not in {one.VAR_KEYWORD, one.VAR_POSITIONAL}
        if is_needed and name not in {"self", "on_fail", *options}:
            yield Fault(f"the option `{name}` is missing", where="with")


def _local(validator: Any) -> Any:
    # Else one that offers both asks a server of its maker's.
    validator.use_local = True
    validator.validation_endpoint = None
    return validator


def _check_guard(guard: Any, use: str) -> None:
    validators = guard._validators  # noqa: SLF001 - a Guard does not tell them otherwise
    fixing = [one for one in validators if getattr(one.on_fail_descriptor, "value", "") == "fix"]
    if len(fixing) > 1:
        said = "has two validators with on_fail fix, which corrupt a text together; name each by itself"
        raise PolicyError(f"{use} {said}")
    for one in validators:
        _local(one)
