"""Results from standard input, for commands that take the name of a file."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from mnv2cli.errors import InputError
from mnv2cli.system.messages import reason

STDIN = "-"
"""The name that stands for standard input."""

_PARQUET = b"PAR1"
_HEAD = 1 << 16  # bytes in which the format is recognised


class Kept(str):
    """The path of the file that keeps standard input; messages quote what was typed."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return how messages name it."""
        return "'-' (standard input)"


@contextmanager
def results_file(path: str) -> Iterator[str]:
    """Return the path of a file of results; ``-`` is standard input, kept until the block ends.

    Standard input may be CSV, JSON, JSON lines or Parquet, recognised by content. It is copied to a
    temporary file, because most commands read results twice.

    Raises:
        InputError: Standard input is a terminal, empty, closed, or cannot be read or kept.
    """
    if path != STDIN:
        yield path
        return
    if sys.stdin is None or sys.stdin.closed:
        raise InputError("cannot read results: standard input is closed", "Name a file.")
    if sys.stdin.isatty():
        raise InputError(
            "'-' reads results from standard input, which is a terminal",
            "Pipe results into it, or name a file.",
        )
    with tempfile.TemporaryDirectory(prefix="mnv2-") as folder:
        try:
            kept = _keep(folder)
        except OSError as error:
            raise InputError(f"cannot read standard input: {reason(error)}") from error
        yield kept


def _keep(folder: str) -> str:
    stream = sys.stdin.buffer
    head = stream.read(_HEAD)
    if not head:
        raise InputError(
            "standard input is empty, not results", "The command before it has written nothing."
        )
    if b"\0" in head and not head.startswith(_PARQUET):
        raise InputError("standard input is not results", "Pipe CSV, JSON or Parquet into it.")
    kept = Kept(os.path.join(folder, f"standard-input.{_format(head)}"))
    with open(kept, "wb") as file:
        file.write(head)
        shutil.copyfileobj(stream, file)
    return kept


def _format(head: bytes) -> str:
    if head.startswith(_PARQUET):
        return "parquet"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return {b"[": "json", b"{": "jsonl"}.get(text[:1], "csv")
