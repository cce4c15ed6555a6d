"""``mnv2 doctor`` reports what works, and what to do about the rest."""

from __future__ import annotations

import json
import platform
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mnv2cli.diagnostics.doctor import examine, machine
from mnv2cli.diagnostics.doctor.check import Check
from mnv2cli.diagnostics.doctor.probe import EngineProbe
from mnv2cli.models import MODELS, efficientnet_lite0
from tests.checkpoints import checkpoint, random_lite0
from tests.conftest import WEIGHTS
from tests.hosts import answer, host

Invoke = Callable[..., Result]
WORKS = EngineProbe(True, seconds=0.01, network="a network")


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> dict[str, EngineProbe]:
    """Replace the probes by results that the test sets."""
    probes: dict[str, EngineProbe] = {"litert": WORKS, "keras": WORKS}
    monkeypatch.setattr(examine, "probe_engine", lambda name: probes[name])
    monkeypatch.setenv("MNV2_WEIGHTS_URL", "http://127.0.0.1:9/")
    return probes


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


def test_a_machine_that_is_ready_passes(
    bare: Path,
    home: Path,
    engines: dict[str, EngineProbe],
    invoke: Invoke,
    monkeypatch: pytest.MonkeyPatch,
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
    installed = found["Images raw photos"].text
    assert installed.startswith("rawpy ") or installed.endswith("pip install 'mnv2cli[raw]'")
    assert "KERAS_HOME=" in found["Terminal settings"].text
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_without_weights_and_host_it_fails_with_advice(
    bare: Path, engines: dict[str, EngineProbe], invoke: Invoke
) -> None:
    found = checks(invoke, 1)
    assert found["Weights mobilenet_v2"].state == "fail"
    assert "pip install 'mnv2cli[offline]'" in found["Weights mobilenet_v2"].advice
    assert "mnv2 models import mobilenet_v2" in found["Weights mobilenet_v2"].advice
    assert "connection refused" in found["Weights host"].text
    shown = invoke("doctor")
    assert shown.exit_code == 1 and "FAILED" in shown.stdout and "1 check failed" in shown.stdout


def test_lite0_makes_missing_weights_a_warning(
    bare: Path, engines: dict[str, EngineProbe], invoke: Invoke
) -> None:
    bare.mkdir(parents=True)
    (bare / efficientnet_lite0.FILE_NAME).write_bytes(checkpoint(random_lite0()))
    found = checks(invoke, 0)
    assert found["Weights mobilenet_v2"].state == "warn"
    assert "efficientnet_lite0 is used" in found["Weights mobilenet_v2"].advice


def test_weights_that_would_be_downloaded_are_a_warning(
    bare: Path, engines: dict[str, EngineProbe], invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    with host(answer(b"")) as url:
        monkeypatch.setenv("MNV2_WEIGHTS_URL", url.rpartition("/")[0])
        assert "not downloaded yet" in checks(invoke, 0)["Weights mobilenet_v2"].text


def test_damaged_weights_fail(bare: Path, engines: dict[str, EngineProbe], invoke: Invoke) -> None:
    bare.mkdir(parents=True)
    (bare / WEIGHTS.replace("0.35_96", "1.0_224")).write_text("weights")
    check = checks(invoke, 1)["Weights mobilenet_v2"]
    assert "not in HDF5" in check.text and "--refresh" in check.advice


def test_settings_are_shown_without_passwords(
    bare: Path, engines: dict[str, EngineProbe], invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in ("http://me:s3cret@127.0.0.1:9/", "http://me:s3cret/x@127.0.0.1:9/", "me:s3cret@h"):
        monkeypatch.setenv("MNV2_WEIGHTS_URL", url)
        for args in (["--json"], []):
            result = invoke("doctor", *args)
            assert "***@" in result.stdout and "s3cret" not in result.output


def test_each_family_is_checked(
    bare: Path, engines: dict[str, EngineProbe], invoke: Invoke
) -> None:
    found = checks(invoke, 1)
    names = [name.removeprefix("Weights ") for name in found if name.startswith("Weights ")]
    assert names == [*MODELS, "host"]


def test_the_quick_checks_are_printed_before_the_engines_are_done(
    bare: Path, engines: dict[str, EngineProbe], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()

    def wait(name: str) -> EngineProbe:
        assert done.wait(60)
        return WORKS

    monkeypatch.setattr(examine, "probe_engine", wait)
    found = examine.examine()
    groups = []
    for check in found:
        groups.append(check.group)
        if check.name == "host":
            done.set()
    assert list(dict.fromkeys(groups)) == [
        "Versions", "Machine", "Folders", "Images", "Weights", "Engines"
    ]  # fmt: skip


@pytest.mark.parametrize(("broken", "code"), [(["litert"], 0), (["litert", "keras"], 1)])
def test_one_engine_is_enough(
    random_weights: None, engines: dict[str, EngineProbe], invoke: Invoke, broken: list[str],
    code: int, monkeypatch: pytest.MonkeyPatch, bare: Path,
) -> None:  # fmt: skip
    bare.mkdir(parents=True)
    (bare / efficientnet_lite0.FILE_NAME).write_bytes(checkpoint(random_lite0()))
    for name in broken:
        engines[name] = EngineProbe(False, "crashed (SIGILL)", "Lacks AVX.")
    found = checks(invoke, code)
    assert found["Engines litert"].text == "crashed (SIGILL)"
    assert found["Engines litert"].state == ("warn" if code == 0 else "fail")


def test_a_processor_without_avx_fails(
    bare: Path, engines: dict[str, EngineProbe], invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "processor", lambda: ("Old", {"sse2"}))
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(machine, "memory", lambda: 10**9)
    found = checks(invoke, 1)
    assert found["Machine processor"].state == "fail" and "AVX" in found["Machine processor"].advice
    assert found["Machine memory"].state == "warn"


def test_a_folder_that_cannot_be_written_is_a_warning(
    bare: Path, tmp_path: Path, engines: dict[str, EngineProbe], invoke: Invoke,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "file"))
    found = checks(invoke, 1)
    assert found["Folders compiled"].state == "warn"
    assert "MNV2_CACHE" in found["Folders compiled"].advice
