"""Hugging Face ImageFolder: a folder of images with ``metadata.jsonl`` or ``metadata.csv``.

``metadata.jsonl`` has an object per image: ``file_name``, ``label``, ``score`` and the record as
JSON text. ``metadata.csv`` has the columns ``file_name`` and ``label``, then those of the CSV of
``mnv2 classify``. ``README.md`` lists the files and the types of columns for ``datasets``, which
would otherwise derive splits from names of images such as ``test.jpg``, and numbers from labels.

Facts: https://huggingface.co/docs/datasets/image_dataset
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from typing import IO

from mnv2cli.datasets.entries import FILE_NAME, LABEL, SCORE, entry_of, json_text, record_text
from mnv2cli.datasets.formats import DatasetFormat, Item, WriteOptions
from mnv2cli.datasets.imagefolder_reader import (
    METADATA_CSV,
    METADATA_JSONL,
    has_metadata,
    is_class_folder,
    read_imagefolder,
)
from mnv2cli.datasets.labels import KEY, unpacked
from mnv2cli.results.schema import Layout, Schema, cell_text, extras
from mnv2cli.system.csvtext import csv_line

_TYPES = {"float32": "float64", "int32": "int64", "int64": "int64"}
_README = """\
---
configs:
- config_name: default
  data_files:
  - split: train
    path:
    - {metadata}
    - images/**
  features:
{features}---
"""
JSONL_TYPES = {LABEL: "string", SCORE: "float64", KEY: "string"}
"""The columns of ``metadata.jsonl`` without that of the image, and their types."""


class JsonlWriter:
    """Writes ``metadata.jsonl``.

    Args:
        folder: The folder of the dataset.
        options: What the label is.
    """

    def __init__(self, folder: str, options: WriteOptions) -> None:
        self._folder = folder
        self._by = options.label_by
        self._file = open(os.path.join(folder, METADATA_JSONL), "wb")  # noqa: SIM115

    def write(self, item: Item) -> None:
        """Write the line of a photo."""
        self._file.write(json_text(entry_of(item, self._by), item).encode() + b"\n")

    def finish(self) -> None:
        """Complete the file."""
        self._file.flush()
        write_readme(self._folder, METADATA_JSONL, JSONL_TYPES)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class CsvWriter:
    """Writes ``metadata.csv``: the number of its columns depends on all records.

    Until the end, the records are in a temporary file in the folder of the dataset.
    """

    def __init__(self, folder: str, options: WriteOptions) -> None:
        self._folder = folder
        self._rows: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self._top = 1
        self._has = {"category": False, "node": False}

    def write(self, item: Item) -> None:
        """Keep the row of a photo."""
        row = json_text([item.file_name, item.label, record_text(item)], item)
        self._rows.write(row.encode() + b"\n")
        self._top = max(self._top, len(item.record.predictions))
        self._has["category"] |= item.record.category is not None
        self._has["node"] |= item.record.node is not None

    def finish(self) -> None:
        """Write the file."""
        schema = Schema(Layout("csv", self._top, extras=extras(**self._has)))
        self._rows.seek(0)
        with open(os.path.join(self._folder, METADATA_CSV), "wb") as file:
            file.write(csv_line([FILE_NAME, LABEL, *schema.names]).encode())
            for line in self._rows:
                name, label, record = json.loads(line)
                (cells,) = schema.rows(unpacked(json.loads(record)))
                file.write(csv_line([name, label, *map(cell_text, cells)]).encode())
        types = {each.name: _TYPES.get(each.type, "string") for each in schema.columns}
        write_readme(self._folder, METADATA_CSV, {LABEL: "string", **types})

    def close(self) -> None:
        """Remove the temporary file."""
        self._rows.close()


def write_readme(folder: str, metadata: str, types: Mapping[str, str]) -> None:
    """Write the list of files, and the types of columns, that ``datasets`` reads from a folder.

    Args:
        folder: The folder of the dataset.
        metadata: The name of its metadata.
        types: The type of each column but the image; without it, labels such as 007 are numbers.
    """
    features = {"image": "image", **types}
    text = "".join(f"  - name: {name}\n    dtype: {type}\n" for name, type in features.items())
    with open(os.path.join(folder, "README.md"), "w", encoding="utf-8", newline="\n") as file:
        file.write(_README.format(metadata=metadata, features=text))


IMAGEFOLDER = DatasetFormat(
    "imagefolder",
    "Hugging Face ImageFolder, with `metadata.jsonl`",
    "",
    ("copy", "hardlink", "symlink"),
    JsonlWriter,
    read_imagefolder,
    lambda path: has_metadata(path, METADATA_JSONL) or is_class_folder(path),
)
IMAGEFOLDER_CSV = DatasetFormat(
    "imagefolder-csv",
    "Hugging Face ImageFolder, with `metadata.csv`",
    "",
    ("copy", "hardlink", "symlink"),
    CsvWriter,
    read_imagefolder,
    lambda path: has_metadata(path, METADATA_CSV),
)
