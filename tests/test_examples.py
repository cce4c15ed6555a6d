"""The Python examples run, and survive a reader that stops early."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_process import ENVIRONMENT, FAKE, ROOT
from tests.conftest import draw

SETUP, _, _ = FAKE.format(delay=0).rpartition("mnv2cli.cli.run()")
RUN = "import runpy; runpy.run_path(sys.argv.pop(1), run_name='__main__')"


def test_the_python_example_survives_a_closed_pipe(tmp_path: Path) -> None:
    for i in range(3):
        draw(tmp_path / f"{i}.png", (i, 0, 0), (4, 4))
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", SETUP + RUN, ROOT / "examples" / "labels.py", tmp_path],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_example_of_own_classes_makes_photos_of_each(tmp_path: Path) -> None:
    pytest.importorskip("skimage")
    example = runpy.run_path(str(ROOT / "examples" / "own_classes.py"))
    example["make_photos"](tmp_path, training=2, new=1)
    made = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.jpg"))
    assert made[0] == "new/cat-2.jpg"
    assert len(made) == 9
    assert "training/rocket/rocket-1.jpg" in made
