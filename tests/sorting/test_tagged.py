"""Tags and sorts, in any order, and their undos in any order: everything is as at the start."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.errors import InputError
from mnv2cli.journals.file import Journal, journals
from mnv2cli.journals.folder import locked
from mnv2cli.journals.tag_journal import read_tag_journal
from mnv2cli.sorting import transfer
from mnv2cli.sorting.actions import METHODS, Method
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.options import FolderOptions, SortOptions
from mnv2cli.sorting.plan import make_plan
from mnv2cli.sorting.plan_file import read_plan, write_plan
from mnv2cli.sorting.run import SortRun
from mnv2cli.sorting.undo import undo
from tests.growth import count_calls, grows_like
from tests.journals.tag_runs import tag, untag
from tests.sorting.test_killed import in_child, undo_if_needed
from tests.sorting.trees import plan_of, record, restore_times, snapshot, write

LABELS = ("tench", "hen", "tench")


def _photos(tmp_path: Path, *, sidecars: bool) -> list[Path]:
    """Make three photos, two of them of one name; with sidecars of two styles if wanted."""
    src = tmp_path / "src"
    photos = [
        write(src / "a.jpg", "photo a"),
        write(src / "b.jpg", "photo b"),
        write(src / "more" / "a.jpg", "another photo a"),
    ]
    if sidecars:
        write(src / "a.jpg.xmp", "notes of a")
        write(src / "b.xmp", "notes of b")
    for folder in (src, tmp_path):
        restore_times(folder)
    return photos


def _changes(photos: list[Path], *, embed: bool) -> dict[Path, bytes | None]:
    """Return what a tag run writes: new sidecars, longer old ones, or longer photos."""
    changes: dict[Path, bytes | None] = {}
    for photo in photos:
        if embed:
            changes[photo] = photo.read_bytes() + b" with tags"
            continue
        old = [path for path in (photo.with_suffix(".xmp"), _added(photo)) if path.exists()]
        sidecar = old[0] if old else _added(photo)
        before = sidecar.read_bytes() if old else b""
        changes[sidecar] = before + b"tags of " + photo.read_bytes()
    return changes


def _added(photo: Path) -> Path:
    return photo.with_name(photo.name + ".xmp")


def _sort(photos: list[Path], dest: Path, method: Method) -> None:
    records = [record(path, label) for path, label in zip(photos, LABELS, strict=True)]
    apply(plan_of(records, dest, method))


ORDERS = [
    pytest.param(method, embed, sidecars, first, id=f"{method}-{kind}-{there}-{first}-first")
    for method, (embed, kind), (sidecars, there), first in itertools.product(
        METHODS,
        [(False, "sidecar"), (True, "embedded")],
        [(False, "alone"), (True, "with-sidecars")],
        ["tag", "sort"],
    )
]
orders = pytest.mark.parametrize(("method", "embed", "sidecars", "undone"), ORDERS)


@orders
def test_tags_then_a_sort_are_undone_in_any_order(
    tmp_path: Path, method: Method, embed: bool, sidecars: bool, undone: str
) -> None:
    photos = _photos(tmp_path, sidecars=sidecars)
    before = snapshot(tmp_path)
    src, dest = tmp_path / "src", tmp_path / "new" / "sorted"
    tag(src, _changes(photos, embed=embed))
    tagged = snapshot(tmp_path, journals=False)
    _sort(photos, dest, method)
    if undone == "tag":
        assert untag(src) == []
        assert list(src.glob(".mnv2/*.originals")) == []
    outcome, _ = undo(str(dest))
    assert outcome.failed == []
    if undone == "sort":
        assert snapshot(tmp_path, journals=False) == tagged
        assert untag(src) == []
    assert snapshot(tmp_path) == before


@orders
@pytest.mark.parametrize("where", ["sorted", "class", "above", "existing"])
def test_a_sort_then_tags_are_undone_in_any_order(
    tmp_path: Path, method: Method, embed: bool, sidecars: bool, undone: str, where: str
) -> None:
    photos = _photos(tmp_path, sidecars=sidecars)
    dest = tmp_path / "sorted"
    if where == "existing":
        write(dest / "tench" / "old.jpg", "old")
        restore_times(tmp_path)
    before = snapshot(tmp_path)
    _sort(photos, dest, method)
    placed = [dest / "tench" / "a.jpg", dest / "hen" / "b.jpg", dest / "tench" / "a (2).jpg"]
    if method == "symlink":
        placed = [path.resolve() for path in placed]  # the photos are tagged, not the links
    root = {"above": tmp_path, "class": dest / "tench"}.get(where, dest)
    if method == "symlink":
        root = tmp_path
    elif where == "class":
        placed = [placed[0], placed[2]]
    if method == "hardlink" and embed:
        pytest.skip("a photo with several names is not embedded into")
    tag(root, _changes(placed, embed=embed))
    if undone == "tag":
        assert untag(root) == []
    outcome, _ = undo(str(dest))
    assert outcome.failed == []
    if undone == "sort":
        assert not list(dest.rglob("*.jpg")) or where == "existing"
        assert untag(root) == []
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("method", ["copy", "move", "hardlink"])
@pytest.mark.parametrize("tagged", ["source", "sorted", "both"])
@pytest.mark.parametrize("embed", [False, True])
def test_tagged_photos_are_not_sorted_a_second_time(
    tmp_path: Path, method: Method, tagged: str, embed: bool
) -> None:
    photos, dest = _photos(tmp_path, sidecars=True), tmp_path / "sorted"
    _sort(photos, dest, method)
    placed = [dest / "tench" / "a.jpg", dest / "hen" / "b.jpg", dest / "tench" / "a (2).jpg"]
    if tagged != "sorted" and method != "move":
        tag(tmp_path / "src", _changes(photos, embed=embed))
    if tagged != "source":
        tag(dest, _changes(placed, embed=embed))
    before = set(dest.rglob("*.jpg"))
    records = [record(path, label) for path, label in zip(photos, LABELS, strict=True)]
    plan = plan_of(records, dest, method)
    assert {action.method for action in plan.actions if not action.photo} == {"skip"}
    apply(plan)
    assert set(dest.rglob("*.jpg")) == before


def test_a_tagged_source_is_found_where_its_copy_was_dragged(tmp_path: Path) -> None:
    photos, dest = _photos(tmp_path, sidecars=False), tmp_path / "sorted"
    _sort(photos, dest, "copy")
    tag(tmp_path / "src", _changes(photos[:1], embed=True))
    (dest / "tench" / "a.jpg").rename(dest / "hen" / "a.jpg")
    action, *_ = plan_of([record(photos[0])], dest, "copy").actions
    assert action.reason == "already sorted, moved by you: hen/a.jpg"


def test_a_plan_is_applied_again_after_its_photos_were_tagged(tmp_path: Path) -> None:
    photos, dest = _photos(tmp_path, sidecars=False), tmp_path / "sorted"
    plan = plan_of([record(path) for path in photos], dest, "copy")
    write_plan(plan, str(tmp_path / "plan.csv"))
    apply(plan)
    tag(dest, _changes([dest / "tench" / "a.jpg"], embed=True))
    tag(tmp_path / "src", _changes(photos[1:2], embed=True))
    again = read_plan(str(tmp_path / "plan.csv"), str(dest))
    assert [action.method for action in again.actions] == ["skip"] * 3


def test_photos_that_a_person_changed_after_they_were_tagged_are_kept(tmp_path: Path) -> None:
    photos, dest = _photos(tmp_path, sidecars=False), tmp_path / "sorted"
    _sort(photos, dest, "move")
    placed = [dest / "tench" / "a.jpg", dest / "hen" / "b.jpg"]
    tag(dest, _changes(placed, embed=True))
    placed[0].write_text("edited")
    outcome, _ = undo(str(dest))
    assert outcome.failed == [(str(placed[0]), "has changed since the sort")]
    assert placed[0].read_text() == "edited" and outcome.done == 2
    assert photos[1].read_text() == "photo b with tags"


def test_a_sidecar_that_a_person_changed_stays_where_it_is(tmp_path: Path) -> None:
    photos, dest = _photos(tmp_path, sidecars=False), tmp_path / "sorted"
    _sort(photos, dest, "move")
    sidecar = _added(dest / "tench" / "a.jpg")
    tag(dest, {sidecar: b"tags"})
    sidecar.write_text("tags and notes")
    outcome, _ = undo(str(dest))
    assert outcome.failed == [] and sidecar.read_text() == "tags and notes"
    assert photos[0].read_text() == "photo a"


def test_removed_sidecars_count_as_undone_and_come_back_beside_their_photos(
    tmp_path: Path,
) -> None:
    photos, dest = _photos(tmp_path, sidecars=True), tmp_path / "sorted"
    before = snapshot(tmp_path)
    _sort(photos, dest, "move")
    tag(dest, {_added(dest / "tench" / "a.jpg"): None})  # as mnv2 tag --remove does
    outcome, _ = undo(str(dest))
    assert outcome.failed == [] and not (dest / "tench").exists()
    assert untag(dest) == []
    assert snapshot(tmp_path) == before


def test_files_sorted_twice_are_found_by_the_undo_of_their_tags(tmp_path: Path) -> None:
    photos, dest = _photos(tmp_path, sidecars=True), tmp_path / "sorted"
    before = snapshot(tmp_path)
    tag(tmp_path / "src", _changes(photos, embed=False))
    _sort(photos, dest, "move")
    options = SortOptions(str(dest), "move", FolderOptions("{label}"), refresh=True)
    apply(make_plan([record(dest / "tench" / "a.jpg", "cock")], options))
    assert (dest / "cock" / "a.jpg.xmp").exists()
    assert untag(tmp_path / "src") == []
    for _ in range(2):
        outcome, _ = undo(str(dest))
        assert outcome.failed == []
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("method", ["copy", "move"])
def test_the_place_of_a_file_is_noted_before_it_moves(
    tmp_path: Path, method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, dest = _photos(tmp_path, sidecars=False), tmp_path / "sorted"
    before = snapshot(tmp_path)
    journal = tag(tmp_path / "src", _changes(photos, embed=False))

    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(SortRun, "execute", killed)
        with pytest.raises(KeyboardInterrupt):
            _sort(photos, dest, method)
    noted = read_tag_journal(journal)
    assert list(noted.sorts) == journals(str(dest))
    wanted = [(str(_added(photo)), str(dest / _label(photo) / _name(photo))) for photo in photos]
    assert sorted(noted.moves) == (sorted(wanted) if method == "move" else [])
    _sort(photos, dest, method)  # the interrupted run is finished
    assert read_tag_journal(journal).moves == noted.moves
    assert untag(tmp_path / "src") == []
    assert undo(str(dest))[0].failed == []
    assert snapshot(tmp_path) == before


def _label(photo: Path) -> str:
    return "hen" if photo.name == "b.jpg" else "tench"


def _name(photo: Path) -> str:
    return "a (2).jpg.xmp" if photo.parent.name == "more" else photo.name + ".xmp"


def test_a_tag_journal_that_was_not_written_here_is_ignored(tmp_path: Path) -> None:
    photos, dest = _photos(tmp_path, sidecars=False), tmp_path / "sorted"
    _sort(photos, dest, "copy")
    placed = dest / "tench" / "a.jpg"
    tag(dest, {placed: b"edited"})
    own = dest / ".mnv2"
    for journal in own.glob("*.tag.jsonl"):
        content = journal.read_bytes()
        (own / "copied").write_bytes(content)
        journal.unlink()
        (own / "copied").rename(journal)
    outcome, _ = undo(str(dest))
    assert outcome.failed == [(str(placed), "has changed since the sort")]
    assert placed.read_text() == "edited"
    assert [path.read_bytes() for path in own.glob("*.tag.jsonl")] == [content]


def test_a_linked_tag_journal_is_neither_read_nor_written(tmp_path: Path) -> None:
    photos, dest = _photos(tmp_path, sidecars=False), tmp_path / "sorted"
    real = Path(tag(tmp_path / "src", _changes(photos, embed=True)))
    elsewhere = tmp_path / "elsewhere"
    real.rename(elsewhere)
    real.symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    _sort(photos, dest, "move")
    assert elsewhere.read_bytes() == before


def test_a_sort_waits_for_no_tag_run_above_its_photos(tmp_path: Path) -> None:
    photos, dest = _photos(tmp_path, sidecars=False), tmp_path / "sorted"
    tag(tmp_path / "src", _changes(photos, embed=True))
    with locked(str(tmp_path / "src")), pytest.raises(InputError, match="another mnv2 process"):
        _sort(photos, dest, "move")
    assert all(photo.exists() for photo in photos)
    _sort(photos, dest, "move")
    assert undo(str(dest))[0].failed == [] and untag(tmp_path / "src") == []


@pytest.mark.parametrize("embed", [False, True])
def test_a_name_that_the_user_gave_to_a_moved_file_is_kept(tmp_path: Path, embed: bool) -> None:
    photos = _photos(tmp_path, sidecars=True)
    src, dest = tmp_path / "src", tmp_path / "sorted"
    tag(src, _changes(photos, embed=embed))
    _sort(photos, dest, "move")
    name = "a.jpg" if embed else "a.jpg.xmp"
    moved, linked = dest / "tench" / name, src / name
    linked.hardlink_to(moved)
    content = moved.read_bytes()
    ((path, why),) = untag(src)
    assert path == str(moved) and "is also at" in why and str(linked) in why
    assert moved.read_bytes() == content and moved.samefile(linked)
    linked.unlink()
    assert untag(src) == [] and moved.read_bytes() != content


@pytest.mark.parametrize("undoing", [False, True])
def test_a_file_with_two_names_after_a_killed_sort_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undoing: bool
) -> None:
    photos = _photos(tmp_path, sidecars=False)
    before = snapshot(tmp_path)
    src, dest = tmp_path / "src", tmp_path / "sorted"
    tag(src, _changes(photos, embed=True))

    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    if undoing:
        _sort(photos, dest, "move")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(transfer, "drop", killed)
        undo(str(dest)) if undoing else _sort(photos, dest, "move")
    assert sum(path.stat().st_nlink == 2 for path in tmp_path.rglob("*.jpg")) == 2
    assert untag(src) == []
    undo(str(dest))
    restore_times(tmp_path)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("method", ["move", "copy"])
def test_the_undo_of_a_sort_grows_with_its_photos_only(tmp_path: Path, method: Method) -> None:
    calls = {}
    for count in (60, 120):
        src, dest = tmp_path / f"src{count}", tmp_path / f"sorted{count}"
        photos = [write(src / f"{i}.jpg", f"photo {i}") for i in range(count)]
        apply(plan_of([record(path) for path in photos], dest, method))
        placed = [dest / "tench" / photo.name for photo in photos]
        tag(dest, _changes(placed, embed=False))
        calls[count] = count_calls(lambda dest=dest: undo(str(dest)))  # type: ignore[misc]
    assert grows_like(calls) < 2.2


def test_the_undo_of_a_copy_writes_to_the_journal_of_tags_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = _photos(tmp_path, sidecars=False)
    dest = tmp_path / "sorted"
    _sort(photos, dest, "copy")
    placed = list(dest.rglob("*.jpg"))
    name = tag(dest, _changes(placed, embed=True))
    opened: list[str] = []
    appended: list[str] = []
    real = Journal.append

    def append(journal: Journal, lines: Iterable[dict[str, Any]]) -> None:
        if lines := list(lines):
            appended.append(journal.path)
        real(journal, lines)

    monkeypatch.setattr(Journal, "_mend", lambda journal: opened.append(journal.path))
    monkeypatch.setattr(Journal, "append", append)
    undo(str(dest))
    # Once for the batch, and once for the folders that the sort created.
    assert (opened.count(name), appended.count(name)) == (2, 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
@pytest.mark.parametrize("embed", [False, True], ids=["sidecar", "embedded"])
@pytest.mark.parametrize("method", ["move", "copy"])
def test_an_undo_of_tagged_photos_killed_at_any_change_is_finished(
    tmp_path: Path, method: Method, embed: bool
) -> None:
    dest, killed = tmp_path / "sorted", 0
    photos = _photos(tmp_path, sidecars=True)
    before = snapshot(tmp_path)
    while True:
        killed += 11
        _sort(photos, dest, method)
        placed = [dest / "tench" / "a.jpg", dest / "hen" / "b.jpg", dest / "tench" / "a (2).jpg"]
        tag(dest, _changes(placed, embed=embed))
        sort = journals(str(dest))[0]
        was_killed = in_child(lambda sort=sort: undo(sort), killed)  # type: ignore[misc]
        if journals(str(dest)):
            assert undo(sort)[0].failed == [], killed
        assert untag(dest) == [], killed
        restore_times(tmp_path)  # only of folders
        left = sorted({*snapshot(tmp_path)} - {*before})
        assert not left, (killed, left)
        assert snapshot(tmp_path) == before, killed
        if not was_killed:
            break
    assert killed > 30


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
@pytest.mark.parametrize("method", ["move", "copy"])
def test_a_sort_of_tagged_photos_killed_at_any_change_is_undone_after_the_tags(
    tmp_path: Path, method: Method
) -> None:
    src, dest, killed = tmp_path / "src", tmp_path / "sorted", 0
    photos = _photos(tmp_path, sidecars=True)
    before = snapshot(tmp_path)
    while True:
        killed += 5
        tag(src, _changes(photos, embed=False))
        was_killed = in_child(lambda: _sort(photos, dest, method), killed)
        assert untag(src) == [], killed
        if dest.exists():
            undo_if_needed(dest)
        restore_times(tmp_path)
        left = sorted({*snapshot(tmp_path)} - {*before})
        assert not left, (killed, left)
        assert snapshot(tmp_path) == before, killed
        if not was_killed:
            break
    assert killed > 30
