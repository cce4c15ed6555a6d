"""Every sort can be undone, and an undo loses nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.sorting.actions import METHODS, Method
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.undo import undo
from tests.sorting.trees import plan_of, record, records, restore_times, snapshot, write


@pytest.mark.parametrize("method", METHODS)
def test_sort_then_undo_restores_the_original_tree(
    src: Path, tmp_path: Path, method: Method
) -> None:
    before = snapshot(tmp_path)
    apply(plan_of(records(src), tmp_path / "new" / "dest", method))
    outcome, _ = undo(str(tmp_path / "new" / "dest"))
    assert (outcome.done, outcome.failed) == (5, [])
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("method", METHODS)
def test_undo_keeps_files_that_were_in_the_destination(
    src: Path, tmp_path: Path, method: Method
) -> None:
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


def test_undo_keeps_files_changed_since_the_sort(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    apply(plan_of(records(src), dest))
    (dest / "cock" / "img1.jpg").write_text("edited")
    (dest / "hen" / "img3.jpg").unlink()
    write(src / "img2.jpg", "another one took its place")
    outcome, _ = undo(str(dest))
    reasons = {Path(path).name: reason for path, reason in outcome.failed}
    assert outcome.done == 2 and reasons["img1.jpg"] == "has changed since the sort"
    assert reasons["img3.jpg"] == "is gone" and "another file is at" in reasons["img2.jpg"]
    assert (dest / "cock" / "img1.jpg").read_text() == "edited"
    assert (src / "img2.jpg").read_text() == "another one took its place"
    assert (dest / "tench" / "img2.jpg").read_text() == "photo 2"
    # Once the original path is free, running it again restores the rest.
    (src / "img2.jpg").unlink()
    outcome, _ = undo(str(dest))
    assert outcome.done == 1 and (src / "img2.jpg").read_text() == "photo 2"


@pytest.mark.parametrize("method", METHODS)
def test_undo_does_not_count_what_the_user_moved(src: Path, tmp_path: Path, method: Method) -> None:
    dest = tmp_path / "dest"
    apply(plan_of(records(src), dest, method))
    (dest / "hen" / "img3.jpg").rename(dest / "cock" / "img3.jpg")
    for done in (4, 0):  # the second undo finds as little
        outcome, _ = undo(str(dest))
        failed = [(Path(path).name, reason) for path, reason in outcome.failed]
        assert (outcome.done, failed) == (done, [("img3.jpg", "is gone")])
    assert (dest / "cock" / "img3.jpg").read_text() == "photo 3"


def test_undo_never_removes_the_last_copy(src: Path, tmp_path: Path) -> None:
    for method in ("copy", "hardlink"):
        dest = tmp_path / method
        apply(plan_of(records(src), dest, method))
        (src / "img0.jpg").unlink()
        outcome, _ = undo(str(dest))
        assert len(outcome.failed) == 1 and "is gone or has changed" in outcome.failed[0][1]
        assert (dest / "tench" / "img0.jpg").read_text() == "photo 0"
        write(src / "img0.jpg", "photo 0")


def test_undo_without_a_journal_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file.jsonl").write_text("")
    for path in (tmp_path, tmp_path / "file.jsonl"):
        with pytest.raises(InputError, match=r"no journal|neither a folder nor a journal"):
            undo(str(path))


def test_a_copied_journal_requires_trust(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    apply(plan_of(records(src), dest))
    shutil.copytree(dest, tmp_path / "unpacked")
    with pytest.raises(InputError, match="copied or unpacked") as caught:
        undo(str(tmp_path / "unpacked"))
    assert "--trust" in caught.value.hint
    outcome, _ = undo(str(tmp_path / "unpacked"), trust=True)
    assert outcome.done == 5 and (src / "img0.jpg").exists()


def test_a_linked_folder_cannot_redirect_undo(src: Path, tmp_path: Path) -> None:
    dest, outside = tmp_path / "dest", tmp_path / "outside"
    apply(plan_of(records(src), dest, "copy"))
    shutil.move(dest / "hen", outside)
    (dest / "hen").symlink_to(outside)
    outcome, _ = undo(str(dest))
    assert len(outcome.failed) == 1 and "leads outside the destination" in outcome.failed[0][1]
    assert (outside / "img3.jpg").exists()


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
def test_undo_does_not_take_a_linked_folder_for_the_original_one(
    tmp_path: Path, method: Method
) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    apply(plan_of([record(write(src / "a.jpg", "photo"))], dest, method))
    shutil.rmtree(src)
    src.symlink_to(dest / "tench")
    outcome, _ = undo(str(dest))
    assert len(outcome.failed) == 1 and (dest / "tench" / "a.jpg").read_text() == "photo"


def test_kept_files_do_not_block_the_undo_of_earlier_runs(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    found = records(src)
    apply(plan_of(found[:2], dest))
    apply(plan_of(found[2:], dest))
    (dest / "tench" / "img2.jpg").write_text("edited")
    outcome, _ = undo(str(dest))
    assert (outcome.done, len(outcome.failed)) == (2, 1)
    outcome, _ = undo(str(dest))
    assert (outcome.done, outcome.failed) == (2, []) and (src / "img0.jpg").exists()
    outcome, _ = undo(str(dest))  # the file that was kept, again
    assert len(outcome.failed) == 1


def test_undo_keeps_an_empty_folder_that_no_sort_recorded_as_created(
    src: Path, tmp_path: Path
) -> None:
    dest = tmp_path / "mine"
    (dest / ".mnv2").mkdir(parents=True)  # as a killed undo leaves it
    undo(str(dest))
    assert dest.is_dir() and not list(dest.iterdir())
    (dest / ".mnv2").mkdir()  # as a killed sort leaves it
    apply(plan_of(records(src), dest))
    undo(str(dest))
    assert dest.is_dir() and not list(dest.iterdir())


def test_undo_of_a_removed_folder_gives_the_reason(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing to undo in .*: it does not exist") as caught:
        undo(str(tmp_path / "sorted"))
    assert "removes the folder" in caught.value.hint


def test_the_undo_of_a_renamed_folder_leaves_its_old_name_alone(src: Path, tmp_path: Path) -> None:
    dest, renamed = tmp_path / "dest", tmp_path / "renamed"
    write(dest / "tench" / "old.jpg", "old")
    restore_times(dest)
    before = snapshot(src)
    apply(plan_of(records(src), dest))
    dest.rename(renamed)
    (dest / "tench").mkdir(parents=True)
    for folder in (dest / "tench", dest):
        os.utime(folder, (5, 5))
    others = snapshot(dest)
    assert undo(str(renamed))[0].failed == []
    assert snapshot(dest) == others and snapshot(src) == before
