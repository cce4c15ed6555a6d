"""Datasets that are made with the writers of formats, and the records and images in them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from mnv2cli.datasets.formats import (
    Images,
    Item,
    LabelBy,
    ReadOptions,
    WriteOptions,
    load_dataset_format,
)
from mnv2cli.datasets.labels import label_of
from mnv2cli.records import CategoryScore, Prediction, Record

HOSTILE = (
    'a "q" , x', "new\nline", "tab\t", "emo 🐱", "../up", "</script>", "NA", "2020-01-01", "",
    "null", "nul\0x", "cr\rx", "= 1+1", "007",
)  # fmt: skip
"""Labels that mean something in one format or another."""


@dataclass(frozen=True, slots=True)
class Made:
    """A dataset, and what it was made from."""

    path: Path
    format: str
    records: list[Record]

    def read(self, **options: Any) -> list[Record]:
        """Return its records."""
        return read(self.path, self.format, **options)


def read(path: Path, format: str, **options: Any) -> list[Record]:
    """Return the records of a dataset."""
    return list(load_dataset_format(format).reader(str(path), ReadOptions(**options)))


def records_of(labels: Sequence[str], names: Sequence[str] = ()) -> list[Record]:
    """Return a record per label, with other predictions, and a category for each second one."""
    names = names or [f"sub/{i}.png" for i in range(len(labels))]
    return [
        Record(
            f"../photos/{name}",
            (Prediction(f"n{i}", label, 0.75), Prediction("n9", "other", 0.125))[: 1 + i % 3],
            model="net",
            category=CategoryScore("dog" if i % 4 else "", 0.5, 0.1) if i % 2 else None,
            node=Prediction("n8", "mammal", 0.9) if i % 2 else None,
        )
        for i, (label, name) in enumerate(zip(labels, names, strict=True))
    ]


def draw(path: Path, red: int) -> Path:
    """Draw an image of one colour, whose red tells images apart."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6), (red, 0, 0)).save(path)
    return path


def make(
    folder: Path,
    format: str,
    records: Sequence[Record],
    *,
    label_by: LabelBy = "label",
    images: Images | None = None,
    own: Mapping[str, Any] | None = None,
) -> Made:
    """Write a dataset into a new folder ``folder/format``; image ``i`` has the red ``i``."""
    found = load_dataset_format(format)
    place = folder / format
    place.mkdir()
    labels = tuple(sorted({label_of(record, label_by) for record in records} - {""}))
    options = WriteOptions(label_by, images or found.images[0], labels, "my photos", own or {})
    with closing(found.writer(str(place), options)) as writer:
        for number, record in enumerate(records):
            name = os.fsencode(record.path).decode("utf-8", "replace").removeprefix("../photos/")
            source = draw(folder / "src" / format / name, number)
            if options.images == "copy":
                name = f"images/{name}"
                target = place / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
            writer.write(Item(record, name, str(source), label_of(record, label_by)))
        writer.finish()
    return Made(place, format, list(records))
