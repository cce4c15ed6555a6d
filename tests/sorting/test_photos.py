"""Which photos are sorted, and when they were taken."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from mnv2cli.errors import InputError
from mnv2cli.images.options import ImageOptions
from mnv2cli.records import Source
from mnv2cli.sorting.dates import date_reader
from mnv2cli.sorting.options import FolderOptions, SortOptions
from mnv2cli.sorting.photos import OutsideOf
from mnv2cli.sorting.plan import make_plan
from tests.conftest import draw
from tests.sorting.trees import plan_of, record


def sources(*paths: str) -> Iterator[Source]:
    return (Source(path) for path in paths)


def chosen(dest: str, named: str, *paths: str) -> list[str]:
    return [source.path for source in OutsideOf(dest, [named])(sources(*paths))]


def test_images_in_the_destination_are_chosen_only_if_they_are_named() -> None:
    paths = ("photos/a.jpg", "photos/sorted/b.jpg", "photos/sorted2/c.jpg")
    assert chosen("photos/sorted", "photos", *paths) == [paths[0], paths[2]]
    assert chosen(os.path.abspath("photos/sorted"), "photos", *paths) == [paths[0], paths[2]]
    assert chosen("photos", "photos/sorted", *paths) == list(paths)
    assert chosen("photos", "photos", *paths) == list(paths)


def test_remote_photos_are_refused_without_showing_secrets(tmp_path: Path) -> None:
    url = "https://user:secret@host/a.jpg"
    for refused in (
        lambda: list(OutsideOf("dest", [])(sources(url))),
        lambda: plan_of([record(url)], tmp_path),
    ):
        with pytest.raises(InputError, match=r"cannot sort .* it is not on this machine") as caught:
            refused()
        assert "secret" not in str(caught.value) and "host/a.jpg" in str(caught.value)


@pytest.mark.parametrize("isolate", [False, True])
def test_dates_are_read_in_this_or_a_separate_process(tmp_path: Path, isolate: bool) -> None:
    exif = Image.Exif()
    exif[0x0132] = "2023:01:02 03:04:05"
    photo = draw(tmp_path / "a.jpg", exif=exif)
    (tmp_path / "b.jpg").write_text("no image")
    found = [record(photo), record(tmp_path / "b.jpg")]
    options = SortOptions(str(tmp_path / "dest"), folders=FolderOptions("{year}/{month}"))
    with date_reader(ImageOptions(isolate=isolate)) as taken:
        plan = make_plan(found, options, taken)
    assert [action.folder for action in plan.work] == ["2023/01", "undated/undated"]
