"""Ratios, limits and advice."""

from __future__ import annotations

import pytest

from mnv2cli.diagnostics.bench.results import BenchResults, Result, best_of
from tests.diagnostics.bench.figures import FIGURES


def test_ratios_limits_and_advice() -> None:
    measured = BenchResults(2, dict(FIGURES)).as_object()
    assert measured["limits"]["litert float32"]["images_per_second"] == pytest.approx(150.0)
    assert measured["limits"]["litert float32"]["reached"] == pytest.approx(0.98)
    ratios = measured["ratios"]["mnv2 litert float32"]
    assert ratios["tutorial"] == pytest.approx(14.7)
    assert ratios["batched_process"] == pytest.approx(4.0)
    assert measured["advice"][0].startswith("Fastest with exact scores: --engine litert")
    assert "2.00 times as fast: use it" in measured["advice"][1]
    slow = Result("mnv2 litert int8", 140.0)
    assert "not worth using here" in BenchResults(2, {**FIGURES, slow.name: slow}).advice()[1]
    assert BenchResults(2).advice() == [] and BenchResults(2).ratio("a", "b") is None


def test_the_best_of_the_rounds_counts() -> None:
    one = Result("x", 10.0, 3.0, 100.0, 5)
    assert best_of(Result("x", 9.0, 2.0, None, 5), one) == Result("x", 10.0, 2.0, 100.0, 5)
    assert best_of(one, None) is one


def test_the_advice_says_what_accurate_costs_and_never_counts_it_as_fastest() -> None:
    accurate = Result("mnv2 litert float32 --accurate", 58.8)
    fast = Result("mnv2 keras --accurate", 999.0)
    advice = BenchResults(2, {**FIGURES, accurate.name: accurate, fast.name: fast}).advice()
    assert advice[0] == "Fastest with exact scores: --engine litert"
    assert advice[-1] == "--accurate takes 2.5 times as long."
