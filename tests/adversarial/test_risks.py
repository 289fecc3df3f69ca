"""Attacks on whole teams, by the classes that OWASP names, and what holds after each of them."""

from collections import Counter
from pathlib import Path

import pytest
from fenced import policy_file

from ringfence import Ringfence
from tests.adversarial.agentic_cases import AGENTIC_CASES
from tests.adversarial.attacks import Case, attacked
from tests.adversarial.broken_streams import OF_ONE_AGENT, OVER_MANY_LINES, STREAMS
from tests.adversarial.llm_cases import LLM_CASES
from tests.adversarial.malformed_replies import MALFORMED
from tests.adversarial.risks import AGENTIC, LLM

CASES = [*LLM_CASES, *AGENTIC_CASES]
EVERY_CASE = [*CASES, *MALFORMED, *STREAMS, *OF_ONE_AGENT, *OVER_MANY_LINES]


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_what_must_hold_holds(tmp_path: Path, case: Case) -> None:
    """The run ends by itself, and what the attacker wanted did not happen."""
    made: list[Ringfence] = []

    def build(**sections: object) -> Ringfence:
        validators = {name: make() for name, make in case.validators.items()}
        made.append(Ringfence.from_file(policy_file(tmp_path, **sections), validators=validators))
        return made[-1]

    seen = await attacked(build, case.attack, case.policy)
    try:
        for holds in case.holds:
            holds(seen)
    finally:
        for ringfence in made:
            await ringfence.close()


@pytest.mark.parametrize("risk", [*LLM, *AGENTIC])
def test_every_class_has_its_cases(risk: str) -> None:
    """Three at least, each with a name of its own."""
    names = [case.name for case in EVERY_CASE if case.risk == risk]
    assert len(names) >= 3
    assert [name for name, times in Counter(names).items() if times > 1] == []


def test_no_case_stands_under_a_class_that_is_none() -> None:
    """The names are OWASP's."""
    assert {case.risk for case in EVERY_CASE} == {*LLM, *AGENTIC}
