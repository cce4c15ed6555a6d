"""Datasets in the programs that read them."""

from __future__ import annotations

import gc
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.datasets.made import HOSTILE, Made, make, records_of

pytestmark = pytest.mark.readers

NAMES = [f"test/{i}.png" if i % 2 else f"train-{i}.PNG" for i in range(len(HOSTILE))]
"""Names from which readers would derive splits."""


@pytest.fixture
def hugging_face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return ``load_dataset``, which does not look for anything outside of this machine."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        datasets = pytest.importorskip("datasets")

    def load(*arguments: str, **options: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            datasets.disable_progress_bars()
            found = datasets.load_dataset(*arguments, cache_dir=str(tmp_path / "cache"), **options)
            gc.collect()  # it does not close the CSV file
        assert list(found) == ["train"]
        return found["train"]

    return load


def reds(rows: Any, column: str = "image") -> list[int]:
    return [row[column].getpixel((0, 0))[0] for row in rows]


def made_of_hostile(tmp_path: Path, format: str) -> Made:
    return make(tmp_path, format, records_of(HOSTILE, NAMES))


@pytest.mark.parametrize("format", ["imagefolder", "croissant"])
def test_hugging_face_reads_metadata_lines(tmp_path: Path, hugging_face: Any, format: str) -> None:
    made = made_of_hostile(tmp_path, format)
    rows = hugging_face(str(made.path))
    assert rows["label"][:] == list(HOSTILE)
    assert reds(rows) == list(range(len(HOSTILE)))
    assert rows.features["label"].dtype == "string"


@pytest.mark.parametrize("format", ["imagefolder", "imagefolder-csv"])
def test_hugging_face_reads_a_folder_by_its_module(
    tmp_path: Path, hugging_face: Any, format: str
) -> None:
    made = make(tmp_path, format, records_of(["cat", 'a "q",\nb', "dog"]))
    rows = hugging_face("imagefolder", data_dir=str(made.path))
    assert rows["label"][:] == ["cat", 'a "q",\nb', "dog"]
    assert reds(rows) == [0, 1, 2]


def test_hugging_face_reads_metadata_csv(tmp_path: Path, hugging_face: Any) -> None:
    made = made_of_hostile(tmp_path, "imagefolder-csv")
    rows = hugging_face(str(made.path))
    # Its parser of CSV treats these as missing.
    missing = ("NA", "null", "")
    assert rows["label"][:] == [None if label in missing else label for label in HOSTILE]
    assert rows["path"][:] == [record.path for record in made.records]
    assert reds(rows) == list(range(len(HOSTILE)))


def test_hugging_face_reads_labels_that_are_numbers_as_text(
    tmp_path: Path, hugging_face: Any
) -> None:
    for format in ("imagefolder", "imagefolder-csv", "croissant"):
        made = make(tmp_path, format, records_of(["007", "1"]))
        assert hugging_face(str(made.path))["label"][:] == ["007", "1"]


def test_hugging_face_reads_parquet_with_classes(tmp_path: Path, hugging_face: Any) -> None:
    made = made_of_hostile(tmp_path, "imagefolder-parquet")
    rows = hugging_face(str(made.path))
    classes = rows.features["label"]
    assert [classes.int2str(i) if i is not None else "" for i in rows["label"]] == list(HOSTILE)
    assert reds(rows) == list(range(len(HOSTILE)))


def test_hugging_face_reads_shards(tmp_path: Path, hugging_face: Any) -> None:
    made = make(tmp_path, "webdataset", records_of(HOSTILE), own={"shard_size": 5})
    rows = hugging_face("webdataset", data_dir=str(made.path))
    assert [row["json"]["label"] for row in rows] == list(HOSTILE)
    assert reds(rows, "png") == list(range(len(HOSTILE)))


def test_webdataset_reads_shards(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        webdataset = pytest.importorskip("webdataset")
    made = make(tmp_path, "webdataset", records_of(HOSTILE), own={"shard_size": 5})
    shards = [str(each) for each in sorted(made.path.glob("*.tar"))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = webdataset.WebDataset(shards, shardshuffle=False).decode("pil")
        rows = list(read.to_tuple("png", "cls", "json"))
    names = sorted(set(HOSTILE) - {""})
    assert [content["label"] for _, _, content in rows] == list(HOSTILE)
    assert [names[number] if number >= 0 else "" for _, number, _ in rows] == list(HOSTILE)
    assert [image.getpixel((0, 0))[0] for image, _, _ in rows] == list(range(len(HOSTILE)))
