"""Which photo goes where, and under which name."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from mnv2cli.sorting.actions import Method
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.undo import undo
from tests.sorting.trees import categorised, plan_of, record, records, write


def test_equal_photos_are_sorted_once_and_others_are_numbered(tmp_path: Path) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    paths = [write(src / str(i) / "a.jpg", text) for i, text in enumerate("xyxz")]
    plan = plan_of([record(path) for path in paths], dest, "copy")
    assert [a.method for a in plan.actions] == ["copy", "copy", "skip", "copy"]
    apply(plan)
    names = {p.name: p.read_text() for p in (dest / "tench").iterdir()}
    assert names == {"a.jpg": "x", "a (2).jpg": "y", "a (3).jpg": "z"}


def test_names_that_differ_only_in_case_do_not_collide(tmp_path: Path) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    one, two = write(src / "1" / "A.JPG", "1"), write(src / "2" / "a.jpg", "2")
    apply(plan_of([record(one, "Fish"), record(two, "fish")], dest))
    assert [p.name for p in sorted(dest.iterdir())] == [".mnv2", "Fish"]
    assert sorted(os.listdir(dest / "Fish")) == ["A.JPG", "a (2).jpg"]


def test_a_destination_inside_the_photos_is_not_sorted_again(src: Path) -> None:
    dest = src / "sorted"
    apply(plan_of(records(src), dest, "copy"))
    both = [*records(src), record(dest / "tench" / "img0.jpg", "hen")]
    plan = plan_of(both, dest, "copy")
    assert [a.method for a in plan.actions] == ["skip"] * 5 + ["leave"]
    assert plan.actions[-1].reason == "is in the destination already"


def test_links_to_moved_photos_are_left_in_place(tmp_path: Path) -> None:
    photo = write(tmp_path / "src" / "a.jpg", "photo")
    link = photo.with_name("b.jpg")
    link.symlink_to("a.jpg")
    plan = plan_of([record(photo), record(link), record(f"{photo.parent}/./a.jpg")], tmp_path / "d")
    assert [(a.method, a.reason) for a in plan.actions] == [
        ("move", ""), ("leave", "is a link to a photo that is moved"),
    ]  # fmt: skip
    assert plan.unsorted == []  # a link to a photo is not a photo that cannot be read


def test_companions_that_are_links_to_moved_files_are_left_in_place(tmp_path: Path) -> None:
    src, dest, other = tmp_path / "src", tmp_path / "dest", write(tmp_path / "other.xmp", "other")
    for name in ("a.jpg", "a.cr2", "b.jpg", "c.xmp"):
        write(src / name, name)
    links = {"a.xmp": "a.jpg", "a.dng": "./a.cr2", "b.xmp": "../other.xmp", "b.thm": "b.xmp"}
    links |= {"c.cr2": "../linked/a.cr2"}  # a photo that is a link to a companion
    (tmp_path / "linked").symlink_to("src")
    for name, text in links.items():
        (src / name).symlink_to(text)
    rows = [record(src / name) for name in ("a.jpg", "b.jpg", "c.cr2")]
    plan = plan_of(rows, dest)
    link = "is a link to a photo that is moved"
    assert {os.path.basename(a.source): a.reason for a in plan.left} == {
        "a.dng": link, "a.xmp": link, "b.thm": link, "c.cr2": link, "c.xmp": "stays with c.cr2",
    }  # fmt: skip
    assert plan.unsorted == []
    outcome = apply(plan)
    assert outcome.failed == [] and (dest / "tench" / "b.xmp").read_text() == "other"
    assert sorted(os.listdir(dest / "tench")) == ["a.cr2", "a.jpg", "b.jpg", "b.xmp"]
    undo(str(dest))
    assert all((src / name).exists() for name in links) and other.exists()
    assert len(plan_of(rows, dest, "copy").work) == 9


def test_a_thousand_photos_of_one_name_have_different_targets(tmp_path: Path) -> None:
    paths = [write(tmp_path / "src" / str(i) / "IMG_1.jpg", f"{i:04}") for i in range(1000)]
    plan = plan_of([record(path) for path in [*paths, paths[500]]], tmp_path / "dest")
    assert len({a.target for a in plan.work}) == len(plan.actions) == 1000
    again = write(tmp_path / "src" / "again" / "IMG_1.jpg", "0500")
    plan = plan_of([record(path) for path in [*paths, again]], tmp_path / "dest")
    assert plan.actions[-1].method == "skip"


def test_small_classes_are_put_in_other(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    write(dest / "hen" / "one.jpg", "1")
    plan = plan_of(records(src), dest, min_count=2)
    assert [a.folder for a in plan.actions] == ["tench", "other", "tench", "hen", "tench"]
    assert plan.actions[1].reason == "fewer than 2 in cock"


def test_a_small_folder_of_unsure_photos_stays(src: Path, tmp_path: Path) -> None:
    photos = [record(path, score=0.1) for path in sorted(src.glob("*.jpg"))[:1]]
    plan = plan_of(photos, tmp_path / "dest", min_count=2)
    assert [a.folder for a in plan.actions] == ["unsure"]


@pytest.mark.parametrize("method", ["copy", "symlink", "hardlink"])
def test_photos_sorted_by_an_earlier_run_are_not_put_in_unsure_as_well(
    src: Path, tmp_path: Path, method: Method
) -> None:
    dest = tmp_path / "dest"
    photos = [record(path, score=0.1) for path in sorted(src.glob("*.jpg"))]
    apply(plan_of(photos, dest, method, threshold=0.0))
    (dest / "tench" / "img0.jpg").unlink()  # by the user
    (dest / "tench" / "img2.jpg").rename(dest / "tench" / "mine.jpg")
    write(src / "img1.jpg", "new content, and a link to it has that too")
    write(src / "img3.xmp", "new")
    changed = "copy" if method == "copy" else "skip"
    plan = plan_of(photos, dest, method)
    assert [(a.method, a.folder) for a in plan.actions] == [
        (method, "unsure"),
        (changed, "tench" if changed == "skip" else "unsure"),
        (method, "unsure"),
        ("skip", "tench"),
        (method, "tench"),  # the new companion is beside its photo
    ]
    assert {a.folder for a in plan_of(photos, dest, method, threshold=0.2).work} == {"unsure"}


@pytest.mark.parametrize("method", ["move", "copy", "symlink", "hardlink"])
def test_equal_photos_sorted_once_by_an_earlier_run_are_not_put_in_unsure(
    tmp_path: Path, method: Method
) -> None:
    src, dest = tmp_path / "src", tmp_path / "dest"
    paths = [write(src / folder / "IMG_5.jpg", "photo") for folder in "abc"]
    apply(plan_of([record(path, score=0.1) for path in paths], dest, method, threshold=0.0))
    write(paths[2], "other")  # of the same size
    paths += [write(src / "d" / "IMG_5.jpg", "longer"), write(src / "e" / "IMG_6.jpg", "photo")]
    plan = plan_of([record(path, score=0.1) for path in paths[1:]], dest, method)
    assert [(a.method, a.folder) for a in plan.actions] == [
        ("skip", "tench"),
        (method, "unsure"),
        (method, "unsure"),
        (method, "unsure"),
    ]
    (dest / "tench" / "IMG_5.jpg").unlink()  # by the user
    if method != "move":
        (again, *_) = plan_of([record(paths[1], score=0.1)], dest, method).actions
        assert (again.method, again.folder) == (method, "unsure")


def test_photos_that_a_plan_renamed_are_not_put_in_unsure_as_well(
    src: Path, tmp_path: Path
) -> None:
    dest = tmp_path / "dest"
    photo = record(src / "img0.jpg", score=0.1)
    plan = plan_of([photo], dest, "copy", threshold=0.0)
    plan.actions = [replace(plan.actions[0], target="mine/cat.jpg")]
    apply(plan)
    (action,) = plan_of([photo], dest, "copy").actions
    assert (action.method, action.reason) == ("skip", "already sorted: mine/cat.jpg")


def test_unsure_and_unreadable_photos_have_their_reasons(src: Path, tmp_path: Path) -> None:
    paths = sorted(src.glob("*.jpg"))
    photos = [
        categorised(paths[0], "dog", 0.9, 0.5),
        categorised(paths[1], "dog", 0.4, 0.3),
        categorised(paths[2], "cat", 0.6, 0.05),
        categorised(paths[3], "", 0.0, 0.0),
        record(src / "bad.jpg", error="empty file"),
    ]
    dest = tmp_path / "dest"
    plan = plan_of(photos, dest, template="{category}", threshold=0.5, min_margin=0.1)
    assert [a.folder for a in plan.actions] == ["dog", "unsure", "unsure", "unsure", ""]
    assert [a.reason for a in plan.actions][1:] == [
        "score 0.4 is below 0.5",
        "lead 0.05 is below 0.1",
        "no category is certain enough",
        "empty file",
    ]
    assert plan.left == plan.actions[4:]
