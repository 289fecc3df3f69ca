"""Limits are plain data, and make sense."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from ringfence.budgets.limits import Limits


def test_there_is_a_limit_of_everything_by_default() -> None:
    """Whoever says nothing is bounded."""
    assert all(value is not None for value in Limits().model_dump().values())


def test_a_limit_may_be_lifted() -> None:
    """All but that of a task's length, by saying so."""
    names = [name for name in Limits.model_fields if name != "task_characters"]
    lifted = Limits.model_validate(dict.fromkeys(names))
    assert all(getattr(lifted, name) is None for name in names)


@pytest.mark.parametrize("name", [*Limits.model_fields])
@pytest.mark.parametrize("value", [0, -1, "many", float("nan"), float("-inf")])
def test_what_would_let_nothing_pass_is_refused(name: str, value: Any) -> None:
    """And what is no number."""
    with pytest.raises(ValidationError):
        Limits.model_validate({name: value})


@pytest.mark.parametrize("value", [0.1, "0.1", Decimal("0.1")])
def test_dollars_are_decimal(value: Any) -> None:
    """As they are written: ten cents are ten cents."""
    assert Limits(usd=value).usd == Decimal("0.1")
