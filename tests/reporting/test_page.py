"""The page opens from disk and shows its photos."""

from __future__ import annotations

from pathlib import Path

from tests.reporting.conftest import OpenPage
from tests.reporting.helpers import make_page, record


def test_a_page_opens_without_a_server(tmp_path: Path, open_page: OpenPage) -> None:
    path = make_page(tmp_path / "report.html", [record(i) for i in range(120)])
    page = open_page(path)
    assert "labels.csv" in page.inner_text("body")
