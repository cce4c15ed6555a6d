"""``mnv2 bench`` prints its results."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from mnv2cli.diagnostics.bench.results import BenchResults
from mnv2cli.models.options import ModelOptions
from tests.diagnostics.bench.figures import FIGURES

Invoke = Callable[..., Result]


def test_bench_prints_a_table_or_json(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def measure(paths: Any, model: ModelOptions, **options: Any) -> BenchResults:
        options["notice"]("decode")
        assert model == ModelOptions("mobilenet_v2", alpha=0.5) and options["images"] == 9
        return BenchResults(2, dict(FIGURES))

    monkeypatch.setattr("mnv2cli.diagnostics.bench.measure.measure_machine", measure)
    monkeypatch.setattr("mnv2cli.inference.classifier.available", lambda model, **kwargs: model)
    result = invoke("bench", tmp_path, "--images", "9", "--alpha", "0.5")
    assert result.exit_code == 0
    assert "mnv2 litert float32" in result.stdout and "14.7" in result.stdout
    assert "reaches 98% of its limit, 150.0 images/s" in result.stdout
    assert all(name in result.stdout for name in ("images/s", "x loop", "peak MB"))
    assert max(map(len, result.stdout.splitlines()[:9])) <= 80
    measured = json.loads(
        invoke("bench", tmp_path, "--images", "9", "--alpha", "0.5", "--json").stdout
    )
    assert measured["results"]["tutorial"]["rate"] == 10.0
    assert invoke("bench", "nowhere").exit_code == 2
    assert invoke("bench", "--alpha", "0.6").exit_code == 2


def test_cases_are_shown_by_their_titles(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        "mnv2cli.diagnostics.bench.measure.measure_machine",
        lambda *args, **options: BenchResults(2, dict(FIGURES)),
    )
    monkeypatch.setattr("mnv2cli.inference.classifier.available", lambda model, **kwargs: model)
    lines = invoke("bench", tmp_path).stdout.splitlines()
    for title in (
        "tutorial's loop, one by one", "tf.data and model.predict", "decoding alone",
        "litert float32, inference", "mnv2 litert float32", "mnv2 litert int8",
    ):  # fmt: skip
        assert any(line.strip().startswith(f"{title} ") for line in lines), title


def test_accurate_is_refused_at_once_for_a_network_without_it(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def measure(*args: Any, **options: Any) -> BenchResults:
        asked.append(options["accurate"])
        return BenchResults(2, dict(FIGURES))

    monkeypatch.setattr("mnv2cli.diagnostics.bench.measure.measure_machine", measure)
    monkeypatch.setattr("mnv2cli.inference.classifier.available", lambda model, **kwargs: model)
    for args in (("--size", "96"), ("--model", "efficientnet_lite0")):
        result = invoke("bench", "--accurate", *args)
        assert result.exit_code == 2 and "--accurate cannot be combined with" in result.stderr
    assert not asked and invoke("bench", "--accurate").exit_code == 0 and asked == [True]
