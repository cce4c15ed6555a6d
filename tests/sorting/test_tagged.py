"""Tags and sorts, in any order, and their undos in any order: everything is as at the start."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from mnv2cli.sorting.actions import METHODS, Method
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.undo import undo
from tests.journals.tag_runs import tag, untag
from tests.sorting.trees import plan_of, record, restore_times, snapshot, write

WHERE = ("root", "class")


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
    labels = ("tench", "hen", "tench")
    records = [record(path, label) for path, label in zip(photos, labels, strict=True)]
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
