"""A sign of prompt injection: what it is, where it stands, how much it weighs, and how signs add up."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nlargest
from itertools import pairwise

_WINDOW = 500
"""Signs add up within two neighbouring stretches of so many characters, not over a whole book."""
_COUNTED = 2
"""Signs of a kind that count."""
_REPEATED = 0.5
"""What a second sign of the same kind counts, beside the strongest one."""

_ROLE_ALONE = 0.45
"""What a role to play makes at most by itself."""
_UNBOUND = 0.65
"""From here on a role is one without rules, such as that of a model that may do anything."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A piece of the text that looks like an attempt to steer the model."""

    kind: str
    start: int
    end: int
    weight: float
    """From 0 to 1: how sure this sign alone makes."""


def combined(signs: Iterable[Sign]) -> float:
    """The risk of all signs: each raises it by its share of what is left to 1, where they stand together."""
    stretches: defaultdict[int, list[Sign]] = defaultdict(list)
    for sign in signs:
        stretches[sign.start // _WINDOW].append(sign)
    numbers = sorted(stretches)
    alone = [_risk(stretches[number]) for number in numbers]
    together = [
        _risk(stretches[one] + stretches[other]) for one, other in pairwise(numbers) if other == one + 1
    ]
    return max([0.0, *alone, *together])


def _risk(signs: Iterable[Sign]) -> float:
    by_kind: defaultdict[str, list[float]] = defaultdict(list)
    for sign in signs:
        by_kind[sign.kind].append(sign.weight)
    safe = 1.0
    for weights in by_kind.values():
        # The same phrase over and over says little more than the phrase.
        strongest, *others = nlargest(_COUNTED, weights)
        safe *= 1 - strongest
        for weight in others:
            safe *= 1 - _REPEATED * weight
    # People ask for roles every day; what an attacker wants of one is said beside it.
    roles = by_kind.get("role_assignment", [0.0])
    is_plain = len(by_kind) == len(roles) == 1 and 0 < roles[0] < _UNBOUND
    return round(min(1 - safe, _ROLE_ALONE) if is_plain else 1 - safe, 4)
