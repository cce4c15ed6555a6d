"""Read the small regular files that options and config files name."""

from __future__ import annotations

import errno
import os
import re
import stat

from mnv2cli.system.files import open_without_waiting

_OF_SHELL = re.compile(r"/dev/fd/\d+|/proc/self/fd/\d+|/dev/stdin")


def read_regular(path: str, limit: int) -> bytes:
    """Return the first bytes of a regular file; a pipe could block, and a device never end.

    Args:
        path: The file, standard input, or what shells write for ``<(command)``.
        limit: How many bytes are read at most.

    Raises:
        OSError: It is not a regular file, or cannot be read.
    """
    if _OF_SHELL.fullmatch(path):
        with open(path, "rb") as file:
            return file.read(limit)
    try:
        _check(path, os.stat(path).st_mode)
        with open(path, "rb", opener=open_without_waiting) as file:
            _check(path, os.fstat(file.fileno()).st_mode)  # the path may name another file by now
            return file.read(limit)
    except ValueError as error:
        raise OSError(errno.EINVAL, "the name contains a NUL byte", path) from error


def _check(path: str, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file", path)
