"""A photo and its companions are sorted, named, interrupted and undone as one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from mnv2cli.records import Record
from mnv2cli.sorting.actions import METHODS, Method, Plan, count_photos
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.options import FolderOptions, SortOptions
from mnv2cli.sorting.plan import make_plan
from mnv2cli.sorting.plan_file import read_plan, write_plan
from mnv2cli.sorting.undo import undo
from mnv2cli.sources.pairs import Pairs
from tests.sorting.test_killed import in_child, undo_if_needed
from tests.sorting.trees import contents, plan_of, record, restore_times, snapshot, write

SHOTS = {
    "raw and JPEG": ("IMG_1.JPG", "IMG_1.CR2"),
    "ProRAW": ("IMG_1.HEIC", "IMG_1.DNG"),
    "raw and TIFF": ("IMG_1.tif", "IMG_1.nef"),
    "two raws": ("IMG_1.CR2", "IMG_1.DNG"),
    "Live Photo": ("IMG_1.HEIC", "IMG_1.MOV"),
    "edits": ("IMG_1.JPG", "IMG_1.AAE"),
    "metadata": ("IMG_1.CR2", "IMG_1.xmp", "IMG_1.CR2.xmp"),
    "thumbnail and sound": ("IMG_1.JPG", "IMG_1.THM", "IMG_1.WAV"),
    "Takeout": ("IMG_1.jpg", "IMG_1.jpg.json", "IMG_1.jpg.supplemental-metadata.json"),
    "all": ("IMG_1.JPG", "IMG_1.CR2", "IMG_1.CR2.xmp", "IMG_1.xmp", "IMG_1.MOV", "IMG_1.AAE"),
}


def plan_for(records: Iterable[Record], dest: Path, pairs: Pairs, method: Method = "move") -> Plan:
    return make_plan(records, SortOptions(str(dest), method, FolderOptions("{label}"), pairs))


@pytest.fixture
def src(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    return tmp_path / "src"


def fill(folder: Path, *names: str) -> None:
    for name in names:
        write(folder / name, f"content of {name}")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("names", SHOTS.values(), ids=SHOTS)
def test_a_shot_is_sorted_and_undone_as_one(
    src: Path, tmp_path: Path, names: tuple[str, ...], method: Method
) -> None:
    fill(src, *names)
    restore_times(tmp_path)
    before, dest = snapshot(tmp_path), tmp_path / "dest"
    plan = plan_of([record(src / names[0], "hen")], dest, method)
    assert count_photos(plan.work) == (1, len(names) - 1)
    outcome = apply(plan)
    assert sorted(os.listdir(dest / "hen")) == sorted(names) and not outcome.failed
    assert os.listdir(src) == [] if method == "move" else sorted(os.listdir(src)) == sorted(names)
    assert (outcome.done, outcome.companions) == (len(names), len(names) - 1)
    outcome, _ = undo(str(dest))
    assert (outcome.done, outcome.companions) == (len(names), len(names) - 1)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("names", SHOTS.values(), ids=SHOTS)
def test_the_files_of_a_shot_keep_one_stem_if_one_name_is_taken(
    src: Path, tmp_path: Path, names: tuple[str, ...]
) -> None:
    for i, taken in enumerate(names):
        dest = tmp_path / f"dest{i}"
        fill(src, *names)
        write(dest / "hen" / taken, "another photo")
        apply(plan_of([record(src / names[0], "hen")], dest))
        wanted = [name.replace("IMG_1", "IMG_1 (2)") for name in names]
        assert sorted(os.listdir(dest / "hen")) == sorted([taken, *wanted])


def test_a_numbered_sidecar_keeps_its_photo_if_the_name_is_taken(src: Path, tmp_path: Path) -> None:
    names = ("IMG_1(1).jpg", "IMG_1.jpg.supplemental-metadata(1).json", "IMG_1.jpg(1).json")
    fill(src, *names, "IMG_1.jpg", "IMG_1.jpg.json")
    rows = [record(src / name, "hen") for name in ("IMG_1.jpg", "IMG_1(1).jpg")]
    first, second = tmp_path / "1", tmp_path / "2"
    write(first / "hen" / names[0], "another photo")
    apply(plan_of(rows, first, "copy"))
    assert not plan_of(rows, first, "copy").work
    sorted_before = [path for path in (first / "hen").iterdir() if path.suffix == ".jpg"]
    plan = plan_of([record(path, "cock") for path in sorted_before], second)
    apply(plan)
    assert len(os.listdir(second / "cock")) == 6 and os.listdir(first / "hen") == []
    photos = {a.photo for a in plan.work if "(1)" in os.path.basename(a.source) and a.photo}
    assert photos == {str(first / "hen" / "IMG_1(1) (2).jpg")}


def test_a_long_stem_is_shortened_alike_in_all_names(src: Path, tmp_path: Path) -> None:
    dest, stem = tmp_path / "dest", "x" * 247
    names = [f"{stem}.jpg", f"{stem}.cr2", f"{stem}.jpg.xmp"]
    fill(src, *names)
    write(dest / "hen" / names[0], "another photo")
    apply(plan_of([record(src / names[0], "hen")], dest))
    cut = "x" * 243 + " (2)"
    assert sorted(os.listdir(dest / "hen")) == sorted(
        [names[0], f"{cut}.jpg", f"{cut}.cr2", f"{cut}.jpg.xmp"]
    )


def test_names_of_other_composition_keep_one_stem(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    fill(src, "\u00e9.jpg", "E\u0301.cr2", "e\u0301.jpg.xmp")
    write(dest / "hen" / "\u00e9.jpg", "another photo")
    apply(plan_of([record(src / "\u00e9.jpg", "hen")], dest))
    assert {"\u00e9 (2).jpg", "E\u0301 (2).cr2", "e\u0301 (2).jpg.xmp"} <= set(
        os.listdir(dest / "hen")
    )


def test_photos_of_two_shots_do_not_become_one(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    fill(src, "1/IMG_1.JPG", "2/IMG_1.CR2", "3/IMG_1.HEIC", "3/IMG_1.MOV", "4/IMG_1.png")
    leaders = ("1/IMG_1.JPG", "2/IMG_1.CR2", "3/IMG_1.HEIC", "4/IMG_1.png")
    plan = plan_of([record(src / name, "hen") for name in leaders], dest, "copy")
    apply(plan)
    names = ["IMG_1 (2).CR2", "IMG_1 (3).HEIC", "IMG_1 (3).MOV", "IMG_1.JPG", "IMG_1.png"]
    assert sorted(os.listdir(dest / "hen")) == names
    assert plan_of([record(src / name, "hen") for name in leaders], dest, "copy").work == []


def test_two_developed_images_of_one_stem_keep_their_names(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    fill(src, "a.jpg", "a.png", "a.xmp", "b.HEIC", "b.JPG", "b.MOV")
    labels = {"a.jpg": "hen", "a.png": "hen", "b.HEIC": "hen", "b.JPG": "cock"}
    apply(plan_of([record(src / name, label) for name, label in labels.items()], dest))
    assert sorted(os.listdir(dest / "hen")) == ["a.jpg", "a.png", "a.xmp", "b.HEIC", "b.MOV"]
    assert os.listdir(dest / "cock") == ["b.JPG"] and os.listdir(src) == []


def test_what_two_photos_share_goes_with_the_one_that_is_sorted(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    fill(src, "a.HEIC", "a.JPG", "a.MOV")
    broken = Record(str(src / "a.HEIC"), error="not an image")
    apply(plan_of([broken, record(src / "a.JPG", "hen")], dest))
    assert sorted(os.listdir(dest / "hen")) == ["a.JPG", "a.MOV"]
    assert os.listdir(src) == ["a.HEIC"]


def test_excluded_files_are_no_companions(src: Path, tmp_path: Path) -> None:
    shots = [src, src / "raw", src / "x" / "raw"]
    names = ("a.JPG", "a.CR2", "a.CR2.xmp", "a.xmp", "a.MOV")
    fill(src, *(f"{folder}/{name}" for folder in shots for name in names))

    def moved(*exclude: str, given: Path | None = src) -> set[str]:
        rows = [record(folder / "a.JPG", "hen") for folder in shots]
        roots = (str(given),) if given else ()
        options = SortOptions(
            str(tmp_path / "dest"), "move", FolderOptions("{label}"), exclude=exclude, given=roots
        )
        work = make_plan(rows, options).work
        return {os.path.relpath(action.source, src) for action in work}

    every = moved()
    assert len(every) == 15
    raws = {name for name in every if ".CR2" in name}  # with the sidecars of the raw photos
    assert every - moved("*.cr2") == raws
    assert every - moved("a.m?v") == {name for name in every if name.endswith(".MOV")}
    assert every - moved("raw/*.CR2") == {"raw/a.CR2", "raw/a.CR2.xmp"}
    assert every - moved("**/raw/*.CR2", given=src.parent) == raws - {"a.CR2", "a.CR2.xmp"}
    assert every - moved("raw/*.CR2", given=None) == raws - {"a.CR2", "a.CR2.xmp"}


@pytest.mark.parametrize("method", ["move", "copy"])
@pytest.mark.parametrize(
    ("one", "two"),
    [
        (("IMG_1.CR2", "IMG_1.xmp"), ("IMG_1.NEF", "IMG_1.xmp")),
        (("IMG_1.JPG", "IMG_1.AAE"), ("IMG_1.PNG", "IMG_1.AAE", "IMG_1.MOV")),
    ],
)
def test_two_shots_with_one_equal_sidecar_do_not_become_one(
    src: Path, tmp_path: Path, one: tuple[str, ...], two: tuple[str, ...], method: Method
) -> None:
    dest = tmp_path / "dest"
    fill(src / "a", *one)
    fill(src / "b", *two)
    for path in src.glob("?/*"):
        if path.suffix in (".xmp", ".AAE"):
            write(path, "")
    rows = [record(src / "a" / one[0], "hen"), record(src / "b" / two[0], "hen")]
    for row in rows:  # in two runs: the second knows only the names
        apply(plan_of([row], dest, method))
    numbered = [name.replace("IMG_1", "IMG_1 (2)") for name in two]
    assert sorted(os.listdir(dest / "hen")) == sorted([*one, *numbered])
    if method == "move":
        assert os.listdir(src / "a") == os.listdir(src / "b") == []
    else:
        assert plan_of(rows, dest, method).work == []


@pytest.mark.parametrize("other", ["IMG_1.CR2", "IMG_1.xmp"])
def test_a_photo_joins_the_files_of_its_shot_that_are_there(
    src: Path, tmp_path: Path, other: str
) -> None:
    dest = tmp_path / "dest"
    fill(src, "IMG_1.JPG", other)
    rows = [record(src / "IMG_1.JPG", "hen")]
    apply(plan_of(rows, dest, "copy"))
    (dest / "hen" / "IMG_1.JPG").unlink()
    apply(plan_of(rows, dest, "copy"))
    assert sorted(os.listdir(dest / "hen")) == sorted(["IMG_1.JPG", other])


@pytest.mark.parametrize("method", ["move", "copy"])
@pytest.mark.parametrize(
    ("names", "sorted_names"),
    [
        (
            ("IMG_1.JPG", "IMG_1.jpg", "IMG_1.XMP", "IMG_1.xmp"),
            ["IMG_1 (2).jpg", "IMG_1 (2).xmp", "IMG_1.JPG", "IMG_1.XMP"],
        ),
        (("IMG_1.CR2", "IMG_1.cr2"), ["IMG_1 (2).cr2", "IMG_1.CR2"]),
        (
            ("A.HEIC", "A.cr2", "A.CR2", "A.xmp", "A.XMP", "A.Xmp"),
            ["A (2).Xmp", "A (2).cr2", "A (3).xmp", "A.CR2", "A.HEIC", "A.XMP"],
        ),
    ],
)
def test_files_of_a_shot_whose_names_differ_only_in_case_are_sorted_once(
    src: Path, tmp_path: Path, names: tuple[str, ...], sorted_names: list[str], method: Method
) -> None:
    dest = tmp_path / "dest"
    fill(src, *names)
    if len(os.listdir(src)) < len(names):
        pytest.skip("this file system ignores case")
    before = contents(src)
    developed = [name for name in names if not name.lower().endswith((".xmp", ".cr2"))]
    rows = [record(src / name, "hen") for name in developed or names[:1]]
    apply(plan_of(rows, dest, method))
    assert sorted(os.listdir(dest / "hen")) == sorted_names
    assert contents(dest) == before
    if method == "copy":
        assert plan_of(rows, dest, method).work == []


@pytest.mark.parametrize("score", [0.9, 0.1])
def test_an_edited_sidecar_does_not_sort_its_shot_again(
    src: Path, tmp_path: Path, score: float
) -> None:
    dest = tmp_path / "dest"
    fill(src, "a.JPG", "a.CR2", "a.xmp")
    rows = [record(src / "a.JPG", "hen", score)]
    apply(plan_of(rows, dest, "copy"))
    fill(src, "a.MOV")
    write(src / "a.xmp", "edited")
    plan = plan_of(rows, dest, "copy")
    folder = "hen" if score > 0.5 else "unsure"
    assert [(a.source, a.reason) for a in plan.left] == [
        (str(src / "a.xmp"), f"differs from {folder}/a.xmp")
    ]
    assert plan.unsorted == []
    assert [a.target for a in plan.work] == [f"{folder}/a.MOV"]


def test_a_sidecar_that_differs_from_that_of_an_equal_photo_brings_its_photo(
    src: Path, tmp_path: Path
) -> None:
    dest = tmp_path / "dest"
    for folder in "ab":
        write(src / folder / "a.JPG", "photo")
        write(src / folder / "a.xmp", folder)
    plan = plan_of([record(src / folder / "a.JPG", "hen") for folder in "ab"], dest)
    assert len(plan.work) == 4  # moved alone, the sidecar would have no photo of its name


def test_new_companions_join_a_numbered_photo_that_an_earlier_run_put_in_unsure(
    src: Path, tmp_path: Path
) -> None:
    dest = tmp_path / "dest"
    write(src / "a" / "IMG_5.jpg", "a")
    write(src / "b" / "IMG_5.jpg", "b")
    rows = [record(src / folder / "IMG_5.jpg", score=0.1) for folder in "ab"]
    apply(plan_of(rows, dest, "copy"))
    fill(src / "b", "IMG_5.CR2")
    for there in (True, False):
        if not there:
            (dest / "unsure" / "IMG_5.jpg").unlink()
            fill(src / "b", "IMG_5.xmp")
        apply(plan_of(rows[1:], dest, "copy"))
        names = {"IMG_5 (2).jpg", "IMG_5 (2).CR2"}
        names |= {"IMG_5.jpg"} if there else {"IMG_5 (2).xmp"}
        assert set(os.listdir(dest / "unsure")) == names
        assert plan_of(rows[1:], dest, "copy").work == []


# Rows of both


def test_rows_of_both_sort_each_by_its_own_and_nothing_twice(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    fill(src, "a.CR2", "a.JPG", "a.xmp", "a.CR2.xmp", "a.MOV")
    rows = [record(src / "a.CR2", "hen"), record(src / "a.JPG", "cock")]
    plan = plan_for(rows, dest, "both")
    assert len({action.source for action in plan.actions}) == len(plan.actions) == 5
    assert apply(plan).failed == []
    assert sorted(os.listdir(dest / "hen")) == ["a.CR2", "a.CR2.xmp"]
    assert sorted(os.listdir(dest / "cock")) == ["a.JPG", "a.MOV", "a.xmp"]
    assert os.listdir(src) == []


def test_rows_of_both_classified_now_sort_by_the_leading_image(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    fill(src, "a.CR2", "a.JPG", "b.CR2")
    rows = [record(src / "a.CR2", "hen"), record(src / "a.JPG", "cock"), record(src / "b.CR2")]
    apply(plan_for(rows, dest, "first"))
    assert sorted(os.listdir(dest / "cock")) == ["a.CR2", "a.JPG"]
    assert sorted(os.listdir(dest)) == [".mnv2", "cock", "tench"]


@pytest.mark.parametrize("pairs", ["first", "both"])
def test_a_companion_that_cannot_be_read_goes_with_its_photo(
    src: Path, tmp_path: Path, pairs: Pairs
) -> None:
    dest = tmp_path / "dest"
    fill(src, "a.CR2", "a.JPG", "b.CR2", "a.mov")
    errors = [Record(str(src / name), error="not supported: raw") for name in ("a.CR2", "b.CR2")]
    rows = [*errors, record(src / "a.JPG", "hen"), Record(str(src / "a.mov"), error="a video")]
    plan = plan_for(rows, dest, pairs)
    assert [os.path.basename(action.source) for action in plan.unsorted] == ["b.CR2"]
    apply(plan)
    assert sorted(os.listdir(dest / "hen")) == ["a.CR2", "a.JPG", "a.mov"]
    assert os.listdir(src) == ["b.CR2"]


def test_an_unreadable_companion_that_was_moved_before_is_already_sorted(
    src: Path, tmp_path: Path
) -> None:
    dest = tmp_path / "dest"
    fill(src, "a.CR2", "a.JPG", "b.CR2", "c.CR2")
    errors = [Record(str(src / f"{name}.CR2"), error="not an image") for name in "abcd"]
    rows = [*errors, record(src / "a.JPG", "hen")]
    apply(plan_for(rows, dest, "both"))
    plan = plan_for(rows, dest, "both")
    gone, jpg = plan.skipped
    assert (gone.source, gone.photo) == (str(src / "a.CR2"), str(src / "a.JPG"))
    assert (gone.reason, gone.folder) == ("already sorted: hen/a.CR2", "hen")
    assert jpg.source == str(src / "a.JPG") and plan.work == []
    assert [action.source[-5:] for action in plan.unsorted] == ["b.CR2", "c.CR2", "d.CR2"]
    fill(src, "a.CR2")  # another one
    assert len(plan_for(rows, dest, "both").unsorted) == 4


def test_a_shot_stays_whole_if_its_leading_image_cannot_be_read(src: Path, tmp_path: Path) -> None:
    fill(src, "a.CR2", "a.JPG")
    rows = [record(src / "a.CR2", "hen"), Record(str(src / "a.JPG"), error="not an image")]
    plan = plan_for(rows, tmp_path / "dest", "first")
    assert plan.work == []
    assert [action.reason for action in plan.left] == ["stays with a.JPG", "not an image"]


def test_small_folders_are_counted_in_shots(src: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    fill(src, "a.CR2", "a.JPG", "b.JPG")
    fill(dest / "hen", "old.CR2", "old.JPG")
    plan = plan_of([record(src / "a.JPG", "hen")], dest, min_count=3)
    assert {action.folder for action in plan.work} == {"other"}
    plan = plan_of([record(src / f"{n}.JPG", "hen") for n in "ab"], dest, min_count=3)
    assert {action.folder for action in plan.work} == {"hen"}


def test_a_plan_in_a_file_keeps_shots_whole(src: Path, tmp_path: Path) -> None:
    dest, file = tmp_path / "dest", str(tmp_path / "plan.csv")
    fill(src, "a.CR2", "a.JPG", "a.CR2.xmp")
    restore_times(tmp_path)
    before = snapshot(src)
    write_plan(plan_of([record(src / "a.JPG", "hen")], dest), file)
    plan = read_plan(file, str(dest))
    assert count_photos(plan.work) == (1, 2)
    apply(plan)
    assert len(os.listdir(dest / "hen")) == 3
    assert read_plan(file, str(dest)).work == []
    undo(str(dest))
    assert snapshot(src) == before


# JSON


def test_results_are_not_companions(src: Path, tmp_path: Path) -> None:
    fill(src, *(f"{name}.jpg" for name in "abcd"), "c.json", ".c.json.mnv2")
    rows = [{"path": "a.jpg", "status": "ok", "predictions": []}]
    write(src / "a.json", "[\n" + json.dumps(rows[0]) + "\n]\n")
    write(src / "b.json", json.dumps(rows, indent=2))
    write(src / "d.json", json.dumps({"title": "d.jpg", "path": "d"}))
    if hasattr(os, "mkfifo"):
        os.mkfifo(src / "a.jpg.json")  # reading it would block
    apply(plan_of([record(src / f"{name}.jpg", "hen") for name in "abcd"], tmp_path / "dest"))
    names = ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "d.json"]
    assert sorted(os.listdir(tmp_path / "dest" / "hen")) == names


# Interruptions


@pytest.mark.parametrize("method", ["move", "copy"])
def test_a_sort_killed_at_any_change_leaves_whole_shots_after_undo_and_after_resuming(
    src: Path, tmp_path: Path, method: Method
) -> None:
    dest, names = tmp_path / "dest", ["a.JPG", "a.CR2", "a.xmp"]
    fill(src, *names)
    restore_times(tmp_path)
    before, original = snapshot(src), contents(src)
    rows = [record(src / "a.JPG", "hen")]
    killed = 1
    while in_child(lambda: apply(plan_of(rows, dest, method)), killed):
        assert original <= contents(src, dest)
        if killed % 2:  # the others are undone at once
            left = [row for row in rows if os.path.exists(row.path)]
            assert apply(plan_of(left, dest, method)).failed == []
            assert sorted(os.listdir(dest / "hen")) == sorted(names), killed
            assert os.listdir(src) == [] or method == "copy"
        undo_if_needed(dest)
        assert snapshot(src) == before and not dest.exists(), killed
        killed += 1
    assert killed > 20
