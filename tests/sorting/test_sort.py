"""Sorting and undoing: nothing is lost, nothing is overwritten, everything can be taken back."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.errors import InputError, JournalError, OutputError
from mnv2cli.sorting import transfer as moves
from mnv2cli.sorting.actions import METHODS, Method
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.destination import check_free_space, locked
from mnv2cli.sorting.journal import Journal, journals
from mnv2cli.sorting.journal_reader import read_journal
from mnv2cli.sorting.plan_file import read_plan, write_plan
from mnv2cli.sorting.undo import undo
from tests.sorting.trees import (
    categorised,
    contents,
    plan_of,
    record,
    restore_times,
    snapshot,
    write,
)


@pytest.fixture
def src(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    for i in range(4):
        write(folder / f"img{i}.jpg", f"photo {i}")
    write(folder / "sub" / "img0.jpg", "another photo of that name")
    (folder / "img1.jpg").chmod(0o640)
    restore_times(folder)
    restore_times(tmp_path)
    return folder


def records(src: Path) -> list[Any]:
    labels = ["tench", "cock", "tench", "hen", "tench"]
    paths = [*sorted(src.glob("*.jpg")), src / "sub" / "img0.jpg"]
    return [record(path, label) for path, label in zip(paths, labels, strict=True)]


# Doing


@pytest.mark.parametrize("method", METHODS)
def test_photos_come_into_their_folders(src: Path, tmp_path: Path, method: Method) -> None:
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
def test_sort_then_undo_gives_back_the_first_tree(
    src: Path, tmp_path: Path, method: Method
) -> None:
    before = snapshot(tmp_path)
    apply(plan_of(records(src), tmp_path / "new" / "dest", method))
    outcome, _ = undo(str(tmp_path / "new" / "dest"))
    assert (outcome.done, outcome.failed) == (5, [])
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("method", METHODS)
def test_undo_leaves_what_was_in_the_destination(src: Path, tmp_path: Path, method: Method) -> None:
    dest = tmp_path / "dest"
    write(dest / "tench" / "img0.jpg", "older photo")
    write(dest / "notes.txt", "notes")
    restore_times(tmp_path)
    before = snapshot(tmp_path)
    apply(plan_of(records(src), dest, method))
    assert (dest / "tench" / "img0.jpg").read_text() == "older photo"
    assert (dest / "tench" / "img0 (2).jpg").read_text() == "photo 0"
    assert (dest / "tench" / "img0 (3).jpg").read_text() == "another photo of that name"
    undo(str(dest))
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("method", METHODS)
def test_running_again_changes_nothing(src: Path, tmp_path: Path, method: Method) -> None:
    dest = tmp_path / "dest"
    apply(plan_of(records(src), dest, method))
    before = snapshot(tmp_path)
    again = plan_of(records(src) if method != "move" else [], dest, method)
    assert again.work == []
    apply(again)
    assert snapshot(tmp_path) == before


def test_moved_sources_of_an_earlier_run_are_recognised(src: Path, tmp_path: Path) -> None:
    dest, old = tmp_path / "dest", records(src)
    apply(plan_of(old, dest))
    write(src / "new.jpg", "new")
    plan = plan_of([*old, record(src / "new.jpg", "hen")], dest)
    assert [a.method for a in plan.actions] == ["skip"] * 5 + ["move"]
    assert plan.actions[0].reason == "already sorted: tench/img0.jpg"
    apply(plan)
    assert (dest / "hen" / "new.jpg").exists()
    undo(str(dest))
    assert (src / "new.jpg").exists() and not (src / "img0.jpg").exists()
    undo(str(dest))
    assert (src / "img0.jpg").exists() and not dest.exists()


def test_companions_travel_with_their_photo(tmp_path: Path) -> None:
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


def test_equal_photos_are_there_once_and_others_get_numbers(tmp_path: Path) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    paths = [write(src / str(i) / "a.jpg", text) for i, text in enumerate("xyxz")]
    plan = plan_of([record(path) for path in paths], dest, "copy")
    assert [a.method for a in plan.actions] == ["copy", "copy", "skip", "copy"]
    apply(plan)
    names = {p.name: p.read_text() for p in (dest / "tench").iterdir()}
    assert names == {"a.jpg": "x", "a (2).jpg": "y", "a (3).jpg": "z"}


def test_names_that_differ_in_case_do_not_meet(tmp_path: Path) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    one, two = write(src / "1" / "A.JPG", "1"), write(src / "2" / "a.jpg", "2")
    apply(plan_of([record(one, "Fish"), record(two, "fish")], dest))
    assert [p.name for p in sorted(dest.iterdir())] == [".mnv2", "Fish"]
    assert sorted(os.listdir(dest / "Fish")) == ["A.JPG", "a (2).jpg"]


def test_the_longest_names_and_odd_bytes_are_kept(tmp_path: Path) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    long = "x" * 251 + ".jpg"
    odd = os.fsdecode(b"latin-\xe9\n.jpg")
    paths = [write(src / "1" / long, "1"), write(src / "2" / long, "2"), write(src / odd, "3")]
    before = snapshot(src)
    outcome = apply(plan_of([record(path) for path in paths], dest))
    assert outcome.failed == []
    names = sorted(os.listdir(dest / "tench"))
    assert names == sorted([long, "x" * 247 + " (2).jpg", odd])
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


def test_a_destination_inside_of_the_photos_is_not_sorted_again(src: Path) -> None:
    dest = src / "sorted"
    apply(plan_of(records(src), dest, "copy"))
    both = [*records(src), record(dest / "tench" / "img0.jpg", "hen")]
    plan = plan_of(both, dest, "copy")
    assert [a.method for a in plan.actions] == ["skip"] * 5 + ["leave"]
    assert plan.actions[-1].reason == "is in the destination already"


def test_photos_inside_of_the_destination_are_sorted_in_place(src: Path) -> None:
    before = snapshot(src)
    apply(plan_of(records(src), src))
    assert (src / "tench" / "img0 (2).jpg").exists() and not (src / "img0.jpg").exists()
    inside = [record(path, path.parent.name) for path in src.rglob("*.jpg")]
    assert plan_of(inside, src).work == []
    undo(str(src))
    assert snapshot(src) == before


# What goes wrong


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


def test_a_photo_that_changes_meanwhile_stays(
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
        outcome = apply(plan_of(records(src), tmp_path / method, method))  # type: ignore[arg-type]
        assert [reason for _, reason in outcome.failed] == ["has changed meanwhile"]
        assert (src / "img1.jpg").read_text() == "edited meanwhile"
        assert not (tmp_path / method / "cock" / "img1.jpg").exists()
        undo(str(tmp_path / method))
        write(src / "img1.jpg", "photo 1")


def test_a_file_that_appears_meanwhile_is_not_overwritten(src: Path, tmp_path: Path) -> None:
    for method in METHODS:
        dest = tmp_path / method
        plan = plan_of(records(src), dest, method)
        write(dest / "hen" / "img3.jpg", "mine")
        outcome = apply(plan)
        assert outcome.failed == [
            (str(src / "img3.jpg"), "a file of its new name appeared meanwhile")
        ]
        assert (dest / "hen" / "img3.jpg").read_text() == "mine"
        undo(str(dest))
        assert (dest / "hen" / "img3.jpg").read_text() == "mine"


def test_a_full_disk_stops_and_running_again_goes_on(
    src: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, dest = snapshot(src), tmp_path / "dest"
    real, left = moves.write, [2]

    def write_some(descriptor: int, data: bytes) -> None:
        left[0] -= 1
        if left[0] < 0:
            real(descriptor, data[:3])
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor, data)

    monkeypatch.setattr(moves, "write", write_some)
    with pytest.raises(OutputError, match="no space left on device") as caught:
        apply(plan_of(records(src), dest, "copy"))
    assert "Run the same command again" in caught.value.hint and snapshot(src) == before
    assert len(contents(dest)) == 2
    monkeypatch.setattr(moves, "write", real)
    apply(plan_of(records(src), dest, "copy"))
    assert contents(dest) == contents(src)
    assert len(journals(str(dest))) == 1  # one run, finished
    undo(str(dest))
    assert not dest.exists() and snapshot(src) == before


def test_room_is_checked_before(src: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=5000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    check_free_space(plan_of(records(src), tmp_path / "dest", "move"))
    with pytest.raises(OutputError, match=r"has 0\.0 MB free, but 0\.0 MB are needed"):
        check_free_space(plan_of(records(src), tmp_path / "dest", "copy"))


def test_file_systems_without_links_are_served(
    src: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    before, dest = snapshot(tmp_path), tmp_path / "dest"
    monkeypatch.setattr(os, "link", refuse)
    for method in ("copy", "move"):
        plan = plan_of(records(src), dest, method)  # type: ignore[arg-type]
        write(dest / "hen" / "img3.jpg", "mine")
        outcome = apply(plan)
        assert outcome.done == 4 and len(outcome.failed) == 1
        assert (dest / "hen" / "img3.jpg").read_text() == "mine"
        undo(str(dest))
        shutil.rmtree(dest)
        restore_times(tmp_path)
        assert snapshot(tmp_path) == before
    outcome = apply(plan_of(records(src), dest, "hardlink"))
    assert {reason for _, reason in outcome.failed} == {"operation not permitted"}


def test_two_runs_keep_out_of_one_destination(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    apply(plan_of(records(src)[:2], dest))
    with locked(str(dest)):
        code = (
            "from mnv2cli.sorting.undo import undo; from mnv2cli.errors import InputError\n"
            f"try: undo({str(dest)!r})\nexcept InputError as e: print(e.message)"
        )
        told = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert "another mnv2 is at work" in told.stdout


def test_a_destination_that_is_a_file_or_read_only_is_told(src: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a file, not a folder"):
        apply(plan_of(records(src), src / "img0.jpg" / "dest"))
    write(tmp_path / "dest" / ".mnv2", "a file")
    with pytest.raises(InputError, match="needed for the journal"):
        apply(plan_of(records(src), tmp_path / "dest"))


# Undoing


def test_undo_keeps_what_changed_since(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    apply(plan_of(records(src), dest))
    (dest / "cock" / "img1.jpg").write_text("edited")
    (dest / "hen" / "img3.jpg").unlink()
    write(src / "img2.jpg", "another one took its place")
    outcome, _ = undo(str(dest))
    why = {Path(path).name: reason for path, reason in outcome.failed}
    assert outcome.done == 2 and why["img1.jpg"] == "has changed since"
    assert why["img3.jpg"] == "is gone" and "taken its place" in why["img2.jpg"]
    assert (dest / "cock" / "img1.jpg").read_text() == "edited"
    assert (src / "img2.jpg").read_text() == "another one took its place"
    assert (dest / "tench" / "img2.jpg").read_text() == "photo 2"
    # Once the place is free, running it again takes the rest back.
    (src / "img2.jpg").unlink()
    outcome, _ = undo(str(dest))
    assert outcome.done == 1 and (src / "img2.jpg").read_text() == "photo 2"


def test_undo_never_removes_the_last_copy(src: Path, tmp_path: Path) -> None:
    for method in ("copy", "hardlink"):
        dest = tmp_path / method
        apply(plan_of(records(src), dest, method))  # type: ignore[arg-type]
        (src / "img0.jpg").unlink()
        outcome, _ = undo(str(dest))
        assert len(outcome.failed) == 1 and "kept" in outcome.failed[0][1]
        assert (dest / "tench" / "img0.jpg").read_text() == "photo 0"
        write(src / "img0.jpg", "photo 0")


def test_undo_of_what_was_never_sorted_is_told(tmp_path: Path) -> None:
    (tmp_path / "file.jsonl").write_text("")
    for path in (tmp_path, tmp_path / "file.jsonl"):
        with pytest.raises(InputError, match=r"no journal|neither a folder nor a journal"):
            undo(str(path))


def test_a_journal_from_elsewhere_needs_trust(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    apply(plan_of(records(src), dest))
    shutil.copytree(dest, tmp_path / "unpacked")
    with pytest.raises(InputError, match="was not written here") as caught:
        undo(str(tmp_path / "unpacked"))
    assert "--trust" in caught.value.hint
    outcome, _ = undo(str(tmp_path / "unpacked"), trust=True)
    assert outcome.done == 5 and (src / "img0.jpg").exists()


@pytest.mark.parametrize(
    "target",
    ["../evil.jpg", "/etc/evil.jpg", "a/../../evil.jpg", "", ".mnv2/x", "a//b", "a\0b", "./a"],
)
def test_a_journal_cannot_leave_the_destination(src: Path, tmp_path: Path, target: str) -> None:
    dest = tmp_path / "dest"
    apply(plan_of(records(src)[:1], dest))
    journal = Path(journals(str(dest))[0])
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    for line in lines:
        if "do" in line:
            line["target"] = target
    with journal.open("r+") as file:  # in place, as its inode counts
        file.write("".join(json.dumps(line) + "\n" for line in lines))
        file.truncate()
    with pytest.raises(JournalError, match="is damaged in line"):
        undo(str(dest))


def test_a_linked_folder_cannot_lead_undo_away(src: Path, tmp_path: Path) -> None:
    dest, outside = tmp_path / "dest", tmp_path / "outside"
    apply(plan_of(records(src), dest, "copy"))
    shutil.move(dest / "hen", outside)
    (dest / "hen").symlink_to(outside)
    outcome, _ = undo(str(dest))
    assert len(outcome.failed) == 1 and "leaves the destination" in outcome.failed[0][1]
    assert (outside / "img3.jpg").exists()


def test_sort_does_not_write_through_a_link(src: Path, tmp_path: Path) -> None:
    dest, outside = tmp_path / "dest", tmp_path / "outside"
    outside.mkdir()
    dest.mkdir()
    (dest / "tench").symlink_to(outside)
    outcome = apply(plan_of(records(src), dest))
    assert outcome.done == 2 and os.listdir(outside) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{}\n", b"[]\n", b'{"mnv2": 2}\n', b"\xff\xfe\n", b"[" * 100_000,
     b'{"mnv2": 1}\nx\n{}\n',
     b'{"mnv2": 1}\n{"what": 1}\n', b'{"mnv2": 1}\n{"done": 3}\n', b'{"mnv2": 1}\n{"do": 1}\n'],
)  # fmt: skip
def test_damaged_journals_are_one_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / ".mnv2" / "x.jsonl"
    write(path, content)
    with pytest.raises(JournalError, match=r"x\.jsonl"):
        undo(str(tmp_path))


def test_a_torn_line_does_not_count_and_is_cut_off(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    apply(plan_of(records(src), dest))
    journal = Path(journals(str(dest))[0])
    with journal.open("ab") as file:
        file.write(b'{"do": 99, "how": "mo')
    assert len(read_journal(str(journal)).entries) == 5
    undo(str(dest))
    assert not dest.exists()


# Removed only when it is twice


@pytest.mark.parametrize("method", ["move", "copy", "hardlink"])
def test_undo_does_not_take_a_link_for_a_second_copy(tmp_path: Path, method: Method) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    photo = write(src / "a.jpg", "photo")
    apply(plan_of([record(photo)], dest, method))
    photo.unlink(missing_ok=True)
    photo.symlink_to(dest / "tench" / "a.jpg")
    outcome, _ = undo(str(dest))
    assert len(outcome.failed) == 1 and (dest / "tench" / "a.jpg").read_text() == "photo"


@pytest.mark.parametrize("method", ["move", "copy", "hardlink"])
def test_undo_does_not_take_a_linked_folder_for_the_old_place(
    tmp_path: Path, method: Method
) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    apply(plan_of([record(write(src / "a.jpg", "photo"))], dest, method))
    shutil.rmtree(src)
    src.symlink_to(dest / "tench")
    outcome, _ = undo(str(dest))
    assert len(outcome.failed) == 1 and (dest / "tench" / "a.jpg").read_text() == "photo"


def test_an_interrupted_move_does_not_take_a_link_for_a_second_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    photo = write(src / "a.jpg", "photo")

    def interrupt(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", interrupt)
        with pytest.raises(KeyboardInterrupt):
            apply(plan_of([record(photo)], dest))
    (dest / "tench" / "a.jpg").symlink_to(photo)
    apply(plan_of([record(photo)], dest))
    assert "photo" in [path.read_text() for path in tmp_path.rglob("*.jpg")]
    assert not photo.is_symlink() or (dest / "tench" / "a.jpg").is_file()


def test_an_interruption_right_after_a_rename_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    photo = write(src / "a.jpg", "photo")
    real = os.replace

    def refuse(*args: Any, **options: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    def interrupt(*args: Any) -> None:
        real(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        apply(plan_of([record(photo)], dest))
    assert (dest / "tench" / "a.jpg").read_text() == "photo"
    monkeypatch.setattr(os, "replace", real)
    assert apply(plan_of([], dest)).finished == 1
    undo(str(dest))
    assert photo.read_text() == "photo"


def test_an_edit_during_a_move_to_another_disk_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = write(tmp_path / "src" / "a.jpg", "photo")
    dest = tmp_path / "dest"
    real = moves.content_digest

    def refuse(*args: Any, **options: Any) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    def edit(path: str) -> str:
        found = real(path)
        if path.startswith(str(dest)):
            photo.write_text("edited")
        return found

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(moves, "content_digest", edit)
    outcome = apply(plan_of([record(photo)], dest))
    assert photo.read_text() == "edited" and len(outcome.failed) == 1
    assert not (dest / "tench" / "a.jpg").exists()


@pytest.mark.parametrize("other_disk", [False, True])
def test_a_source_that_cannot_be_removed_stays_the_only_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other_disk: bool
) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    photo, _ = write(src / "a.jpg", "photo"), write(src / "a.xmp", "notes")
    before = snapshot(src)
    real = os.unlink

    def guarded(path: Any, *args: Any, **options: Any) -> None:
        if str(path).startswith(str(src)):
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        real(path, *args, **options)

    def refuse(*args: Any, **options: Any) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "unlink", guarded)
    if other_disk:
        monkeypatch.setattr(os, "link", refuse)
    outcome = apply(plan_of([record(photo)], dest))
    assert [reason for _, reason in outcome.failed] == [
        "read-only file system", "stays with its photo",
    ]  # fmt: skip
    assert snapshot(src) == before and not contents(dest)


def test_an_interrupted_move_from_a_folder_that_is_read_only_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    photo = write(src / "a.jpg", "photo")
    real = os.unlink

    def interrupt(path: Any, *args: Any, **options: Any) -> None:
        if path == str(photo):
            raise KeyboardInterrupt
        real(path, *args, **options)

    def refuse(path: Any, *args: Any, **options: Any) -> None:
        if path == str(photo):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        real(path, *args, **options)

    monkeypatch.setattr(os, "unlink", interrupt)
    with pytest.raises(KeyboardInterrupt):
        apply(plan_of([record(photo)], dest))
    monkeypatch.setattr(os, "unlink", refuse)
    outcome = apply(plan_of([record(photo)], dest))
    assert [reason for _, reason in outcome.failed] == ["permission denied"]
    assert photo.read_text() == "photo" and not contents(dest)


def test_companions_stay_with_a_photo_that_stays(tmp_path: Path) -> None:
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


def test_what_was_kept_does_not_bar_the_runs_before(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    found = records(src)
    apply(plan_of(found[:2], dest))
    apply(plan_of(found[2:], dest))
    (dest / "tench" / "img2.jpg").write_text("edited")
    outcome, _ = undo(str(dest))
    assert (outcome.done, len(outcome.failed)) == (2, 1)
    outcome, _ = undo(str(dest))
    assert (outcome.done, outcome.failed) == (2, []) and (src / "img0.jpg").exists()
    outcome, _ = undo(str(dest))  # what was kept, once more
    assert len(outcome.failed) == 1


def test_links_to_photos_that_move_stay(tmp_path: Path) -> None:
    photo = write(tmp_path / "src" / "a.jpg", "photo")
    link = photo.with_name("b.jpg")
    link.symlink_to("a.jpg")
    plan = plan_of([record(photo), record(link), record(f"{photo.parent}/./a.jpg")], tmp_path / "d")
    assert [(a.method, a.reason) for a in plan.actions] == [
        ("move", ""), ("leave", "is a link to a photo that is moved"),
    ]  # fmt: skip


def test_a_thousand_photos_of_one_name_take_no_time(tmp_path: Path) -> None:
    paths = [write(tmp_path / "src" / str(i) / "IMG_1.jpg", f"{i:04}") for i in range(1000)]
    plan = plan_of([record(path) for path in [*paths, paths[500]]], tmp_path / "dest")
    assert len({a.target for a in plan.work}) == len(plan.actions) == 1000
    again = write(tmp_path / "src" / "again" / "IMG_1.jpg", "0500")
    plan = plan_of([record(path) for path in [*paths, again]], tmp_path / "dest")
    assert plan.actions[-1].method == "skip"


def test_a_lock_that_is_a_link_is_refused(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    (dest / ".mnv2").mkdir(parents=True)
    (dest / ".mnv2" / "lock").symlink_to(src / "img0.jpg")
    with pytest.raises(InputError, match="is a link"):
        apply(plan_of(records(src)[1:], dest))
    assert (src / "img0.jpg").read_text() == "photo 0"


# Plans


def test_a_plan_can_be_edited_and_applied(src: Path, tmp_path: Path) -> None:
    dest, file = tmp_path / "dest", tmp_path / "plan.csv"
    odd = write(src / os.fsdecode(b"odd\xff,\r.jpg"), "odd")
    odd.rename(tmp_path / odd.name)
    odd = tmp_path / odd.name
    plan = plan_of([*records(src), record(odd, "hen")], dest)
    write_plan(plan, str(file))
    assert read_plan(str(file), str(dest)).work == plan.work
    text = file.read_bytes()
    text = text.replace(b"tench/img0.jpg", b"best/first.jpg")
    text = text.replace(b",move,cock,", b",leave,cock,")
    file.write_bytes(text)
    outcome = apply(read_plan(str(file), str(dest)))
    assert outcome.done == 5 and (dest / "best" / "first.jpg").read_text() == "photo 0"
    assert (src / "img1.jpg").exists() and not odd.exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tench/img0.jpg", "../img0.jpg", "line 2: the target '../img0.jpg' is not a path below"),
        ("tench/img0.jpg", "/img0.jpg", "is not a path below"),
        ("tench/img2.jpg", "tench/IMG0.jpg", "line 4: has the target of line 2"),
        ("img1.jpg,move", "none.jpg,move", "cannot be read"),
        (",move,hen", ",burn,hen", "unknown action 'burn'"),
        ("tench/img0.jpg", "old/img.jpg", "is there already, and is another file"),
        ("tench/img0.jpg", "old/img.jpg/x.jpg", "is a file, not a folder"),
        ("img3.jpg,,7", "img3.jpg,,8", "has changed since the plan was made"),
        ("source,action", "a,b", "it has no columns"),
    ],
)
def test_a_plan_is_checked_before_anything_moves(
    src: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    dest, file = tmp_path / "dest", tmp_path / "plan.csv"
    write(dest / "old" / "img.jpg", "old")
    write_plan(plan_of(records(src), dest), str(file))
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    before = snapshot(src, dest)
    with pytest.raises(InputError) as caught:
        read_plan(str(file), str(dest))
    assert message in str(caught.value)
    assert snapshot(src, dest) == before


def test_small_classes_are_joined(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    write(dest / "hen" / "one.jpg", "1")
    plan = plan_of(records(src), dest, min_count=2)
    assert [a.folder for a in plan.actions] == ["tench", "other", "tench", "hen", "tench"]
    assert plan.actions[1].reason == "fewer than 2 in cock"


def test_unsure_and_unreadable_photos(src: Path, tmp_path: Path) -> None:
    paths = sorted(src.glob("*.jpg"))
    photos = [
        categorised(paths[0], "dog", 0.9, 0.5),
        categorised(paths[1], "dog", 0.4, 0.3),
        categorised(paths[2], "cat", 0.6, 0.05),
        categorised(paths[3], "", 0.0, 0.0),
        record(src / "bad.jpg", error="empty file"),
    ]
    dest = tmp_path / "dest"
    plan = plan_of(photos, dest, template="{category}", threshold=0.5, margin=0.1)
    assert [a.folder for a in plan.actions] == ["dog", "unsure", "unsure", "unsure", ""]
    assert [a.reason for a in plan.actions][1:] == [
        "score 0.4 is below 0.5",
        "only 0.05 ahead of the next",
        "no class reaches its threshold",
        "empty file",
    ]
    assert plan.left == plan.actions[4:]
