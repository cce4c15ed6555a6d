"""The images of a dataset: how they are named in it, and how they come into it.

Names keep the folders of the photos below the folder that all of them share. They are valid on
every system: UTF-8, without characters and names that Windows refuses, different also where a file
system ignores case. No name begins with a dot or with two underscores, because readers of
datasets skip such files. The same photos, in the same order, always get the same names.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress

from mnv2cli.datasets.formats import Images
from mnv2cli.errors import OutputError
from mnv2cli.sorting.links import link_text
from mnv2cli.sources.names import name_key, path_parts
from mnv2cli.system.files import NO_SPACE, open_unnoticed, write
from mnv2cli.system.messages import reason

FOLDER = "images"
"""The folder of a dataset that has its images."""

_LONGEST_NAME = 240  # bytes; the rest is for a number
_BLOCK = 1 << 20
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]')
_DEVICES = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\s*\..*)?", re.IGNORECASE
)


class SourceError(Exception):
    """The image of a photo cannot be used; the text is the reason."""


def portable_name(name: str) -> str:
    """Return a name of a file or folder that every system accepts; others may become the same."""
    name = _FORBIDDEN.sub("_", name)
    if name.startswith("__"):
        name = name.lstrip("_")
        name = f"_{name}"
    elif name.startswith("."):
        name = f"_{name}"
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > 10:
        stem, dot, suffix = name, "", ""
    room = _LONGEST_NAME - len(f"{dot}{suffix}".encode())
    name = stem.encode()[:room].decode("utf-8", "ignore") + dot + suffix
    kept = name.rstrip(". ")
    name = kept + "_" * (len(name) - len(kept)) or "_"
    return f"_{name}" if _DEVICES.fullmatch(name) else name


class ImageNames:
    """Names images, one after the other.

    Args:
        paths: All photos, as in the results; only the folder that they share is used.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        folders = {os.path.dirname(os.path.abspath(path)) for path in paths}
        try:
            self._common = os.path.commonpath(folders) if folders else ""
        except ValueError:  # different drives of Windows
            self._common = ""
        self._taken: dict[str, int] = {}  # by key of a name: the last number tried for it
        self._folders: dict[str, str] = {self._common: ""}

    def name(self, path: str) -> str:
        """Return the name of a photo, with ``/``; no other photo has it."""
        folder, name = os.path.split(os.path.abspath(path))
        return self._free(self._folder(folder), portable_name(name))

    def _folder(self, folder: str) -> str:
        """Return the name of a folder of photos, with a final slash; no other folder has it."""
        if folder not in self._folders:
            rest = os.path.relpath(folder, self._common) if self._common else folder
            parts = path_parts(rest)
            drive = os.path.splitdrive(folder)[0]
            if drive and not self._common:
                parts = (drive, *parts)
            above, made = self._common, ""
            for part in parts:
                above = os.path.join(above, part)
                if above not in self._folders:
                    self._folders[above] = self._free(made, portable_name(part)) + "/"
                made = self._folders[above]
            self._folders[folder] = made
        return self._folders[folder]

    def _free(self, folder: str, name: str) -> str:
        """Return a name in a folder that nothing has yet, with a number if necessary."""
        first = name_key(folder + name)
        number = self._taken.get(first, 0) + 1
        made = folder + name
        if number > 1:
            stem, suffix = os.path.splitext(name)
            made = f"{folder}{stem} ({number}){suffix}"
            while name_key(made) in self._taken:
                number += 1
                made = f"{folder}{stem} ({number}){suffix}"
        self._taken[first] = number
        self._taken.setdefault(name_key(made), 1)
        return made


def referenced_name(source: str, dataset: str) -> str:
    """Return how a dataset names an image that stays where it is.

    Args:
        source: The image.
        dataset: The file of the dataset, or its folder.

    Returns:
        A path with ``/``: relative to the folder that has the dataset if the image is below that,
        else absolute.

    Raises:
        SourceError: Its name is not valid UTF-8, so that no other program would find it.
    """
    path = os.path.abspath(source)
    folder = os.path.dirname(os.path.abspath(dataset)).rstrip(os.sep) + os.sep
    name = (path[len(folder) :] if path.startswith(folder) else path).replace(os.sep, "/")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise SourceError("its name is not UTF-8, so it can only be copied") from error
    return name


def check_source(source: str) -> None:
    """Check that an image is a file that can be read.

    Raises:
        SourceError: It is missing, is not a regular file, or cannot be read.
    """
    try:
        if not stat.S_ISREG(os.stat(source).st_mode):
            raise SourceError("not a regular file")
    except (OSError, ValueError) as error:
        raise SourceError(reason(error) if isinstance(error, OSError) else str(error)) from error
    if not os.access(source, os.R_OK):
        raise SourceError("permission denied")


def place_image(source: str, target: str, images: Images) -> None:
    """Put an image into a dataset: a copy or a link, with its times.

    Args:
        source: The image.
        target: Its path in the dataset; folders above it are created.
        images: ``copy``, ``hardlink`` or ``symlink``.

    Raises:
        SourceError: The image cannot be read.
        OutputError: The target cannot be written, or links are impossible here.
    """
    check_source(source)
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if images == "copy":
            _copy(source, target)
        elif images == "hardlink":
            os.link(os.path.realpath(source), target)
        else:
            os.symlink(link_text(os.path.abspath(source), target), target)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not os.path.exists(source):
            raise SourceError(reason(error)) from error
        raise _failed(error, target, images) from error


def _failed(error: OSError, target: str, images: Images) -> OutputError:
    if images != "copy" and error.errno not in NO_SPACE:
        kind = "hard links" if images == "hardlink" else "symbolic links"
        return OutputError(
            f"cannot make {kind} to the photos: {reason(error)}", "Copy them: --images copy."
        )
    return OutputError(f"cannot write {target!r}: {reason(error)}")


def _copy(source: str, target: str) -> None:
    """Copy the content and the times of a file; the source keeps its own."""
    try:
        reader = open(source, "rb", buffering=0, opener=open_unnoticed)  # noqa: SIM115
    except OSError as error:
        raise SourceError(reason(error)) from error
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with reader:
        status = os.fstat(reader.fileno())
        writer = os.open(target, flags, 0o666)
        try:
            while block := _read(reader.fileno(), target):
                write(writer, block)
        finally:
            os.close(writer)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _read(reader: int, target: str) -> bytes:
    try:
        return os.read(reader, _BLOCK)
    except OSError as error:  # of a damaged disk
        with suppress(OSError):
            os.unlink(target)
        raise SourceError(reason(error)) from error
