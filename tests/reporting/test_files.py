"""Thumbnails beside a page: where they are, what a failed run leaves, what is removed."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.errors import OutputError
from mnv2cli.reporting.content import Content, Entry
from mnv2cli.reporting.places import Places
from mnv2cli.reporting.write import ReportTarget, write_report
from mnv2cli.results import thumbnail_files
from mnv2cli.results.thumbnail_files import is_thumbnail_path
from tests.reporting.conftest import OpenPage
from tests.reporting.helpers import picture, record, report_data, unreadable

RECORDS = [record(0), unreadable("bad.jpg"), *(record(i) for i in range(1, 5))]


def write(page: Path, limit: int = 0, thumbnails: Any = None) -> None:
    made = thumbnails or [each.error or picture(i) for i, each in enumerate(RECORDS)]
    content = Content("labels.csv", [Entry(each) for each in RECORDS])
    write_report(content, ReportTarget(str(page), force=True, embed_limit=limit), Places(), made)


def folder_of(page: Path) -> Path:
    url = report_data(page, "report")["thumbnails"]["folder"]
    assert url.endswith("/")
    return page.parent / url.replace("%20", " ").replace("%25", "%")


def test_up_to_the_limit_thumbnails_are_in_the_page(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    write(page, limit=5)
    assert report_data(page, "report")["thumbnails"]["kind"] == "embedded"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_above_the_limit_thumbnails_are_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnail_files, "GROUP", 2)
    page = tmp_path / "50 % odd.html"
    write(page, limit=4)
    thumbnails = report_data(page, "report")["thumbnails"]
    assert thumbnails["kind"] == "files" and thumbnails["group"] == 2
    assert re.fullmatch(r"50%20%25%20odd_files/thumbnails-[0-9a-f]{8}/", thumbnails["folder"])
    assert report_data(page, "missing") == {"1": RECORDS[1].error}
    folder = folder_of(page)
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.webp"))
    assert names == ["0/0.webp", "1/2.webp", "1/3.webp", "2/4.webp", "2/5.webp"]
    assert (folder / "1/3.webp").read_bytes() == picture(3)
    assert all(is_thumbnail_path(str(path)) for path in folder.rglob("*.webp"))
    assert 'class="thumbnails"' not in page.read_text()


def test_the_page_finds_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_page: OpenPage
) -> None:
    monkeypatch.setattr(thumbnail_files, "GROUP", 2)
    write(tmp_path / "report.html")
    page = open_page(tmp_path / "report.html")
    page.wait_for_function(
        "n => [...document.querySelectorAll('.cell img')].filter("
        "each => each.naturalWidth && each.src.startsWith('file:')).length === n",
        arg=5,
    )


def test_a_failed_run_leaves_the_former_page_whole(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    write(page)
    before, folder = page.read_bytes(), folder_of(page)

    def failing(error: BaseException) -> Iterator[bytes]:
        yield picture(0)
        raise error

    with pytest.raises(KeyboardInterrupt):
        write(page, thumbnails=failing(KeyboardInterrupt()))
    with pytest.raises(OutputError, match=r"cannot write .*: no space left on device") as full:
        write(page, thumbnails=failing(OSError(errno.ENOSPC, "No space left on device")))
    assert full.value.hint == "Free some space."
    assert page.read_bytes() == before
    assert len(list(folder.rglob("*.webp"))) == 5
    assert list(folder.parent.iterdir()) == [folder]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report_files"]


def test_an_interrupt_after_the_page_is_in_place_keeps_its_thumbnails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "report.html"

    def interrupted(folder: str) -> None:
        if page.exists():
            raise KeyboardInterrupt

    monkeypatch.setattr("mnv2cli.system.files.sync_folder", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(page)
    assert len(list(folder_of(page).rglob("*.webp"))) == 5


def test_a_failed_first_run_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        write(tmp_path / "report.html", thumbnails=(picture(0) for _ in _stop()))
    assert not list(tmp_path.iterdir())


def _stop() -> Iterator[int]:
    yield 0
    raise RuntimeError


@pytest.mark.parametrize("limit", [0, 100])
def test_a_page_that_is_replaced_loses_its_thumbnails_alone(tmp_path: Path, limit: int) -> None:
    page = tmp_path / "report.html"
    write(page)
    former = folder_of(page)
    own = former.parent
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "0").mkdir(parents=True)
    kept = [
        own / "notes.txt",
        own / "thumbnails-mine" / "0" / "0.webp",
        former / "0" / "holiday.webp",
        former / "photos" / "0.webp",
        elsewhere / "0" / "0.webp",
    ]
    for path in kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    (own / "thumbnails-00000000").symlink_to(elsewhere)
    (former / "7").symlink_to(elsewhere / "0")
    write(page, limit)
    assert all(path.read_text() == "mine" for path in kept)
    assert not (former / "0" / "0.webp").exists()
    if not limit:
        assert len(list(folder_of(page).rglob("*.webp"))) == 5


def test_the_folder_is_removed_with_its_last_thumbnail(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    write(page)
    write(page, limit=100)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_thumbnails_of_a_renamed_page_are_kept(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    write(page)
    folder = folder_of(page)
    page.rename(tmp_path / "old.html")
    write(page)
    assert folder != folder_of(page)
    assert len(list(folder.rglob("*.webp"))) == 5


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "report_files").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match=r"report_files.*thumbnails has this name"):
        write(tmp_path / "report.html")
    assert not list((tmp_path / "elsewhere").iterdir())
    assert not (tmp_path / "report.html").exists()


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "report_files").write_text("mine")
    with pytest.raises(OutputError, match="report_files"):
        write(tmp_path / "report.html")
    assert (tmp_path / "report_files").read_text() == "mine"


def test_a_page_that_appears_during_the_run_is_kept(tmp_path: Path) -> None:
    page = tmp_path / "report.html"

    def appearing() -> Iterator[bytes]:
        yield picture(0)
        page.write_text("mine")

    content = Content("labels.csv", [Entry(record(0))])
    for limit in (0, 100):
        page.unlink(missing_ok=True)
        target = ReportTarget(str(page), embed_limit=limit)
        with pytest.raises(OutputError, match="another program created it during this run"):
            write_report(content, target, Places(), appearing())
        assert page.read_text() == "mine"
        assert list(tmp_path.iterdir()) == [page]


def test_two_runs_that_write_one_page_keep_the_thumbnails_of_the_last(tmp_path: Path) -> None:
    page = tmp_path / "report.html"

    def interleaved() -> Iterator[bytes | str]:
        for i, each in enumerate(RECORDS):
            if i == 3:
                write(page)
            yield each.error or picture(i)

    write(page, thumbnails=interleaved())
    folder = folder_of(page)
    assert len(list(folder.rglob("*.webp"))) == 5
    assert list(folder.parent.iterdir()) == [folder]
    assert not (folder / "unfinished").exists()


def test_what_a_killed_run_has_left_is_removed_a_day_later(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    left, part = [], []
    for number, (folder, name) in enumerate([("11111111", "aaaaaaaa"), ("22222222", "bbbbbbbb")]):
        left.append(tmp_path / "report_files" / f"thumbnails-{folder}")
        (left[-1] / "0").mkdir(parents=True)
        (left[-1] / "0" / "0.webp").write_bytes(b"")
        (left[-1] / "unfinished").touch()
        part.append(tmp_path / f".report.html.{name}.part")
        part[-1].touch()
        before = time.time() - number * 25 * 60 * 60
        for each in (left[-1] / "unfinished", part[-1]):
            os.utime(each, (before, before))
    other = tmp_path / ".other.html.aaaaaaaa.part"
    other.touch()
    os.utime(other, (0, 0))
    write(page)
    assert [each.exists() for each in (*left, *part, other)] == [True, False, True, False, True]
