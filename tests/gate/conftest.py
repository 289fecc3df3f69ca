"""Fixtures of the tests that run whole teams behind the fence."""

from fenced import house, logs, nothing_runs_on

__all__ = ["house", "logs", "nothing_runs_on"]
