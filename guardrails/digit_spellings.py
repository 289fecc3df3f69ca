"""How a run of digits may be written so that it is not seen: encoded, or to another base."""

import base64
from collections.abc import Iterator

from ringfence.guardrails.value_spellings import essence

_BITS = 6
"""Of one sign of base64."""


def in_base64(digits: str) -> Iterator[str]:
    """What stands in a text that holds the digits in base64, wherever they begin in what was encoded."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + digits.encode()).decode()
        # The signs at both ends are made of what stands beside the digits, too.
        yield encoded[-(-before * 8 // _BITS) : (before + len(digits)) * 8 // _BITS]


def in_hexadecimal(digits: str) -> Iterator[str]:
    """The digits' signs, and their number, as they stand among nothing but letters and digits."""
    yield essence(digits.encode().hex())
    yield essence(f"0x{int(digits):x}")
