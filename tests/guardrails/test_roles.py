"""The roles of a user: those of the policy and those that the service knows."""

from typing import Any

import pytest

from ringfence.guardrails.roles import Roles

ROLES = Roles({"manager": ["bob@contoso.com", "*@finance.contoso.com"], "clerk": ["*"], "nobody": []})


@pytest.mark.parametrize(
    ("user", "roles"),
    [
        ("bob@contoso.com", {"manager", "clerk"}),
        ("eve@finance.contoso.com", {"manager", "clerk"}),
        ("Bob@contoso.com", {"clerk"}),
        ("bob@contoso.com.evil.example", {"clerk"}),
        ("eve@finance-contoso.com", {"clerk"}),
        ("", {"clerk"}),
    ],
)
def test_roles_of_the_policy(user: str, roles: set[str]) -> None:
    """By name or glob, and case counts."""
    assert ROLES(user) == roles


def test_the_service_adds_to_them() -> None:
    """It is asked each time, so that what it takes away is gone."""
    known = {"amy": {"auditor"}}
    roles = Roles({"clerk": ["amy"]}, lambda user: known.get(user, ()))
    assert roles("amy") == {"clerk", "auditor"}
    known.clear()
    assert roles("amy") == {"clerk"}


@pytest.mark.parametrize("given", ["manager", None, 1, [None], [1], {"manager": True}.items()])
def test_what_is_no_collection_of_names(given: Any) -> None:
    """A text would be a role for each of its letters; nobody knows what was meant, so there is no answer."""
    with pytest.raises(TypeError, match="role"):
        Roles({"clerk": ["*"]}, lambda _: given)("amy")
