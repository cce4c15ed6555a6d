"""Where photos are: relative paths, moved photos, and the URLs of their folders."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from mnv2cli.reporting.places import Places
from mnv2cli.sources.bases import base_folder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def put(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def local(paths: list[str], results: str = "labels.csv", base: str = "") -> list[str]:
    places = Places.of_results(paths, results, base)
    return [os.path.normpath(found) if (found := places.local(path)) else "" for path in paths]


def test_relative_paths_start_where_more_photos_are(tmp_path: Path, here: Path) -> None:
    put(tmp_path / "a.jpg", tmp_path / "b.jpg", here / "a.jpg", here / "c.jpg", here / "d.jpg")
    assert local(["a.jpg", "b.jpg"], "../labels.csv") == ["../a.jpg", "../b.jpg"]
    assert local(["a.jpg", "c.jpg", "d.jpg"], "../labels.csv") == ["a.jpg", "c.jpg", "d.jpg"]
    assert base_folder(["a.jpg"], "..") == ".."  # as many here as there
    assert base_folder(["/x/a.jpg", "s3://x/a.jpg"], "..") == ".."


def test_absolute_paths_and_urls_stay(tmp_path: Path) -> None:
    assert local([str(tmp_path / "a.jpg"), "https://x/a.jpg"]) == [str(tmp_path / "a.jpg"), ""]


def test_relative_paths_start_at_the_base(tmp_path: Path) -> None:
    base = tmp_path / "new"
    put(base / "sub" / "a.jpg", base / "b.jpg")
    paths = ["sub/a.jpg", "b.jpg", "./b.jpg"]
    assert local(paths, base=str(base)) == [
        str(base / "sub" / "a.jpg"), str(base / "b.jpg"), str(base / "b.jpg"),
    ]  # fmt: skip


def test_the_folder_that_all_share_is_replaced(tmp_path: Path) -> None:
    base = tmp_path / "new"
    put(base / "2023" / "a.jpg", base / "2024" / "x" / "b.jpg")
    paths = ["/home/me/photos/2023/a.jpg", "/home/me/photos/2024/x/b.jpg"]
    assert local(paths, base=str(base)) == [
        str(base / "2023" / "a.jpg"), str(base / "2024" / "x" / "b.jpg"),
    ]  # fmt: skip
    put(base / "a.jpg")
    assert local(["/home/me/photos/2023/a.jpg"], base=str(base)) == [str(base / "a.jpg")]


def test_photos_are_looked_for_by_the_last_folders_of_their_path(tmp_path: Path) -> None:
    base = tmp_path / "new"
    put(base / "photos" / "2024" / "b.jpg", base / "c.jpg")
    assert local(["/home/me/photos/2024/b.jpg", "/media/x/c.jpg"], base=str(base)) == [
        str(base / "photos" / "2024" / "b.jpg"), str(base / "c.jpg"),
    ]  # fmt: skip
    assert local(["old/photos/2024/b.jpg"], base=str(base)) == [
        str(base / "photos" / "2024" / "b.jpg")
    ]


def test_two_folders_never_become_one(tmp_path: Path) -> None:
    base = tmp_path / "new"
    put(base / "1.jpg", base / "2.jpg")
    found = local(["a/1.jpg", "b/1.jpg", "b/2.jpg"], base=str(base))
    assert found[0] == str(base / "1.jpg")
    assert not any(os.path.exists(path) for path in found[1:])


def test_a_photo_that_is_nowhere_is_below_the_base(tmp_path: Path) -> None:
    assert local(["a/1.jpg"], base=str(tmp_path)) == [str(tmp_path / "a" / "1.jpg")]


def test_the_url_of_a_folder_is_relative_and_quoted(tmp_path: Path) -> None:
    odd = os.fsdecode(b"50 % #1 \xff")
    places = Places()
    (tmp_path / odd).mkdir()
    url = places.href(f"../{odd}/a.jpg", "report.html")
    assert url.startswith("./../50%20%25%20%231%20%FF") and url.endswith("/")
    assert unquote_to_bytes(url) == b"./../50 % #1 \xff/"
    assert places.href("a.jpg", "report.html") == "./" + "./"
    assert places.href("https://x/a.jpg", "report.html") == ""
    assert places.href("gone/a.jpg", "report.html") == ""


def test_another_drive_of_windows_has_an_absolute_url(monkeypatch: pytest.MonkeyPatch) -> None:
    def relpath(path: str, start: str) -> str:
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr("os.path.relpath", relpath)
    monkeypatch.setattr("os.path.isdir", lambda path: True)
    monkeypatch.setattr("os.path.abspath", lambda path: r"D:\My photos\2024")
    assert Places().href("x/a.jpg", "report.html") == "file:///D:/My%20photos/2024/"
