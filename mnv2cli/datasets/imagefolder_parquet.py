"""Hugging Face's Parquet: ``data/train-00000-of-0000N.parquet`` with embedded images.

The columns are ``image`` (bytes and name), ``label`` (the id of a class), ``score`` and the record
as JSON text. The metadata of the schema describe them, so that ``datasets`` decodes the images and
names the classes. Needs pyarrow.

Facts: https://huggingface.co/docs/datasets/image_dataset, and the metadata of its Parquet files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from mnv2cli.datasets.entries import (
    LABEL,
    SCORE,
    EntryError,
    checked_name,
    entry,
    image_path,
    record_of,
    record_text,
    score_of,
    strict_json,
)
from mnv2cli.datasets.folders import folder_names
from mnv2cli.datasets.formats import DatasetFormat, Item, ReadOptions, WriteOptions
from mnv2cli.datasets.labels import KEY
from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.parquet_format import pyarrow
from mnv2cli.sources.names import natural_sorted
from mnv2cli.system.files import read_unnoticed

_IMAGE = "image"
_SHARD = 500_000_000  # bytes of images
_GROUP = 100  # images
_GROUP_BYTES = 32 << 20
_LARGEST = 1 << 30  # bytes of one image; an array of Arrow has less than 2 GiB
_BATCH = 1024  # rows
_FOLDER = "data"
_DESCRIPTION = b"huggingface"


class ParquetShards:
    """Writes the shards; in memory are the images of one group of rows.

    Args:
        folder: The folder of the dataset.
        options: What the label is, and the classes.
    """

    def __init__(self, folder: str, options: WriteOptions) -> None:
        pa, self._pq = pyarrow()
        self._pa = pa
        self._by = options.label_by
        self._ids = {label: number for number, label in enumerate(options.labels)}
        self._schema = _schema(pa, options.labels)
        self._folder = os.path.join(folder, _FOLDER)
        os.mkdir(self._folder)
        self._names: list[str] = []
        self._file: Any = None
        self._shard_bytes = self._group_bytes = 0
        self._rows: list[dict[str, Any]] = []

    def write(self, item: Item) -> None:
        """Write the row of a photo.

        Raises:
            InputError: The image is larger than 1 GiB.
        """
        size = os.stat(item.source).st_size
        if size > _LARGEST:
            raise InputError(f"{item.source!r} is larger than 1 GiB", "Omit this photo.")
        self._rows.append(
            {
                _IMAGE: {"bytes": read_unnoticed(item.source), "path": item.file_name},
                LABEL: self._ids.get(item.label),
                SCORE: score_of(item.record, self._by),
                KEY: record_text(item),
            }
        )
        self._group_bytes += size
        self._shard_bytes += size
        if len(self._rows) >= _GROUP or self._group_bytes >= _GROUP_BYTES:
            self._write_group()
        if self._shard_bytes >= _SHARD:
            self._end_shard()

    def finish(self) -> None:
        """Complete the last shard, and name all of them."""
        self._end_shard()
        for number, name in enumerate(self._names):
            os.rename(name, os.path.join(self._folder, _shard_name(number, len(self._names))))

    def close(self) -> None:
        """Close the current shard."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write_group(self) -> None:
        if self._file is None:
            self._names.append(os.path.join(self._folder, f"{len(self._names)}.part"))
            self._file = self._pq.ParquetWriter(
                # Images are compressed already.
                self._names[-1],
                self._schema,
                compression={_IMAGE + ".bytes": "none", KEY: "snappy"},
                use_dictionary=False,
                write_statistics=False,
            )
        self._file.write_table(self._pa.Table.from_pylist(self._rows, self._schema))
        self._rows = []
        self._group_bytes = 0

    def _end_shard(self) -> None:
        if self._rows:
            self._write_group()
        self.close()
        self._shard_bytes = 0


def _shard_name(number: int, count: int) -> str:
    return f"train-{number:05}-of-{count:05}.parquet"


def _schema(pa: Any, labels: tuple[str, ...]) -> Any:
    features = {
        _IMAGE: {"_type": "Image"},
        LABEL: {"names": list(labels), "_type": "ClassLabel"},
        SCORE: {"dtype": "float64", "_type": "Value"},
        KEY: {"dtype": "string", "_type": "Value"},
    }
    try:
        text = json.dumps({"info": {"features": features}}, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"a label is not valid UTF-8, such as {_invalid(labels)!r}", "Rename the label."
        ) from error
    return pa.schema(
        [
            (_IMAGE, pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
            (LABEL, pa.int64()),
            (SCORE, pa.float64()),
            (KEY, pa.string()),
        ],
        metadata={_DESCRIPTION: text},
    )


def _invalid(labels: tuple[str, ...]) -> str:
    return next(label for label in labels if label.encode(errors="replace").decode() != label)


# Reading


def read_parquet(path: str, options: ReadOptions) -> Iterator[Record]:
    """Yield the records of a Parquet file with images, or of the files of a folder.

    The images are within the files. The path of a record is the original one, if this tool wrote
    the dataset; else the name of the image, in the folder ``base`` if that is given.

    Raises:
        InputError: There is no such file, it is damaged, or its images have no names.
    """
    files = _files(path)
    if not files:
        raise InputError(f"{path!r} has no Parquet files with images", "Name another folder.")
    for file in files:
        yield from _read_file(file, options)


def _read_file(path: str, options: ReadOptions) -> Iterator[Record]:
    _, pq = pyarrow()
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            if not _has_images(schema):
                raise InputError(f"{path!r} has no column {_IMAGE!r} with embedded images")
            # The bytes of the images are not read.
            columns = [name for name in schema.names if _is_plain(schema.field(name).type)]
            names = _class_names(schema, path)
            number = 0
            for batch in file.iter_batches(_BATCH, columns=[*columns, _IMAGE + ".path"]):
                for row in batch.to_pylist():
                    number += 1
                    with entry(path, f"row {number:,}"):
                        record = _record(row, names, options)
                    yield record
    except InputError:
        raise
    except Exception as error:  # pyarrow raises many kinds
        text = " ".join(str(error).split())[:200]
        raise InputError(f"cannot read the dataset {path!r}: {text}") from error


def _record(row: dict[str, Any], names: dict[str, list[str]], options: ReadOptions) -> Record:
    name = (row.pop(_IMAGE) or {}).get("path")
    if not name and not (options.original and row.get(KEY)):
        raise EntryError("its image has no name, so no path can be given")
    path = ""
    if name:
        path = image_path(name, options.base) if options.base else checked_name(name)
    for column, classes in names.items():
        number = row.get(column)
        if number is None:
            continue
        if not 0 <= number < len(classes):  # -1 stands for none
            row[column] = None
            if number != -1:
                raise EntryError(f"there is no class {number}")
        else:
            row[column] = classes[number]
    return record_of(row, path, options)


def _class_names(schema: Any, path: str) -> dict[str, list[str]]:
    """Return the names of classes for each column that has their ids."""
    text = (schema.metadata or {}).get(_DESCRIPTION)
    if not text:
        return {}
    found: dict[str, list[str]] = {}
    with entry(path, "the description of its columns"):
        for column, feature in strict_json(text)["info"]["features"].items():
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel":
                names = feature["names"]
                if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
                    raise EntryError("the names of classes are not a list of texts")
                found[column] = names
    return found


def _is_plain(type: Any) -> bool:
    from pyarrow import types

    if types.is_list(type) or types.is_large_list(type):
        type = type.value_type
    texts = types.is_string(type) or types.is_large_string(type)
    return bool(texts or types.is_integer(type) or types.is_floating(type))


def _has_images(schema: Any) -> bool:
    from pyarrow import types

    if _IMAGE not in schema.names or not types.is_struct(schema.field(_IMAGE).type):
        return False
    type = schema.field(_IMAGE).type
    return bool(type.get_field_index("bytes") >= 0 and type.get_field_index("path") >= 0)


def _files(path: str) -> list[str]:
    """Return the Parquet files of a dataset, in order."""
    if not os.path.isdir(path):
        return [path]
    for folder in (os.path.join(path, _FOLDER), path):
        if os.path.isdir(folder):
            names = natural_sorted([n for n in folder_names(folder) if n.endswith(".parquet")])
            if names:
                return [os.path.join(folder, name) for name in names]
    return []


def is_parquet(path: str) -> bool:
    """Return whether a path is a Parquet file with images, or a folder that has some."""
    try:
        files = _files(path) if os.path.isdir(path) or path.endswith(".parquet") else []
        if not files:
            return False
        import pyarrow.parquet as pq

        return _has_images(pq.read_schema(files[0]))
    except Exception:  # not installed, or whatever pyarrow raises for files that are not Parquet
        return False


IMAGEFOLDER_PARQUET = DatasetFormat(
    "imagefolder-parquet",
    "Hugging Face Parquet with embedded images",
    "",
    ("embed",),
    ParquetShards,
    read_parquet,
    is_parquet,
    check=pyarrow,
)
