"""Taking quotations of a text out of what is said about it."""

import re

_SHARED = 12
"""Signs in a row that two texts share by quotation, not by chance."""
_LONGEST_REASON = 4_000
_LONGEST_TEXT = 50_000
"""In a longer one, looking for every piece of a reason takes too long."""
_QUOTED = re.compile(r"'([^'\n]+)'|\"([^\"\n]+)\"|`([^`\n]+)`")


def unquoted(reason: str, text: str) -> str:
    """The reason with `…` in place of what it quotes of the text."""
    if len(text) > _LONGEST_TEXT:
        return "it did not pass"
    reason = reason[:_LONGEST_REASON]

    def hidden(match: re.Match[str]) -> str:
        inside = next(group for group in match.groups() if group is not None)
        return "…" if inside in text else match.group()

    reason = _QUOTED.sub(hidden, reason)
    kept: list[str] = []
    place = 0
    while place < len(reason):
        if reason[place : place + _SHARED] in text and len(reason) - place >= _SHARED:
            end = place + _SHARED
            while end < len(reason) and reason[end - _SHARED + 1 : end + 1] in text:
                end += 1
            kept.append("…")
            place = end
        else:
            kept.append(reason[place])
            place += 1
    return "".join(kept)
