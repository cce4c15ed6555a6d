"""The address of the page keeps what it shows."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.reporting.conftest import OpenPage
from tests.reporting.helpers import make_page, record
from tests.reporting.test_looking import count


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return make_page(tmp_path / "report.html", [record(i) for i in range(60)], False)


def test_a_view_is_in_the_address_and_comes_back(report: Path, open_page: OpenPage) -> None:
    page = open_page(report)
    assert "#" not in page.url
    page.fill("#search", "photo")
    page.locator("[data-facet=class]").get_by_label("tabby").check()
    page.locator("[data-facet=class]").get_by_label("crane").check()
    page.select_option("#select-sort", "margin")
    page.select_option("#select-group", "folder")
    page.click(".cell >> nth=0")
    page.wait_for_url("**photo=*")
    kept = parse_qs(urlsplit(page.url).fragment)
    assert kept.pop("photo")
    assert kept == {
        "q": ["photo"], "class": ["tabby", "crane"], "sort": ["margin"], "group": ["folder"],
    }  # fmt: skip
    page.reload()
    assert page.locator("dialog.viewer").is_visible()
    page.keyboard.press("Escape")
    assert count(page) == 24
    assert page.input_value("#search") == "photo"
    assert page.input_value("#select-group") == "folder"


def test_a_changed_address_changes_the_page(report: Path, open_page: OpenPage) -> None:
    page = open_page(report, "#q=cat&score=0.5")
    few = count(page)
    assert 0 < few < 12
    assert page.input_value("#slider-score") == "50"
    page.evaluate("location.hash = '#class=espresso'")
    page.wait_for_function("() => document.querySelector('.count').textContent.startsWith('12 ')")
    assert page.input_value("#search") == ""
    page.go_back()
    page.wait_for_function(
        "few => document.querySelector('.count').textContent.startsWith(few + ' ')", arg=few
    )


def test_a_wrong_address_shows_all(report: Path, open_page: OpenPage) -> None:
    page = open_page(report, "#sort=nothing&group=x&score=high&photo=9999&tab=none&what=%FF%")
    assert count(page) == 60
    assert page.input_value("#select-sort") == "results"
    assert page.get_attribute("#tab-photos", "aria-selected") == "true"
    assert page.locator("dialog.viewer").is_hidden()


@pytest.mark.parametrize("name", ["__proto__", "constructor", "nothing"])
def test_unknown_names_in_an_address_are_the_defaults(
    report: Path, open_page: OpenPage, name: str
) -> None:
    keys = ("sort", "group", "show", "tab", "review", "class", "folder", "photo")
    fragment = "&".join(f"{key}={name}" for key in keys)
    page = open_page(report, f"#{fragment}&score=9&margin=-1")
    assert count(page) == 0
    assert page.locator(".chip").all_inner_texts() == [
        "Score at least 100 %\n✕", "Margin at most 0 %\n✕",
    ]  # fmt: skip
    page.click(".status-line .plain")
    assert count(page) == 60
    assert page.locator(".cell").first.get_attribute("aria-posinset") == "1"
