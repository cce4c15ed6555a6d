"""JSON lines: one image per line, so that a file is complete after every row."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import IO

from mnv2cli.records import Record
from mnv2cli.results.formats import Format, Row, RowAccess
from mnv2cli.results.json_format import read_objects, to_json
from mnv2cli.results.schema import Layout, Schema, row_from_object

_MAX_ROW = 1 << 20  # bytes; a longer line is damage
_POSITION = b'"position": '


class JsonLinesWriter:
    """Writes one object per line, one line per image."""

    def __init__(self, stream: IO[bytes], layout: Layout) -> None:
        self._stream = stream
        self._schema = Schema(layout)

    def begin(self) -> None:
        """Do nothing: the file starts with the first row."""

    def write(self, record: Record) -> None:
        """Write the line of a record."""
        self._stream.write(to_json(self._schema.to_object(record)) + b"\n")
        self._stream.flush()

    def finish(self) -> None:
        """Do nothing: the file is complete after every row."""


# Single rows, for --resume


def scan_lines(path: str, layout: Layout) -> Generator[Row | None, None, None]:
    """Yield the rows of a file in order; None for each line that is not a row.

    Raises:
        OSError: The file cannot be read.
    """
    with open(path, "rb") as file:
        start = 0
        while line := file.readline(_MAX_ROW):
            end = start + len(line)
            yield _row(line, start, end)
            start = end


def _row(line: bytes, start: int, end: int) -> Row | None:
    if not line.endswith(b"\n"):
        return None
    try:
        path, error, position = row_from_object(json.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return Row(path, error, position, start, end)


def with_position(row: bytes, position: int | None, layout: Layout) -> bytes:
    """Return a row with another position, which is the last value of the object."""
    start = row.rindex(_POSITION) + len(_POSITION)
    return row[:start] + json.dumps(position).encode() + b"}\n"


JSONL = Format(
    "jsonl",
    JsonLinesWriter,
    read_objects,
    rows=RowAccess(scan_lines, lambda path: 0, with_position),
)
