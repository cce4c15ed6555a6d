"""Text files of results, opened for reading: any bytes come through, and lines have a limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from mnv2cli.errors import InputError

_LONGEST_LINE = 16 << 20


@contextmanager
def open_text(path: str) -> Iterator[IO[str]]:
    """Open a file for reading; bytes that are not UTF-8 become surrogate escapes.

    Raises:
        InputError: It cannot be opened, or not be read as long as it is open.
    """
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield file
    except OSError as error:
        raise InputError(f"the results {path!r} cannot be read: {error.strerror}") from error


def lines(file: IO[str], path: str) -> Iterator[str]:
    """Yield the lines of an open file.

    Raises:
        InputError: One of them is far too long.
    """
    while line := file.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise InputError(f"{path!r} has a line that is far too long for results")
        yield line
