"""The page opens from disk, shows its first photos at once, and allows its own scripts alone."""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from pathlib import Path

from mnv2cli.reporting.write import PREVIEW
from tests.reporting.conftest import OpenPage
from tests.reporting.helpers import make_page, picture, record, unreadable


def test_a_page_opens_without_a_server(tmp_path: Path, open_page: OpenPage) -> None:
    path = make_page(tmp_path / "report.html", [record(i) for i in range(120)])
    page = open_page(path)
    assert "labels.csv" in page.inner_text("body")
    page.wait_for_selector(".cell")
    page.wait_for_selector("#preview", state="detached")


def test_the_first_photos_are_in_the_markup(tmp_path: Path) -> None:
    records = [record(0), unreadable("bad.jpg"), *(record(i) for i in range(2, 50))]
    text = make_page(tmp_path / "report.html", records).read_text(encoding="utf-8")
    preview = text[text.index('<div id="preview"') : text.index('<div id="app"')]
    assert preview.count("<img ") == PREVIEW - 1 == 23  # one cannot be read
    assert base64.b64encode(picture(0)).decode() in preview
    few = make_page(tmp_path / "few.html", records[:2]).read_text(encoding="utf-8")
    assert few.count("<img ") == 1
    none = make_page(tmp_path / "none.html", records, pictures=False).read_text(encoding="utf-8")
    assert "<img " not in none


def test_the_policy_names_the_scripts_and_the_style_by_their_hashes(tmp_path: Path) -> None:
    text = make_page(tmp_path / "report.html", [record(0)]).read_text(encoding="utf-8")
    found = re.search('http-equiv="Content-Security-Policy" content="(.*?)"', text)
    assert found
    policy = dict(each.split(" ", 1) for each in found[1].replace("&#39;", "'").split("; "))
    assert (policy["default-src"], policy["base-uri"]) == ("'none'", "'none'")
    for part, element in (("script-src", "script"), ("style-src", "style")):
        contents = re.findall(f"<{element}>(.*?)</{element}>", text, re.DOTALL)
        digests = [base64.b64encode(sha256(each.encode()).digest()).decode() for each in contents]
        assert policy[part].split() == [f"'sha256-{digest}'" for digest in digests]
