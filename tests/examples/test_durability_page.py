"""The page about durable conversations shows what really happens."""

import asyncio
import re
import shutil
import textwrap
from pathlib import Path
from typing import Any

import pytest

from ringfence import Ringfence, Status
from ringfence.examples.support_desk.shop import Shop

ROOT = Path(__file__).parents[2]
DIRT = shutil.ignore_patterns("__pycache__", "*.sqlite*", "*.jsonl")


async def test_the_example_of_the_page_runs_and_refunds_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conversation that waits is taken up by another Ringfence, and its refund is booked once."""
    folder = tmp_path / "desk"
    shutil.copytree(ROOT / "examples/support_desk", folder, ignore=DIRT)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("SUPPORT_DESK_SHOP", raising=False)
    page = (ROOT / "docs/durability.md").read_text(encoding="utf-8")
    example, *_ = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    first, _, later = example.partition("# days later, anywhere\n")
    made: list[Ringfence] = []

    class Noted(Ringfence):
        """Closed at the end, which a short example leaves out."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            made.append(self)

    names: dict[str, object] = {"Ringfence": Noted}
    for part in (first, later):
        source = f"async def example():\n{textwrap.indent(part, '    ')}\n    return conversation\n"
        exec(compile(source, "docs/durability.md", "exec"), names)  # noqa: S102 - the page's own example
        conversation = await names["example"]()  # type: ignore[operator]  # the function that was just made
        waits = conversation.status is Status.WAITING_FOR_APPROVAL
        assert waits if part is first else conversation.status is Status.DONE
    for ringfence in made:
        await ringfence.close()
    refunded = await asyncio.to_thread(Shop(folder / "shop.sqlite").find_order, "1182")
    assert refunded is not None
    assert str(refunded.refunded) == str(refunded.amount) == "49.90"
