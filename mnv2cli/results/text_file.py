"""Reading text files of results: any bytes are accepted, and the length of lines is limited."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from mnv2cli.errors import InputError
from mnv2cli.system.messages import reason

_MAX_LINE = 16 << 20  # characters


class LongLineError(InputError):
    """A line is longer than any row of results; the limit also bounds the memory for reading."""


@contextmanager
def open_text(path: str, content: str = "results") -> Iterator[IO[str]]:
    """Open a file for reading; bytes that are not UTF-8 become surrogate escapes.

    Args:
        path: The file.
        content: What it contains, for errors.

    Raises:
        InputError: The file cannot be opened, or reading it fails.
    """
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield file
    except OSError as error:
        raise InputError(f"cannot read the {content} {path!r}: {reason(error)}") from error


def lines(file: IO[str], path: str) -> Iterator[str]:
    """Yield the lines of an open file.

    Raises:
        LongLineError: A line is too long.
    """
    number = 0
    while line := file.readline(_MAX_LINE):
        number += 1
        if len(line) == _MAX_LINE:
            raise LongLineError(
                f"{path!r} is not a results file: line {number:,} is longer than 16 MiB"
            )
        yield line
