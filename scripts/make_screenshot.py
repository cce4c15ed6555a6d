"""Make docs/images/terminal.svg, the picture of the README, from a real run in a terminal.

    python scripts/make_screenshot.py

Needs scikit-image, whose photos are classified, and MobileNetV2's weights.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.doc_pages import ROOT, environment, make_photos
from tests.screen import run_in_terminal

COMMAND = "mnv2 classify examples/photos --top 3"
COLUMNS = 80
PICTURE = ROOT / "docs" / "images" / "terminal.svg"


def main() -> int:
    """Make the picture; return the exit code."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_photos(folder)
        env = environment()
        run_in_terminal(COMMAND, folder, env, COLUMNS)  # compiles the model, if that is needed
        screen, code = run_in_terminal(COMMAND, folder, env, COLUMNS)
    if code:
        print(screen.text(), file=sys.stderr)
        return 1
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text.assemble(("$ ", "bold green"), (COMMAND, "bold")))
    console.print(Text.from_ansi(screen.ansi()), end="\n\n")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    svg = console.export_svg(title="mnv2", theme=MONOKAI)
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # fonts of another host
    PICTURE.write_text("\n".join(map(str.rstrip, svg.splitlines())) + "\n", encoding="utf-8")
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
