"""Runs in separate processes that are killed, crash, or cannot write any more."""

from __future__ import annotations

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.test_process import ENVIRONMENT, FAKE
from tests.conftest import draw
from tests.runs.helpers import events, run_and_signal, run_to_end


def test_a_full_disk_loses_no_rank_of_a_long_table(tmp_path: Path) -> None:
    for i in range(9):
        draw(tmp_path / "p" / f"{i}.bmp", (i, 0, 0), (4, 4))
    args = ["classify", str(tmp_path / "p"), "-q", "--long", "-o"]
    output, whole = tmp_path / "out.csv", tmp_path / "whole.csv"
    assert run_to_end(*args, str(whole)) == 0
    ends = [i + 1 for i, byte in enumerate(whole.read_bytes()) if byte == 10]
    for limit in (ends[12], ends[13] - 3):
        code = f"import resource as r\nr.setrlimit(r.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        subprocess.run(
            [sys.executable, "-c", code + FAKE.format(delay=0), *args, str(output), "--force"],
            capture_output=True, check=False, env=ENVIRONMENT,
        )  # fmt: skip
        assert run_to_end(*args, str(output), "--resume") == 0
        assert output.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_a_run_killed_many_times_equals_an_uninterrupted_one(tmp_path: Path, format: str) -> None:
    for i in range(240):
        draw(tmp_path / "p" / f"{i}.bmp", (i, 0, 0), (4, 4))
    (tmp_path / "p" / "100.bmp").write_bytes(b"BM")
    whole, output = tmp_path / f"whole.{format}", tmp_path / f"out.{format}"
    args = ["classify", str(tmp_path / "p"), "-q", "-o"]
    assert run_to_end(*args, str(whole)) == 4
    rng = random.Random(format)
    rows = 0
    for _ in range(4):
        rows += rng.randrange(1, 50)
        code, _ = run_and_signal([*args, str(output), "--resume"], output, rows, signal.SIGKILL)
        assert code == -signal.SIGKILL
        if rng.random() < 0.5:  # as after a power failure
            os.truncate(output, output.stat().st_size - rng.randrange(60))
    assert run_to_end(*args, str(output), "--resume") == 4
    assert output.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_finishes_current_images_and_prints_the_resume_command(
    tmp_path: Path, number: int, code: int
) -> None:
    for i in range(200):
        draw(tmp_path / "my photos" / f"{i}.bmp", (i, 0, 0), (4, 4))
    output = tmp_path / "out.csv"
    args = ["classify", str(tmp_path / "my photos"), "-o", str(output), "--force"]
    end, stderr = run_and_signal(args, output, 20, number)
    assert end == code and "Traceback" not in stderr
    rows = list(csv.reader(output.read_text().splitlines()))
    assert 20 < len(rows) < 200 and {len(row) for row in rows} == {len(rows[0])}
    assert events(output) == ["begin", "stopped"]
    command = next(x for x in stderr.splitlines() if x.startswith("Resume ")).split(None, 1)[1]
    assert command == f"mnv2 classify '{tmp_path}/my photos' -o {output} --resume"
    assert run_to_end(*args[:-1], "--resume") == 0
    assert run_to_end(*args[:2], "-o", str(tmp_path / "b.csv")) == 0
    assert output.read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_a_second_signal_ends_a_run_that_hangs(tmp_path: Path) -> None:
    draw(tmp_path / "p" / "1.bmp")
    hang = "import time, mnv2cli.images.reader as f\nd = f.decode_as\n"
    hang += "f.decode_as = lambda p, *o: time.sleep(60) if 'z' in p else d(p, *o)\n"
    code = hang + FAKE.format(delay=0)
    for i in range(9):
        draw(tmp_path / "p" / f"{i}.bmp", (i, 0, 0), (4, 4))
    draw(tmp_path / "p" / "z.bmp")
    output = tmp_path / "out.csv"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "classify", str(tmp_path / "p"), "-o", str(output),
         "--batch-size", "2"],
        stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (
        output.exists() and output.read_bytes().count(b"\n") >= 9
    ):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None  # it waits for the current images
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 130
    assert process.stderr and "Interrupted" in process.stderr.read()
    process.stderr.close()
    assert len(output.read_text().splitlines()) == 9


@pytest.mark.parametrize("place", [0, 50])
def test_an_image_that_crashes_a_run_is_isolated_on_resume(tmp_path: Path, place: int) -> None:
    for i in range(60):
        draw(tmp_path / "p" / f"{i}.bmp", (i, 0, 0), (4, 4))
    (tmp_path / "p" / f"{place}.bmp").write_bytes(b"boom")
    crash = "import os, signal, mnv2cli.images.reader as f\nd = f.decode_as\n"
    crash += "def decode(p, *o):\n    if open(p, 'rb').read(4) == b'boom':\n"
    crash += (
        "        os.kill(os.getpid(), signal.SIGSEGV)\n    return d(p, *o)\nf.decode_as = decode\n"
    )
    output = tmp_path / "out.csv"
    command = [sys.executable, "-c", crash + FAKE.format(delay=0.02), "classify",
               str(tmp_path / "p"), "-o", str(output), "--resume"]  # fmt: skip
    runs = [
        subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
        for _ in range(2)
    ]
    assert runs[0].returncode == -signal.SIGSEGV
    assert runs[1].returncode == 4 and "as with --isolate" in runs[1].stderr
    rows = list(csv.DictReader(output.read_text().splitlines()))
    assert [row["status"] for row in rows].count("error") == 1 and len(rows) == 60
    assert rows[place]["error"] == "not an image: a text file"


def test_a_full_disk_leaves_a_file_that_can_be_resumed(tmp_path: Path) -> None:
    for i in range(100):
        draw(tmp_path / "p" / f"{i}.bmp", (i, 0, 0), (4, 4))
    output, whole = tmp_path / "out.csv", tmp_path / "whole.csv"
    args = ["classify", str(tmp_path / "p"), "-q", "-o"]
    code = "import resource as r\nr.setrlimit(r.RLIMIT_FSIZE, (3000, 3000))\n"
    process = subprocess.run(
        [sys.executable, "-c", code + FAKE.format(delay=0), *args, str(output)],
        capture_output=True, text=True, check=False, env=ENVIRONMENT,
    )  # fmt: skip
    stderr = process.stderr
    assert process.returncode == 1
    assert stderr.startswith(f"Error: cannot write results to {str(output)!r}: file too large")
    assert stderr.rstrip().endswith("--resume")
    assert run_to_end(*args, str(whole)) == 0
    assert run_to_end(*args, str(output), "--resume") == 0
    assert output.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("change", ["removed", "moved"])
def test_no_row_is_lost_if_the_output_folder_is_removed_or_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    for i in range(400):
        draw(tmp_path / "p" / f"{i}.bmp", (i % 256, 0, 0), (4, 4))
    (tmp_path / "out").mkdir()
    output, whole = tmp_path / "out" / "a.csv", tmp_path / "whole.csv"
    args = ["classify", str(tmp_path / "p"), "-q", "-o"]
    code = (
        "import mnv2cli.results.output\nmnv2cli.results.output.SYNC_SECONDS = 0.1\n"
        + FAKE.format(delay=0.05)
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, *args, str(output)],
        stderr=subprocess.PIPE, text=True, env={**ENVIRONMENT, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (
        output.exists() and output.read_bytes().count(b"\n") > 20
    ):
        time.sleep(0.02)
    if change == "removed":
        shutil.rmtree(tmp_path / "out")
    else:
        (tmp_path / "out").rename(tmp_path / "other")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1 and "Traceback" not in stderr
    assert change == "moved" or "was removed during the run" in stderr
    saved = next(tmp_path.glob("mnv2-*/a.csv")) if change == "removed" else tmp_path / "other/a.csv"
    assert change == "moved" or str(saved) in stderr
    kept = len(saved.read_text().splitlines())
    assert 20 < kept < 400
    assert run_to_end(*args, str(whole)) == 0
    assert run_to_end(*args, str(saved), "--resume") == 0
    assert saved.read_bytes() == whole.read_bytes()
