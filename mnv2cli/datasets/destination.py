"""Check where a dataset may be written, before any work is done."""

from __future__ import annotations

import os
from collections.abc import Iterable

from mnv2cli.datasets.formats import DatasetFormat
from mnv2cli.datasets.part_folder import check_new_folder
from mnv2cli.errors import InputError
from mnv2cli.results.check import already_exists, existing_folder, is_regular
from mnv2cli.results.formats import suffix_format
from mnv2cli.sources.names import IMAGE_SUFFIXES
from mnv2cli.sources.urls import is_url
from mnv2cli.system.files import is_really_within
from mnv2cli.system.urls import redact

_FILE_SUFFIXES = (".xml", ".tar", ".zip", *IMAGE_SUFFIXES)


def check_destination(
    dest: str, format: DatasetFormat, *, force: bool, inputs: Iterable[str] = ()
) -> None:
    """Check that a dataset can be written.

    Args:
        dest: Its new file or folder.
        format: Its format.
        force: Overwrite an existing file.
        inputs: Files and folders that are read, and not overwritten; empty texts are ignored.

    Raises:
        InputError: It cannot, with the reason.
    """
    if is_url(dest):
        raise InputError(
            f"cannot write a dataset to {redact(dest)!r}: it is not on this machine",
            "Name a local file or folder, and upload it.",
        )
    for each in filter(None, inputs):
        if os.path.exists(dest) and os.path.exists(each) and os.path.samefile(dest, each):
            raise InputError(f"{dest!r} is also the input", "Name another file or folder.")
        if format.images[0] != "reference" and os.path.isdir(each) and is_really_within(dest, each):
            raise InputError(
                f"{dest!r} is in the folder {each!r}, which is read", "Name a place outside."
            )
    if format.is_folder:
        _check_folder(dest, format)
    else:
        _check_file(dest, format, force=force)


def _check_folder(dest: str, format: DatasetFormat) -> None:
    if not os.path.isdir(dest) and (suffix_format(dest) or dest.lower().endswith(_FILE_SUFFIXES)):
        raise InputError(
            f"{dest!r} is named like a file, but the format {format.name} is a folder",
            f"Name a folder, such as {os.path.splitext(dest)[0]!r}.",
        )
    check_new_folder(dest, "a dataset")


def _check_file(dest: str, format: DatasetFormat, *, force: bool) -> None:
    if os.path.isdir(dest):
        raise InputError(
            f"{dest!r} is a folder, but the format {format.name} is one file",
            f"Name a file in it, such as {os.path.join(dest, 'dataset' + format.suffix)!r}.",
        )
    if not dest.lower().endswith(format.suffix):
        raise InputError(
            f"{dest!r} must end in {format.suffix}: a {format.name} dataset is one file",
            f"Name it {dest + format.suffix!r}.",
        )
    folder = existing_folder(dest, "a dataset to ")
    if os.path.lexists(dest):
        if os.path.exists(dest) and not is_regular(dest):
            raise InputError(f"{dest!r} is not a regular file", "Name a file on a disk.")
        if not force:
            raise already_exists(dest)
    if not os.access(folder, os.W_OK):
        raise InputError(f"cannot write to {folder!r}: permission denied", "Name another folder.")


def check_apart(dest: str, photos: Iterable[str]) -> None:
    """Check that a new folder with images is not in a folder of the photos themselves.

    There the next run would find each photo twice.

    Raises:
        InputError: It is.
    """
    folders = {os.path.dirname(os.path.abspath(photo)) for photo in photos}
    real = {os.path.realpath(folder) for folder in folders}
    above = os.path.dirname(os.path.realpath(dest))
    while True:
        if above in real:
            raise InputError(
                f"{dest!r} is in {above!r}, among the photos that it is made from",
                "Name a folder outside, so that the photos are not found twice.",
            )
        parent = os.path.dirname(above)
        if parent == above:
            return
        above = parent
