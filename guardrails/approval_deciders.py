"""Who may decide on a call, and how many of them it takes."""

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Annotated, Any, Self

from pydantic import Field

from ringfence.guardrails.roles import RolesOf
from ringfence.settings import Section

Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
Count = Annotated[int, Field(ge=1, le=10)]


@dataclass(frozen=True, slots=True)
class Deciders:
    """Who may decide on a call, and how many of them it takes."""

    by: tuple[str, ...] = ()
    """Roles, and names or globs of persons; empty: whoever gives a name."""
    approvers: int = 1
    """How many different persons have to approve; one is enough to reject."""
    four_eyes: bool = False
    """The user of the conversation decides nothing that was asked for in it."""
    roles: tuple[str, ...] = ()
    """Those of `by` that are roles in the policy: nobody gets one by being called so."""

    def fault(self, by: str, *, user: str, roles: RolesOf) -> str:
        """Why a person may not decide on a call of this user's conversation; empty when the person may."""
        name = folded(by)
        if self.four_eyes and name == folded(user):
            return f"is the conversation's own user, and it may be decided by {self}"
        has = _roles(by, roles) if self.by else set()
        names = [folded(one) for one in self.by if one not in self.roles]
        if not self.by or has & {*self.by} or any(fnmatchcase(name, one) for one in names):
            return ""
        return f"may not decide; it may be decided by {self}"

    @property
    def shortfall(self) -> str:
        """Why no call could ever be approved, as far as names tell; empty when it could."""
        if not self.by or self.roles or any(set(one) & {*"*?["} for one in self.by):
            return ""
        persons = {folded(one) for one in self.by}
        if len(persons) >= self.approvers:
            return ""
        names = f"`by` names {len(persons)}"
        return f"takes {self.approvers} different persons, and {names}; name more, or a glob or a role"

    def __str__(self) -> str:
        who = " or ".join(self.by) or "anybody who gives a name"
        count = f", {self.approvers} different persons of them" if self.approvers > 1 else ""
        return f"{who}{count}{', but not by the user' if self.four_eyes else ''}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "by": [*self.by],
            "approvers": self.approvers,
            "four_eyes": self.four_eyes,
            "roles": [*self.roles],
        }

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """Who `as_dict` told of."""
        lists = {name: tuple(content.get(name, ())) for name in ("by", "roles")}
        return cls(**{**content, **lists})

    def with_roles(self, declared: Collection[str]) -> Self:
        """The same, in a policy that has these roles."""
        return replace(self, roles=tuple(one for one in self.by if one in declared))


class ToolApprovals(Section):
    """What a tool's rule says of its approvals, in the place of the `approvals` section."""

    by: Names | None = None
    approvers: Count | None = None
    four_eyes: bool | None = None

    def over(self, general: Deciders) -> Deciders:
        """Who decides on the tool, where the policy in general says something else."""
        return Deciders(
            by=general.by if self.by is None else self.by,
            approvers=self.approvers or general.approvers,
            four_eyes=general.four_eyes if self.four_eyes is None else self.four_eyes,
        )


class ApprovalSettings(Section):
    """The `approvals` section."""

    timeout_seconds: Annotated[float, Field(gt=0)] = 300.0
    """How long a person who is asked at once has to answer; then the answer is no."""
    waits_seconds: Annotated[float, Field(gt=0)] = 604_800.0
    """How long a suspended conversation waits for a decision; then the answer is no."""
    by: Names | None = None
    """Roles, and names or globs of the persons who may decide; None: whoever gives a name."""
    approvers: Count = 1
    """How many different persons have to approve a call."""
    four_eyes: bool = False
    """The user of a conversation may not decide on its calls."""

    @property
    def deciders(self) -> Deciders:
        """Who decides, where a tool's rule says nothing else."""
        return Deciders(self.by or (), self.approvers, self.four_eyes)


def _roles(by: str, roles: RolesOf) -> set[str]:
    try:
        return {*roles(by), *roles(folded(by))}
    except Exception:  # a service's own code; without an answer nobody has a role
        return set()


def folded(name: object) -> str:
    """A name as it is compared: case, width, spaces around it and what nobody sees make no other person."""
    text = unicodedata.normalize("NFKC", str(name or ""))
    seen = "".join(one for one in text if unicodedata.category(one) not in {"Cf", "Cc"} or one.isspace())
    return " ".join(unicodedata.normalize("NFKC", seen.casefold()).split())
