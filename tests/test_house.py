"""The structure of the package, checked by ``scripts/check_house.py``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_structure_of_the_package_passes_all_checks() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/check_house.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("All checks passed.\n")
