"""A folder is watched from Python."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

import mnv2cli
from mnv2cli import (
    Classifier,
    FolderOptions,
    LabelOptions,
    SortOptions,
    TagOptions,
    WatchOptions,
)
from mnv2cli.errors import InputError
from mnv2cli.watching.changes import Changes
from tests.conftest import draw
from tests.watching.arriving import sorted_files

pytestmark = pytest.mark.usefixtures("fake_engine")
ONCE = WatchOptions(settle=0.1, patience=0.2, once=True)


def test_photos_are_sorted_into_a_folder(photos: Path) -> None:
    found = list(mnv2cli.watch(photos, "sorted", options=ONCE))
    assert len(found) == 3 and all(each.what == "done" for each in found)
    assert len(sorted_files(photos.parent / "sorted")) == 3
    assert list(mnv2cli.watch(photos, "sorted", options=ONCE)) == []


def test_photos_are_sorted_as_the_options_say(photos: Path) -> None:
    options = SortOptions("sorted", "move", FolderOptions("{label}"))
    found = list(mnv2cli.watch(photos, options, options=ONCE))
    assert {each.target.partition("/")[0] for each in found} == {
        "great white shark", "brambling", "goldfish",
    }  # fmt: skip
    assert not list(photos.rglob("*.jpg"))


def test_a_destination_may_be_a_path(photos: Path) -> None:
    assert len(list(mnv2cli.watch(photos, Path("sorted"), options=ONCE))) == 3
    assert len(sorted_files(photos.parent / "sorted")) == 3


def test_excluded_companions_stay_as_with_the_command(photos: Path) -> None:
    (photos / "img2.xmp").write_text("<x/>")
    (photos / "sub" / "img1.xmp").write_text("<x/>")
    (photos / "img10.xmp").write_text("<x/>")
    watching = replace(ONCE, exclude=("/img2.xmp", "sub/*.xmp"))
    list(mnv2cli.watch(photos, SortOptions("sorted", exclude=("img10.xmp",)), options=watching))
    found = {path.suffix for path in sorted_files(photos.parent / "sorted")}
    assert found == {".jpg", ".png", ".webp"}


@pytest.mark.parametrize("field", ["category", "node"])
def test_a_template_the_classifier_does_not_support_is_an_error_at_once(
    photos: Path, field: str
) -> None:
    options = SortOptions("sorted", folders=FolderOptions(f"{{{field}}}"))
    with pytest.raises(InputError, match=f"{{{field}}} in the template requires LabelOptions"):
        mnv2cli.watch(photos, options, classifier=Classifier())
    assert not (photos.parent / "sorted").exists()


def test_photos_are_sorted_by_the_nodes_of_a_classifier(photos: Path) -> None:
    options = SortOptions("sorted", folders=FolderOptions("{node}"))
    with pytest.raises(InputError, match="rollup=P"):
        mnv2cli.watch(photos, options)
    classifier = Classifier(labels=LabelOptions(rollup=0.6))
    found = list(mnv2cli.watch(photos, options, classifier=classifier, options=ONCE))
    assert len(found) == 3 and all(each.what == "done" for each in found)


def test_photos_are_tagged(photos: Path) -> None:
    found = list(mnv2cli.watch(photos, TagOptions(what="label"), options=ONCE))
    assert {each.target for each in found} == {"great white shark", "brambling", "goldfish"}
    assert len(list(photos.rglob("*.xmp"))) == 3


def test_a_watch_ends_when_it_is_asked_to(photos: Path) -> None:
    stop = Event()
    watching = mnv2cli.watch(
        photos, "sorted", options=WatchOptions(settle=0.1), stop_requested=stop
    )
    assert next(watching).what == "done"
    stop.set()
    assert all(each.what == "done" for each in watching)


def test_a_folder_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(InputError, match="'none' is not a folder"):
        mnv2cli.watch("none", "sorted")


def test_changes_that_the_system_does_not_report_have_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OSError("OS file watch limit reached")

    monkeypatch.setattr("watchfiles.watch", refuse)
    with Changes(str(tmp_path)) as changes:
        assert changes.error == "OS file watch limit reached" and changes.take(0) == []


def test_lost_changes_are_found_by_looking_again(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Changes, "take", lambda self, seconds: [])
    stop = Event()
    options = WatchOptions(settle=0.1, rescan=0.2)
    watching = mnv2cli.watch(photos, "sorted", options=options, stop_requested=stop)
    for _ in range(3):
        next(watching)
    draw(photos / "late.png", (3, 9, 0))
    assert next(watching).path.endswith("late.png")
    stop.set()
    assert list(watching) == []


def test_a_folder_that_is_gone_for_long_is_waited_for_without_load(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, waits = Event(), []

    def take(changes: Changes, seconds: float) -> list[str]:
        waits.append(seconds)
        stop.wait(seconds)
        if len(waits) == 12:
            stop.set()
        return []

    monkeypatch.setattr(Changes, "take", take)
    options = WatchOptions(settle=0.01, rescan=0.05)
    watching = mnv2cli.watch(photos, "sorted", options=options, stop_requested=stop)
    next(watching)
    waits.clear()
    photos.rename(photos.parent / "elsewhere")
    with pytest.warns(UserWarning, match="is gone"):
        list(watching)
    assert sum(seconds > 0 for seconds in waits) > 6


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode elsewhere")
def test_changes_are_reported_after_a_name_that_is_not_utf8(photos: Path) -> None:
    stop = Event()
    options = WatchOptions(settle=0.1, rescan=1000)
    watching = mnv2cli.watch(photos, "sorted", options=options, stop_requested=stop)
    for _ in range(3):
        next(watching)
    for number in range(2):
        (photos / os.fsdecode(b"notes\xff.txt")).write_text(f"{number}")
        draw(photos / f"late{number}.png", (3 + number, 9, 0))
        assert next(watching).path.endswith(f"late{number}.png")
    stop.set()
    assert list(watching) == []


def test_a_folder_whose_changes_are_never_reported_is_looked_at_often(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = []

    def refuse(*args: object, **options: object) -> None:
        starts.append(args)
        raise RuntimeError("Unable to decode path")

    monkeypatch.setattr("watchfiles.watch", refuse)
    monkeypatch.setattr("mnv2cli.watching.watch._RESTARTS", 1)
    monkeypatch.setattr("mnv2cli.watching.watch._RESTART_PAUSE", 0)
    stop = Event()
    options = WatchOptions(settle=0.1, rescan=1000)
    watching = mnv2cli.watch(photos, "sorted", options=options, stop_requested=stop)
    with pytest.warns(UserWarning, match="Unable to decode path.*looking every 1 s") as warnings:
        for _ in range(3):
            next(watching)
        for number in range(2):
            draw(photos / f"late{number}.png", (3 + number, 9, 0))
            assert next(watching).path.endswith(f"late{number}.png")
    assert len(warnings) == 1 and len(starts) == 2
    stop.set()
    assert list(watching) == []
