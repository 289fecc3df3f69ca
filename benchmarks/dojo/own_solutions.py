"""Solutions for the attackers' tasks that AgentDojo ships without one."""

from collections.abc import Callable
from typing import Any

from benchmarks.dojo.obedient_model import Call

OWN_SOLUTIONS: dict[tuple[str, str], Callable[[Any], tuple[Call, ...]]] = {}
"""Suite and task → the calls that reach the attacker's goal in a world."""
