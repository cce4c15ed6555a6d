from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result as CliResult

from mnv2cli.diagnostics import bench
from mnv2cli.diagnostics.bench import Measured, Result, _better, draw_photos
from mnv2cli.errors import InputError, Mnv2Error
from mnv2cli.images.decode import decode
from mnv2cli.images.options import ImageOptions
from tests.conftest import draw

Invoke = Callable[..., CliResult]

FIGURES = {
    "tutorial": Result("tutorial", 10.0, 20.0, 700.0, 100),
    "batched": Result("batched", 50.0, 12.0, 1200.0, 300),
    "decode": Result("decode", 600.0, 1.0, 50.0, 300),
    "infer litert float32": Result("infer litert float32", 200.0, 2.0, 140.0, 300),
    "mnv2 litert float32": Result("mnv2 litert float32", 147.0, 3.0, 130.0, 300),
    "mnv2 litert int8": Result("mnv2 litert int8", 294.0, 2.0, 100.0, 300),
}


def test_ratios_limits_and_advice() -> None:
    measured = Measured(2, dict(FIGURES))
    told = measured.as_object()
    assert told["limits"]["litert float32"]["images_per_second"] == pytest.approx(150.0)
    assert told["limits"]["litert float32"]["reached"] == pytest.approx(0.98)
    ratios = told["ratios"]["mnv2 litert float32"]
    assert ratios["tutorial"] == pytest.approx(14.7)
    assert ratios["batched_process"] == pytest.approx(4.0)
    assert told["advice"][0].startswith("--engine litert is the fastest")
    assert "2.00 times as fast: worth it" in told["advice"][1]
    slow = Result("mnv2 litert int8", 140.0)
    assert "not worth it here" in Measured(2, {**FIGURES, slow.name: slow}).advice()[1]
    assert Measured(2).advice() == [] and Measured(2).ratio("a", "b") is None


def test_the_best_of_the_rounds_counts() -> None:
    one = Result("x", 10.0, 3.0, 100.0, 5)
    assert _better(Result("x", 9.0, 2.0, None, 5), one) == Result("x", 10.0, 2.0, 100.0, 5)
    assert _better(one, None) is one


def test_drawn_images_are_like_photos(tmp_path: Path) -> None:
    paths = draw_photos(str(tmp_path), 3)
    sizes = [Path(path).stat().st_size for path in paths]
    assert all(50_000 < size < 200_000 for size in sizes)
    assert decode(paths[0], 224, ImageOptions()).shape == (224, 224, 3)


@pytest.mark.usefixtures("random_weights")
def test_cases_are_measured_for_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = bench._cases

    def quick(*args: Any) -> dict[str, Any]:
        cases = every(*args)
        assert list(cases) == [
            "tutorial", "batched", "decode", "infer litert float32", "mnv2 litert float32",
            "infer keras", "mnv2 keras", "first row",
        ]  # fmt: skip
        for slow in ("batched", "infer litert float32", "infer keras", "mnv2 keras"):
            del cases[slow]
        return cases

    monkeypatch.setattr(bench, "_cases", quick)
    for i in range(3):
        draw(tmp_path / f"{i}.png", (90 * i, 50, 0), (64, 64))
    told: list[str] = []
    network = {"alpha": 0.35, "size": 96}
    measured = bench.measure([str(tmp_path)], network, images=8, rounds=1, tell=told.append)
    assert len(measured.results) == 4
    assert [text for text in told if "preparing" not in text] == [
        f"{name} (round 1 of 1)" for name in measured.results
    ]
    for name, result in measured.results.items():
        assert result.seconds and result.megabytes, name
        assert (result.rate is None) == (name == "first row")
    first = measured.results["first row"].seconds
    assert first and first < measured.results["tutorial"].seconds  # type: ignore[operator]


def test_without_images_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no images found"):
        bench.measure([str(tmp_path)], {}, images=5, rounds=1, tell=lambda text: None)


def test_a_case_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    weights = tmp_path / "w.h5"
    weights.write_bytes(b"not weights")
    arguments: dict[str, Any] = {
        "folder": str(tmp_path), "network": {"weights": str(weights)}, "count": 1,
    }  # fmt: skip
    with pytest.raises(Mnv2Error, match=r"measuring tutorial failed: .* is not in HDF5 format"):
        bench._python("tutorial", "tutorial", arguments)


def test_bench_prints_a_table_or_json(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def measure(paths: Any, network: Any, **options: Any) -> Measured:
        options["tell"]("decode")
        assert network == {"model": "mobilenet_v2", "alpha": 0.5} and options["images"] == 9
        return Measured(2, dict(FIGURES))

    monkeypatch.setattr(bench, "measure", measure)
    monkeypatch.setattr("mnv2cli.inference.classifier.available", lambda model, **kwargs: model)
    result = invoke("bench", tmp_path, "--images", "9", "--alpha", "0.5")
    assert result.exit_code == 0
    assert "mnv2 litert float32" in result.stdout and "14.7" in result.stdout
    assert "reaches 98% of 150.0 images/s" in result.stdout
    assert all(name in result.stdout for name in ("images/s", "x loop", "peak MB"))
    assert max(map(len, result.stdout.splitlines()[:9])) <= 80
    told = json.loads(invoke("bench", tmp_path, "--images", "9", "--alpha", "0.5", "--json").stdout)
    assert told["results"]["tutorial"]["rate"] == 10.0
    assert invoke("bench", "nowhere").exit_code == 2
    assert invoke("bench", "--alpha", "0.6").exit_code == 2
