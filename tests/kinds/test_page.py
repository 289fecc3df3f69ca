"""docs/coverage.md says what the tests here show."""

import re
import runpy
from pathlib import Path

from kinds import GROUPS, ROWS

ROOT = Path(__file__).parents[2]


def test_the_page_is_the_one_that_these_tests_make() -> None:
    """`python docs/make_coverage.py` writes it anew."""
    made = runpy.run_path(str(ROOT / "docs" / "make_coverage.py"))["page"]()
    assert (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8") == made
    assert {row.group for row in ROWS.values()} == {*GROUPS}


def test_each_row_names_a_test_that_is_there() -> None:
    """A row without a test would say what nobody has seen."""
    page = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    named = re.findall(r"\[(test_\w+)\]\(\.\./(tests/kinds/\w+\.py)\)", page)
    assert len(named) > 30
    for name, file in named:
        assert f"async def {name}(" in (ROOT / file).read_text(encoding="utf-8")
