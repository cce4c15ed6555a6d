"""The grid of the page: filters, search, order, groups, the overview, errors and print."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.records import Prediction, Record
from mnv2cli.reporting.columns import page_data
from mnv2cli.reporting.content import Content, Entry, Panel
from mnv2cli.reporting.write import page as write_page
from tests.reporting.conftest import OpenPage
from tests.reporting.helpers import make_page, picture, record, unreadable

TOTAL = 302


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Write a page of 302 photos, of which 2 cannot be read."""
    records = [record(i) for i in range(TOTAL - 2)]
    bad = [unreadable("photos/0/cut.jpg"), unreadable("photos/1/empty.jpg", "empty file")]
    return make_page(tmp_path / "report.html", records + bad)


def count(page: Any) -> int:
    """Return how many photos the page says that it shows."""
    return int(page.inner_text(".count").split()[0].replace(",", ""))


def names(page: Any) -> list[str]:
    """Return the names in the drawn cells, in the order of the photos."""
    cells = page.eval_on_selector_all(
        ".cell",
        "cells => cells.map(c => [Number(c.getAttribute('aria-posinset')),"
        " c.querySelector('.cell-name').textContent])",
    )
    return [name for _, name in sorted(cells)]


def slide(page: Any, key: str, value: int) -> None:
    page.eval_on_selector(
        f"#slider-{key}",
        "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')) }",
        value,
    )


def best_scores(page: Any) -> list[int]:
    texts = page.eval_on_selector_all(
        ".cell",
        "cells => cells.sort((a, b) => a.getAttribute('aria-posinset') - "
        "b.getAttribute('aria-posinset')).map(c => c.querySelector('.bar-score').textContent)",
    )
    return [int(text.split()[0]) for text in texts if text]


def test_only_photos_near_the_window_are_elements(report: Path, open_page: OpenPage) -> None:
    page = open_page(report)
    page.wait_for_selector(".cell img[src]")
    assert count(page) == TOTAL
    assert 8 <= page.locator(".cell").count() < 60
    assert page.locator(".cell").first.get_attribute("aria-setsize") == str(TOTAL)
    page.eval_on_selector(".photo-grid", "grid => grid.scrollTop = grid.scrollHeight")
    page.wait_for_selector(f"#photo-{TOTAL - 1}")
    assert page.locator("#photo-0").count() == 0
    assert "cut.jpg" in names(page)
    assert page.inner_text(f"#photo-{TOTAL - 1} .reason") == "empty file"
    assert page.locator(".cell").count() < 60
    page.wait_for_function(
        "() => [...document.querySelectorAll('.cell:not(.failed) img')].every(i => i.naturalWidth)"
    )


def test_search_finds_labels_categories_and_paths(report: Path, open_page: OpenPage) -> None:
    page = open_page(report)
    search = page.locator("#search")
    for text, found in (
        ("TABBY", 60),
        ("sports car", 60),
        ("photo 0000", 10),
        ("photos/2/", 100),
        ("drink photos/1", 20),
        ("no such thing", 0),
    ):
        search.fill(text)
        assert count(page) == found, text
    assert page.inner_text(".empty-title") == "No photo passes these filters."
    page.click(".empty-state button")
    assert count(page) == TOTAL
    assert search.input_value() == ""


def test_hints_complete_what_is_typed(report: Path, open_page: OpenPage) -> None:
    page = open_page(report)
    page.wait_for_selector(".cell")
    page.keyboard.press("/")
    page.keyboard.type("c")
    hints = page.locator("#search-hints li")
    assert [text.split("\n")[-2] for text in hints.all_inner_texts()] == [
        "crane", "cat", "car", "sports car",
    ]  # fmt: skip
    page.keyboard.press("ArrowDown")
    active = page.get_attribute("#search", "aria-activedescendant")
    assert page.inner_text(f"#{active} .hint-name") == "crane"
    page.keyboard.press("Enter")
    assert page.inner_text(".chip") == "Class: crane\n✕"
    assert count(page) == 60
    assert page.get_attribute("#search", "aria-expanded") == "false"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "photo-grid"


def test_sliders_keep_scores_and_margins(report: Path, open_page: OpenPage) -> None:
    page = open_page(report)
    slide(page, "score", 80)
    assert page.inner_text(".slider >> nth=0 >> output") == "at least 80 %"
    assert 0 < count(page) < TOTAL
    assert min(best_scores(page)) >= 80
    slide(page, "margin", 70)
    assert "Margin at most 70 %" in page.inner_text(".chips")
    assert set(best_scores(page)) <= set(range(80, 88))
    page.click("text=Clear filters >> visible=true")
    assert count(page) == TOTAL


def test_facets_filter_and_count_what_the_others_keep(report: Path, open_page: OpenPage) -> None:
    page = open_page(report)
    classes = page.locator("[data-facet=class]")
    folders = page.locator("[data-facet=folder]")
    classes.get_by_label("tabby").check()
    classes.get_by_label("espresso").check()
    assert count(page) == 120
    assert folders.locator("li").first.inner_text().split("\n")[-1] == "40"
    folders.get_by_label("1/").check()
    assert count(page) == 40
    assert "golden retriever" in classes.inner_text()
    page.locator(".chip", has_text="tabby").click()
    assert count(page) == 20
    assert not classes.get_by_label("tabby").is_checked()


def test_photos_are_sorted_and_grouped(report: Path, open_page: OpenPage) -> None:
    page = open_page(report)
    assert names(page)[:2] == ["photo 00000.jpg", "photo 00001.jpg"]
    page.select_option("#select-sort", "score")
    scores = best_scores(page)
    assert scores == sorted(scores, reverse=True)
    page.select_option("#select-sort", "low")
    scores = best_scores(page)
    assert scores == sorted(scores)
    page.select_option("#select-sort", "margin")
    assert best_scores(page)[0] < 50
    page.select_option("#select-group", "category")
    heads = page.locator(".group-head").all_inner_texts()
    assert heads[0] == "car\n60 photos"
    page.eval_on_selector(".photo-grid", "grid => grid.scrollTop = grid.scrollHeight")
    page.wait_for_selector(".group-title:text('(none)')")


def test_the_keyboard_moves_through_groups(report: Path, open_page: OpenPage) -> None:
    page = open_page(report, "#group=class")
    page.wait_for_selector(".cell")
    page.focus(".photo-grid")
    first = page.get_attribute(".photo-grid", "aria-activedescendant")
    page.keyboard.press("ArrowRight")
    assert page.get_attribute(".photo-grid", "aria-activedescendant") != first
    seen = []
    for _ in range(200):
        page.keyboard.press("ArrowDown")
        now = page.get_attribute(".photo-grid", "aria-activedescendant")
        if seen and seen[-1] == now:
            break
        seen.append(now)
    else:
        pytest.fail("the last line is not reached")
    assert page.locator(f"#{seen[-1]}").is_visible()
    page.keyboard.press("End")
    last = page.locator(".cell.active")
    assert last.get_attribute("aria-posinset") == str(TOTAL)
    page.keyboard.press("Home")
    assert page.locator(".cell.active").get_attribute("aria-posinset") == "1"


def test_truth_and_another_run_can_be_filtered_by(tmp_path: Path, open_page: OpenPage) -> None:
    entries = [
        Entry(record(i), truth="tabby", before=record(i + (i % 10 == 1)), target=f"out/{i % 2}")
        for i in range(40)
    ]
    page = open_page(make_page(tmp_path / "report.html", entries))
    page.select_option("#select-show", "right")
    assert count(page) == 8
    assert "✓ right" in page.inner_text(".cell")
    page.select_option("#select-show", "wrong")
    assert count(page) == 32
    page.select_option("#select-sort", "mistakes")
    scores = best_scores(page)
    assert scores == sorted(scores, reverse=True)
    page.select_option("#select-show", "changed")
    assert count(page) == 4
    assert "sports car → golden retriever" in page.inner_text("#photo-1")
    page.locator("[data-facet=target]").get_by_label("out/1").check()
    assert count(page) == 4


def test_the_overview_leads_to_photos(report: Path, open_page: OpenPage) -> None:
    page = open_page(report)
    page.focus("#tab-photos")
    page.keyboard.press("ArrowRight")
    tiles = page.inner_text(".tiles")
    assert "302" in tiles and "Mean best score" in tiles
    bar = page.locator("[aria-label='Best score: number of photos'] .histogram-bar").last
    expected = int(re.findall(r"(\d+) photo", bar.get_attribute("aria-label"))[0])
    bar.press("Enter")
    assert count(page) == expected
    page.click("#tab-overview")
    page.click(".count-list button:has-text('tabby')")
    assert 0 < count(page) < expected
    assert "Class: tabby" in page.inner_text(".chips")


def test_errors_are_listed_by_reason(report: Path, open_page: OpenPage) -> None:
    page = open_page(report, "#tab=errors")
    assert "2 photos of 302 have no labels." in page.inner_text("#panel-errors")
    assert page.locator(".error-group").all_inner_texts() == [
        "truncated1\nphotos/0/cut.jpg\ntruncated: 12 of 40 rows",
        "empty file1\nphotos/1/empty.jpg\nempty file",
    ]
    page.click("text=photos/1/empty.jpg")
    assert "empty file" in page.inner_text(".viewer-facts")
    assert page.inner_text(".viewer-remark") == "This photo has no labels: empty file."


def test_names_and_labels_are_only_text(tmp_path: Path, open_page: OpenPage) -> None:
    evil = "</script><img src=x onerror=document.title='evil'>"
    hostile = Record(
        f'photos/"><script>document.title="evil"</script>\u2028\udcff/{evil.replace("/", "")}.jpg',
        (Prediction("n1", evil, 0.6), Prediction("n2", "javascript:alert(1)", 0.2)),
    )
    entries = [Entry(hostile, truth=evil, target="a/<b>", note=evil, before=record(1))]
    entries.append(Entry(replace(hostile, predictions=(), error=f"<b>{evil}</b>")))
    panels = (Panel("<i>", "<p class='lead'>Text</p>"),)
    page = open_page(make_page(tmp_path / "report.html", entries, title=evil, panels=panels))
    page.wait_for_selector(".cell")
    page.fill("#search", "<")
    page.keyboard.press("Enter")
    page.click("#photo-0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    for tab in ("overview", "errors", "panel-1"):
        page.click(f"#tab-{tab}")
    assert page.locator("#app img[src=x], dialog img[src=x], #app script, #app i").count() == 0
    assert page.evaluate("document.title").startswith("</script>")


def test_photos_are_printed_one_after_another(tmp_path: Path, open_page: OpenPage) -> None:
    page = open_page(make_page(tmp_path / "r.html", [record(i) for i in range(620)], False))
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator(".printed .cell").count() == 500
    assert page.inner_text(".printed p") == (
        "620 photos. The first 500 are printed; 120 are omitted."
    )
    assert page.locator(".photo-grid").is_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".printed").count() == 0


def test_thumbnails_are_files_beside_large_pages(tmp_path: Path, open_page: OpenPage) -> None:
    entries = [Entry(record(i)) for i in range(3)]
    entries.append(Entry(unreadable("photos/0/cut.jpg")))
    content = Content("labels.csv", entries)
    folder = tmp_path / "report_files" / "0"
    folder.mkdir(parents=True)
    for row in range(3):
        (folder / f"{row}.webp").write_bytes(picture(row))
    files = {"kind": "files", "folder": "report_files/", "group": 1000}
    data = page_data(content, lambda path: "", files)
    (tmp_path / "report.html").write_text("".join(write_page(content, data)), encoding="utf-8")
    page = open_page(tmp_path / "report.html")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.cell:not(.failed) img')].every(i => i.naturalWidth)"
    )
    assert page.locator(".cell img").nth(1).get_attribute("src") == "report_files/0/1.webp"
    assert page.inner_text("#photo-3 .reason") == "truncated: 12 of 40 rows"


def test_a_page_of_nothing_says_so(tmp_path: Path, open_page: OpenPage) -> None:
    page = open_page(make_page(tmp_path / "report.html", []))
    assert page.inner_text(".empty-state").strip() == "There are no photos in these results."
    page.click("#tab-overview")
    assert "0 photos" in page.inner_text("#panel-overview")


def test_no_dropped_cells_stay_in_large_windows(tmp_path: Path, open_page: OpenPage) -> None:
    path = make_page(tmp_path / "report.html", [record(i) for i in range(900)], False)
    page = open_page(path, viewport={"width": 1920, "height": 1080})
    page.fill("#search", "00123")
    page.wait_for_function("() => document.querySelector('.count').textContent.startsWith('1 ')")
    assert page.locator(".cell").count() == 1


def test_paths_are_sorted_in_natural_order(tmp_path: Path, open_page: OpenPage) -> None:
    paths = ["b/10.jpg", "b/9.jpg", "a/c/1.jpg", "a/img 2.jpg", "a/IMG 010.jpg", "a/img 1.jpg",
             "a b/1.jpg", "a10/1.jpg", "a9/1.jpg", "b/9.JPG"]  # fmt: skip
    records = [Record(path, (Prediction("n1", "tabby", 0.5),)) for path in paths]
    page = open_page(make_page(tmp_path / "report.html", records, False))
    assert page.input_value("#select-sort") == "results"
    assert names(page) == [path.rpartition("/")[2] for path in paths]
    page.select_option("#select-sort", "path")
    order = page.eval_on_selector_all(
        ".cell",
        "cells => cells.sort((a, b) => a.getAttribute('aria-posinset') - "
        "b.getAttribute('aria-posinset')).map(c => Number(c.id.slice(6)))",
    )
    assert [paths[row] for row in order] == [
        "a/img 1.jpg", "a/img 2.jpg", "a/IMG 010.jpg", "a/c/1.jpg", "a b/1.jpg", "a9/1.jpg",
        "a10/1.jpg", "b/9.JPG", "b/9.jpg", "b/10.jpg",
    ]  # fmt: skip


def test_search_folds_accents_and_has_phrases(tmp_path: Path, open_page: OpenPage) -> None:
    texts = ["Cafe\u0301 noir", "caf\u00e9 au lait noir", "noir caf\u00e9", "Stra\u00dfe", "\uff21"]
    records = [
        Record(f"{name}/{i}.jpg" if i % 2 else f"{i} {name}.jpg", (Prediction("n1", "x", 0.5),))
        for i, name in enumerate(texts)
    ]
    page = open_page(make_page(tmp_path / "report.html", records, False))
    for query, expected in (
        ("cafe noir", 3), ("CAF\u00c9", 3), ("cafe\u0301", 3), ('"cafe noir"', 1),
        ('"noir caf\u00e9', 1),
        ('lait "caf\u00e9 au"', 1), ("stra\u00dfe", 1), ("strasse", 0),
        ("a", 5), ('""', 5), ('"', 5),
    ):  # fmt: skip
        page.fill("#search", query)
        assert (query, count(page)) == (query, expected)


def test_tabs_stay_in_the_window_beside_long_titles(tmp_path: Path, open_page: OpenPage) -> None:
    records = [replace(record(i), model=f"{'a-long-name-of-a-model-' * 3}{i}") for i in range(9)]
    panels = (Panel("Held-out accuracy", "<p>Text</p>"),)
    entries = [*records, unreadable("photos/0/cut.jpg")]
    title = "results of a long afternoon " * 9
    path = make_page(tmp_path / "report.html", entries, False, title=title, panels=panels)
    page = open_page(path, viewport={"width": 1000, "height": 600})
    tabs = [each.bounding_box() for each in page.locator(".tab").all()]
    strip, help_button = (page.locator(each).bounding_box() for each in (".tabs", ".help-button"))
    assert tabs[0]["x"] >= strip["x"]
    assert tabs[-1]["x"] + tabs[-1]["width"] <= strip["x"] + strip["width"] + 1
    assert strip["x"] + strip["width"] <= help_button["x"]
    assert page.locator("h1").bounding_box()["width"] > 100


def test_small_scores_and_joined_characters_are_shown(tmp_path: Path, open_page: OpenPage) -> None:
    scores = (0.99999, 0.00001, 0.0)
    labels = (
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\U0001f468\u200d\U0001f469\ufe0f",
        "a\u202eb",
    )
    predictions = tuple(
        Prediction(f"n{i}", label, score)
        for i, (label, score) in enumerate(zip(labels, scores, strict=True))
    )
    records = [Record("photo.heic", predictions)]
    page = open_page(make_page(tmp_path / "report.html", records, False))
    shown = page.locator(".cell .score-bar")
    assert shown.locator(".bar-label").all_inner_texts() == [*labels[:2], "a\ufffdb"]
    assert shown.locator(".bar-score").all_inner_texts() == [">99 %", "<1 %", "0 %"]
    page.click(".cell")
    exact = page.locator(".viewer-scores .bar-score").all_inner_texts()
    assert exact == [">99.9 %", "<0.1 %", "0.0 %"]


def test_the_button_for_more_classes_says_how_many(tmp_path: Path, open_page: OpenPage) -> None:
    records = [Record(f"{i}.jpg", (Prediction(f"n{i}", f"class {i}", 0.5),)) for i in range(70)]
    page = open_page(make_page(tmp_path / "report.html", records, False))
    more = page.locator("[data-facet=class] .more")
    assert more.inner_text() == "Show 50 more of 62"
    more.click()
    assert more.inner_text() == "Show 12 more"
