"""Applying a plan: nothing is lost, nothing is overwritten."""

from __future__ import annotations

import errno
import os
import stat
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.errors import OutputError
from mnv2cli.journals.file import Journal, journals
from mnv2cli.sorting import apply as applying
from mnv2cli.sorting import transfer
from mnv2cli.sorting.actions import METHODS, Method
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.undo import undo
from tests.sorting.trees import contents, plan_of, record, records, restore_times, snapshot, write


@pytest.mark.parametrize("method", METHODS)
def test_photos_are_placed_in_their_folders(src: Path, tmp_path: Path, method: Method) -> None:
    before = contents(src)
    dest = tmp_path / "dest"
    outcome = apply(plan_of(records(src), dest, method))
    assert (outcome.done, outcome.failed) == (5, [])
    names = sorted(str(p.relative_to(dest)) for p in dest.rglob("*") if ".mnv2" not in p.parts)
    assert names == [
        "cock", "cock/img1.jpg", "hen", "hen/img3.jpg",
        "tench", "tench/img0 (2).jpg", "tench/img0.jpg", "tench/img2.jpg",
    ]  # fmt: skip
    photo = dest / "cock" / "img1.jpg"
    assert photo.read_text() == "photo 1"
    assert photo.stat().st_mtime == 1_500_000_000 and stat.S_IMODE(photo.stat().st_mode) == 0o640
    assert (src / "img1.jpg").exists() == (method != "move")
    if method == "symlink":
        assert os.readlink(photo) == "../../src/img1.jpg"
    elif method == "hardlink":
        assert photo.samefile(src / "img1.jpg")
    else:
        assert not photo.is_symlink() and photo.stat().st_nlink == 1
        assert contents(src, dest) == (before if method == "move" else before + before)


@pytest.mark.parametrize("method", METHODS)
def test_running_again_changes_nothing(src: Path, tmp_path: Path, method: Method) -> None:
    dest = tmp_path / "dest"
    apply(plan_of(records(src), dest, method))
    before = snapshot(tmp_path)
    again = plan_of(records(src) if method != "move" else [], dest, method)
    assert again.work == []
    apply(again)
    assert snapshot(tmp_path) == before


def test_companions_are_moved_with_their_photo(tmp_path: Path) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    for name in ("IMG_1.JPG", "IMG_1.xmp", "img_1.CR2", "IMG_1.JPG.xmp", "IMG_1.MOV", "IMG_12.xmp",
                 "IMG_1.txt", "IMG_2.heic", "IMG_2.mov"):  # fmt: skip
        write(src / name, name)
    write(dest / "hen" / "IMG_1.xmp", "of another photo")
    write(dest / "hen" / "IMG_2.mov", "IMG_2.mov")
    photos = [record(src / "IMG_1.JPG", "hen"), record(src / "IMG_2.heic", "hen")]
    apply(plan_of(photos, dest))
    assert sorted(os.listdir(dest / "hen")) == [
        "IMG_1 (2).JPG", "IMG_1 (2).JPG.xmp", "IMG_1 (2).MOV", "IMG_1 (2).xmp", "IMG_1.xmp",
        "IMG_2.heic", "IMG_2.mov", "img_1 (2).CR2",
    ]  # fmt: skip
    assert sorted(os.listdir(src)) == ["IMG_1.txt", "IMG_12.xmp", "IMG_2.mov"]


def test_the_longest_names_and_invalid_bytes_are_kept(tmp_path: Path) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    long = "x" * 251 + ".jpg"
    invalid = os.fsdecode(b"latin-\xe9\n.jpg")
    paths = [write(src / "1" / long, "1"), write(src / "2" / long, "2"), write(src / invalid, "3")]
    before = snapshot(src)
    outcome = apply(plan_of([record(path) for path in paths], dest))
    assert outcome.failed == []
    names = sorted(os.listdir(dest / "tench"))
    assert names == sorted([long, "x" * 247 + " (2).jpg", invalid])
    undo(str(dest))
    assert snapshot(src) == before


def test_symbolic_links_are_moved_as_links(tmp_path: Path) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    write(tmp_path / "real" / "a.jpg", "real")
    src.mkdir()
    (src / "relative.jpg").symlink_to("../real/a.jpg")
    (src / "absolute.jpg").symlink_to(tmp_path / "real" / "a.jpg")
    restore_times(tmp_path)
    before = snapshot(tmp_path)
    apply(plan_of([record(p) for p in sorted(src.iterdir())], dest))
    assert os.readlink(dest / "tench" / "relative.jpg") == "../../real/a.jpg"
    assert (dest / "tench" / "relative.jpg").read_text() == "real" and not os.listdir(src)
    undo(str(dest))
    assert snapshot(tmp_path) == before


def test_photos_inside_the_destination_are_sorted_in_place(src: Path) -> None:
    before = snapshot(src)
    apply(plan_of(records(src), src))
    assert (src / "tench" / "img0 (2).jpg").exists() and not (src / "img0.jpg").exists()
    inside = [record(path, path.parent.name) for path in src.rglob("*.jpg")]
    assert plan_of(inside, src).work == []
    undo(str(src))
    assert snapshot(src) == before


def test_one_failure_does_not_stop_the_rest(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    write(dest / "cock", "a file where a folder belongs")
    plan = plan_of(records(src), dest)
    (src / "img3.jpg").unlink()
    outcome = apply(plan)
    assert outcome.done == 3
    failed = {Path(path).name: reason for path, reason in outcome.failed}
    assert failed["img3.jpg"] == "no such file or directory"
    assert "is a file, not a folder" in failed["img1.jpg"] and (src / "img1.jpg").exists()


def test_a_photo_that_changes_during_the_sort_is_kept_in_place(
    src: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Journal.append

    def change(self: Any, lines: Any) -> None:
        lines = list(lines)
        real(self, lines)
        if any("do" in line for line in lines):
            write(src / "img1.jpg", "edited meanwhile")

    monkeypatch.setattr(Journal, "append", change)
    for method in ("copy", "move"):
        outcome = apply(plan_of(records(src), tmp_path / method, method))
        assert [reason for _, reason in outcome.failed] == ["changed while mnv2 was running"]
        assert (src / "img1.jpg").read_text() == "edited meanwhile"
        assert not (tmp_path / method / "cock" / "img1.jpg").exists()
        undo(str(tmp_path / method))
        write(src / "img1.jpg", "photo 1")


def test_a_file_that_appears_during_the_sort_is_not_overwritten(src: Path, tmp_path: Path) -> None:
    for method in METHODS:
        dest = tmp_path / method
        plan = plan_of(records(src), dest, method)
        write(dest / "hen" / "img3.jpg", "mine")
        outcome = apply(plan)
        assert outcome.failed == [
            (str(src / "img3.jpg"), "another file took its new name while mnv2 was running")
        ]
        assert (dest / "hen" / "img3.jpg").read_text() == "mine"
        undo(str(dest))
        assert (dest / "hen" / "img3.jpg").read_text() == "mine"


def test_a_full_disk_stops_and_running_again_resumes(
    src: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, dest = snapshot(src), tmp_path / "dest"
    real, remaining = transfer.write, [2]

    def write_some(descriptor: int, data: bytes) -> None:
        remaining[0] -= 1
        if remaining[0] < 0:
            real(descriptor, data[:3])
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor, data)

    monkeypatch.setattr(transfer, "write", write_some)
    with pytest.raises(OutputError, match="no space left on device") as caught:
        apply(plan_of(records(src), dest, "copy"))
    assert "run the same command again" in caught.value.hint and snapshot(src) == before
    assert len(contents(dest)) == 2
    monkeypatch.setattr(transfer, "write", real)
    apply(plan_of(records(src), dest, "copy"))
    assert contents(dest) == contents(src)
    assert len(journals(str(dest))) == 1  # one run, finished
    undo(str(dest))
    assert not dest.exists() and snapshot(src) == before


def test_sort_does_not_write_through_a_link(src: Path, tmp_path: Path) -> None:
    dest, outside = tmp_path / "dest", tmp_path / "outside"
    outside.mkdir()
    dest.mkdir()
    (dest / "tench").symlink_to(outside)
    outcome = apply(plan_of(records(src), dest))
    assert outcome.done == 2 and os.listdir(outside) == []


def test_companions_stay_with_a_photo_that_is_not_moved(tmp_path: Path) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    for name in ("a.jpg", "a.xmp", "b.jpg", "b.xmp"):
        write(src / name, name)
    plan = plan_of([record(src / "a.jpg"), record(src / "b.jpg")], dest)
    (src / "a.jpg").unlink()
    outcome = apply(plan)
    assert [reason for _, reason in outcome.failed] == [
        "no such file or directory", "stays with its photo",
    ]  # fmt: skip
    assert os.listdir(src) == ["a.xmp"] and sorted(os.listdir(dest / "tench")) == ["b.jpg", "b.xmp"]


@pytest.mark.parametrize("method", ["move", "copy"])
def test_a_shot_stays_whole_if_one_companion_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: Method
) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    for name in ("a.JPG", "a.CR2", "a.THM", "a.xmp", "b.JPG"):
        write(src / name, name)
    rows = [record(src / name) for name in ("a.JPG", "b.JPG")]

    def guarded(path: str, real: Any) -> Any:
        if path.endswith(".CR2"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return real(path)

    with monkeypatch.context() as patch:
        for name in ("content_digest", "read_unnoticed"):
            patch.setattr(applying, name, partial(guarded, real=getattr(applying, name)))
        outcome = apply(plan_of(rows, dest, method))
    assert {os.path.basename(path): why for path, why in outcome.failed} == {
        "a.JPG": "stays with a.CR2",
        "a.CR2": "permission denied",
        "a.THM": "stays with a.CR2",
        "a.xmp": "stays with a.CR2",
    }
    assert os.listdir(dest / "tench") == ["b.JPG"]
    assert {"a.JPG", "a.CR2", "a.THM", "a.xmp"} <= set(os.listdir(src))
    assert apply(plan_of(rows[:1], dest, method)).failed == []
    assert len(os.listdir(dest / "tench")) == 5


def test_a_companion_that_is_gone_does_not_keep_its_photo(tmp_path: Path) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    for name in ("a.JPG", "a.CR2", "a.xmp"):
        write(src / name, name)
    plan = plan_of([record(src / "a.JPG")], dest)
    (src / "a.CR2").unlink()
    assert [why for _, why in apply(plan).failed] == ["no such file or directory"]
    assert sorted(os.listdir(dest / "tench")) == ["a.JPG", "a.xmp"]
