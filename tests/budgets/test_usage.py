"""Amounts that add up."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ringfence.budgets.usage import Usage

COUNTS = st.integers(0, 10**9)
USAGES = st.builds(Usage, COUNTS, COUNTS, st.decimals(0, 10**6, places=12), COUNTS, COUNTS, COUNTS)


def test_tokens_are_input_and_output_together() -> None:
    """As limits count them."""
    assert Usage(input_tokens=3, output_tokens=4).tokens == 7


@given(st.lists(USAGES))
def test_sums_are_exact(usages: list[Usage]) -> None:
    """In any order, to the last fraction of a cent; what is taken away again leaves nothing behind."""
    total = sum(usages, Usage())
    assert total == sum(reversed(usages), Usage())
    for usage in usages:
        total = total - usage
    assert total == Usage()
    assert total.usd == Decimal(0)
