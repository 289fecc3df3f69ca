"""AgentDojo's tools as AutoGen tools, and the world that they act on."""

import inspect
import json
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from autogen_core.tools import FunctionTool
from pydantic_core import PydanticUndefined, to_jsonable_python

from benchmarks.dojo.obedient_model import Call


@dataclass(frozen=True, slots=True)
class Ran:
    """A call that reached its tool, whatever came of it."""

    call: Call
    result: str
    cpu_seconds: float = field(default=0.0, compare=False)
    """Of the tool's own code."""


class World:
    """One environment of AgentDojo, and the calls that reached its tools."""

    def __init__(self, functions: Sequence[Any], environment: Any) -> None:
        self._functions = {one.name: one for one in functions}
        self.environment = environment
        self.ran: list[Ran] = []

    def tools(self) -> list[FunctionTool]:
        """AgentDojo's functions as AutoGen's tools, with their own words and types."""
        return [
            FunctionTool(self._typed(function), description=function.description, name=function.name)
            for function in self._functions.values()
        ]

    def run(self, call: Call) -> str:
        """Run one call with nobody in between; what the tool says. Raises what the tool raises."""
        began = time.process_time()
        try:
            return self._note(call, began, as_text(self._called(self._functions[call.tool], call.arguments)))
        except Exception as error:
            self._note(call, began, f"{type(error).__name__}: {error}")
            raise

    def _note(self, call: Call, began: float, result: str) -> str:
        self.ran.append(Ran(call, result, time.process_time() - began))
        return result

    def _typed(self, function: Any) -> Callable[..., Coroutine[Any, Any, str]]:
        async def run(**arguments: Any) -> str:
            given = {name: one for name, one in arguments.items() if one is not None}
            return self.run(Call(function.name, given))

        # What AutoGen offers a model, it reads from the signature.
        parameters = [_parameter(name, field) for name, field in function.parameters.model_fields.items()]
        run.__signature__ = inspect.Signature(parameters, return_annotation=str)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": str}
        run.__name__ = function.name
        return run

    def _called(self, function: Any, arguments: Mapping[str, Any]) -> Any:
        checked = function.parameters.model_validate(dict(arguments)).model_dump()
        needed = {
            name: dependency.extract_dep_from_env(self.environment)
            for name, dependency in function.dependencies.items()
        }
        return function.run(**checked, **needed)


def as_text(value: Any) -> str:
    """A tool's result as a model reads it: prose as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(to_jsonable_python(value), ensure_ascii=False)


def _parameter(name: str, field: Any) -> inspect.Parameter:
    default = inspect.Parameter.empty if field.default is PydanticUndefined else field.default
    annotation = Annotated[field.annotation, field.description or name]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
