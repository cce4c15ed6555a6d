"""axe-core finds no violation in any part of the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.reporting.compare import compare
from mnv2cli.reporting.content import Entry, Panel
from mnv2cli.reporting.difference_panel import difference_panel
from tests.reporting.conftest import OpenPage
from tests.reporting.helpers import make_page, record, unreadable
from tests.reporting.results_files import write

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def violations(page: Any) -> list[str]:
    """Return what axe-core finds in a page, with the elements."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    response = axe.Axe().run(page).response
    return [
        f"{each['id']}: {node['html']}"
        for each in response["violations"]
        for node in each["nodes"][:3]
    ]


@pytest.fixture
def full_page(tmp_path: Path) -> Path:
    """Write a page that shows everything a page can."""
    entries = [
        Entry(
            record(i),
            truth="tabby" if i % 3 else "crane",
            target=f"sorted/{i % 4}",
            note="below the threshold" if i == 1 else "",
            before=record(i + i % 2),
        )
        for i in range(60)
    ]
    entries.append(Entry(unreadable("photos/0/broken.jpg")))
    entries.append(Entry(replace(record(61), category=None)))
    html = "<h2>Accuracy</h2><dl class='figures'><div><dt>Top 1</dt><dd>71 %</dd></div></dl>"
    return make_page(tmp_path / "report.html", entries, panels=(Panel("Evaluation", html),))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_a_desktop(full_page: Path, open_page: OpenPage, scheme: str) -> None:
    page = open_page(full_page, "#group=class", color_scheme=scheme)
    page.wait_for_selector(".cell")
    page.focus(".photo-grid")
    page.keyboard.press("ArrowRight")
    assert violations(page) == []
    page.fill("#search", "c")
    page.keyboard.press("ArrowDown")
    assert violations(page) == []
    page.fill("#search", "nothing has this name")
    page.wait_for_selector(".empty-state")
    assert violations(page) == []
    page.keyboard.press("Escape")
    for fragment in ("#photo=2", "#photo=61", "#tab=overview", "#tab=errors", "#tab=panel-1"):
        page.evaluate("fragment => location.hash = fragment", fragment)
        page.wait_for_function(
            "() => document.querySelector('dialog[open]') || "
            "document.querySelector('.tab-panel:not(#panel-photos):not([hidden])')"
        )
        assert violations(page) == [], fragment
    page.keyboard.press("?")
    page.wait_for_selector("dialog.help")
    assert violations(page) == []


@pytest.mark.parametrize("width", [1200, 360])
def test_axe_finds_nothing_in_the_differences_of_two_runs(
    tmp_path: Path, open_page: OpenPage, width: int
) -> None:
    after = [record(i) for i in range(30)]
    before = [replace(each, predictions=record(i + i % 3).predictions)
              for i, each in enumerate(after)]  # fmt: skip
    files = (write(tmp_path / "after.csv", after), write(tmp_path / "before.csv", before))
    panel = difference_panel(compare(*files))
    path = make_page(tmp_path / "report.html", after, panels=(panel,))
    page = open_page(path, "#tab=panel-1", viewport={"width": width, "height": 800})
    page.wait_for_selector("#panel-panel-1:not([hidden]) h2")
    assert violations(page) == []
    levels = page.eval_on_selector_all(
        "h1, #panel-panel-1 :is(h2, h3)", "all => all.map(each => +each.tagName[1])"
    )
    assert levels[0] == 1 and max(levels) == 2
    regions = page.eval_on_selector_all(
        "#panel-panel-1 table", "all => all.map(each => each.parentElement.outerHTML)"
    )
    assert all('role="region" tabindex="0" aria-label=' in each for each in regions)
    assert len(regions) >= 3 and "<th></th>" not in "".join(regions)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_a_phone(full_page: Path, open_page: OpenPage, scheme: str) -> None:
    page = open_page(full_page, "#class=tabby&score=0.1", color_scheme=scheme, **PHONE)
    page.wait_for_selector(".cell")
    assert violations(page) == []
    page.click(".filters-button")
    page.wait_for_selector("dialog.drawer[open]")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.click(".cell")
    page.wait_for_selector("dialog.viewer[open]")
    assert violations(page) == []


def test_nothing_moves_for_those_who_ask_for_that(full_page: Path, open_page: OpenPage) -> None:
    page = open_page(full_page, reduced_motion="reduce")
    page.wait_for_selector(".cell")
    moving = page.evaluate(
        "() => [...document.querySelectorAll('*')].filter(each => {"
        " const style = getComputedStyle(each);"
        " return style.transitionDuration !== '0s' || style.animationName !== 'none' })"
        ".map(each => each.outerHTML)"
    )
    assert moving == []


def test_every_part_is_reached_by_the_keyboard(full_page: Path, open_page: OpenPage) -> None:
    page = open_page(full_page)
    page.wait_for_selector(".cell")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
        outline = page.evaluate(
            "() => { const at = document.activeElement; const style = getComputedStyle("
            "at.type === 'checkbox' ? at.closest('label') : at);"
            " return style.outlineStyle !== 'none' || at.id === 'photo-grid'"
            " || at === document.body }"
        )
        assert outline, page.evaluate("document.activeElement.outerHTML")
    expected = {"tab-photos", "search", "slider-score", "slider-margin", "photo-grid"}
    assert expected | {"select-show", "select-sort", "select-group"} <= reached
