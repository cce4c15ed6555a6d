"""Croissant 1.0: ``croissant.json`` describes a folder of images and ``metadata.jsonl``.

The description is JSON-LD: the files with the SHA-256 of ``metadata.jsonl``, and a set of records
with the fields image, file_name, label, score and sha256 (of the image). The folder is also one of
Hugging Face's ImageFolder. Who created the photos, and their licence, are not known here: they are
own options, "unknown" by default, because the specification requires them.

Specification: https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

from __future__ import annotations

import json
import mimetypes
import os
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from mnv2cli.datasets.entries import (
    FILE_NAME,
    LABEL,
    SCORE,
    EntryError,
    checked_name,
    entry,
    entry_of,
    image_path,
    json_object,
    json_text,
    record_of,
)
from mnv2cli.datasets.formats import DatasetFormat, Item, ReadOptions, WriteOptions
from mnv2cli.datasets.imagefolder import JSONL_TYPES, write_readme
from mnv2cli.datasets.imagefolder_reader import (
    CROISSANT_JSON,
    METADATA_JSONL,
    entries,
    read_metadata,
)
from mnv2cli.datasets.labels import KEY
from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.sources.names import suffix_of
from mnv2cli.system.files import content_digest
from mnv2cli.system.messages import reason

_VERSION = "http://mlcommons.org/croissant/1.0"
_SIGN = b"mlcommons.org/croissant"
_LARGEST = 64 << 20  # bytes of a description
_HEAD = 64 << 10
_SHA256 = "sha256"
_RECORDS = "photos"
_IMAGES = "image-files"
_TABLES = ("application/jsonlines", "application/x-jsonlines", "text/csv")
_NAMES = ("file_name", "filename", "image_path", "path", "image")
_LABELS = ("label", "class", "category", "labels", "text", "caption")

_TERMS = (
    "citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject",
    "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField",
    "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator",
    "source", "subField", "transform",
)  # fmt: skip
_CONTEXT: dict[str, object] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _TERMS},
}
"""The context that the specification recommends."""


class CroissantWriter:
    """Writes ``metadata.jsonl`` and, at the end, its description.

    Args:
        folder: The folder of the dataset, with its images.
        options: What the label is, and the name; its own options are ``license``, ``creator`` and
            ``url``.
    """

    def __init__(self, folder: str, options: WriteOptions) -> None:
        self._folder = folder
        self._options = options
        self._types: set[str] = set()
        self._count = 0
        self._file = open(os.path.join(folder, METADATA_JSONL), "wb")  # noqa: SIM115

    def write(self, item: Item) -> None:
        """Write the line of a photo, whose image is in the folder."""
        image = os.path.join(self._folder, *item.file_name.split("/"))
        content = {**entry_of(item, self._options.label_by), _SHA256: content_digest(image)}
        self._file.write(json_text(content, item).encode() + b"\n")
        self._types.add(mimetypes.guess_type("a" + suffix_of(item.file_name))[0] or "image/*")
        self._count += 1

    def finish(self) -> None:
        """Write the description."""
        self._file.close()
        write_readme(self._folder, METADATA_JSONL, {**JSONL_TYPES, _SHA256: "string"})
        path = os.path.join(self._folder, METADATA_JSONL)
        own = self._options.own
        content = {
            "@context": _CONTEXT,
            "@type": "sc:Dataset",
            "conformsTo": _VERSION,
            "name": self._options.name,
            "description": f"{self._count:,} photos with labels, classified by mnv2.",
            "license": str(own.get("license") or "unknown"),
            "creator": {"@type": "sc:Person", "name": str(own.get("creator") or "unknown")},
            "url": str(own.get("url") or "./"),
            "version": "1.0.0",
            "datePublished": datetime.now(timezone.utc).date().isoformat(),
            "distribution": [
                {
                    "@type": "cr:FileObject",
                    "@id": METADATA_JSONL,
                    "name": METADATA_JSONL,
                    "contentUrl": METADATA_JSONL,
                    "contentSize": f"{os.path.getsize(path)} B",
                    "encodingFormat": _TABLES[0],
                    _SHA256: content_digest(path),
                },
                {
                    "@type": "cr:FileSet",
                    "@id": _IMAGES,
                    "name": _IMAGES,
                    "encodingFormat": sorted(self._types),
                    "includes": "images/**",
                },
            ],
            "recordSet": [_record_set()],
        }
        with open(os.path.join(self._folder, CROISSANT_JSON), "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=2)
            file.write("\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _record_set() -> dict[str, object]:
    """Return the description of the fields: each image is joined with its line by its name."""
    name = _field(FILE_NAME, "The name of the image in the folder.", "sc:Text")
    name["references"] = name["source"]
    name["source"] = {
        **_of_images("fullpath"),
        "transform": {"regex": "^(.*)$"},  # makes a text of it
    }
    image = _field("image", "The image.", "sc:ImageObject")
    image["source"] = _of_images("content")
    return {
        "@type": "cr:RecordSet",
        "@id": _RECORDS,
        "name": _RECORDS,
        "key": {"@id": name["@id"]},
        "field": [
            name,
            image,
            _field(LABEL, "The label; empty for none.", "sc:Text"),
            _field(SCORE, "The score of the label, from 0 to 1.", "sc:Float"),
            _field(_SHA256, "The SHA-256 of the image file.", "sc:Text"),
            _field(KEY, "The complete result of mnv2, as JSON.", "sc:Text"),
        ],
    }


def _of_images(property: str) -> dict[str, object]:
    return {"fileSet": {"@id": _IMAGES}, "extract": {"fileProperty": property}}


def _field(name: str, description: str, type: str) -> dict[str, object]:
    return {
        "@type": "cr:Field",
        "@id": f"{_RECORDS}/{name}",
        "name": name,
        "description": description,
        "dataType": type,
        "source": {"fileObject": {"@id": METADATA_JSONL}, "extract": {"column": name}},
    }


# Reading


def read_croissant(path: str, options: ReadOptions) -> Iterator[Record]:
    """Yield the records that ``croissant.json`` describes: rows of a local CSV or JSON lines.

    A row needs a field for the name of the image, such as ``file_name``, and one for its label,
    such as ``label``.

    Raises:
        InputError: It is damaged, or describes no such file; the message has the line.
    """
    file = os.path.join(path, CROISSANT_JSON) if os.path.isdir(path) else path
    folder = os.path.dirname(file)
    with entry(file, "the description"):
        content = json_object(_head(file, _LARGEST + 1, limit=True))
        tables = list(_tables(content, folder))
    if not tables:
        raise InputError(
            f"cannot read the dataset {file!r}: it describes no local table of images",
            "Download its files into its folder first.",
        )
    base = options.base or folder
    for table, columns in tables:
        if columns.get(FILE_NAME) == FILE_NAME:
            yield from read_metadata(table, base, options)
            continue
        for where, row in entries(table, columns[FILE_NAME]):
            with entry(table, where):
                named = {name: row[column] for name, column in columns.items() if column in row}
                record = record_of(named, image_path(named.get(FILE_NAME), base), options)
            yield record


def _tables(content: dict[str, Any], folder: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each local table with the columns of the image's name and the label."""
    fields = [field for each in _list(content.get("recordSet")) for field in _list(each["field"])]
    for file in _list(content.get("distribution")):
        formats = set(_list(file.get("encodingFormat")))
        url = file.get("contentUrl")
        if not formats & set(_TABLES) or not isinstance(url, str) or "://" in url:
            continue
        table = os.path.join(folder, *checked_name(url.removeprefix("./")).split("/"))
        columns: dict[str, str] = {}
        for field in fields:
            name = str(field.get("name") or field.get("@id")).rpartition("/")[2]
            for source in (field.get("references") or {}, field.get("source") or {}):
                origin = source.get("fileObject") or source.get("distribution") or {}
                column = (source.get("extract") or {}).get("column")
                if origin.get("@id") == file.get("@id") and isinstance(column, str):
                    columns.setdefault(name, column)
        found = {
            target: next((columns[name] for name in names if name in columns), "")
            for target, names in ((FILE_NAME, _NAMES), (LABEL, _LABELS))
        }
        if found[FILE_NAME]:
            if not os.path.isfile(table):
                raise EntryError(f"the file {url!r} does not exist")
            yield table, found


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [] if given is None else [given]


def _head(path: str, size: int, *, limit: bool = False) -> bytes:
    try:
        with open(path, "rb") as file:
            content = file.read(size)
    except OSError as error:
        raise InputError(f"cannot read the dataset {path!r}: {reason(error)}") from error
    if limit and len(content) == size:
        raise EntryError("it is larger than 64 MiB")
    return content


def is_croissant(path: str) -> bool:
    """Return whether a path is a Croissant description, or a folder that has one."""
    try:
        if os.path.isdir(path):
            path = os.path.join(path, CROISSANT_JSON)
        return path.lower().endswith(".json") and _SIGN in _head(path, _HEAD)
    except InputError:
        return False


CROISSANT = DatasetFormat(
    "croissant",
    "Croissant 1.0: a folder of images with JSON-LD metadata",
    "",
    ("copy", "hardlink", "symlink"),
    CroissantWriter,
    read_croissant,
    is_croissant,
    options=("license", "creator", "url"),
)
