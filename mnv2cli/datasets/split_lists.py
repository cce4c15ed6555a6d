"""Lists of the photos of each set: ``train.txt`` with paths, or ``train.csv`` with labels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Literal

from mnv2cli.datasets.split_options import Split
from mnv2cli.datasets.split_sets import SETS
from mnv2cli.errors import InputError, OutputError
from mnv2cli.learning.dataset import Example
from mnv2cli.results.check import already_exists
from mnv2cli.results.label_table import label_columns, label_rows
from mnv2cli.system.csvtext import csv_line
from mnv2cli.system.files import AtomicFile
from mnv2cli.system.messages import count, reason

ListFormat = Literal["txt", "csv"]
"""``txt`` has a path on each line; ``csv`` has the columns path and label."""


def list_path(dest: str, name: str, format: ListFormat) -> str:
    """Return the path of the list of a set."""
    return os.path.join(dest, f"{name}.{format}")


def check_lists(dest: str, format: ListFormat, *, force: bool) -> None:
    """Check that lists can be written, before any work is done.

    Raises:
        InputError: The destination is a file, or a list exists and ``force`` is not given.
    """
    if os.path.lexists(dest) and not os.path.isdir(dest):
        raise InputError(f"{dest!r} is a file, not a folder", "Name a folder for the lists.")
    for name in SETS:
        path = list_path(dest, name, format)
        if os.path.isdir(path):
            raise InputError(f"{path!r} is a folder", "Name another folder for the lists.")
        if os.path.exists(path) and not os.path.isfile(path):
            raise InputError(f"{path!r} is not a file", "Name another folder for the lists.")
        if os.path.lexists(path) and not force:
            raise already_exists(path)


def read_lists(
    dest: str, format: ListFormat, photos: Sequence[Example], source: str
) -> dict[str, str]:
    """Return the set of each photo that existing lists name, by its path.

    Lists are written anew, so what they say of other photos would be lost.

    Args:
        dest: The folder of the lists.
        format: Their format.
        photos: The photos to split.
        source: Where these come from: a folder, or a file.

    Raises:
        InputError: A list cannot be read, is the source itself, or names other photos.
    """
    known: dict[str, str] = {}
    given = {os.path.abspath(photo.path) for photo in photos}
    for name in SETS:
        path = list_path(dest, name, format)
        if not os.path.isfile(path):
            continue
        if os.path.samefile(path, source):
            raise InputError(f"{path!r} is also the input", "Name another folder for the lists.")
        try:
            paths = list(_paths(path, format))
        except OSError as error:
            raise InputError(f"cannot read {path!r}: {reason(error)}") from error
        others = [each for each in paths if os.path.abspath(each) not in given]
        if others:
            raise InputError(
                f"{path!r} names {count(len(others), 'photo')} not in {source!r}, such "
                f"as {others[0]!r}",
                "Split all photos together, or name another folder for the lists.",
            )
        known |= dict.fromkeys(map(os.path.abspath, paths), name)
    found = {photo.path: known.get(os.path.abspath(photo.path), "") for photo in photos}
    return {path: name for path, name in found.items() if name}


def _paths(path: str, format: ListFormat) -> Iterator[str]:
    if format == "csv":
        if label_columns(path) not in (["path", "label"], None):
            raise InputError(
                f"{path!r} has more columns than path and label, which would be lost",
                "Name another folder for the lists.",
            )
        for row in label_rows(path):
            yield row.path
        return
    with open(path, "rb") as file:
        for line in file.read().split(b"\n"):
            if line:
                yield os.fsdecode(line)


def write_lists(split: Split, format: ListFormat, *, force: bool = False) -> list[str]:
    """Write a list for each set that has a share or photos; all of them, or none.

    Args:
        split: The split.
        format: The format.
        force: Overwrite existing lists.

    Returns:
        The paths of the lists.

    Raises:
        InputError: A list exists, or the path of a photo has a line feed, which a list of lines
            cannot have.
        OutputError: A list cannot be written; existing ones are as before.
    """
    check_lists(split.dest, format, force=force)
    names = [name for name in SETS if split.shares.get(name) or split.paths(name)]
    stale = [name for name in SETS if name not in names]
    contents = {list_path(split.dest, name, format): _content(split, name, format)
                for name in names}  # fmt: skip
    before: dict[str, bytes | None] = {}
    files: dict[str, AtomicFile] = {}
    try:
        os.makedirs(split.dest, exist_ok=True)
        for path, content in contents.items():
            before[path] = _read(path)
            files[path] = AtomicFile(os.path.realpath(path))
            files[path].file.write(content)
            files[path].file.flush()
        written = []
        for path, file in files.items():
            written.append(path)
            file.commit(replace=force)
    except FileExistsError as error:
        _restore(written[:-1], before)
        raise already_exists(written[-1]) from error
    except (OSError, KeyboardInterrupt) as error:
        _restore([path for path in contents if path in before], before)
        if isinstance(error, KeyboardInterrupt):
            raise
        raise OutputError(f"cannot write lists to {split.dest!r}: {reason(error)}") from error
    finally:
        for file in files.values():
            file.discard()
    for name in stale:
        with suppress(OSError):
            os.unlink(list_path(split.dest, name, format))
    return list(contents)


def _content(split: Split, name: str, format: ListFormat) -> bytes:
    photos = split.paths(name)
    if format == "csv":
        rows = [csv_line(["path", "label"]), *(csv_line([p.path, p.label]) for p in photos)]
        return "".join(rows).encode("utf-8", "surrogateescape")
    for photo in photos:
        if "\n" in photo.path or "\r" in photo.path:
            raise InputError(
                f"{photo.path!r} has a line feed in its name, which a list cannot have",
                "Rename it, or use --list csv.",
            )
    return b"".join(os.fsencode(photo.path) + b"\n" for photo in photos)


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def _restore(paths: Sequence[str], before: dict[str, bytes | None]) -> None:
    for path in paths:
        content = before[path]
        with suppress(OSError):
            if content is None:
                os.unlink(path)
            elif content != _read(path):
                with open(path, "wb") as file:
                    file.write(content)
