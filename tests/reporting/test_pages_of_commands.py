"""The pages of an evaluation and of a plan open in a browser, without any message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.conftest import FakeEngine, draw
from tests.learning.learned_models import draw_photos, use_colours, write_model
from tests.reporting.conftest import OpenPage

Invoke = Callable[..., Result]


def test_the_page_of_an_evaluation_has_its_figures_and_mistakes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Invoke, open_page: OpenPage
) -> None:
    monkeypatch.chdir(tmp_path)
    use_colours(monkeypatch)
    write_model(tmp_path / "mine.keras")
    draw_photos(tmp_path / "photos", each=10, wrong=1)
    (tmp_path / "photos" / "red" / "broken.jpg").write_text("no photo")
    done = invoke("evaluate", "photos", "--model", "mine.keras", "--report", "eval.html")
    assert done.exit_code == 4, done.output
    page = open_page(tmp_path / "eval.html", "#show=wrong")
    assert "3 of 31 photos" in page.inner_text("#app")
    page.get_by_role("tab", name="Evaluation").click()
    panel = page.locator("div.panel")
    assert "95 % confidence" in panel.inner_text() and "Not included" in panel.inner_text()
    assert panel.locator("svg.matrix g").count() == 6
    bar = panel.locator(".bar").first
    width = "getComputedStyle(each).getPropertyValue('--share')"
    assert float(bar.evaluate(f"each => {width}")) == pytest.approx(0.9)


def test_the_page_of_a_plan_shows_photos_at_their_new_places(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fake_engine: FakeEngine,
    invoke: Invoke,
    open_page: OpenPage,
) -> None:
    monkeypatch.chdir(tmp_path)
    for number, red in enumerate([0, 1, 60]):  # tench, goldfish, night snake
        draw(tmp_path / "photos" / f"'{number} & #%.png", (red, 9, 0), (400, 300))
    done = invoke("sort", "photos", "--into", "sorted", "--move", "--report", "plan.html")
    assert done.exit_code == 0, done.output
    page = open_page(tmp_path / "plan.html")
    shown = page.inner_text("#app")
    assert "Plan for sorted" in shown and "fish" in shown
    page.wait_for_function(
        "[...document.images].some(each => each.complete && each.naturalWidth === 160)"
    )
    page = open_page(tmp_path / "plan.html", "#photo=1")  # large, from its new place
    page.wait_for_function(
        "[...document.images].some(each => each.complete && each.naturalWidth === 400)"
    )
