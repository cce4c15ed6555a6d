"""Cases and commands in separate processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnv2cli.diagnostics.bench import processes
from mnv2cli.diagnostics.bench.processes import run_case, run_command
from mnv2cli.diagnostics.bench.workload import Workload
from mnv2cli.engines.options import EngineOptions
from mnv2cli.errors import Mnv2Error
from mnv2cli.models.options import ModelOptions


def test_a_case_that_fails_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    weights = tmp_path / "w.h5"
    weights.write_bytes(b"not weights")
    model = ModelOptions(weights=str(weights))
    with pytest.raises(Mnv2Error, match=r"cannot measure tutorial: .* is not in HDF5 format"):
        run_case("tutorial", "tutorial", Workload(str(tmp_path), model, EngineOptions()))


def test_the_command_gets_the_options_of_the_workload(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[list[str]] = []

    def run(name: str, line: list[str]) -> tuple[str, float, float | None]:
        lines.append(line)
        return "", 2.0, 100.0

    monkeypatch.setattr(processes, "_run", run)
    int8 = EngineOptions("litert", "int8", calibrate="photos")
    workload = Workload("photos", ModelOptions("mobilenet_v2", 0.5, 96, "w.h5"), int8)
    result = run_command("mnv2 litert int8", "photos", workload)
    assert (result.rate, result.seconds, result.megabytes) == (None, 2.0, 100.0)
    run_command("first row", "photos/0.jpg", Workload("photos", ModelOptions(), EngineOptions()))
    accurate = Workload("photos", ModelOptions(accurate=True), EngineOptions())
    run_command("mnv2 auto --accurate", "photos", accurate)
    assert lines.pop()[-1] == "--accurate"
    given = [set(line[line.index("classify") + 1 :]) for line in lines]
    assert given[0] >= {
        "photos", "--engine=litert", "--precision=int8", "--calibrate=photos",
        "--model=mobilenet_v2", "--alpha=0.5", "--size=96", "--weights=w.h5",
    }  # fmt: skip
    options = {option for option in given[1] if option.startswith("--")}
    assert options == {"--engine=auto", "--precision=float32"}


def test_a_workload_is_read_back_from_json_unchanged() -> None:
    model = ModelOptions("mobilenet_v2", 0.5, 96, "weights \udcff.h5")
    workload = Workload("folder ü", model, EngineOptions("litert", "int8", calibrate="folder ü"))
    text = workload.to_json()
    assert text.isascii() and Workload.from_json(text) == workload
