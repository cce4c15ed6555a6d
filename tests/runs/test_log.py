"""The log beside the results: missing, hostile, in the way, or too large for the disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_process import ENVIRONMENT, FAKE
from tests.conftest import draw
from tests.runs.helpers import Invoke, ended, run

pytestmark = pytest.mark.usefixtures("fake_engine")


def test_results_without_a_log_are_refused(album: Path, invoke: Invoke) -> None:
    run(invoke, "a.csv")
    (album / "a.csv.mnv2").unlink()
    assert "does not say how it was made" in run(invoke, "a.csv", "--resume", code=2).stderr
    assert not (album / "a.csv.mnv2").exists()
    (album / "a.csv.mnv2").write_bytes(b'{"event": "begin", "sett')
    assert "does not say how it was made" in run(invoke, "a.csv", "--resume", code=2).stderr
    run(invoke, "new.csv", "--resume")  # nothing to go on with: it is begun
    assert (album / "new.csv").read_bytes() == (album / "a.csv").read_bytes()


def test_a_hostile_log_is_no_way_out(album: Path, invoke: Invoke) -> None:
    run(invoke, "a.csv")
    target = album / "victim"
    target.write_text("precious")
    (album / "a.csv.mnv2").unlink()
    (album / "a.csv.mnv2").symlink_to(target)
    assert "Warning: this run will not be resumable" in run(invoke, "a.csv", "--force").stderr
    assert "cannot be written" in run(invoke, "a.csv", "--resume", code=1).stderr
    assert target.read_text() == "precious"
    (album / "a.csv.mnv2").unlink()
    for text in (
        "[1]\n",
        '{"event": "begin", "settings": 3}\n',
        "[" * 100_000,
        "\0\n",
        '{"event": "begin", "settings": {"top": "\\u001b[31m"}, "folder": 7}\n',
    ):
        (album / "a.csv.mnv2").write_text(text)
        result = run(invoke, "a.csv", "--resume", code=2)
        assert "\x1b" not in result.stderr


def test_a_log_that_does_not_fit_on_the_disk_is_an_error(tmp_path: Path) -> None:
    draw(tmp_path / "p" / "1.bmp")
    args = ["classify", str(tmp_path / "p"), "-q", "-o", str(tmp_path / "a.csv")]
    code = "import resource as r\nr.setrlimit(r.RLIMIT_FSIZE, (300, 300))\n"
    result = subprocess.run(
        [sys.executable, "-c", code + FAKE.format(delay=0), *args],
        capture_output=True, text=True, check=False, env=ENVIRONMENT,
    )  # fmt: skip
    assert result.returncode == 1 and "cannot be written" in result.stderr
    assert ended(*args, "--resume") == 0


def test_what_only_looks_like_a_log_is_not_written_over(album: Path, invoke: Invoke) -> None:
    (album / "a.csv.mnv2").write_text("my notes")
    assert "is in the way" in run(invoke, "a.csv", code=2).stderr
    assert (album / "a.csv.mnv2").read_text() == "my notes"
    (album / "a.csv.mnv2").unlink()
    os.mkfifo(album / "a.csv.mnv2")
    result = invoke("classify", "album", "-q", "-k", "2", "-o", "a.csv")
    assert result.exit_code == 4 and "will not be resumable" in result.stderr
    run(invoke, "a.csv", "--resume", code=1)
