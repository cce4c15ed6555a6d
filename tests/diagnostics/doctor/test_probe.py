"""Engines are probed in separate processes."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mnv2cli.diagnostics.doctor import probe
from mnv2cli.diagnostics.doctor.probe import probe_engine


def test_a_probe_runs_an_image_on_each_engine(random_weights: None, tmp_path: Path) -> None:
    before = os.environ.get("MNV2_CACHE")
    with ThreadPoolExecutor() as threads:
        both = list(threads.map(probe_engine, ("litert", "keras")))
    for found in both:
        assert found.works, found
        assert 0 < found.seconds < 60 and found.network
    assert os.environ.get("MNV2_CACHE") == before


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import os; os.kill(os.getpid(), 4)", "crashed (SIGILL)"),
        ("raise SystemExit('no module named x')", "failed: no module named x"),
        ("print('hello')", "failed: no error message"),
        ("import time; time.sleep(60)", "timed out after 1 seconds"),
    ],
)
def test_a_library_that_crashes_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, message: str
) -> None:
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\nexec {sys.executable} -c {json.dumps(code)}\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    monkeypatch.setattr(probe, "PROBE_TIMEOUT", 1.0)
    found = probe_engine("litert")
    assert not found.works and found.text == message
