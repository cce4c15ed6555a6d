"""The checks of engines and the GPU."""

from __future__ import annotations

import os

import pytest

from mnv2cli.diagnostics.doctor.engines import check_engines, check_gpu
from mnv2cli.diagnostics.doctor.probe import EngineProbe
from mnv2cli.system import hardware


def test_the_reason_for_a_missing_gpu_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    works = EngineProbe(True, seconds=0.01, network="a network")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert hardware.why_no_gpu() == "CUDA_VISIBLE_DEVICES hides all GPUs"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(os.path, "exists", lambda path: path == "/dev/nvidia0")
    monkeypatch.setattr(hardware, "_has_cudnn", lambda: False)
    assert hardware.why_no_gpu().startswith(hardware.NO_CUDNN)
    (check,) = check_gpu(works.gpus)
    assert check.state == "warn" and "tensorflow[and-cuda]" in check.advice
    monkeypatch.setattr(hardware, "_has_cudnn", lambda: True)
    (check,) = check_gpu(("NVIDIA T4",))
    assert (check.state, check.text) == ("ok", "NVIDIA T4")
    (check,) = check_gpu(works.gpus)
    assert check.state == "warn"


def test_advice_depends_on_the_engines_that_work() -> None:
    works = EngineProbe(True, seconds=0.01, network="a network")
    silent = EngineProbe(False, "failed: no word")
    crashed = EngineProbe(False, "crashed (SIGILL)", "Lacks AVX.")
    found = [
        (check.state, check.text, check.advice)
        for probes in ((silent, works), (crashed, works), (silent, crashed))
        for check in check_engines(dict(zip(("litert", "keras"), probes, strict=True)))
    ]
    other = "Runs use the other engine, which works."
    fine = ("ok", "one image in 10 ms with a network", "")
    assert found == [
        ("warn", "failed: no word", other), fine,
        ("warn", "crashed (SIGILL)", f"Lacks AVX. {other}"), fine,
        ("fail", "failed: no word", found[4][2]), ("fail", "crashed (SIGILL)", "Lacks AVX."),
    ]  # fmt: skip
    assert found[4][2].startswith("Reinstall the libraries: pip install")
