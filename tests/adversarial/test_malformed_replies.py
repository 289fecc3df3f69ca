"""Whatever a model writes where a call should be, only what makes sense and was allowed is done."""

import pytest

from tests.adversarial.attacks import Case, House, attacked
from tests.adversarial.malformed_replies import MALFORMED


@pytest.mark.parametrize("case", MALFORMED, ids=str)
async def test_what_is_malformed_is_refused(house: House, case: Case) -> None:
    """No team hangs or breaks because of it, and nothing is done that two readers could read apart."""
    seen = await attacked(house, case.attack, case.policy)
    for holds in case.holds:
        holds(seen)


@pytest.mark.parametrize("case", MALFORMED, ids=str)
async def test_a_stream_of_it_is_refused_alike(house: House, case: Case) -> None:
    """A reply that comes in pieces ends with the same calls."""
    seen = await attacked(house, case.streamed(), case.policy)
    for holds in case.holds:
        holds(seen)
