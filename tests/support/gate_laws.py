"""Policies for a test of the gate, each told twice: as a policy, and in the test's own words."""

from gate_facts import KEYED, PLAIN, TOOLS, Law

_EVERYTHING = frozenset(TOOLS)
_ALLOWED = {"decision": "allow"}
_UNTRACED = {"provenance": {"mode": "off"}}
LAWS = (
    Law("asks", {}),
    Law("allows", {"tools": {"*": _ALLOWED}, **_UNTRACED}, allowed=_EVERYTHING),
    Law(
        "denies",
        {"tools": {PLAIN: {"decision": "deny"}, "*": _ALLOWED}},
        allowed=_EVERYTHING,
        denied=frozenset({PLAIN}),
    ),
    Law(
        "bounds",
        {
            "tools": {
                PLAIN: {"arguments": {"what": {"one_of": ["a"]}}},
                KEYED: {"decision": "approve"},
                "*": _ALLOWED,
            }
        },
        allowed=_EVERYTHING - {PLAIN, KEYED},
        only={PLAIN: frozenset({"a"})},
    ),
    Law(
        "eyes",
        {"approvals": {"by": ["bob", "carol", "alice"], "approvers": 2, "four_eyes": True}, **_UNTRACED},
        deciders=frozenset({"bob", "carol"}),
        needed=2,
    ),
    Law(
        "totals",
        {
            "tools": {
                PLAIN: {"decision": "allow", "arguments": {"amount": {"minimum": 0, "total_maximum": 5}}},
                "*": _ALLOWED,
            },
            **_UNTRACED,
        },
        allowed=_EVERYTHING,
        total=5,
    ),
)
PEOPLE = ("bob", "carol", " BOB ", "alice", "mallory", "")
"""Two who may decide where not everybody may, one of them spelled oddly, the user, a stranger, nobody."""
