"""Several runs into one destination, some of them interrupted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.journals.file import journals
from mnv2cli.sorting.actions import Method
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.plan_file import read_plan, write_plan
from mnv2cli.sorting.recover import finish
from mnv2cli.sorting.undo import undo
from tests.sorting.trees import contents, plan_of, record, restore_times, snapshot, write


@contextmanager
def interrupted(name: str, at: int, after: bool = False) -> Iterator[None]:
    """Interrupt the n-th call of a function of ``os``."""
    count, real = 0, getattr(os, name)

    def call(*args: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        if count == at and not after:
            raise KeyboardInterrupt
        found = real(*args, **options)
        if count == at:
            raise KeyboardInterrupt
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, name, call)
        with pytest.raises(KeyboardInterrupt):
            yield


@pytest.fixture
def src(tmp_path: Path) -> Path:
    for i in range(6):
        write(tmp_path / "src" / f"{i}.jpg", f"photo {i}")
    restore_times(tmp_path)
    return tmp_path / "src"


def photos(src: Path) -> list[Any]:
    return [record(path) for path in sorted(src.glob("*.jpg"))]


def test_an_interrupted_sort_and_its_completion_are_one_run(src: Path, tmp_path: Path) -> None:
    before, dest = snapshot(tmp_path), tmp_path / "dest"
    with interrupted("link", 3):
        apply(plan_of(photos(src), dest))
    assert finish(str(dest)).finished == 4  # two were confirmed
    write(src / "new.jpg", "new")
    apply(plan_of(photos(src), dest))
    assert len(journals(str(dest))) == 1
    undo(str(dest))
    (src / "new.jpg").unlink()
    restore_times(src)
    os.utime(tmp_path, (1_400_000_000, 1_400_000_000))
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("name", ["rmdir", "utime"])
def test_finishing_an_undo_does_not_begin_another(src: Path, tmp_path: Path, name: str) -> None:
    dest, found = tmp_path / "dest", photos(src)
    before = snapshot(tmp_path)
    apply(plan_of(found[:3], dest))
    apply(plan_of([record(r.path, "hen") for r in found[3:]], dest))
    with interrupted(name, 4 if name == "utime" else 1):
        undo(str(dest))
    undo(str(dest))
    assert sorted(os.listdir(dest / "tench")) == ["0.jpg", "1.jpg", "2.jpg"]
    undo(str(dest))
    assert snapshot(tmp_path) == before


def test_a_file_that_undo_kept_does_not_prevent_a_complete_undo_later(
    src: Path, tmp_path: Path
) -> None:
    dest, found = tmp_path / "new" / "dest", photos(src)
    apply(plan_of(found[:3], dest))
    apply(plan_of([record(r.path, "hen") for r in found[3:]], dest))
    edited = dest / "hen" / "5.jpg"
    edited.write_text("edited")
    for failed in (1, 0):
        outcome, _ = undo(str(dest))
        assert len(outcome.failed) == failed
    edited.write_text("photo 5")
    outcome, _ = undo(str(dest))
    assert outcome.failed == [] and not (tmp_path / "new").exists()


def test_running_again_recognises_a_numbered_group(tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    for i in (1, 2):
        write(tmp_path / "src" / str(i) / "a.jpg", "the same photo")
        write(tmp_path / "src" / str(i) / "a.xmp", f"notes {i}")
    found = [record(tmp_path / "src" / str(i) / "a.jpg") for i in (1, 2)]
    apply(plan_of(found, dest, "copy"))
    assert sorted(os.listdir(dest / "tench")) == ["a (2).jpg", "a (2).xmp", "a.jpg", "a.xmp"]
    assert plan_of(found, dest, "copy").work == []
    write(tmp_path / "src" / "1" / "a.xmp", "edited")
    apply(plan_of(found, dest, "copy"))
    assert plan_of(found, dest, "copy").work == []


def test_files_changed_before_an_interrupted_sort_is_finished_are_kept(
    src: Path, tmp_path: Path
) -> None:
    dest = tmp_path / "dest"
    with interrupted("unlink", 2, after=True):
        apply(plan_of(photos(src)[:3], dest))
    with (dest / "tench" / "0.jpg").open("a") as file:
        file.write("edited")
    write(src / "1.jpg", "the camera takes the name again")
    outcome, _ = undo(str(dest))
    reasons = {Path(path).name: reason for path, reason in outcome.failed}
    assert (
        reasons["0.jpg"] == "has changed since the sort"
        and "another file is at" in reasons["1.jpg"]
    )
    assert journals(str(dest)) and (dest / "tench" / "1.jpg").read_text() == "photo 1"


def test_companions_of_a_plan_and_of_a_finished_run_stay_with_their_photo(tmp_path: Path) -> None:
    src, dest, file = tmp_path / "src", tmp_path / "dest", tmp_path / "plan.csv"
    write(src / "a.jpg", "photo")
    write(src / "a.xmp", "notes")
    write_plan(plan_of([record(src / "a.jpg")], dest), str(file))
    plan = read_plan(str(file), str(dest))
    assert plan.work[1].photo == str(src / "a.jpg")
    (src / "a.jpg").unlink()
    assert len(apply(plan).failed) == 2 and (src / "a.xmp").exists()
    undo(str(dest))
    write(src / "a.jpg", "photo")
    with interrupted("link", 1):
        apply(plan_of([record(src / "a.jpg")], dest))
    write(dest / "tench" / "a.jpg", "another photo")
    outcome = finish(str(dest))
    assert len(outcome.failed) == 2 and sorted(os.listdir(src)) == ["a.jpg", "a.xmp"]
    apply(plan_of([record(src / "a.jpg")], dest))
    assert sorted(os.listdir(dest / "tench")) == ["a (2).jpg", "a (2).xmp", "a.jpg"]


def test_companions_are_not_held_back_by_another_photo(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    apply(plan_of([record(src / "1.jpg")], dest, "copy"))
    write(src / "1.xmp", "notes")
    plan = plan_of([record(src / "0.jpg"), record(src / "1.jpg")], dest, "copy")
    (src / "0.jpg").unlink()
    outcome = apply(plan)
    assert [Path(path).name for path, _ in outcome.failed] == ["0.jpg"]
    assert (dest / "tench" / "1.xmp").exists()


def test_undo_does_not_take_a_truncated_photo_for_its_unfinished_copy(
    src: Path, tmp_path: Path
) -> None:
    dest = tmp_path / "dest"
    apply(plan_of(photos(src)[:2], dest))
    (src / "0.jpg").write_text("")
    (src / "1.jpg").write_text("phot")
    outcome, _ = undo(str(dest))
    assert len(outcome.failed) == 2 and (src / "1.jpg").read_text() == "phot"


def test_undo_keeps_a_link_whose_folder_leads_into_the_destination(tmp_path: Path) -> None:
    link, dest = tmp_path / "src" / "a.jpg", tmp_path / "dest"
    write(tmp_path / "real.jpg", "real")
    link.parent.mkdir()
    link.symlink_to(tmp_path / "real.jpg")
    apply(plan_of([record(link)], dest))
    link.parent.rmdir()
    link.parent.symlink_to(dest / "tench")
    outcome, _ = undo(str(dest))
    assert len(outcome.failed) == 1 and (dest / "tench" / "a.jpg").is_symlink()
    link.parent.unlink()
    undo(str(dest))
    assert link.is_symlink() and not dest.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_the_owner_of_a_photo_is_preserved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise OSError(18, "Invalid cross-device link")

    photo, dest = write(tmp_path / "src" / "a.jpg", "photo"), tmp_path / "dest"
    os.chown(photo, 1000, 1001)
    monkeypatch.setattr(os, "link", refuse)
    apply(plan_of([record(photo)], dest))
    status = (dest / "tench" / "a.jpg").stat()
    assert (status.st_uid, status.st_gid) == (1000, 1001)
    undo(str(dest))
    assert (photo.stat().st_uid, photo.stat().st_gid) == (1000, 1001)


def test_two_undos_restore_a_destination_sorted_in_place(src: Path, tmp_path: Path) -> None:
    before, dest = snapshot(tmp_path), tmp_path / "dest"
    apply(plan_of(photos(src), dest))
    between = contents(dest)
    inside = [record(path, "hen") for path in sorted(dest.glob("*/*.jpg"))]
    apply(plan_of(inside, dest))
    assert contents(dest) == between and len(os.listdir(dest / "hen")) == 6
    undo(str(dest))
    undo(str(dest))
    assert snapshot(tmp_path) == before
    assert journals(str(dest)) == []


@pytest.mark.parametrize("method", ["copy", "hardlink", "symlink"])
def test_photos_that_the_user_moved_are_not_sorted_again(tmp_path: Path, method: Method) -> None:
    dest = tmp_path / "dest"
    found = [record(write(tmp_path / "in" / f"{n}.jpg", f"photo {n}")) for n in range(4)]
    write(tmp_path / "in" / "0.xmp", "keywords")
    apply(plan_of(found, dest, method))
    (dest / "hen").mkdir()
    (dest / "tench" / "0.jpg").rename(dest / "hen" / "0.jpg")
    (dest / "tench" / "1.jpg").rename(dest / "hen" / "2.jpg")
    (dest / "tench" / "2.jpg").rename(dest / "hen" / "two.jpg")
    (dest / "tench" / "3.jpg").unlink()
    plan = plan_of(found, dest, method)
    reasons = {os.path.basename(a.source): (a.method, a.reason) for a in plan.actions}
    assert reasons["0.jpg"] == ("skip", "already sorted, moved by you: hen/0.jpg")
    assert reasons["0.xmp"] == ("skip", "already sorted: tench/0.xmp")
    assert reasons["1.jpg"] == ("skip", "already sorted, moved by you: hen/2.jpg")
    assert reasons["2.jpg"] == ("skip", "already sorted, moved by you: hen/two.jpg")
    assert [os.path.basename(a.source) for a in plan.work] == ["3.jpg"], "what is gone is new"


def test_an_equal_photo_that_a_run_placed_does_not_stand_for_a_removed_one(tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    found = [
        record(write(tmp_path / "in" / f"{label}.jpg", "same"), label) for label in ("hen", "cock")
    ]
    apply(plan_of(found, dest, "copy"))
    (dest / "hen" / "hen.jpg").unlink()
    assert [a.target for a in plan_of(found, dest, "copy").work] == ["hen/hen.jpg"]
