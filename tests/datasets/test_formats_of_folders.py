"""What all formats that are folders share: they give back what was written, and refuse damage."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from mnv2cli.datasets.formats import (
    DATASETS,
    Item,
    ReadOptions,
    WriteOptions,
    load_dataset_format,
)
from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record
from mnv2cli.results.parquet_format import utf8_text
from tests.datasets.made import HOSTILE, make, records_of

FULL = ["imagefolder", "imagefolder-csv", "imagefolder-parquet", "webdataset", "croissant"]
FORMATS = [*FULL, "captions"]


@pytest.mark.parametrize("format", FULL)
def test_dataset_gives_back_equal_records_for_hostile_labels(tmp_path: Path, format: str) -> None:
    made = make(tmp_path, format, records_of(HOSTILE))
    assert made.read() == made.records


@pytest.mark.parametrize("format", FULL)
@pytest.mark.parametrize("label_by", ["category", "node"])
def test_dataset_of_categories_gives_back_equal_records(
    tmp_path: Path, format: str, label_by: str
) -> None:
    made = make(tmp_path, format, records_of(["a", "b", "c"]), label_by=label_by)  # type: ignore[arg-type]
    assert made.read() == made.records


@pytest.mark.parametrize("format", FULL)
def test_dataset_describes_a_path_that_is_not_utf_8(tmp_path: Path, format: str) -> None:
    record = Record(os.fsdecode(b"../photos/\xff.png"), (Prediction("", "cat", 0.5),))
    made = make(tmp_path, format, [record])
    assert made.read() == [replace(record, path=utf8_text(record.path))]


@pytest.mark.parametrize("format", ["imagefolder", "imagefolder-csv", "croissant"])
def test_dataset_returns_its_own_images_without_original_paths(tmp_path: Path, format: str) -> None:
    made = make(tmp_path, format, records_of(["a", "b"]))
    found = made.read(original=False)
    assert [each.path for each in found] == [
        str(made.path / "images" / "sub" / f"{i}.png") for i in range(2)
    ]
    assert [replace(each, path="") for each in found] == [
        replace(each, path="") for each in made.records
    ]
    assert all(os.path.isfile(each.path) for each in found)
    based = made.read(original=False, base="/elsewhere")
    assert based[0].path == "/elsewhere/images/sub/0.png"


@pytest.mark.parametrize("format", FORMATS)
def test_label_that_is_not_utf_8_is_refused_with_its_photo(tmp_path: Path, format: str) -> None:
    record = Record("../photos/a.png", (Prediction("", "ca\udcfft", 0.5),))
    with pytest.raises(InputError, match=r"ca\\udcfft"):
        make(tmp_path, format, [record])


@pytest.mark.parametrize("format", FORMATS)
def test_dataset_is_detected_as_its_own_format(tmp_path: Path, format: str) -> None:
    made = make(tmp_path, format, records_of(["a", "b"]))
    for name in FORMATS:
        assert load_dataset_format(name).detect(str(made.path)) == (name == format)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kind", ["missing", "empty folder", "empty file", "noise", "pipe"])
def test_detection_is_false_for_anything_else(tmp_path: Path, format: str, kind: str) -> None:
    place = tmp_path / "x.tar"
    if kind == "empty folder":
        place.mkdir()
    elif kind != "missing":
        place.write_bytes(b"" if kind == "empty file" else b"\x00\xff{[" * 1000)
    if kind == "pipe":
        place = tmp_path
        (tmp_path / "x.parquet").write_bytes(b"PAR1")
    assert not load_dataset_format(format).detect(str(place))


@pytest.mark.parametrize("format", FORMATS)
def test_reading_a_folder_without_a_dataset_is_one_clear_error(tmp_path: Path, format: str) -> None:
    folder = tmp_path / "nothing"
    folder.mkdir()
    with pytest.raises(InputError, match="nothing"):
        list(load_dataset_format(format).reader(str(folder), ReadOptions()))


@pytest.mark.parametrize("format", FORMATS)
def test_writer_that_is_closed_after_an_error_leaves_no_open_file(
    tmp_path: Path, format: str
) -> None:
    writer = load_dataset_format(format).writer(str(tmp_path), WriteOptions(labels=("a",)))
    item = Item(Record("a.png", (Prediction("", "a", 1.0),)), "no/a.png", "no file", "a")
    with suppress(OSError):  # some do not open the image
        writer.write(item)
    writer.close()
    writer.close()  # warnings about open files are errors


def test_formats_of_this_file_are_registered() -> None:
    assert set(FORMATS) <= set(DATASETS)
