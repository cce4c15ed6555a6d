"""Plans as CSV, edited by hand and checked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.plan_file import read_plan, write_plan
from tests.sorting.trees import plan_of, record, records, snapshot, write


def test_a_plan_can_be_edited_and_applied(src: Path, tmp_path: Path) -> None:
    dest, file = tmp_path / "dest", tmp_path / "plan.csv"
    unusual = write(src / os.fsdecode(b"odd\xff,\r.jpg"), "odd")
    unusual.rename(tmp_path / unusual.name)
    unusual = tmp_path / unusual.name
    plan = plan_of([*records(src), record(unusual, "hen")], dest)
    write_plan(plan, str(file))
    assert read_plan(str(file), str(dest)).work == plan.work
    text = file.read_bytes()
    text = text.replace(b"tench/img0.jpg", b"best/first.jpg")
    text = text.replace(b",move,cock,", b",leave,cock,")
    file.write_bytes(text)
    outcome = apply(read_plan(str(file), str(dest)))
    assert outcome.done == 5 and (dest / "best" / "first.jpg").read_text() == "photo 0"
    assert (src / "img1.jpg").exists() and not unusual.exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tench/img0.jpg", "../img0.jpg", "line 2: the target '../img0.jpg' is not a path below"),
        ("tench/img0.jpg", "/img0.jpg", "is not a path below"),
        ("tench/img2.jpg", "tench/IMG0.jpg", "line 4: line 2 has the same target"),
        ("img1.jpg,move", "none.jpg,move", "cannot be read"),
        (",move,hen", ",burn,hen", "unknown action 'burn'"),
        ("tench/img0.jpg", "old/img.jpg", "already exists with different content"),
        ("tench/img0.jpg", "old/img.jpg/x.jpg", "is a file, not a folder"),
        ("img3.jpg,,7", "img3.jpg,,8", "has changed since the plan was written"),
        ("source,action", "a,b", "it lacks the columns"),
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


def test_rows_that_the_user_leaves_are_no_errors(src: Path, tmp_path: Path) -> None:
    dest, file = tmp_path / "dest", tmp_path / "plan.csv"
    bad = record(src / "bad.jpg", error="not an image")
    write_plan(plan_of([*records(src), bad], dest, threshold=0.95), str(file))
    lines = file.read_text().replace(",move,", ",leave,", 1).splitlines()
    lines[2] = f"{src}/img1.jpg,,,,score 0.9 is below 0.95,7,"  # emptied cells
    file.write_text("\n".join(lines))
    plan = read_plan(str(file), str(dest))
    assert [action.reason for action in plan.left] == ["as planned"] * 2 + ["not an image"]
    assert [action.reason for action in plan.unsorted] == ["not an image"]


def test_companions_follow_their_photo_in_any_order_of_rows(src: Path, tmp_path: Path) -> None:
    dest, file = tmp_path / "dest", tmp_path / "plan.csv"
    for i in range(4):
        write(src / f"img{i}.xmp", f"notes {i}")
    write_plan(plan_of(records(src), dest), str(file))
    head, *lines = file.read_text().splitlines()
    file.write_text("\n".join([head, *sorted(lines, key=lambda line: ".xmp" not in line)]))
    names = [os.path.basename(a.source) for a in read_plan(str(file), str(dest)).work]
    assert names == [f"img{i}.{suffix}" for i in range(4) for suffix in ("jpg", "xmp")] + [
        "img0.jpg"
    ]


def test_companions_of_a_photo_without_a_row_go_only_if_it_went_before(
    src: Path, tmp_path: Path
) -> None:
    dest, file = tmp_path / "dest", tmp_path / "plan.csv"
    write(src / "img0.xmp", "notes")
    whole = plan_of(records(src)[:1], dest)
    write_plan(whole, str(file))
    head, photo, companion = file.read_text().splitlines()
    file.write_text(f"{head}\n{companion}\n")
    plan = read_plan(str(file), str(dest))
    assert [(a.method, a.reason) for a in plan.actions] == [("leave", "stays with img0.jpg")]
    assert plan.unsorted == []
    whole.actions = whole.actions[:1]
    apply(whole)
    apply(read_plan(str(file), str(dest)))
    assert sorted(os.listdir(dest / "tench")) == ["img0.jpg", "img0.xmp"]
    file.write_text(f"{head}\n{photo}\n{companion}\n")
    assert [a.photo for a in read_plan(str(file), str(dest)).skipped] == ["", str(src / "img0.jpg")]


def test_the_columns_of_a_plan_never_change(src: Path, tmp_path: Path) -> None:
    file = tmp_path / "plan.csv"
    write(src / "img0.xmp", "notes")
    write_plan(plan_of(records(src)[:1], tmp_path / "dest", "hardlink"), str(file))
    photo = src / "img0.jpg"
    assert file.read_text().splitlines() == [
        "source,action,folder,target,reason,size,with",
        f"{photo},hardlink,tench,tench/img0.jpg,,7,",
        f"{src}/img0.xmp,hardlink,tench,tench/img0.xmp,goes with img0.jpg,5,{photo}",
    ]
