"""Files of corrections that the page writes and reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mnv2cli.records import Prediction, Record
from mnv2cli.results.corrections import Correction
from tests.reporting.conftest import OpenPage
from tests.reporting.helpers import make_page, record
from tests.reporting.test_correcting import exported
from tests.reporting.test_viewer import make_photos, shown_width


def test_a_large_export_has_every_correction(tmp_path: Path, open_page: OpenPage) -> None:
    records = [record(i, "a folder with a long name " * 5) for i in range(4_000)]
    given = {each.path: Correction(each.path, "", "wrong") for each in records}
    page = open_page(make_page(tmp_path / "report.html", records, False, corrections=given))
    lines = exported(page, tmp_path)[1]
    assert [line[0] for line in lines[1:]] == [each.path for each in records]


def test_an_export_that_fails_is_told_and_not_counted(tmp_path: Path, open_page: OpenPage) -> None:
    page = open_page(make_page(tmp_path / "report.html", [record(0)], False))
    page.click("#photo-0", modifiers=["Control"])
    page.keyboard.press("w")
    page.evaluate("() => { URL.createObjectURL = () => { throw new Error('no room') } }")
    page.click(".export")
    assert "Not exported" in page.inner_text(".telling")
    assert "no room" in page.inner_text(".telling")
    page.keyboard.press("Escape")
    assert page.inner_text(".export-badge") == "1 not exported"


def test_names_with_emoji_and_other_bytes_keep_their_bytes(
    tmp_path: Path, open_page: OpenPage
) -> None:
    photos = make_photos(tmp_path, ["\U0001f4f7 a.jpg", "\U0001f4f7\udcff \U0001f600.jpg"])
    page = open_page(make_page(tmp_path / "report.html", photos), "#photo=1")
    assert shown_width(page) == 300
    page.keyboard.press("w")
    page.keyboard.press("ArrowRight")
    assert shown_width(page) == 300
    page.keyboard.press("w")
    page.keyboard.press("Escape")
    lines = exported(page, tmp_path)[1]
    assert lines[1:] == [[each.path, "", "wrong"] for each in photos]


def test_commands_after_an_export_fit_the_page(tmp_path: Path, open_page: OpenPage) -> None:
    def commands(**content: Any) -> list[str]:
        page = open_page(make_page(tmp_path / "report.html", [record(0)], False, **content))
        page.click("#photo-0", modifiers=["Control"])
        page.keyboard.press("w")
        page.click(".export")
        found: list[str] = page.locator(".exported code").all_inner_texts()
        return found

    assert commands(title="Photos of mine.keras") == [
        "mnv2 learn --labels corrections.csv -o mine-2.keras"
    ]
    assert commands(title="Plan for sorted", results="of 2024/labels.csv") == [
        "mnv2 sort --from 'of 2024/labels.csv' --corrections labels-corrections.csv --into DEST",
        "mnv2 learn --labels labels-corrections.csv -o mine.keras",
    ]


def test_a_file_that_went_through_a_spreadsheet_is_imported_as_python_reads_it(
    tmp_path: Path, open_page: OpenPage
) -> None:
    names = ["a.jpg", "=b.jpg", "d/c.jpg"]
    records = [Record(name, (Prediction("n1", "tabby", 0.5),)) for name in names]
    page = open_page(make_page(tmp_path / "report.html", records, False))
    page.click("#tab-review")

    def told(text: str) -> str:
        file = tmp_path / "given.csv"
        file.write_text(text, encoding="utf-8")
        page.locator(".import-field").set_input_files(file)
        page.wait_for_selector(".telling[open]")
        said: str = page.inner_text(".telling p")
        page.keyboard.press("Escape")
        return said

    good = """\
"path","label","review"
"./a.jpg","'=lynx","corrected"
"'=b.jpg","sofa","corrected"
"path","label","review"
"d/../d//c.jpg","","wrong"
"a.jpg","'=lynx","corrected"
"d/c.jpg","odd","rejected"
"""
    assert told(good) == (
        "3 photos corrected in given.csv, 3 of them differently from here. "
        "1 of its lines has no valid label or review."
    )
    page.click("#tab-photos")
    lines = exported(page, tmp_path)[1][1:]
    page.keyboard.press("Escape")
    assert lines == [
        ["a.jpg", "=lynx", "corrected"], ["=b.jpg", "sofa", "corrected"], ["d/c.jpg", "", "wrong"],
    ]  # fmt: skip
    bad = 'path,label\na.jpg,"two\nlines"\nd/c.jpg,x\n\n./a.jpg,cat\nd/../a.jpg,dog\n'
    assert told(bad) == (
        "given.csv: lines 6 and 7 contradict each other: ./a.jpg is corrected “cat” and "
        "corrected “dog”."
    )
