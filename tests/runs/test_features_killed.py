"""Runs of features in separate processes that are killed."""

from __future__ import annotations

import os
import random
import signal
from contextlib import closing
from pathlib import Path

import pytest

from mnv2cli.results.features_rows import rows_path
from mnv2cli.runs.features_run import FeaturesRun
from mnv2cli.runs.options import RunOptions
from tests.conftest import draw
from tests.runs.helpers import run_and_signal, run_to_end


@pytest.mark.parametrize("suffix", ["npz", "parquet"])
def test_features_killed_many_times_equal_an_uninterrupted_run(tmp_path: Path, suffix: str) -> None:
    for i in range(240):
        draw(tmp_path / "p" / f"{i}.bmp", (i, 0, 0), (4, 4))
    (tmp_path / "p" / "100.bmp").write_bytes(b"BM")
    whole, output = tmp_path / f"whole.{suffix}", tmp_path / f"out.{suffix}"
    growing = Path(rows_path(str(output)))
    args = ["embed", str(tmp_path / "p"), "-q", "--no-cache", "-o"]
    assert run_to_end(*args, str(whole)) == 4
    rng = random.Random(suffix)
    rows = 0
    for _ in range(3):
        rows += rng.randrange(1, 50)
        code, error = run_and_signal(
            [*args, str(output), "--resume"], growing, rows, signal.SIGKILL
        )
        assert code == -signal.SIGKILL, error
        if rng.random() < 0.7:  # as after a power failure
            os.truncate(growing, growing.stat().st_size - rng.randrange(6000))
    assert run_to_end(*args, str(output), "--resume") == 4
    assert output.read_bytes() == whole.read_bytes()
    assert not growing.exists()
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.endswith(".part")) == []


def test_second_run_on_the_same_file_is_refused(tmp_path: Path) -> None:
    draw(tmp_path / "p" / "a.bmp", (1, 0, 0), (4, 4))
    output = tmp_path / "out.npz"
    args = ["embed", str(tmp_path / "p"), "-q", "--no-cache", "-o", str(output)]
    with closing(FeaturesRun(str(output), {}, RunOptions())):
        assert run_to_end(*args, "--force") == 2
    assert run_to_end(*args) == 0
