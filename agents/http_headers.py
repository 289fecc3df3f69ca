"""The idempotency key of a call as a header of AutoGen's HTTP tool."""

import sys
from copy import copy
from typing import Any

from autogen_core.tools import BaseTool

from ringfence.guardrails.running_call import idempotency_key

HEADER = "Idempotency-Key"
_HTTP = "autogen_ext.tools.http"


def with_key(tool: BaseTool[Any, Any]) -> BaseTool[Any, Any]:
    """An HTTP tool as it is for the call that is running; every other tool as it is."""
    module = sys.modules.get(_HTTP)
    key = idempotency_key()
    if module is None or not isinstance(tool, module.HttpTool) or not key:
        return tool
    # A copy: other calls of the tool run meanwhile. The key is the fence's, whatever the tool was made with.
    own: Any = copy(tool)
    params = own.server_params
    kept = {name: said for name, said in (params.headers or {}).items() if name.lower() != HEADER.lower()}
    own.server_params = params.model_copy(update={"headers": {**kept, HEADER: key}})
    made: BaseTool[Any, Any] = own
    return made
