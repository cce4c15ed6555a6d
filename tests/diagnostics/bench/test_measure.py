"""All cases, measured or only planned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mnv2cli.diagnostics.bench import measure
from mnv2cli.diagnostics.bench.cases import Case
from mnv2cli.diagnostics.bench.measure import measure_machine, plan_cases, usable_engines
from mnv2cli.diagnostics.bench.results import Result
from mnv2cli.diagnostics.bench.workload import Workload
from mnv2cli.errors import InputError
from mnv2cli.models.options import ModelOptions
from tests.conftest import draw


@pytest.mark.usefixtures("random_weights")
def test_cases_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = measure.plan_cases

    def quick(*args: Any) -> measure.CasePlan:
        cases = every(*args)
        assert list(cases) == [
            "tutorial", "batched", "decode", "infer litert float32", "mnv2 litert float32",
            "infer keras", "mnv2 keras", "first row",
        ]  # fmt: skip
        for slow in ("batched", "infer litert float32", "infer keras", "mnv2 keras"):
            del cases[slow]
        return cases

    monkeypatch.setattr(measure, "plan_cases", quick)
    for i in range(3):
        draw(tmp_path / f"{i}.png", (90 * i, 50, 0), (64, 64))
    calls: list[str] = []
    model = ModelOptions(alpha=0.35, size=96)
    measured = measure_machine([str(tmp_path)], model, images=8, rounds=1, notice=calls.append)
    assert len(measured.results) == 4
    assert [text for text in calls if "Preparing" not in text] == [
        f"Measuring {name} (round 1 of 1)" for name in measured.results
    ]
    for name, result in measured.results.items():
        assert result.seconds and result.megabytes, name
        assert (result.rate is None) == (name == "first row")
    first = measured.results["first row"].seconds
    assert first and first < measured.results["tutorial"].seconds  # type: ignore[operator]


def test_engines_alternate_and_int8_is_calibrated_on_the_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mnv2cli.engines.litert.is_available", lambda: True)
    plan = plan_cases("photos", ModelOptions("m"), usable_engines("photos", 300))
    assert list(plan) == [
        "tutorial", "batched", "decode", "infer litert float32", "mnv2 litert float32",
        "infer litert int8", "mnv2 litert int8", "infer keras", "mnv2 keras", "first row",
    ]  # fmt: skip
    for name, (_, workload) in plan.items():
        assert (workload.folder, workload.model) == ("photos", ModelOptions("m"))
        assert workload.engine.calibrate == ("photos" if "int8" in name else "")
    assert plan["first row"][1].engine.name == "litert"


def test_without_litert_keras_is_measured_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnv2cli.engines.litert.is_available", lambda: False)
    plan = plan_cases("photos", ModelOptions(), usable_engines("photos", 300))
    assert list(plan) == ["tutorial", "batched", "decode", "infer keras", "mnv2 keras", "first row"]
    assert plan["first row"][1].engine.name == "keras"


def test_without_images_measuring_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no JPEG or PNG images found"):
        measure_machine(
            [str(tmp_path)], ModelOptions(), images=5, rounds=1, notice=lambda text: None
        )


def test_accurate_is_compared_with_the_preferred_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[tuple[str, bool]] = []
    measured: list[str] = []

    def run(name: str, case: str, workload: Workload) -> Result:
        if case == "prepare":
            engine = workload.engine
            prepared.append((f"{engine.name} {engine.precision}", workload.model.accurate))
        return Result(name)

    def measure_one(name: str, case: Case, workload: Workload) -> Result:
        measured.append(name)
        return Result(name, 10.0)

    monkeypatch.setattr("mnv2cli.engines.litert.is_available", lambda: True)
    monkeypatch.setattr(measure, "run_case", run)
    monkeypatch.setattr(measure, "measure_case", measure_one)
    measure_machine([], ModelOptions(), images=9, rounds=1, notice=lambda _: None, accurate=True)
    assert prepared == [("litert float32", False), ("litert float32", True)]
    assert measured[-1] == "mnv2 litert float32 --accurate"
    assert measured.count("mnv2 litert float32") == 1
