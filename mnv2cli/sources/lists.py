"""Lists of files, as ``--files-from`` takes them: opened, and read as they come."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import partial

from mnv2cli.errors import InputError

_LONGEST_PATH = 1 << 16  # bytes; the longest path of any system is below this


def open_list(path: str) -> Callable[[int], bytes]:
    """Return what reads a list, bypassing Python's buffers.

    The list is read in a thread that may wait for ever; a buffer's lock, held meanwhile, would
    keep the process from ending.

    Args:
        path: A file, or ``-`` for standard input.

    Returns:
        A function that returns up to so many bytes, as :func:`read_list` takes it.

    Raises:
        InputError: It cannot be opened, or standard input is closed.
    """
    if path == "-":
        stdin = sys.stdin
        if stdin is None:
            raise InputError("standard input is closed", "Name a file with --files-from.")
        try:
            return partial(os.read, stdin.fileno())
        except (OSError, ValueError):  # not a real one, as in tests
            return stdin.buffer.read
    try:
        return partial(os.read, os.open(path, os.O_RDONLY))
    except OSError as error:
        raise InputError(f"the list {path!r} cannot be read: {error.strerror}") from error


def read_list(read: Callable[[int], bytes], *, null: bool) -> Iterator[str]:
    """Yield the paths of a list, one a line, or NUL-separated as ``find -print0`` writes them.

    Empty entries are passed over, a byte order mark too. The list is read as it comes, so it may
    be endless.

    Args:
        read: Returns up to so many bytes, those there are, and none at the end, as ``os.read``.
        null: Entries end with NUL, not with a line end.

    Raises:
        InputError: An entry is longer than any path can be: not a list of paths.
    """
    separator = b"\0" if null else b"\n"
    rest = b""
    start = b"" if null else b"\xef\xbb\xbf"
    while block := read(_LONGEST_PATH):
        if start and len(rest) + len(block) >= len(start):
            block, rest, start = (rest + block).removeprefix(start), b"", b""
        *entries, rest = (rest + block).split(separator)
        for entry in entries:
            yield from _decoded(entry, null)
        if len(rest) >= _LONGEST_PATH:
            raise InputError(
                "the list of files has an entry longer than any path",
                "Is it a list, one path a line? Lists from find -print0 need -0.",
            )
    yield from _decoded(rest, null)


def _decoded(entry: bytes, null: bool) -> Iterator[str]:
    if not null:
        entry = entry.removesuffix(b"\r")
    if entry:
        yield os.fsdecode(entry)
