"""What every test of the guardrails has."""

import pytest

from tests.guardrails.parts import Book


@pytest.fixture
def book() -> Book:
    """A record that can be read afterwards."""
    return Book()
