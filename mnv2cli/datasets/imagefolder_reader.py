"""Reading Hugging Face's ImageFolder: folders with metadata, and folders that are classes."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from mnv2cli.datasets.entries import (
    FILE_NAME,
    EntryError,
    entry,
    image_path,
    json_object,
    record_of,
)
from mnv2cli.datasets.folders import is_image, walk
from mnv2cli.datasets.formats import ReadOptions
from mnv2cli.datasets.labels import labelled
from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.fields import ERROR, PATH, STATUS
from mnv2cli.results.schema import Schema
from mnv2cli.results.text_file import lines, open_text
from mnv2cli.sources.names import path_parts
from mnv2cli.system.csvtext import NUL_SIGN

METADATA_JSONL = "metadata.jsonl"
METADATA_CSV = "metadata.csv"
CROISSANT_JSON = "croissant.json"

_METADATA = (METADATA_JSONL, METADATA_CSV)
_SPLITS = frozenset(
    {"train", "training", "test", "testing", "eval", "evaluation"}
    | {"val", "valid", "validation", "dev"}
)
_FIRST = 1000  # entries of a folder that detection reads
_OWN = {PATH.name, STATUS.name, ERROR.name}


def read_imagefolder(path: str, options: ReadOptions) -> Iterator[Record]:
    """Yield the records of a folder: those of its metadata, else one per image in its classes.

    Without metadata, the first folder below the dataset, or below a split such as ``train``, is
    the label.

    Raises:
        InputError: It has neither, or the metadata are damaged; the message has the line.
    """
    if os.path.isfile(path):
        yield from read_metadata(path, options.base or os.path.dirname(path), options)
        return
    base = options.base or path
    found = False
    for folder, names in walk(path):
        name = next((name for name in _METADATA if name in names), None)
        if name:
            found = True
            start = os.path.normpath(os.path.join(base, os.path.relpath(folder, path)))
            yield from read_metadata(os.path.join(folder, name), start, options)
    if found:
        return
    for folder, names in walk(path):
        parts = path_parts(os.path.relpath(folder, path))
        if len(parts) > 1 and parts[0].casefold() in _SPLITS:
            parts = parts[1:]
        for name in filter(is_image, names):
            found = True
            inner = os.path.relpath(os.path.join(folder, name), path)
            yield labelled(os.path.join(base, inner), parts[0] if parts else "")
    if not found:
        raise InputError(
            f"{path!r} is not an ImageFolder: it has no {METADATA_JSONL}, no {METADATA_CSV} and no "
            "images",
            "Name a folder whose subfolders are the classes.",
        )


def read_metadata(path: str, folder: str, options: ReadOptions) -> Iterator[Record]:
    """Yield the records of a metadata file.

    Args:
        path: The file; CSV if its name ends in ``.csv``, else JSON lines.
        folder: The folder where the names of images start.
        options: Whether the original paths are wanted.

    Raises:
        InputError: It cannot be read or is damaged; the message has the line.
    """
    for where, content in entries(path):
        with entry(path, where):
            image = image_path(content[FILE_NAME], folder)
            record = _table_record(content, image, options) if _is_csv(path) else None
            record = record or record_of(content, image, options)
        yield record


def entries(path: str, key: str = FILE_NAME) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the location and the content of each entry of a metadata file.

    Args:
        path: The file; CSV if its name ends in ``.csv``, else JSON lines.
        key: The key or column that each entry needs.

    Raises:
        InputError: As :func:`read_metadata`.
    """
    for where, content in (_csv_entries if _is_csv(path) else _jsonl_entries)(path):
        if key not in content:
            with entry(path, where):
                raise EntryError(f"it has no {key!r}")
        yield where, content


def _is_csv(path: str) -> bool:
    return path.lower().endswith(".csv")


def _table_record(content: dict[str, Any], image: str, options: ReadOptions) -> Record | None:
    """Return the record of a row that has the columns of results; else None."""
    if not content.keys() >= _OWN:
        return None
    record = Schema.of_columns(content).record(content)
    if options.original:
        return record
    return Record(
        image,
        record.predictions,
        record.error,
        record.model,
        record.category,
        record.node,
        record.position,
    )


def _jsonl_entries(path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    with open_text(path, "dataset") as file:
        for number, line in enumerate(lines(file, path), 1):
            if not line.strip():
                continue
            where = f"line {number:,}"
            with entry(path, where):
                content = json_object(line)
            yield where, content


def _csv_entries(path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        with open_text(path, "dataset") as file:
            # The csv module of Python 3.10 refuses NUL.
            reader = csv.reader(line.replace("\0", NUL_SIGN) for line in lines(file, path))
            names = next(reader, [])
            for cells in filter(None, reader):
                where = f"line {reader.line_num:,}"
                with entry(path, where):
                    if len(cells) != len(names):
                        raise EntryError(f"it has {len(cells)} cells, not {len(names)}")
                    texts = (cell.replace(NUL_SIGN, "\0") for cell in cells)
                    content = dict(zip(names, texts, strict=True))
                yield where, content
    except csv.Error as error:
        raise InputError(f"cannot read the dataset {path!r}: {error}") from error


def has_metadata(path: str, name: str) -> bool:
    """Return whether a path is a metadata file, or a folder that has one, also in its splits."""
    if os.path.isfile(path):
        return os.path.basename(path) == name
    if os.path.exists(os.path.join(path, CROISSANT_JSON)):
        return False
    return any(os.path.isfile(os.path.join(folder, name)) for folder in (path, *_subfolders(path)))


def is_class_folder(path: str) -> bool:
    """Return whether a folder has no images, but at least two subfolders that have some."""
    if any(os.path.isfile(os.path.join(path, name)) for name in _METADATA):
        return False
    if _has_images(path):
        return False
    inner = [
        each
        for folder in _subfolders(path)
        for each in (
            _subfolders(folder) if os.path.basename(folder).casefold() in _SPLITS else (folder,)
        )
    ]
    return sum(any(map(_has_images, (each, *_subfolders(each)))) for each in inner) > 1


def _has_images(folder: str) -> bool:
    """Return whether a folder has images, without captions."""
    names = {each.name for each in _entries(folder)}
    return any(is_image(name) for name in names) and not any(
        f"{os.path.splitext(name)[0]}.txt" in names for name in names if is_image(name)
    )


def _subfolders(path: str) -> list[str]:
    return [
        each.path
        for each in _entries(path)
        if not each.name.startswith(".") and each.is_dir(follow_symlinks=False)
    ]


def _entries(folder: str) -> Iterable[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(islice(found, _FIRST))
    except OSError:
        return []
