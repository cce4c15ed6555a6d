"""Datasets of every format are written from results, and read back: the whole way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.datasets.captions import CaptionsBesidePhotos
from mnv2cli.datasets.formats import DATASETS, ReadOptions, WriteOptions, load_dataset_format
from mnv2cli.datasets.options import DatasetEvents, DatasetOptions
from mnv2cli.datasets.part_folder import PartFolder
from mnv2cli.datasets.read import Source, open_source, read_dataset
from mnv2cli.datasets.write import write_dataset, write_source
from mnv2cli.errors import ExitCode, InputError, NoImagesError, OutputError
from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.system.files import AtomicFile
from tests.datasets.made import draw

FORMATS = list(DATASETS)
FULL = [name for name in FORMATS if name != "captions"]
"""The formats that hold complete records."""

WITH_FILES = [name for name in FORMATS if "copy" in load_dataset_format(name).images]
"""The formats that have images as files in their folder."""

NAMES = (
    "a.png", "sub/a.png", "sub/A.png", "emo 🐱.png", "per%20cent#?.png", "a,b;'c'.png", " lead.png",
    "__init.png", ".hidden.png", "con.png", "x" * 200 + ".png",
)  # fmt: skip
"""Names of photos that one system or reader would not accept."""

LABELS = ("cat", 'a "q"', "= 1+1", "NA", "007", "../up", "</a>", "{}", "emo 🐱", "null", "dog")


def results_of(photos: Path, names: Sequence[str], labels: Sequence[str] = ()) -> list[Record]:
    """Draw photos and return their records, as a classification gives them."""
    labels = labels or [f"label {i % 2}" for i in range(len(names))]
    made = []
    for i, (name, label) in enumerate(zip(names, labels, strict=True)):
        path = draw(photos / name, i)
        predictions = (Prediction(f"n{i}", label, 0.75), Prediction("", "other", 0.125))
        category = CategoryScore("cat", 0.5, 0.25) if label else None
        made.append(Record(str(path), predictions if label else (), model="net", category=category))
    return made


def dest_of(folder: Path, format: str) -> Path:
    """Return where a dataset of a format may be written."""
    return folder / f"made{load_dataset_format(format).suffix}"


def snapshot(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("format", FULL)
def test_dataset_gives_back_equal_records(tmp_path: Path, format: str) -> None:
    records = results_of(tmp_path / "photos", NAMES, LABELS)
    outcome = write_dataset(records, dest_of(tmp_path, format), format)
    assert (outcome.photos, outcome.labels) == (len(NAMES), len(set(LABELS)))
    assert outcome.return_code is ExitCode.DONE
    assert list(read_dataset(dest_of(tmp_path, format))) == records


def test_captions_give_back_the_labels(tmp_path: Path) -> None:
    records = results_of(tmp_path / "photos", NAMES)
    write_dataset(records, tmp_path / "made", "captions")
    found = list(read_dataset(tmp_path / "made"))
    given = sorted(tuple(each.label for each in record.predictions) for record in records)
    assert sorted(tuple(each.label for each in record.predictions) for record in found) == given
    assert all(os.path.isfile(record.path) for record in found)


@pytest.mark.parametrize("how", ["copy", "hardlink", "symlink"])
@pytest.mark.parametrize("format", WITH_FILES)
def test_images_are_byte_identical(tmp_path: Path, format: str, how: Any) -> None:
    records = results_of(tmp_path / "photos", NAMES)
    dest = dest_of(tmp_path, format)
    write_dataset(records, dest, format, DatasetOptions(images=how))
    options = ReadOptions(original=False)
    found = [Path(record.path) for record in read_dataset(dest, format, options)]
    assert sorted(path.read_bytes() for path in found) == sorted(
        Path(record.path).read_bytes() for record in records
    )
    assert {str(path.relative_to(dest)).split(os.sep)[0] for path in found} == {"images"}
    inodes = {os.stat(record.path).st_ino for record in records}
    assert all(path.is_symlink() == (how == "symlink") for path in found)
    assert ({os.lstat(path).st_ino for path in found} == inodes) == (how == "hardlink")


@pytest.mark.parametrize("format", FORMATS)
def test_images_of_other_kinds_are_refused(tmp_path: Path, format: str) -> None:
    records = results_of(tmp_path / "photos", ["a.png"])
    supported = load_dataset_format(format).images
    for how in {"copy", "hardlink", "symlink", "embed", "reference"} - set(supported):
        with pytest.raises(InputError, match=f"--images {how} is not possible with {format}"):
            write_dataset(
                records,
                dest_of(tmp_path, format),
                format,
                DatasetOptions(images=how),  # type: ignore[arg-type]
            )
    assert snapshot(tmp_path) == {"photos", "photos/a.png"}


@pytest.mark.parametrize("format", FORMATS)
def test_options_of_other_formats_are_refused(tmp_path: Path, format: str) -> None:
    records = results_of(tmp_path / "photos", ["a.png"])
    own = {name for each in FORMATS for name in load_dataset_format(each).options}
    for name in own - set(load_dataset_format(format).options):
        with pytest.raises(InputError, match=f"--{name.replace('_', '-')} requires --to "):
            write_dataset(
                records, dest_of(tmp_path, format), format, DatasetOptions(own={name: "x"})
            )


@pytest.mark.parametrize("format", FORMATS)
def test_errors_and_unlabelled_photos_are_omitted_and_counted(tmp_path: Path, format: str) -> None:
    records = results_of(tmp_path / "photos", ["a.png", "b.png"], ["cat", ""])
    records += [Record("bad.png", error="damaged"), records[0]]
    outcome = write_dataset(records, dest_of(tmp_path, format), format)
    assert (outcome.photos, outcome.unlabelled, outcome.repeated) == (1, 1, 1)
    assert outcome.errors == {"damaged": 1}
    assert outcome.return_code is ExitCode.SOME_UNREADABLE
    found = list(read_dataset(dest_of(tmp_path, format)))
    assert [os.path.basename(record.path) for record in found] == ["a.png"]


@pytest.mark.parametrize("format", FULL)
def test_unlabelled_photos_are_kept_on_request(tmp_path: Path, format: str) -> None:
    records = results_of(tmp_path / "photos", ["a.png", "b.png"], ["cat", ""])
    options = DatasetOptions(keep_unlabelled=True)
    outcome = write_dataset(records, dest_of(tmp_path, format), format, options)
    assert (outcome.photos, outcome.unlabelled) == (2, 1)
    assert list(read_dataset(dest_of(tmp_path, format))) == records


@pytest.mark.parametrize("format", FORMATS)
def test_missing_photos_are_omitted_unless_they_are_referenced(tmp_path: Path, format: str) -> None:
    records = results_of(tmp_path / "photos", ["a.png", "b.png"])
    os.unlink(records[1].path)
    seen: list[tuple[str, str]] = []
    outcome = write_dataset(
        records,
        dest_of(tmp_path, format),
        format,
        events=DatasetEvents(unreadable=lambda *each: seen.append(each)),
    )
    if outcome.images == "reference":
        assert (outcome.photos, outcome.return_code) == (2, ExitCode.DONE)
        assert outcome.unsized == load_dataset_format(format).needs_size
    else:
        assert (outcome.photos, outcome.return_code) == (1, ExitCode.SOME_UNREADABLE)
        assert seen == [(records[1].path, "no such file or directory")]


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_remains_after_an_error(
    tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = results_of(tmp_path / "photos", ["a.png", "b.png"])
    before = snapshot(tmp_path)
    found = load_dataset_format(format)

    def full(path: str, options: Any) -> Any:
        writer = found.writer(path, options)

        def finish() -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(writer, "finish", finish)
        return writer

    monkeypatch.setitem(DATASETS, format, replace(found, writer=full))
    with pytest.raises(OutputError, match=r"cannot write .*made.*: no space left on device"):
        write_dataset(records, dest_of(tmp_path, format), format)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
@pytest.mark.parametrize("format", FORMATS)
def test_nothing_remains_if_the_last_step_fails(
    tmp_path: Path, format: str, error: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise error

    records = results_of(tmp_path / "photos", ["a.png", "b.png"])
    before = snapshot(tmp_path)
    monkeypatch.setattr(PartFolder, "commit", fail)
    monkeypatch.setattr(AtomicFile, "commit", fail)
    how: Any = "reference" if format == "captions" else ""
    with pytest.raises((KeyboardInterrupt, OutputError)):
        write_dataset(records, dest_of(tmp_path, format), format, DatasetOptions(images=how))
    assert snapshot(tmp_path) == before


def test_captions_beside_photos_are_written_once(tmp_path: Path) -> None:
    records = results_of(tmp_path / "photos", ["a.png", "b.png"])
    options = DatasetOptions(images="reference")
    for name in ("first", "second"):  # equal captions that exist are kept
        write_dataset(records, tmp_path / name, "captions", options)
        assert (tmp_path / "photos" / "a.txt").read_text() == "label 0, other\n"
    (tmp_path / "photos" / "b.txt").write_text("mine")
    with pytest.raises(OutputError, match="already exists with a different text"):
        write_dataset(records, tmp_path / "third", "captions", options)
    assert (tmp_path / "photos" / "b.txt").read_text() == "mine"
    assert not (tmp_path / "third").exists()


def test_withdrawing_twice_removes_no_caption_of_others(tmp_path: Path) -> None:
    writer = CaptionsBesidePhotos(str(tmp_path), WriteOptions())
    writer.finish()
    (tmp_path / "a.txt").write_text("mine")
    writer.withdraw()
    writer.withdraw()
    assert (tmp_path / "a.txt").read_text() == "mine"


@pytest.mark.parametrize("format", FORMATS)
def test_existing_destination_is_an_error(tmp_path: Path, format: str) -> None:
    records = results_of(tmp_path / "photos", ["a.png"])
    dest = dest_of(tmp_path, format)
    write_dataset(records, dest, format)
    before = snapshot(tmp_path)
    with pytest.raises(InputError, match="already exists"):
        write_dataset(records, dest, format)
    force = DatasetOptions(force=True)
    if load_dataset_format(format).is_folder:
        with pytest.raises(InputError, match="folders are not overwritten"):
            write_dataset(records, dest, format, force)
    else:
        write_dataset(records, dest, format, force)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("format", WITH_FILES)
def test_images_are_never_copied_among_the_photos(tmp_path: Path, format: str) -> None:
    records = results_of(tmp_path / "photos", ["a.png", "sub/b.png"])
    for inside in ("photos/made", "photos/sub/made"):
        with pytest.raises(InputError, match="among the photos that it is made from"):
            write_dataset(records, tmp_path / inside, format, DatasetOptions(images="copy"))
    assert snapshot(tmp_path / "photos") == {"a.png", "sub", "sub/b.png"}


@pytest.mark.parametrize("format", FORMATS)
def test_empty_folder_is_filled_and_a_file_is_not(tmp_path: Path, format: str) -> None:
    records = results_of(tmp_path / "photos", ["a.png"])
    dest = dest_of(tmp_path, format)
    dest.mkdir()
    if load_dataset_format(format).is_folder:
        write_dataset(records, dest, format)
        assert len(list(read_dataset(dest))) == 1
    else:
        with pytest.raises(InputError, match="is a folder, but the format"):
            write_dataset(records, dest, format)


def test_no_photo_is_an_error(tmp_path: Path) -> None:
    record = Record(str(draw(tmp_path / "a.png", 1)))
    with pytest.raises(NoImagesError, match="no photos to write") as found:
        write_dataset([record], tmp_path / "made", "imagefolder")
    assert "1 photo without a label" in found.value.hint
    with pytest.raises(NoImagesError, match="no photos to write"):
        write_dataset([], tmp_path / "made", "imagefolder")


def test_labels_may_be_categories_but_not_fields_that_are_missing(tmp_path: Path) -> None:
    records = results_of(tmp_path / "photos", ["a.png"])
    by_category = DatasetOptions(label_by="category")
    outcome = write_dataset(records, tmp_path / "made", "imagefolder", by_category)
    assert outcome.labels == 1
    assert '"label": "cat"' in (tmp_path / "made" / "metadata.jsonl").read_text()
    with pytest.raises(InputError, match="the records have no nodes"):
        write_dataset(records, tmp_path / "other", "imagefolder", DatasetOptions(label_by="node"))


def test_photos_that_moved_are_found_below_the_base(tmp_path: Path) -> None:
    records = results_of(tmp_path / "photos", ["a.png", "sub/b.png"])
    write_dataset(records, tmp_path / "made.json", "coco")
    (tmp_path / "photos").rename(tmp_path / "moved")
    options = DatasetOptions(base=str(tmp_path / "moved"))
    assert write_dataset(records, tmp_path / "made", "imagefolder", options).photos == 2
    source = open_source(
        str(tmp_path / "made.json"), options=ReadOptions(base=str(tmp_path / "moved"))
    )
    assert [record.path for record in source.read()] == [
        str(tmp_path / "moved" / name) for name in ("a.png", "sub/b.png")
    ]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are UTF-8")
@pytest.mark.parametrize("format", FORMATS)
def test_name_that_is_not_utf_8_is_copied_and_not_referenced(tmp_path: Path, format: str) -> None:
    name = os.fsdecode(b"\xff.png")
    records = results_of(tmp_path / "photos", ["a.png", name])
    outcome = write_dataset(records, dest_of(tmp_path, format), format)
    if outcome.images == "reference":
        assert outcome.unreadable == {"its name is not UTF-8, so it can only be copied": 1}
    else:
        assert outcome.photos == 2
    assert len(list(read_dataset(dest_of(tmp_path, format)))) == outcome.photos


def test_changed_results_are_an_error(tmp_path: Path) -> None:
    records = results_of(tmp_path / "photos", ["a.png"])
    other = [replace(records[0], predictions=(Prediction("", "new", 1.0),))]
    reads = iter([records, other])
    source = Source(lambda: iter(next(reads)), "labels.csv")
    with pytest.raises(InputError, match=r"'labels\.csv' changed while it was read"):
        write_source(
            source,
            str(tmp_path / "made"),
            load_dataset_format("imagefolder"),
            DatasetOptions(),
            DatasetEvents(),
        )
    assert snapshot(tmp_path) == {"photos", "photos/a.png"}


@pytest.mark.skipif(sys.platform == "win32", reason="needs a kill without warning")
def test_folder_of_a_killed_run_is_removed_by_the_next(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from mnv2cli.datasets.part_folder import PartFolder\n"
        "PartFolder(sys.argv[1])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    dest = str(tmp_path / "made")
    assert subprocess.run([sys.executable, "-c", code, dest], check=False).returncode == -9
    (left,) = os.listdir(tmp_path)
    assert left.startswith("made.mnv2-part-")
    write_dataset(results_of(tmp_path / "photos", ["a.png"]), dest, "imagefolder")
    assert sorted(os.listdir(tmp_path)) == ["made", "photos"]
