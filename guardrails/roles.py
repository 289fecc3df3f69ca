"""Which roles a user has: those of the policy, and those that the service knows."""

from collections.abc import Callable, Collection, Mapping, Sequence
from fnmatch import fnmatchcase

RolesOf = Callable[[str], Collection[str]]
"""User → the roles that the service says the user has."""


class Roles:
    """Looks up the roles of users. Asked at every call that needs one, so that a role can be taken away."""

    def __init__(self, users: Mapping[str, Sequence[str]] | None = None, more: RolesOf | None = None) -> None:
        self._users = dict(users or {})
        self._more = more

    def __call__(self, user: str) -> frozenset[str]:
        """The roles of a user.

        Raises:
            TypeError: The service gave something else than names.
        """
        own = {role for role, users in self._users.items() if any(_is(user, one) for one in users)}
        return frozenset(own | _names(self._more(user) if self._more else ()))


def _is(user: str, said: str) -> bool:
    return user == said or fnmatchcase(user, said)


def _names(given: object) -> set[str]:
    # A text is a collection of letters, and none of them is a role.
    if isinstance(given, str) or not isinstance(given, Collection):
        raise TypeError("the roles of a user are a collection of names")
    if not all(isinstance(one, str) for one in given):
        raise TypeError("a role is a name")
    return {*given}
