"""Makes docs/pictures/demo.svg: the demo's own output, as the README shows it."""

import io
import os
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from ringfence.adapters.demo import play

PICTURE = Path(__file__).parent / "pictures" / "demo.svg"
THEME = TerminalTheme(
    background=(250, 250, 248),
    foreground=(40, 44, 52),
    normal=[
        (40, 44, 52),
        (192, 57, 43),
        (30, 132, 73),
        (154, 103, 0),
        (31, 97, 171),
        (125, 60, 152),
        (14, 116, 124),
        (110, 114, 122),
    ],
)


def main() -> None:
    """Play the demo and save what it shows."""
    # As a reader sees it who has the command on the path.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    console = Console(
        record=True, width=100, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    if not play(console):
        raise SystemExit("The demo did not keep its word, so there is no picture of it")
    svg = console.export_svg(title="ringfence demo", theme=THEME)
    # The fonts that rich names are fetched from elsewhere; a page's own will do.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"ringfence-demo-\w+", "ringfence-demo", svg)
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
