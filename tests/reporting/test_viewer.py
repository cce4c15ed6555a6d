"""A photo large."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mnv2cli.records import Record
from mnv2cli.reporting.content import Content, Entry
from mnv2cli.reporting.places import Places
from mnv2cli.reporting.write import ReportTarget, write_report
from tests.reporting.conftest import OpenPage
from tests.reporting.helpers import make_page, picture, record


def make_photos(folder: Path, names: list[str]) -> list[Record]:
    """Write photos of 300 by 200 pixels; return records of them."""
    made = []
    for number, name in enumerate(names):
        path = os.path.join(str(folder), name)
        Image.new("RGB", (300, 200), "teal").save(path, "JPEG")
        invented = record(number)
        made.append(Record(path, invented.predictions, category=invented.category))
    return made


def shown_width(page: Any) -> int:
    page.wait_for_function("() => document.querySelector('.viewer-image').naturalWidth > 0")
    return int(page.eval_on_selector(".viewer-image", "image => image.naturalWidth"))


def test_a_photo_opens_and_the_keyboard_goes_on(tmp_path: Path, open_page: OpenPage) -> None:
    names = ["a.jpg", "b #?%20.jpg", "c \udcff.jpg"]
    entries = [Entry(each, note="kept apart") for each in make_photos(tmp_path, names)]
    page = open_page(make_page(tmp_path / "report.html", entries))
    page.wait_for_selector(".cell")
    page.focus(".photo-grid")
    page.keyboard.press("Enter")
    assert page.locator("dialog.viewer").is_visible()
    assert page.inner_text(".viewer h2") == "a.jpg"
    assert page.inner_text(".viewer-place") == "1 of 3"
    assert page.locator(".viewer-scores .score-bar").count() == 2
    assert "99.0 %" in page.inner_text(".viewer-scores")
    facts = page.inner_text(".viewer-facts")
    assert "kept apart" in facts and "cat, 99.0 %" in facts and str(tmp_path) in facts
    for _ in names:
        assert shown_width(page) == 300
        page.keyboard.press("ArrowRight")
    assert page.inner_text(".viewer-place") == "3 of 3"
    assert page.locator(".step-on").is_disabled()
    page.keyboard.press("Home")
    assert page.inner_text(".viewer-place") == "1 of 3"
    page.click(".step-on")
    assert page.inner_text(".viewer h2") == "b #?%20.jpg"
    page.keyboard.press("ArrowRight")
    assert page.inner_text(".viewer-place") == "3 of 3"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Escape")
    assert page.locator("dialog.viewer").is_hidden()
    page.wait_for_selector(".photo-grid[aria-activedescendant=photo-1]")
    page.wait_for_function("() => document.activeElement.id === 'photo-grid'")


def test_the_focus_stays_in_the_viewer(tmp_path: Path, open_page: OpenPage) -> None:
    entries = make_photos(tmp_path, ["a.jpg", "b.jpg"])
    page = open_page(make_page(tmp_path / "report.html", entries), "#photo=1")
    page.wait_for_selector("dialog.viewer[open]")
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || "
            "document.activeElement.closest('dialog') !== null"
        )
    page.keyboard.press("?")
    assert page.locator("dialog.help").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("dialog.help").is_hidden()
    assert page.locator("dialog.viewer").is_visible()


def test_a_thumbnail_stands_in_for_what_browsers_cannot_show(
    tmp_path: Path, open_page: OpenPage
) -> None:
    photos = make_photos(tmp_path, ["a.heic", "b.jpg"])
    (tmp_path / "b.jpg").write_bytes(b"no image")
    entries = [*photos, record(7)]
    page = open_page(make_page(tmp_path / "report.html", entries), "#photo=1")
    assert shown_width(page) == 160
    remark = page.locator(".viewer-remark")
    assert remark.inner_text() == "Browsers cannot show this format. This is its thumbnail."
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".viewer-remark:text('cannot be loaded')")
    assert shown_width(page) == 160
    page.keyboard.press("ArrowRight")
    assert "not on this computer" in remark.inner_text()


def test_a_photo_opens_with_a_touch_on_a_phone(tmp_path: Path, open_page: OpenPage) -> None:
    entries = make_photos(tmp_path, ["a.jpg", "b.jpg"])
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = open_page(make_page(tmp_path / "report.html", entries), **phone)
    page.tap(".cell >> nth=1")
    assert page.inner_text(".viewer-place") == "2 of 2"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.tap(".viewer .close")
    page.tap(".filters-button")
    page.locator(".drawer").get_by_label("tabby").check()
    page.tap(".drawer .close")
    assert page.inner_text(".count") == "1 of 2 photos"


@pytest.mark.parametrize("fragment", ["#photo=1", ""])
def test_photos_that_are_gone_are_not_requested(
    tmp_path: Path, open_page: OpenPage, fragment: str
) -> None:
    entries = [Entry(each) for each in make_photos(tmp_path, ["a.jpg", "b.jpg"])]
    (tmp_path / "a.jpg").unlink()
    thumbnails = ["no such file", picture()]
    target = ReportTarget(str(tmp_path / "report.html"))
    write_report(Content("labels.csv", entries), target, Places(), thumbnails)
    page = open_page(tmp_path / "report.html", fragment)
    if not fragment:
        page.click("#photo-0")
    page.wait_for_selector(".viewer-remark:text-is('No such file.')")
    page.keyboard.press("ArrowRight")
    assert shown_width(page) == 300
    page.keyboard.press("ArrowLeft")
    assert page.inner_text(".viewer-remark") == "No such file."
