"""Fixtures of the attacks on whole teams behind the fence."""

import pytest

# What must hold after an attack is asserted there, and a failure shall show what was there instead.
pytest.register_assert_rewrite("tests.adversarial.attacks", "tests.adversarial.llm_cases")
pytest.register_assert_rewrite("tests.adversarial.agentic_cases")

from fenced import house, logs, nothing_runs_on  # noqa: E402 - what is imported before is not rewritten

__all__ = ["house", "logs", "nothing_runs_on"]
