"""Open regular files only: a folder, pipe or device is refused without waiting."""

from __future__ import annotations

import os
import stat
from typing import IO

from mnv2cli.errors import ImageError
from mnv2cli.system.files import open_without_waiting


def open_regular(path: str) -> IO[bytes]:
    """Open a regular file for reading bytes.

    Raises:
        ImageError: It is not a regular file; it is not opened.
        OSError: It cannot be opened.
    """
    try:
        _refuse_irregular(os.stat(path).st_mode)
        file = open(path, "rb", opener=open_without_waiting)  # noqa: SIM115
    except ValueError as error:  # a NUL byte in the name
        raise ImageError("no such file", "the name contains a NUL byte") from error
    try:
        _refuse_irregular(os.fstat(file.fileno()).st_mode)  # the path may name another file by now
    except ImageError:
        file.close()
        raise
    return file


def _refuse_irregular(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise ImageError("a folder, not an image")
    if not stat.S_ISREG(mode):
        kind = (
            "a named pipe" if stat.S_ISFIFO(mode)
            else "a socket" if stat.S_ISSOCK(mode)
            else "a device"
        )  # fmt: skip
        raise ImageError("not a regular file", kind)
