"""The structure of the package: what ``scripts/check_house.py`` checks holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_house_stands() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/check_house.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("The house stands.\n")
