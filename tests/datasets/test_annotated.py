"""What the formats of annotation programs share: round trips, names, detection, damage."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.datasets.formats import (
    DATASETS,
    DatasetFormat,
    Item,
    ReadOptions,
    WriteOptions,
    load_dataset_format,
)
from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record
from mnv2cli.results.parquet_format import utf8_text
from tests.datasets.annotated import FORMATS, content, write
from tests.datasets.made import HOSTILE, read, records_of

LABELS = (*HOSTILE, "\ufffe", "\x85\x0b\x7f", "?>", "-->", "]]>", "é" * 300, "😀\r\n")
NAMES = ("a.jpg", "a.png", "sub dir/ü %41?#&=+.jpg", "new\nline 'q' \"q\".jpg", "<b>&amp;.jpg")


@pytest.mark.parametrize("format", FORMATS)
def test_dataset_gives_back_equal_records_for_hostile_labels(tmp_path: Path, format: str) -> None:
    records = records_of(LABELS)
    assert read(write(tmp_path, format, records), format) == records


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("label_by", ["category", "node"])
def test_dataset_of_categories_gives_back_equal_records(
    tmp_path: Path, format: str, label_by: Any
) -> None:
    records = records_of([*"abcde"])
    assert read(write(tmp_path, format, records, label_by=label_by), format) == records


@pytest.mark.parametrize("format", FORMATS)
def test_dataset_without_photos_is_empty(tmp_path: Path, format: str) -> None:
    path = write(tmp_path, format, [])
    assert read(path, format) == []


@pytest.mark.parametrize("format", FORMATS)
def test_dataset_names_its_images_without_original_paths(tmp_path: Path, format: str) -> None:
    records = records_of([*"abcde"], NAMES)
    path = write(tmp_path, format, records)
    found = read(path, format, original=False)
    assert [each.path for each in found] == [str(tmp_path / name) for name in NAMES]
    assert [replace(each, path="") for each in found] == [
        replace(each, path="") for each in records
    ]
    based = read(path, format, original=False, base="/elsewhere")
    assert [each.path for each in based] == [f"/elsewhere/{name}" for name in NAMES]


@pytest.mark.parametrize("format", FORMATS)
def test_dataset_keeps_absolute_names_that_this_tool_wrote(tmp_path: Path, format: str) -> None:
    path = write(tmp_path, format, records_of(["a"]), ["/far/a%20b.jpg"])
    assert [each.path for each in read(path, format, original=False)] == ["/far/a%20b.jpg"]


@pytest.mark.parametrize("format", FORMATS)
def test_dataset_describes_a_path_that_is_not_utf_8(tmp_path: Path, format: str) -> None:
    record = Record(os.fsdecode(b"../photos/\xff.png"), (Prediction("", "cat", 0.5),))
    path = write(tmp_path, format, [record])
    assert read(path, format) == [replace(record, path=utf8_text(record.path))]


@pytest.mark.parametrize("format", FORMATS)
def test_label_that_is_not_utf_8_is_refused_with_its_photo(tmp_path: Path, format: str) -> None:
    record = Record("../photos/a.png", (Prediction("", "ca\udcfft", 0.5),))
    with pytest.raises(InputError, match=r"a\.png.*ca\\udcfft"):
        write(tmp_path, format, [record])


@pytest.mark.parametrize("format", FORMATS)
def test_dataset_is_detected_as_its_own_format(tmp_path: Path, format: str) -> None:
    path = write(tmp_path, format, records_of(["a", "b"]))
    for name in FORMATS:
        assert load_dataset_format(name).detect(str(path)) == (name == format)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "noise", "pipe", "results"])
def test_other_files_are_neither_detected_nor_read(tmp_path: Path, format: str, kind: str) -> None:
    path = tmp_path / "x.json"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "results":
        path.write_text('[{"path": "\\"data\\": {", "predictions": [], "annotation_id": 1}]')
    elif kind != "missing":
        path.write_bytes(os.urandom(5000) if kind == "noise" else b"")
    is_min = (format, kind) == ("label-studio", "results")  # a key of JSON_MIN decides
    assert load_dataset_format(format).detect(str(path)) == is_min
    with pytest.raises(InputError, match=r"x\.json"):
        read(path, format)


def test_formats_are_in_the_registry() -> None:
    for name in FORMATS:
        found = load_dataset_format(name)
        assert isinstance(DATASETS[name], DatasetFormat)
        assert found.name == name
        assert found.images[0] == "reference"
        assert found.needs_size == (name in ("coco", "cvat"))


@pytest.mark.parametrize("format", FORMATS)
def test_interrupted_writing_leaves_no_other_files(tmp_path: Path, format: str) -> None:
    found = load_dataset_format(format)
    path = tmp_path / f"dataset{found.suffix}"
    if found.is_folder:
        path.mkdir()
    writer = found.writer(str(path), WriteOptions(images="reference", labels=("a",)))
    writer.write(Item(records_of(["a"])[0], "a.jpg", "a.jpg", "a", 1, 1))
    writer.close()
    assert os.listdir(tmp_path) == [path.name]


JSON_FORMATS = ["coco", "label-studio", "fiftyone"]


def damaged(path: Path, old: str, new: str) -> None:
    """Replace a text in a dataset of JSON."""
    file = path / "labels.json" if path.is_dir() else path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("format", JSON_FORMATS)
@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("0.75", "NaN", "NaN is not a number of JSON"),
        ("0.75", "-Infinity", "-Infinity is not a number of JSON"),
        ("0.75", "1e999", "'mnv2' is not the record of a photo|score"),
        ("0.75", "7" * 5000, "not valid JSON"),
        ("0.75", "[" * 100_000, "nested too deeply|not valid JSON"),
        ("0.75", "[" * 70 + "]" * 70, "nested too deeply"),
        ("0.75", '"\\ud800"', "half of a surrogate pair"),
        ("0.75", "0.75, 5", "not valid JSON"),
        ('"../photos/sub/1.png"', "7", "'mnv2' is not the record of a photo"),
    ],
)
def test_hostile_json_is_one_error_that_names_the_entry(
    tmp_path: Path, format: str, old: str, new: str, why: str
) -> None:
    path = write(tmp_path, format, records_of(["a", "b", "c"]))
    damaged(path, old, new)
    with pytest.raises(InputError, match=why) as caught:
        read(path, format)
    assert "dataset" in caught.value.message
    assert re.search(r"\w\[.+\]|its beginning|what follows licenses", caught.value.message)


@pytest.mark.parametrize("format", JSON_FORMATS)
@pytest.mark.parametrize("cut", [1, 40, 200])
def test_truncated_json_is_refused(tmp_path: Path, format: str, cut: int) -> None:
    path = write(tmp_path, format, records_of(["a", "b", "c"]))
    file = path / "labels.json" if path.is_dir() else path
    file.write_bytes(file.read_bytes().rstrip()[:-cut])
    with pytest.raises(InputError, match="cannot read the dataset"):
        read(path, format)


@pytest.mark.parametrize("format", JSON_FORMATS)
@pytest.mark.parametrize("indent", [None, 3])
def test_json_may_have_any_layout(tmp_path: Path, format: str, indent: int | None) -> None:
    records = records_of(["a", "b", "c"])
    path = write(tmp_path, format, records)
    file = path / "labels.json" if path.is_dir() else path
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(content(path), indent=indent).encode())
    assert read(path, format) == records
    assert load_dataset_format(format).detect(str(path))


@pytest.mark.parametrize("format", JSON_FORMATS)
def test_json_is_read_in_parts(
    tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = records_of(["a", "b" * 50, "c"])
    path = write(tmp_path, format, records)
    for size in range(1, 60):
        monkeypatch.setattr("mnv2cli.datasets.json_stream._CHUNK", size)
        assert read(path, format) == records


@pytest.mark.parametrize("format", JSON_FORMATS)
def test_entry_that_is_too_long_is_refused(
    tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnv2cli.datasets.json_stream._CHUNK", 100)
    monkeypatch.setattr("mnv2cli.datasets.json_stream._MAX_ENTRY", 5000)
    path = write(tmp_path, format, records_of(["a" * 9000]))
    with pytest.raises(InputError, match="more than 16 million"):
        read(path, format)


@pytest.mark.parametrize("format", FORMATS)
def test_reading_stops_at_the_first_damaged_photo(tmp_path: Path, format: str) -> None:
    path = write(tmp_path, format, records_of(["a", "b", "c"]))
    file = path / "labels.json" if path.is_dir() else path
    text = file.read_text()
    at = text.index('"path": "../photos/sub/1.png"')
    file.write_text(text[:at] + '"path": 7' + text[at + 29 :])
    found = load_dataset_format(format).reader(str(path), ReadOptions())
    assert next(found).path == "../photos/sub/0.png"
    with pytest.raises(InputError, match="not the record of a photo"):
        next(found)
