"""Lists of files for ``--files-from``, read incrementally."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import partial

from mnv2cli.errors import InputError
from mnv2cli.system.messages import reason

_LONGEST_PATH = 1 << 16  # bytes; the longest path of any system is below this


def open_list(path: str) -> Callable[[int], bytes]:
    """Open a list for reading without Python's buffers.

    The thread that reads the list may wait forever and would meanwhile hold the lock of a buffer,
    which would keep the process from exiting.

    Args:
        path: A file, or ``-`` for standard input.

    Returns:
        A function that reads up to a number of bytes, for :func:`read_list`.

    Raises:
        InputError: The list cannot be opened, or standard input is closed.
    """
    if path == "-":
        stdin = sys.stdin
        if stdin is None:
            raise InputError(
                "cannot read the list: standard input is closed", "Name a file with --files-from."
            )
        try:
            return partial(os.read, stdin.fileno())
        except (OSError, ValueError):  # without a descriptor, as in tests
            return stdin.buffer.read
    try:
        return partial(os.read, os.open(path, os.O_RDONLY))
    except OSError as error:
        raise InputError(
            f"cannot read the list {path!r}: {reason(error)}",
            "Name another file with --files-from.",
        ) from error


def read_list(read: Callable[[int], bytes], *, null: bool) -> Iterator[str]:
    """Yield the paths of a list: one per line, or NUL-separated as ``find -print0`` writes them.

    Empty entries and a byte order mark are ignored. Paths are yielded as soon as they arrive, so
    the list may be endless.

    Args:
        read: Returns up to a number of bytes as soon as some arrive, and none at the end, like
            ``os.read``.
        null: Entries end with NUL instead of a line end.

    Raises:
        InputError: An entry is longer than any path can be, so this is not a list of paths; or the
            list as a whole is separated the other way.
    """
    separator = b"\0" if null else b"\n"
    rest = b""
    start = b"" if null else b"\xef\xbb\xbf"
    is_first = True
    while block := read(_LONGEST_PATH):
        if start and len(rest) + len(block) >= len(start):
            block, rest, start = (rest + block).removeprefix(start), b"", b""
        if is_first and not null and b"\0" in block.partition(b"\n")[0]:
            raise InputError("cannot read the list: its paths end with NUL", "Add -0.")
        *entries, rest = (rest + block).split(separator)
        is_first = is_first and not entries
        for entry in entries:
            yield from _decoded(entry, null)
        if len(rest) >= _LONGEST_PATH:
            raise InputError(
                "cannot read the list: an entry is longer than any path",
                "Use a text file with one path per line, or add -0 for a list from find -print0.",
            )
    if null and is_first and b"\n" in rest:
        raise InputError("cannot read the list: its paths end with a line end", "Omit -0.")
    yield from _decoded(rest, null)


def _decoded(entry: bytes, null: bool) -> Iterator[str]:
    if not null:
        entry = entry.removesuffix(b"\r")
    if entry:
        yield os.fsdecode(entry)
