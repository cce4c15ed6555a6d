"""Photos are selected, corrected and exported in Chromium."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.reporting.content import Entry
from mnv2cli.results.corrections import Correction
from tests.reporting.conftest import OpenPage
from tests.reporting.helpers import CLASSES, make_page, picture, record, unreadable

HOSTILE = "<img src=x onerror=alert(1)>"


def selected(page: Any) -> list[int]:
    """Return the rows of the drawn photos that are selected."""
    found = page.eval_on_selector_all("[aria-selected=true].cell", "cells => cells.map(c => c.id)")
    return sorted(int(each.removeprefix("photo-")) for each in found)


def cell(page: Any, row: int) -> Any:
    return page.locator(f"#photo-{row}")


def until(page: Any, expression: str) -> None:
    """Wait until an expression in the page is true; the policy forbids that the page waits."""
    for _ in range(100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(expression)


def set_label(page: Any, name: str) -> None:
    page.keyboard.press("l")
    page.keyboard.type(name)
    page.keyboard.press("Enter")


def test_photos_are_selected_by_mouse_and_keyboard(tmp_path: Path, open_page: OpenPage) -> None:
    page = open_page(make_page(tmp_path / "report.html", [record(i) for i in range(60)]))
    bar = page.locator(".selection-bar")
    assert not bar.is_visible()
    cell(page, 0).hover()
    cell(page, 0).locator(".cell-check").click()
    assert selected(page) == [0]
    assert bar.is_visible()
    cell(page, 2).click()  # while something is selected a click selects
    cell(page, 1).click(modifiers=["Control"])
    cell(page, 1).click()
    assert selected(page) == [0, 2]
    page.keyboard.press("Escape")
    assert selected(page) == []

    cell(page, 1).click(modifiers=["Control"])
    cell(page, 4).click(modifiers=["Shift"])
    assert selected(page) == [1, 2, 3, 4]
    cell(page, 3).click(modifiers=["Shift"])
    assert selected(page) == [1, 2, 3]
    page.keyboard.press("Escape")

    page.keyboard.press("Home")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowLeft")
    assert selected(page) == [0, 1]
    page.keyboard.press("Control+a")
    assert page.inner_text(".selection-count") == "60 selected"

    page.locator("#search").fill("tabby")
    assert page.inner_text(".selection-count") == "60 selected, 48 of them not shown"
    assert "Commands change the 12 shown." in bar.inner_text()
    page.locator("#search").fill("")
    page.locator(".selection-bar .close").click()
    assert not bar.is_visible()


def test_a_rubber_band_selects_scrolls_and_is_cancelled(
    tmp_path: Path, open_page: OpenPage
) -> None:
    page = open_page(make_page(tmp_path / "report.html", [record(i) for i in range(200)]))
    first, third = cell(page, 0).bounding_box(), cell(page, 3).bounding_box()
    mouse = page.mouse
    mouse.move(first["x"] + 20, first["y"] + 20)
    mouse.down()
    mouse.move(third["x"] - 40, third["y"] + 40)
    mouse.move(third["x"] + 40, third["y"] + 40)
    page.wait_for_selector(".rubber-band")
    until(page, "document.querySelectorAll('.cell[aria-selected=true]').length === 4")
    mouse.up()
    assert selected(page) == [0, 1, 2, 3]
    assert not page.locator(".viewer").is_visible()

    grid = page.locator(".photo-grid").bounding_box()
    mouse.move(first["x"] + 20, first["y"] + 20)
    mouse.down()
    mouse.move(first["x"] + 200, grid["y"] + grid["height"] - 4)
    until(page, "document.querySelector('.photo-grid').scrollTop > 600")
    page.keyboard.press("Escape")
    mouse.up()
    assert page.inner_text(".selection-count") == "4 selected"
    assert page.locator(".rubber-band").count() == 0


@pytest.fixture
def correctable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Record]:
    """Return ten photos with names of all kinds, and one that cannot be read."""
    monkeypatch.chdir(tmp_path)
    names = ["a.jpg", 'b "one", two.jpg', "c \udcff.jpg", *(f"{each}.jpg" for each in "defghij")]
    records = [
        Record(name, (Prediction(*CLASSES[i % 2], 0.9 - i / 20), Prediction(*CLASSES[2], 0.05)),
               category=CategoryScore(("cat", "dog")[i % 2], 0.9, 0.8))
        for i, name in enumerate(names)
    ]  # fmt: skip
    for name in "adefghijk":  # those that a test may open
        Path(f"{name}.jpg").write_bytes(picture())
    return [*records, unreadable("k.jpg")]


def exported(page: Any, tmp_path: Path) -> tuple[str, list[list[str]]]:
    """Export the corrections and return the file's name and its lines."""
    with page.expect_download() as download:
        page.locator(".export").click()
    path = tmp_path / "exported.csv"
    download.value.save_as(path)
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return download.value.suggested_filename, list(csv.reader(file))


def test_labels_are_corrected_undone_kept_and_exported(
    tmp_path: Path, open_page: OpenPage, correctable: list[Record]
) -> None:
    page = open_page(
        make_page(tmp_path / "report.html", correctable, classes=["Kitchen"], results="labels.csv")
    )
    page.locator(".photo-grid").focus()
    page.keyboard.press("Home")
    set_label(page, "kitch")  # completes a known class
    page.keyboard.press("ArrowRight")
    page.keyboard.press("1")  # which is now on a key
    page.keyboard.press("ArrowRight")
    set_label(page, f"  {HOSTILE}  ")
    for key in "rwx":
        page.keyboard.press("ArrowRight")
        page.keyboard.press(key)
    page.keyboard.press("ArrowRight")
    set_label(page, "cat")  # the predicted category
    page.keyboard.press("ArrowRight")
    set_label(page, "golden retriever")  # the predicted label
    assert "corrected to Kitchen" in cell(page, 0).get_attribute("aria-label")
    assert cell(page, 2).locator(".review-text").inner_text() == HOSTILE
    assert page.locator("img[src=x]").count() == 0
    assert page.inner_text(".export-badge") == "8 not exported"

    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert page.inner_text(".export-badge") == "6 not exported"
    until(page, "document.querySelector('.live').textContent.startsWith('Undone: label “cat”')")
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+y")
    assert page.inner_text(".export-badge") == "8 not exported"

    page.reload()
    assert page.inner_text(".export-badge") == "8 not exported"
    name, lines = exported(page, tmp_path)
    assert name == "labels-corrections.csv"
    assert lines == [
        ["path", "label", "review"],
        ["a.jpg", "Kitchen", "corrected"],
        ['b "one", two.jpg', "Kitchen", "corrected"],
        ["c \udcff.jpg", HOSTILE, "corrected"],
        ["d.jpg", "golden retriever", "confirmed"],
        ["e.jpg", "", "wrong"],
        ["f.jpg", "", "rejected"],
        ["g.jpg", "cat", "corrected"],
        ["h.jpg", "golden retriever", "confirmed"],
    ]
    commands = page.locator(".commands").inner_text()
    assert (
        "mnv2 sort --from labels.csv --corrections labels-corrections.csv --into DEST" in commands
    )
    assert "mnv2 learn --labels labels-corrections.csv -o mine.keras" in commands
    page.keyboard.press("Escape")
    assert not page.locator(".export-badge").is_visible()


@pytest.fixture
def reviewed(correctable: list[Record]) -> dict[str, Correction]:
    """Return corrections of the first eight photos, of all kinds."""
    values = [("Kitchen", "corrected"), ("Kitchen", "corrected"), (HOSTILE, "corrected"),
              ("golden retriever", "confirmed"), ("", "wrong"), ("", "rejected"),
              ("cat", "corrected"), ("golden retriever", "corrected")]  # fmt: skip
    return {
        each.path: Correction(each.path, label, review)  # type: ignore[arg-type]
        for each, (label, review) in zip(correctable, values, strict=False)
    }


def test_figures_of_the_review_lead_to_photos(
    tmp_path: Path,
    open_page: OpenPage,
    correctable: list[Record],
    reviewed: dict[str, Correction],
) -> None:
    page = open_page(make_page(tmp_path / "report.html", correctable, corrections=reviewed))
    page.locator("#tab-review").click()
    text = page.inner_text("#panel-review")
    assert "8 of 11" in text
    assert "3 of 7 photos right; 95 % interval 15.8 % to 75.0 %." in text
    mistakes = page.locator(".review-section").first.locator("tbody tr").all_inner_texts()
    assert len(mistakes) == 4
    page.get_by_role("button", name="which are not known").click()
    assert page.inner_text(".count") == "1 of 11 photos"
    page.locator(".chip").click()
    page.locator("#select-review").select_option("no")
    assert page.inner_text(".count") == "3 of 11 photos"
    cell(page, 8).click()
    page.keyboard.press("a")
    page.keyboard.press("r")  # the next photo follows
    page.keyboard.press("r")
    page.keyboard.press("Escape")
    until(page, "document.querySelector('.count').textContent === '1 of 11 photos'")


def test_corrections_are_discarded_imported_and_undone(
    tmp_path: Path,
    open_page: OpenPage,
    correctable: list[Record],
    reviewed: dict[str, Correction],
) -> None:
    page = open_page(make_page(tmp_path / "report.html", correctable, corrections=reviewed))
    exported(page, tmp_path)
    page.keyboard.press("Escape")
    page.locator("#tab-review").click()
    page.get_by_role("button", name="Discard all…").click()
    page.get_by_role("button", name="Discard all", exact=True).click()
    assert "No photo is reviewed yet" in page.inner_text("#panel-review")
    page.locator(".import-field").set_input_files(tmp_path / "exported.csv")
    page.wait_for_selector(".telling[open]")
    assert "8 photos corrected in exported.csv" in page.inner_text(".telling")
    page.keyboard.press("Escape")
    assert "8 of 11" in page.inner_text("#panel-review")
    other = tmp_path / "spreadsheet.csv"
    other.write_bytes("\ufeffPath;Class\r\na.jpg;sofa\r\nz.jpg;sofa\r\nb.jpg;\r\n".encode())
    page.locator(".import-field").set_input_files(other)
    page.wait_for_selector(".telling[open]")
    told = page.inner_text(".telling")
    assert "1 photo corrected in spreadsheet.csv, 1 of them differently from here." in told
    assert "1 of its paths is not in this report." in told
    assert "1 of its lines has no valid label or review." in told
    page.keyboard.press("Escape")
    for _ in range(3):
        page.keyboard.press("Control+z")
    assert "8 of 11" in page.inner_text("#panel-review")
    assert page.locator(".icon-button").first.is_disabled()


def test_corrections_of_a_page_are_shown_and_many_change_at_once(
    tmp_path: Path, open_page: OpenPage
) -> None:
    entries = [Entry(record(i)) for i in range(5_000)]
    unsure = [each.record for each in entries[:500] if each.record.predictions[0].score < 0.45]
    given = {each.path: Correction(each.path, "lynx", "corrected") for each in unsure}
    page = open_page(
        make_page(tmp_path / "report.html", entries, corrections=given, pictures=False)
    )
    assert not page.locator(".export-badge").is_visible()
    assert page.inner_text("#tab-review") == f"Review {len(given)}"
    page.locator(".photo-grid").focus()
    page.keyboard.press("Control+a")
    page.locator(".selection-bar .quick-label").click()  # lynx
    assert page.inner_text(".export-badge") == f"{5_000 - len(given):,} not exported"
    page.keyboard.press("Control+z")
    assert not page.locator(".export-badge").is_visible()
    page.locator("#tab-review").click()
    text = page.inner_text("#panel-review")
    assert f"{len(given)} of 5,000" in text
    assert "You mostly reviewed unsure photos: their mean score is " in text


def test_the_editor_offers_known_names_that_differ_in_case(
    tmp_path: Path, open_page: OpenPage, correctable: list[Record]
) -> None:
    records = [*correctable, correctable[0]]
    page = open_page(make_page(tmp_path / "report.html", records, classes=["Big cat"]))
    cell(page, 0).click()
    page.keyboard.press("l")
    names = page.locator("#editor-names")
    page.keyboard.type("CAT")
    offered = names.locator("li").all_inner_texts()
    assert offered[0] == "cat\ncategory" and "Big cat\nclass" in offered
    assert "Persian cat\nlabel" in offered  # no photo has this label
    page.keyboard.type("s")
    assert names.locator("li").all_inner_texts() == ["Add new class “CATs”"]
    page.keyboard.type("/../x")  # mnv2 learn refuses slashes and ..
    assert names.locator("li").all_inner_texts() == ["Add new class “CATs-.-x”"]
    page.keyboard.press("Control+a")
    page.keyboard.type("gold")
    page.keyboard.press("Tab")
    assert page.locator("#editor-name").input_value() == "golden retriever"
    page.keyboard.press("Control+a")
    page.keyboard.type(" ")
    page.keyboard.press("Enter")
    assert page.locator(".editor").is_visible()  # no empty name
    page.keyboard.press("Escape")
    assert page.locator(".viewer").is_visible()
    assert not page.locator(".export-badge").is_visible()

    page.keyboard.press("l")
    page.keyboard.type("gold")
    page.keyboard.press("Shift+Enter")  # as it is typed
    page.keyboard.press("Escape")
    page.wait_for_selector(".viewer", state="hidden")
    assert page.inner_text(".export-badge") == "2 not exported"  # it is in the results twice
    assert exported(page, tmp_path)[1][1:] == [["a.jpg", "gold", "corrected"]]


def test_windows_of_one_report_share_corrections_and_a_full_storage_is_reported(
    tmp_path: Path, open_page: OpenPage, correctable: list[Record]
) -> None:
    path = make_page(tmp_path / "report.html", correctable)
    page = open_page(path)
    other = page.context.new_page()
    other.goto(page.url)
    for each, row, key in ((page, 0, "w"), (other, 1, "x")):
        each.bring_to_front()
        cell(each, row).click(modifiers=["Control"])
        each.keyboard.press(key)
    for each in (page, other):
        until(each, "document.querySelector('.export-badge').textContent.startsWith('2')")
    other.close()
    page.bring_to_front()
    page.evaluate(
        "() => { Storage.prototype.setItem = () => {"
        " throw new DOMException('', 'QuotaExceededError') } }"
    )
    cell(page, 2).click(modifiers=["Control"])
    page.keyboard.press("w")
    page.wait_for_selector(".keep-notice")
    assert page.inner_text(".keep-notice") == (
        "The storage of this browser is full. "
        "Export your corrections before you leave or reload this page."
    )
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException() } })"
    )
    page.reload()
    cell(page, 0).click(modifiers=["Control"])
    page.keyboard.press("w")
    page.wait_for_selector(".keep-notice")
    assert page.inner_text(".keep-notice").startswith("This browser does not keep corrections.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_correcting_is_accessible(
    tmp_path: Path, open_page: OpenPage, correctable: list[Record], scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    def check() -> None:
        assert not axe.run(page).response["violations"]

    page = open_page(
        make_page(tmp_path / "report.html", correctable),
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    page.locator(".photo-grid").focus()
    for key in "rwx":
        page.keyboard.press("ArrowRight")
        page.keyboard.press(key)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("l")
    page.keyboard.type("ca")
    check()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    check()
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    check()
    page.keyboard.press("Escape")
    page.locator("#tab-review").click()
    check()
    page.locator("#tab-photos").click()
    page.locator(".export").click()
    page.wait_for_selector(".exported[open]")
    check()


def test_photos_without_a_label_to_confirm_are_counted(
    tmp_path: Path, open_page: OpenPage, correctable: list[Record]
) -> None:
    page = open_page(make_page(tmp_path / "report.html", correctable))
    page.locator(".photo-grid").focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("r")
    until(
        page,
        "document.querySelector('.live').textContent === "
        "'Right: 10 photos. 1 has no label to confirm.'",
    )
    assert selected(page) == [10]


def test_photos_of_one_name_in_many_folders_are_apart(tmp_path: Path, open_page: OpenPage) -> None:
    prediction = (Prediction(*CLASSES[0], 0.9),)
    records = [Record(f"{i}/frame.jpg", prediction) for i in range(30_000)]
    path = make_page(tmp_path / "report.html", [*records, records[0]], False)
    page = open_page(path, "#q=frame")
    cell(page, 0).click(modifiers=["Control"])
    page.keyboard.press("w")
    assert page.inner_text(".export-badge") == "2 not exported"
    assert exported(page, tmp_path)[1][1:] == [["0/frame.jpg", "", "wrong"]]


def test_the_bar_of_the_selection_fits_its_window(
    tmp_path: Path, open_page: OpenPage, correctable: list[Record], reviewed: dict[str, Correction]
) -> None:
    path = make_page(tmp_path / "report.html", correctable, corrections=reviewed)
    page = open_page(path, viewport={"width": 1000, "height": 800})
    cell(page, 0).click(modifiers=["Control"])
    for width in (1000, 1200, 1281, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        boxes = [
            page.locator(f".selection-bar {each}").bounding_box()
            for each in (".close", ".action >> nth=0", ".action >> nth=4", ".selection-count")
        ]
        middles = [round((each["y"] + each["height"] / 2) / 10) for each in boxes]
        assert len(set(middles)) == 1
        assert boxes[0]["x"] + boxes[0]["width"] <= width
        assert boxes[2]["x"] + boxes[2]["width"] <= boxes[0]["x"]
