"""Names of files in the folders of datasets, for all formats that are folders."""

from __future__ import annotations

import os
from collections.abc import Iterator

from mnv2cli.errors import InputError
from mnv2cli.sources.names import IMAGE_SUFFIXES, natural_sorted, suffix_of
from mnv2cli.system.messages import reason


def walk(path: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each folder with the names of its files, in natural order; no hidden ones, no links.

    Raises:
        InputError: A folder cannot be read.
    """

    def fail(error: OSError) -> None:
        raise InputError(f"cannot read the folder {error.filename!r}: {reason(error)}") from error

    for folder, folders, names in os.walk(path, onerror=fail):
        folders[:] = natural_sorted([name for name in folders if not name.startswith(".")])
        yield folder, natural_sorted([name for name in names if not name.startswith(".")])


def folder_names(path: str) -> list[str]:
    """Return the names of the files and folders in a folder.

    Raises:
        InputError: It cannot be read.
    """
    try:
        return os.listdir(path)
    except OSError as error:
        raise InputError(f"cannot read the folder {path!r}: {reason(error)}") from error


def is_image(name: str) -> bool:
    """Return whether a file is an image, by its name."""
    return suffix_of(name) in IMAGE_SUFFIXES
