"""The browser keeps corrections until they are exported."""

from __future__ import annotations

from pathlib import Path

from mnv2cli.results.corrections import Correction
from tests.reporting.conftest import OpenPage
from tests.reporting.helpers import make_page, record
from tests.reporting.test_correcting import cell


def test_pages_of_one_result_with_and_without_corrections_share_them(
    tmp_path: Path, open_page: OpenPage
) -> None:
    records = [record(i) for i in range(5)]
    given = {each.path: Correction(each.path, "lynx", "corrected") for each in records[:2]}
    plain = make_page(tmp_path / "plain.html", records, False)
    corrected = make_page(tmp_path / "corrected.html", records, False, corrections=given)

    def visit(path: Path, rows: str, row: int, key: str, pending: str) -> None:
        page.goto(path.as_uri())
        marked = "cells => cells.map(c => c.id.slice(6)).sort().join('')"
        assert page.eval_on_selector_all(".cell:not([data-review=''])", marked) == rows
        cell(page, row).click(modifiers=["Control"])
        page.keyboard.press(key)
        assert page.inner_text(".export-badge").startswith(pending)

    page = open_page(plain)
    visit(plain, "", 2, "w", "1")
    visit(corrected, "012", 3, "x", "2")
    visit(plain, "0123", 4, "w", "3")
    visit(corrected, "01234", 0, "Delete", "4")
    visit(plain, "1234", 1, "x", "5")
    visit(corrected, "1234", 2, "Delete", "4")
    visit(corrected, "134", 2, "w", "5")
