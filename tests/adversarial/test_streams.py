"""Nothing of a reply reaches the user in pieces that a guardrail would not let through as a whole."""

import pytest
from fenced import policy_file

from ringfence import Ringfence
from tests.adversarial.attacks import Case, attacked
from tests.adversarial.broken_streams import OF_ONE_AGENT, OVER_MANY_LINES, STREAMS


async def plays_out(case: Case, folder: object) -> None:
    """Run the case and see that it holds."""
    made: list[Ringfence] = []

    def build(**sections: object) -> Ringfence:
        validators = {name: make() for name, make in case.validators.items()}
        made.append(Ringfence.from_file(policy_file(folder, **sections), validators=validators))  # type: ignore[arg-type]  # pytest's tmp_path
        return made[-1]

    seen = await attacked(build, case.attack, case.policy)
    try:
        for holds in case.holds:
            holds(seen)
    finally:
        for ringfence in made:
            await ringfence.close()


@pytest.mark.parametrize("case", STREAMS, ids=str)
async def test_no_piece_goes_out_unchecked(tmp_path: object, case: Case) -> None:
    """Every piece that `run_stream` yields was judged with what stands before it."""
    await plays_out(case, tmp_path)


@pytest.mark.parametrize("case", OF_ONE_AGENT, ids=str)
async def test_a_guardrail_of_one_agent_holds_its_pieces_back(tmp_path: object, case: Case) -> None:
    """Whom a guardrail is meant for does not decide whether pieces wait for it."""
    await plays_out(case, tmp_path)


@pytest.mark.parametrize("case", OVER_MANY_LINES, ids=str)
async def test_a_phrase_over_many_lines_does_not_go_out_line_by_line(tmp_path: object, case: Case) -> None:
    """What a validator finds only in more than two lines, it has to be shown more than two lines for."""
    await plays_out(case, tmp_path)
