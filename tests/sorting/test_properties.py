"""Properties of sort and undo over random trees, names, collisions and orders."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mnv2cli.records import Record
from mnv2cli.sorting.actions import METHODS, Method
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.folders import safe_name
from mnv2cli.sorting.targets import check_target
from mnv2cli.sorting.undo import undo
from tests.sorting.trees import contents, plan_of, record, restore_times, snapshot, write

NAMES = st.sampled_from(
    [
        "a.jpg",
        "A.JPG",
        "a (2).jpg",
        "b.png",
        "a.xmp",
        "a.jpg.xmp",
        "a.mov",
        "é.jpg",
        "a.CR2",
        "a.cr2.xmp",
    ]
)
FOLDERS = st.sampled_from(["", "x", "x/y", "X", "tench", "z"])
FILES = st.dictionaries(st.tuples(FOLDERS, NAMES), st.sampled_from(["1", "2", "3", ""]), max_size=9)
LABELS = st.sampled_from(["tench", "Tench", "hen", "con", "x", "a.jpg"])


@contextmanager
def tree(files: dict[tuple[str, str], str]) -> Iterator[Path]:
    with TemporaryDirectory() as name:
        src = Path(name) / "src"
        src.mkdir()
        for (folder, file), content in files.items():
            if not (src / folder).is_file():
                write(src / folder / file, content)
        restore_times(Path(name))
        yield src


def photos(src: Path, labels: Any) -> list[Record]:
    found = [p for p in sorted(src.rglob("*")) if p.suffix.lower() in (".jpg", ".png", ".cr2")]
    return [record(path, labels(path)) for path in found]


def labelled(data: st.DataObject) -> Any:
    known: dict[str, str] = {}

    def label(path: Path) -> str:
        return known.setdefault(path.name + path.read_text(), data.draw(LABELS))

    return label


@settings(max_examples=40, deadline=None)
@given(FILES, FILES, st.sampled_from(METHODS), st.booleans(), st.data())
def test_sort_then_undo_restores_the_tree(
    files: dict[tuple[str, str], str],
    existing: dict[tuple[str, str], str],
    method: Method,
    inside: bool,
    data: st.DataObject,
) -> None:
    with tree(files) as src:
        dest = src / "z" / "dest" if inside else src.parent / "dest"
        for (folder, file), content in existing.items():
            if not (dest / folder).is_file():
                write(dest / folder / file, content)
        restore_times(src.parent)
        before = snapshot(src.parent)
        records = photos(src, labelled(data))
        if inside:
            records = [r for r in records if not r.path.startswith(f"{dest}/")]
        plan = plan_of(records, dest, method)
        assert snapshot(src.parent) == before  # a plan changes nothing
        outcome = apply(plan)
        photos_of = {action.source: action.photo for action in plan.actions}
        failed = {path for path, _ in outcome.failed}
        for path, reason in outcome.failed:
            if reason == "stays with its photo":
                assert photos_of[path] in failed
            else:
                assert "is a file, not a folder" in reason
        if plan.work:
            undo(str(dest))
        assert snapshot(src.parent) == before


@settings(max_examples=40, deadline=None)
@given(FILES, st.sampled_from(["move", "copy"]), st.data())
def test_contents_stay_the_same_and_sorting_again_does_nothing(
    files: dict[tuple[str, str], str], method: Method, data: st.DataObject
) -> None:
    with tree(files) as src:
        dest, original = src.parent / "dest", contents(src)
        label = labelled(data)
        records = photos(src, label)
        data.draw(st.randoms()).shuffle(records)
        apply(plan_of(records, dest, method))
        if method == "move":
            assert contents(src, dest) == original
        else:
            assert contents(src) == original and set(contents(dest)) <= set(original)
        before = snapshot(src.parent)
        apply(plan_of([r for r in records if os.path.exists(r.path)], dest, method))
        assert snapshot(src.parent, journals=False) == {
            path: found for path, found in before.items() if ".mnv2" not in path
        }


@settings(max_examples=30, deadline=None)
@given(FILES, FILES, st.data())
def test_two_sorts_are_undone_one_after_the_other(
    files: dict[tuple[str, str], str], more: dict[tuple[str, str], str], data: st.DataObject
) -> None:
    with tree(files) as src:
        dest, label = src.parent / "dest", labelled(data)
        trees = []
        for i, new in enumerate([files, more]):
            for (folder, file), content in new.items():
                if not (src / str(i) / folder).is_file():
                    write(src / str(i) / folder / file, content)
            restore_times(src)
            plan = plan_of(photos(src, label), dest)
            if plan.work:
                trees.append(snapshot(src))
                apply(plan)
        for before in reversed(trees):
            undo(str(dest))
            after = snapshot(src)
            assert {p: f for p, f in after.items() if p in before} == before
        shutil.rmtree(src)
        assert not dest.exists()


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_safe_names_are_safe(text: str) -> None:
    name = safe_name(text)
    check_target(f"{name}/photo.jpg")
    assert name == safe_name(name) and 0 < len(name) <= 101
    assert len(name.encode()) <= 210 and not set('<>:"/\\|?*\0') & set(name)
    assert name.isprintable() or all(ord(c) >= 32 for c in name)
    assert not name.endswith((" ", ".")) and not name.startswith(".")
