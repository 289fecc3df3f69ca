"""Arguments of a tool that the fence fills in: no model is offered them, or has a say in them."""

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

from autogen_core.tools import ToolSchema

from ringfence.errors import PolicyError, RingfenceError
from ringfence.guardrails.calls import ToolCall
from ringfence.guardrails.tool_spec import ToolSpec


def check_supplied(name: str, spec: ToolSpec, parameters: Mapping[str, Any]) -> None:
    """Check that a tool has the arguments that it wants filled in; `parameters` are those of its schema.

    Raises:
        PolicyError: It has no such argument, or one argument shall take two things.
    """
    if spec.transaction is not None and spec.transaction == spec.idempotency_key:
        said = "the idempotency key and the transaction go to the same argument"
        raise PolicyError(f"{name}: {said}, {spec.transaction}; name two")
    known = parameters.get("properties")
    if known is None or parameters.get("additionalProperties"):
        return
    for what, argument in (("idempotency key", spec.idempotency_key), ("transaction", spec.transaction)):
        if argument is not None and argument not in known:
            there = ", ".join(sorted(known)) or "none"
            raise PolicyError(f"{name} has no argument {argument} for the {what}; it has: {there}")


def check_transaction(name: str, spec: ToolSpec, owner: object) -> None:
    """Check that what takes a transaction can use one; a thread or another process could not.

    Raises:
        PolicyError: It is no plain async function.
    """
    if spec.transaction is not None and not inspect.iscoroutinefunction(owner):
        raise PolicyError(f"{name} cannot take a transaction: only a plain async function can")


def without_supplied(schema: ToolSchema, names: Collection[str]) -> ToolSchema:
    """The schema as a model may see it."""
    parameters = schema.get("parameters")
    if not names or parameters is None:
        return schema
    kept = parameters.copy()
    properties = parameters.get("properties") or {}
    kept["properties"] = {name: said for name, said in properties.items() if name not in names}
    if "required" in parameters:
        kept["required"] = [name for name in parameters["required"] if name not in names]
    offered = schema.copy()
    offered["parameters"] = kept
    return offered


def with_supplied(call: ToolCall, spec: ToolSpec) -> Mapping[str, Any]:
    """The arguments of a call with what the fence fills in, whatever stood there.

    Raises:
        RingfenceError: There is nothing to fill in. An empty key would make all calls look like one.
    """
    arguments = dict(call.arguments)
    if spec.idempotency_key is not None:
        if not call.idempotency_key:
            raise RingfenceError(f"{call.tool} takes an idempotency key, and this call has none")
        arguments[spec.idempotency_key] = call.idempotency_key
    if spec.transaction is not None:
        if call.transaction is None:
            raise RingfenceError(f"{call.tool} works in a transaction, and this call has none")
        arguments[spec.transaction] = call.transaction
    return arguments


class AnyTyped:
    """A function as AutoGen reads it, with one parameter that may be anything.

    AutoGen makes a JSON schema of every parameter, and of a connection there is none.
    """

    def __init__(self, function: Callable[..., Any], parameter: str) -> None:
        functools.update_wrapper(self, function)
        self.__signature__ = inspect.signature(function)
        self.__globals__ = getattr(function, "__globals__", {})
        self.__annotations__ = {**function.__annotations__, parameter: Any}
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        return self._function(*args, **kwargs)
