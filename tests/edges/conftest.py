"""What every pin of AutoGen's behaviour needs."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest


@pytest.fixture(autouse=True)
async def swept() -> AsyncIterator[None]:
    """End the tasks that a hanging team leaves behind, and drop those that failed unseen.

    Collected later, such a task is logged with its traceback at any moment; if pytest happens to be parsing
    then, Python 3.11 ends the whole session with "SystemError: AST constructor recursion depth mismatch".
    """
    gc.freeze()  # so that collecting looks at this test's objects only, which is quick
    yield
    own, loop = asyncio.current_task(), asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, _context: None)
    for _ in range(100):
        if not (left := asyncio.all_tasks() - {own}):
            break
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=0.1)
    else:
        pytest.fail(f"these tasks cannot be cancelled: {left}")
    gc.collect()
    gc.unfreeze()
