"""WebDataset: tar files of up to 10,000 photos or 1 GB, to read from the first byte to the last.

A photo is three members with the same number: its image, ``cls`` (the id of its label, -1 for
none) and ``json`` (its entry, with the label, the score and the record as text). Equal photos give
equal files: members have no times and no owners. No other file is in the folder, because readers
take all files of it for shards.

Facts: https://github.com/webdataset/webdataset, and the paper at https://arxiv.org/abs/2001.01858
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from typing import IO

from mnv2cli.datasets.entries import (
    FILE_NAME,
    LABEL,
    LABELS,
    EntryError,
    checked_name,
    entry,
    entry_of,
    json_object,
    json_text,
    record_of,
)
from mnv2cli.datasets.folders import folder_names
from mnv2cli.datasets.formats import DatasetFormat, Item, ReadOptions, WriteOptions
from mnv2cli.datasets.labels import KEY
from mnv2cli.errors import ImageError, InputError
from mnv2cli.images.formats import identify
from mnv2cli.images.signatures import HEAD_BYTES
from mnv2cli.records import Record
from mnv2cli.results.text_file import lines, open_text
from mnv2cli.sources.names import IMAGE_SUFFIXES, natural_sorted, suffix_of
from mnv2cli.system.files import open_unnoticed
from mnv2cli.system.messages import reason
from mnv2cli.system.tar import BoundedTarInfo

_SHARD_SIZE = 10_000  # photos
_SHARD_BYTES = 1_000_000_000
_LARGEST = 1 << 20  # bytes of a text of a photo
_CLASSES = ("classes.txt", "classnames.txt")  # of other programs: a label per line
_AS_JPEG = (".jpeg", ".jpe", ".jfif", ".mpo")


class TarShards:
    """Writes the shards, one photo after the other.

    Args:
        folder: The folder of the dataset.
        options: What the label is; its own option is ``shard_size``, the photos per shard.
    """

    def __init__(self, folder: str, options: WriteOptions) -> None:
        self._folder = folder
        self._by = options.label_by
        self._ids = {label: number for number, label in enumerate(options.labels)}
        self._size = int(options.own.get("shard_size", _SHARD_SIZE))  # type: ignore[arg-type]
        if self._size < 1:
            raise InputError("a shard has at least one photo")
        self._count = self._shards = 0
        self._tar: tarfile.TarFile | None = None

    def write(self, item: Item) -> None:
        """Write the members of a photo."""
        number = self._ids.get(item.label, -1)
        content = {**entry_of(item, self._by), "label_id": number}
        text = json_text(content, item).encode()
        tar = self._current()
        key = f"{self._count:09}"
        with open(item.source, "rb", opener=open_unnoticed) as file:
            suffix = _suffix(item.file_name, file)
            _add(tar, key + suffix, file, os.fstat(file.fileno()).st_size)
        for name, data in (("cls", str(number).encode()), ("json", text)):
            _add(tar, f"{key}.{name}", io.BytesIO(data), len(data))
        self._count += 1

    def _current(self) -> tarfile.TarFile:
        is_full = self._count % self._size == 0 and self._count > 0
        if self._tar is not None and (is_full or self._tar.offset >= _SHARD_BYTES):
            self.close()
        if self._tar is None:
            path = os.path.join(self._folder, f"{self._shards:06}.tar")
            self._tar = tarfile.open(path, "w", format=tarfile.GNU_FORMAT)  # noqa: SIM115
            self._shards += 1
        return self._tar

    def finish(self) -> None:
        """Complete the last shard."""
        self.close()

    def close(self) -> None:
        """Close the current shard."""
        if self._tar is not None:
            tar, self._tar = self._tar, None
            tar.close()


def _add(tar: tarfile.TarFile, name: str, file: IO[bytes], size: int) -> None:
    member = tarfile.TarInfo(name)  # without owner and time
    member.size = size
    tar.addfile(member, file)
    tar.members.clear()  # type: ignore[attr-defined]  # else it keeps all of them


def _suffix(name: str, file: IO[bytes]) -> str:
    """Return the suffix of an image as readers know it, from its name or its content."""
    suffix = suffix_of(name)
    if suffix not in IMAGE_SUFFIXES:
        try:
            suffix = identify(file.read(HEAD_BYTES)).suffixes[0]
        except ImageError:
            suffix = ".img"
        file.seek(0)
    return ".jpg" if suffix in _AS_JPEG else suffix


# Reading


def read_webdataset(path: str, options: ReadOptions) -> Iterator[Record]:
    """Yield the records of a tar file, or of those of a folder.

    Nothing is extracted. The path of a record is the original one, if this tool wrote the dataset;
    else that of the member, such as ``tar://0001.jpg::photos.tar``, or in the folder ``base`` if
    that is given.

    Raises:
        InputError: There is no such file, or it is damaged, has links or devices, or names outside
            of it; the message names the member.
    """
    files = _files(path)
    if not files:
        raise InputError(f"{path!r} has no tar files", "Name another folder.")
    classes = _classes(files[0])
    for file in files:
        try:
            with tarfile.open(file, "r:", tarinfo=BoundedTarInfo) as tar:
                yield from _photos(tar, file, classes, options)
        except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
            raise InputError(f"cannot read the dataset {file!r}: it is damaged: {error}") from error
        except RecursionError as error:  # thousands of headers of one member
            raise InputError(f"cannot read the dataset {file!r}: it is damaged") from error
        except OSError as error:
            raise InputError(f"cannot read the dataset {file!r}: {reason(error)}") from error


def _photos(
    tar: tarfile.TarFile, file: str, classes: list[str], options: ReadOptions
) -> Iterator[Record]:
    key, image = "", ""
    texts: dict[str, bytes] = {}
    while True:
        member = tar.next()
        tar.members.clear()  # type: ignore[attr-defined]  # else it keeps all of them
        if member is not None and member.isdir():
            continue
        stem, suffix = "", ""
        if member is not None:
            with entry(file, repr(member.name)):
                stem, suffix = _parts(member)
        if image and (member is None or stem != key):
            with entry(file, repr(image)):
                record = _record(image, texts, file, classes, options)
            yield record
        if member is None:
            return
        if stem != key:
            key, image, texts = stem, "", {}
        if f".{suffix.rpartition('.')[2]}" in IMAGE_SUFFIXES or suffix == "img":
            image = image or member.name
        elif suffix in ("json", "cls", "txt"):
            with entry(file, repr(member.name)):
                if member.size > _LARGEST:
                    raise EntryError("it is larger than 1 MiB")
                content = tar.extractfile(member)
                texts[suffix] = content.read() if content else b""


def _parts(member: tarfile.TarInfo) -> tuple[str, str]:
    """Return the key and the rest of the name of a member, after the first dot of its name."""
    if not member.isreg():
        raise EntryError("it is not a file, but a link or a device")
    folder, slash, name = checked_name(member.name).rpartition("/")
    stem, _, suffix = name.partition(".")
    return folder + slash + stem, suffix.lower()


def _record(
    image: str, texts: dict[str, bytes], file: str, classes: list[str], options: ReadOptions
) -> Record:
    content = json_object(texts["json"]) if "json" in texts else {}
    name = content.get(FILE_NAME, image)
    path = f"tar://{image}::{file}"
    if options.base:
        path = os.path.join(options.base, *checked_name(name).split("/"))
    if not content.keys() & {*LABELS, KEY}:
        given = texts.get("cls", texts.get("txt", b"")).decode("utf-8-sig").strip()
        if "cls" in texts and given.isascii() and given.isdigit() and len(given) < 10:
            given = classes[int(given)] if int(given) < len(classes) else given
        content = {LABEL: "" if "cls" in texts and given == "-1" else given}
    return record_of(content, path, options)


def _classes(file: str) -> list[str]:
    """Return the labels by their ids, if a file with them is beside a shard."""
    for name in _CLASSES:
        path = os.path.join(os.path.dirname(file), name)
        if os.path.isfile(path):
            with open_text(path, "classes") as labels:
                return [line.rstrip("\r\n") for line in lines(labels, path)]
    return []


def _files(path: str) -> list[str]:
    """Return the tar files of a dataset, in order."""
    if not os.path.isdir(path):
        return [path]
    names = natural_sorted([name for name in folder_names(path) if name.endswith(".tar")])
    return [os.path.join(path, name) for name in names if not name.startswith(".")]


def is_webdataset(path: str) -> bool:
    """Return whether a path is a tar file whose first members are an image and its texts."""
    try:
        files = _files(path) if os.path.isdir(path) or path.lower().endswith(".tar") else []
        if not files:
            return False
        with tarfile.open(files[0], "r:", tarinfo=BoundedTarInfo) as tar:
            for _ in range(10):
                member = tar.next()
                if member is None:
                    return False
                if member.isreg() and suffix_of(member.name) in (".json", ".cls", ".txt"):
                    return True
    except (InputError, OSError, ValueError, OverflowError, RecursionError, tarfile.TarError):
        return False
    return False


WEBDATASET = DatasetFormat(
    "webdataset",
    "WebDataset: tar shards",
    "",
    ("embed",),
    TarShards,
    read_webdataset,
    is_webdataset,
    options=("shard_size",),
)
