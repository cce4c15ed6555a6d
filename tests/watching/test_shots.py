"""Which files of a watched folder are photos, and what belongs to them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mnv2cli.watching.options import WatchOptions
from mnv2cli.watching.shots import DropFolder, is_temporary


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def found(folder: DropFolder) -> dict[str, list[str]]:
    return {
        os.path.relpath(shot.path, folder.path): [os.path.basename(f.path) for f in shot.files[1:]]
        for each in folder.walk()
        for shot in folder.shots(each)
    }


@pytest.mark.parametrize("name", [
    ".photo.jpg.Xb3kQ1", "photo.jpg.part", "photo.jpg.CRDOWNLOAD", "photo.jpg~", "~photo.jpg",
    ".hidden.jpg", "photo.jpg.tmp", "photo.jpg.filepart", "photo.jpg.partial",
])  # fmt: skip
def test_a_name_of_a_transfer_is_temporary(name: str) -> None:
    assert is_temporary(name)


def test_a_name_of_a_photo_is_not_temporary() -> None:
    assert not any(map(is_temporary, ["photo.jpg", "a.part.jpg", "IMG_1~2.jpg", "tmp.png"]))


def test_photos_are_found_with_their_companions(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.cr2", "a.jpg.xmp", "b.nef", "b.xmp", "c.xmp", "notes.txt",
                 ".d.jpg", "e.jpg.part", "sub/f.png", ".git/g.jpg"):  # fmt: skip
        write(tmp_path / name)
    (tmp_path / "linked").symlink_to(tmp_path / "sub")
    assert found(DropFolder(str(tmp_path), WatchOptions())) == {
        "a.jpg": ["a.cr2", "a.jpg.xmp"],
        "b.nef": ["b.xmp"],
        "sub/f.png": [],
    }


def test_patterns_and_ignored_folders_are_left_out(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.png", "old/c.jpg", "sorted/cat/d.jpg", "sub/e.jpg"):
        write(tmp_path / name)
    options = WatchOptions(include=("*.jpg",), exclude=("old",))
    folder = DropFolder(str(tmp_path), options, (str(tmp_path / "sorted"),))
    assert list(found(folder)) == ["a.jpg", "sub/e.jpg"]
    assert not folder.is_watched(str(tmp_path / "sorted" / "cat"))
    assert not folder.is_watched(str(tmp_path / "old"))
    assert not folder.is_watched(str(tmp_path.parent))
    assert list(found(DropFolder(str(tmp_path), WatchOptions(recursive=False)))) == [
        "a.jpg", "b.png",
    ]  # fmt: skip


def test_only_photos_of_changed_names_are_found(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.xmp", "b.jpg"):
        write(tmp_path / name)
    folder = DropFolder(str(tmp_path), WatchOptions())
    for names, paths in (({"a.xmp"}, ["a.jpg"]), ({"b.jpg"}, ["b.jpg"]), ({"c.jpg"}, [])):
        shots = folder.shots(str(tmp_path), frozenset(names))
        assert [os.path.basename(shot.path) for shot in shots] == paths


def test_a_shot_now_differs_once_one_of_its_files_changes(tmp_path: Path) -> None:
    photo, sidecar = write(tmp_path / "a.jpg"), write(tmp_path / "a.xmp")
    (shot,) = DropFolder(str(tmp_path), WatchOptions()).shots(str(tmp_path))
    assert shot.now() == shot and not shot.is_empty
    sidecar.write_text("longer")
    assert shot.now() not in (shot, None)
    photo.unlink()
    assert shot.now() is None
