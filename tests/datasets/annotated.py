"""Datasets of annotation programs, made with their writers: one file, or a folder of FiftyOne."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from mnv2cli.datasets.formats import Item, LabelBy, WriteOptions, load_dataset_format
from mnv2cli.datasets.labels import label_of
from mnv2cli.records import Record

FORMATS = ["coco", "label-studio", "cvat", "fiftyone"]
SIZE = (8, 6)


def write(
    folder: Path,
    format: str,
    records: Sequence[Record],
    names: Sequence[str] = (),
    *,
    label_by: LabelBy = "label",
    images: Any = "reference",
    own: Mapping[str, Any] | None = None,
) -> Path:
    """Write a dataset of photos that need not exist, named like their records in ``photos``."""
    found = load_dataset_format(format)
    path = folder / f"dataset{found.suffix}"
    if found.is_folder:
        path.mkdir()
    names = names or [
        os.fsencode(each.path).decode("utf-8", "replace").removeprefix("../photos/")
        for each in records
    ]
    labels = tuple(sorted({label_of(record, label_by) for record in records} - {""}))
    options = WriteOptions(label_by, images, labels, "my <photos>", own or {})
    with closing(found.writer(str(path), options)) as writer:
        for record, name in zip(records, names, strict=True):
            source = str(folder / name)
            writer.write(Item(record, name, source, label_of(record, label_by), *SIZE))
        writer.finish()
    return path


def content(path: Path) -> Any:
    """Return the content of a dataset in JSON."""
    return json.loads((path / "labels.json" if path.is_dir() else path).read_bytes())


def dump(path: Path, value: object) -> Path:
    """Write JSON; lone surrogates are escaped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path
