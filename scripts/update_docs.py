"""Write the outputs that README.md and docs/ show anew, from a real run of every block.

    python scripts/update_docs.py [--all] [PAGE]...

An output that differs from the new output only in scores, times or sizes is kept, unless --all is
given. Needs scikit-image and MobileNetV2's weights. How pages mark their blocks is described in
tests/doc_pages.py. The exit code is 1 if a command failed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.doc_pages import ROOT, pages, updated


def main() -> int:
    """Update the pages given, or all; return the exit code."""
    parser = argparse.ArgumentParser(description="Rewrite the outputs shown in README and docs.")
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="a Markdown file (default: all)")
    parser.add_argument("--all", action="store_true", help="rewrite outputs with new figures too")
    arguments = parser.parse_args()
    failed = 0
    for page in [Path(name).resolve() for name in arguments.pages] or pages():
        name = page.relative_to(ROOT)
        with tempfile.TemporaryDirectory() as folder:
            try:
                text = updated(page, Path(folder), arguments.all)
            except (AssertionError, ModuleNotFoundError, TimeoutError) as error:
                print(f"{name}: {error}", file=sys.stderr)
                failed += 1
                continue
        changed = text != page.read_text(encoding="utf-8")
        if changed:
            page.write_text(text, encoding="utf-8")
        print(f"{name}: {'updated' if changed else 'unchanged'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
