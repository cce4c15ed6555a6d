"""Groups of copies, and the plan that moves them away and back."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from mnv2cli.learning.duplicates import Group, make_groups, plan_of_groups
from mnv2cli.learning.local_files import ImageFile, find_files
from mnv2cli.learning.neighbours import Leaders
from mnv2cli.records import Source
from mnv2cli.sorting.actions import Action
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.plan_file import read_plan, write_plan
from mnv2cli.sorting.undo import undo
from tests.sorting.trees import restore_times, snapshot, write


def file(name: str) -> ImageFile:
    return ImageFile(name, 10, 0)


def test_copies_of_near_copies_are_near_copies_of_the_kept_image() -> None:
    contents = [
        [file("b.jpg"), file("b2.jpg")],
        [file("a.jpg")],
        [file("near.jpg"), file("near2.jpg")],
        [file("nearer.jpg")],
        [file("alone.jpg")],
        [file("raw.cr2"), file("raw2.cr2")],  # beyond the contents with features
    ]
    leaders = Leaders(np.array([0, 1, 0, 0, 4]), np.array([1, 1, 0.9, 0.95, 1]))
    groups = make_groups(contents, leaders)
    assert [[(c.file.path, c.kind, c.similarity) for c in group] for group in groups] == [
        [
            ("b.jpg", "", None),
            ("b2.jpg", "exact", 1.0),
            ("nearer.jpg", "near", 0.95),
            ("near.jpg", "near", 0.9),
            ("near2.jpg", "near", 0.9),
        ],
        [("raw.cr2", "", None), ("raw2.cr2", "exact", 1.0)],
    ]


def groups_of(*names: Path) -> list[Group]:
    found = find_files([Source(os.fspath(name)) for name in names], lambda path, reason: None)
    return make_groups([found.files])


def targets(actions: list[Action]) -> list[tuple[str, str, str]]:
    return [(os.path.basename(a.source), a.method, a.target) for a in actions]


def test_a_plan_moves_copies_with_companions_and_undo_restores_all(tmp_path: Path) -> None:
    src, dest = tmp_path / "photos", tmp_path / "copies"
    names = ["a/IMG.jpg", "b/IMG.jpg", "c/IMG.jpg", "a/IMG (1).jpg"]
    paths = [write(src / name, "same") for name in names]
    for folder in "ab":  # the kept image has equal companions
        write(src / folder / "IMG.xmp", "keywords")
        write(src / folder / "IMG.CR2", "raw")
    restore_times(tmp_path)
    before = snapshot(tmp_path)
    plan = plan_of_groups(groups_of(*paths), str(dest))
    assert targets(plan.actions) == [
        ("IMG.jpg", "move", "exact/b/IMG.jpg"),
        ("IMG.CR2", "move", "exact/b/IMG.CR2"),
        ("IMG.xmp", "move", "exact/b/IMG.xmp"),
        ("IMG.jpg", "move", "exact/c/IMG.jpg"),
        ("IMG (1).jpg", "move", "exact/a/IMG (1).jpg"),
    ]
    write_plan(plan, str(tmp_path / "plan.csv"))
    read = read_plan(str(tmp_path / "plan.csv"), str(dest))
    (tmp_path / "plan.csv").unlink()
    restore_times(tmp_path)
    outcome = apply(read)
    assert not outcome.failed and outcome.done == 5
    left = sorted(p.relative_to(src).as_posix() for p in src.rglob("*.*"))
    assert left == ["a/IMG.CR2", "a/IMG.jpg", "a/IMG.xmp"]
    assert undo(str(dest))[0].done == 5
    assert snapshot(tmp_path) == before


def test_a_companion_that_the_kept_image_leads_stays(tmp_path: Path) -> None:
    kept, copy = write(tmp_path / "IMG.heic", "same"), write(tmp_path / "IMG.jpg", "same")
    write(tmp_path / "IMG.xmp", "keywords")
    found = find_files([Source(str(kept)), Source(str(copy))], lambda path, reason: None)
    plan = plan_of_groups(make_groups([found.files]), str(tmp_path / "copies"))
    assert targets(plan.actions) == [
        ("IMG.jpg", "move", "exact/IMG.jpg"),
        ("IMG.xmp", "leave", ""),
    ]
    assert plan.actions[1].reason == "stays with IMG.heic"


def test_a_copy_with_the_only_raw_photo_or_sidecar_stays(tmp_path: Path) -> None:
    names = ["a/IMG.jpg", "b/IMG.jpg", "c/IMG.jpg", "d/IMG.jpg"]
    paths = [write(tmp_path / name, "same") for name in names]
    write(tmp_path / "a" / "IMG.xmp", "keywords")
    write(tmp_path / "b" / "IMG.xmp", "keywords")
    write(tmp_path / "b" / "IMG.CR2", "raw")
    write(tmp_path / "c" / "IMG.xmp", "other words")
    plan = plan_of_groups(groups_of(*paths), str(tmp_path / "copies"))
    assert [(a.method, a.target) for a in plan.actions] == [
        ("leave", ""),
        ("leave", ""),
        ("move", "exact/d/IMG.jpg"),
    ]
    raw, kept = tmp_path / "b" / "IMG.CR2", paths[0]
    assert plan.actions[0].reason == f"only it has {raw}: {kept} has no equal file"


def test_copies_that_share_the_only_sidecar_stay(tmp_path: Path) -> None:
    groups = []
    for number, suffix in enumerate(("jpg", "heic")):
        pair = [write(tmp_path / each / f"I.{suffix}", f"photo {number}") for each in "ab"]
        groups += groups_of(*pair)
    write(tmp_path / "b" / "I.xmp", "keywords")
    plan = plan_of_groups(groups, str(tmp_path / "copies"))
    assert {a.method for a in plan.actions} == {"leave"} and len(plan.actions) == 2


def test_a_copy_with_a_hard_link_stays(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, "same") for name in ("a.jpg", "b.jpg")]
    os.link(paths[1], tmp_path / "hard.jpg")
    sources = [Source(str(p)) for p in [*paths, tmp_path / "hard.jpg", f"{tmp_path}/./b.jpg"]]
    found = find_files(sources, lambda path, reason: None)
    assert found.linked == {os.path.realpath(paths[1])}
    plan = plan_of_groups(make_groups([found.files]), str(tmp_path / "copies"), found.linked)
    assert targets(plan.actions) == [("b.jpg", "leave", "")]


def test_a_copy_that_a_link_leads_to_stays(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, "same") for name in ("a.jpg", "b.jpg", "c.jpg")]
    (tmp_path / "link.jpg").symlink_to("b.jpg")
    sources = [Source(str(p)) for p in [*paths, tmp_path / "link.jpg"]]
    found = find_files(sources, lambda path, reason: None)
    plan = plan_of_groups(make_groups([found.files]), str(tmp_path / "copies"), found.linked)
    assert targets(plan.actions) == [
        ("b.jpg", "leave", ""),
        ("c.jpg", "move", "exact/c.jpg"),
    ]


def test_no_groups_make_an_empty_plan(tmp_path: Path) -> None:
    assert not plan_of_groups([], str(tmp_path / "copies")).actions
