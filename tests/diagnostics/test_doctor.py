"""``mnv2 doctor`` tells what works, and what to do about the rest."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from mnv2cli.diagnostics import doctor
from mnv2cli.diagnostics.doctor import Check, run_engine
from mnv2cli.models import efficientnet_lite0
from mnv2cli.system import hardware as machine
from tests.checkpoints import checkpoint, random_lite0
from tests.conftest import WEIGHTS
from tests.hosts import answer, host

Invoke = Callable[..., Result]
WORKS = {"works": True, "seconds": 0.01, "network": "a network", "gpus": []}


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """Have engines answer at once, as the test says."""
    told: dict[str, dict[str, Any]] = {"litert": dict(WORKS), "keras": dict(WORKS)}
    monkeypatch.setattr(doctor, "run_engine", lambda name: told[name])
    monkeypatch.setenv("MNV2_WEIGHTS_URL", "http://127.0.0.1:9/")
    return told


def checks(invoke: Invoke, code: int) -> dict[str, Check]:
    result = invoke("doctor", "--json")
    assert result.exit_code == code, result.output
    found = [Check(**item) for item in json.loads(result.stdout)]
    assert all(check.advice for check in found if check.state != "ok")
    return {f"{check.group} {check.name}": check for check in found}


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(efficientnet_lite0, "PACKAGE", "mnv2_no_such_package")
    return tmp_path / "keras" / "models"


def test_engines_really_run_an_image(random_weights: None, tmp_path: Path) -> None:
    before = os.environ.get("MNV2_CACHE")
    with ThreadPoolExecutor() as threads:
        both = list(threads.map(run_engine, ("litert", "keras")))
    for told in both:
        assert told["works"], told
        assert 0 < told["seconds"] < 60 and told["network"]
    assert os.environ.get("MNV2_CACHE") == before


def test_all_is_well(
    bare: Path, home: Path, engines: dict[str, Any], invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare.mkdir(parents=True)
    (bare / WEIGHTS.replace("0.35_96", "1.0_224")).symlink_to(home / "models" / WEIGHTS)
    with host(answer(b"", 404)) as url:
        monkeypatch.setenv("MNV2_WEIGHTS_URL", url.rpartition("/")[0])
        found = checks(invoke, 0)
        shown = invoke("doctor")
    assert {name for name, check in found.items() if check.state != "ok"} <= {"Engines GPU"}
    assert "Ready" in shown.stdout and shown.exit_code == 0
    assert "JPEG, PNG, GIF, BMP, TIFF, WebP, AVIF, HEIC" in found["Images formats"].text
    assert "KERAS_HOME=" in found["Terminal settings"].text
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_without_weights_and_host_it_fails_and_says_what_to_do(
    bare: Path, engines: dict[str, Any], invoke: Invoke
) -> None:
    found = checks(invoke, 1)
    assert found["Weights mobilenet_v2"].state == "fail"
    assert "pip install 'mnv2cli[offline]'" in found["Weights mobilenet_v2"].advice
    assert "connection refused" in found["Weights host"].text
    shown = invoke("doctor")
    assert shown.exit_code == 1 and "FAILED" in shown.stdout and "1 failed" in shown.stdout


def test_lite0_makes_missing_weights_a_warning(
    bare: Path, engines: dict[str, Any], invoke: Invoke
) -> None:
    bare.mkdir(parents=True)
    (bare / efficientnet_lite0.FILE_NAME).write_bytes(checkpoint(random_lite0()))
    found = checks(invoke, 0)
    assert found["Weights mobilenet_v2"].state == "warn"
    assert "EfficientNet-Lite0 is used" in found["Weights mobilenet_v2"].advice


def test_weights_that_would_be_downloaded_are_a_warning(
    bare: Path, engines: dict[str, Any], invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    with host(answer(b"")) as url:
        monkeypatch.setenv("MNV2_WEIGHTS_URL", url.rpartition("/")[0])
        assert "not downloaded yet" in checks(invoke, 0)["Weights mobilenet_v2"].text


def test_damaged_weights_fail(bare: Path, engines: dict[str, Any], invoke: Invoke) -> None:
    bare.mkdir(parents=True)
    (bare / WEIGHTS.replace("0.35_96", "1.0_224")).write_text("weights")
    check = checks(invoke, 1)["Weights mobilenet_v2"]
    assert "not in HDF5" in check.text and "--refresh" in check.advice


@pytest.mark.parametrize(("broken", "code"), [(["litert"], 0), (["litert", "keras"], 1)])
def test_one_engine_is_enough(
    random_weights: None, engines: dict[str, Any], invoke: Invoke, broken: list[str], code: int,
    monkeypatch: pytest.MonkeyPatch, bare: Path,
) -> None:  # fmt: skip
    bare.mkdir(parents=True)
    (bare / efficientnet_lite0.FILE_NAME).write_bytes(checkpoint(random_lite0()))
    for name in broken:
        engines[name] = {"works": False, "text": "crashed (SIGILL)", "advice": "Lacks AVX."}
    found = checks(invoke, code)
    assert found["Engines litert"].text == "crashed (SIGILL)"
    assert found["Engines litert"].state == ("warn" if code == 0 else "fail")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import os; os.kill(os.getpid(), 4)", "crashed (SIGILL)"),
        ("raise SystemExit('no module named x')", "failed: no module named x"),
        ("print('hello')", "failed: it said nothing"),
        ("import time; time.sleep(60)", "did not answer in 1 seconds"),
    ],
)
def test_a_library_that_crashes_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, message: str
) -> None:
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\nexec {sys.executable} -c {json.dumps(code)}\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    monkeypatch.setattr(doctor, "ENGINE_TIMEOUT", 1.0)
    told = run_engine("litert")
    assert not told["works"] and told["text"] == message


def test_a_processor_without_avx_fails(
    bare: Path, engines: dict[str, Any], invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "processor", lambda: ("Old", {"sse2"}))
    monkeypatch.setattr(doctor.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(doctor, "memory", lambda: 10**9)
    found = checks(invoke, 1)
    assert found["Machine processor"].state == "fail" and "AVX" in found["Machine processor"].advice
    assert found["Machine memory"].state == "warn"


def test_a_folder_that_cannot_be_written_is_told(
    bare: Path, tmp_path: Path, engines: dict[str, Any], invoke: Invoke,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "file"))
    found = checks(invoke, 1)
    assert found["Folders compiled"].state == "warn"
    assert "MNV2_CACHE" in found["Folders compiled"].advice


def test_why_there_is_no_gpu_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert machine.why_no_gpu() == "CUDA_VISIBLE_DEVICES hides them all"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(os.path, "exists", lambda path: path == "/dev/nvidia0")
    monkeypatch.setattr(machine, "_has_cudnn", lambda: False)
    assert machine.why_no_gpu().startswith(machine.NO_CUDNN)
    (check,) = doctor._gpu(dict(WORKS))
    assert check.state == "warn" and "tensorflow[and-cuda]" in check.advice
    monkeypatch.setattr(machine, "_has_cudnn", lambda: True)
    (check,) = doctor._gpu({**WORKS, "gpus": ["NVIDIA T4"]})
    assert (check.state, check.text) == ("ok", "NVIDIA T4")
    (check,) = doctor._gpu(dict(WORKS))
    assert check.state == "warn"
