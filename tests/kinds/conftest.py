"""Fixtures of the tests of each kind of part, and helpers whose failures are explained."""

import pytest

pytest.register_assert_rewrite("kinds")

from fenced import house, logs, nothing_runs_on  # noqa: E402 - what is imported before is not rewritten

__all__ = ["house", "logs", "nothing_runs_on"]
