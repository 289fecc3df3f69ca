"""What is not as it was when a turn began that shall go on."""

from collections.abc import Mapping
from typing import Any

from ringfence.conversations.kept import Kept

_PARTS = {
    "team": "the team is made of other parts",
    "prompts": "the prompts are other ones",
    "models": "the models are other ones",
    "tools": "the tools are other ones",
}


def differences(kept: Kept, policy: str, fingerprint: Mapping[str, Any]) -> list[str]:
    """Everything that changed since the open turn began, for people; empty when it can go on as it was."""
    found = []
    if kept.diverged:
        found.append("played again, the turn took another course")
    if kept.policy != policy:
        found.append("the policy is another one")
    for part, said in _PARTS.items():
        before, now = kept.fingerprint.get(part), fingerprint.get(part)
        if before != now:
            found.append(said + _names(before, now))
    return found


def _names(before: Any, now: Any) -> str:
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        return ""
    other = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    return f" ({', '.join(other)})"
