"""The rows of an unfinished features file: lines of JSON, complete after every row.

They are beside the features file as a hidden file, ``.photos.npz.rows`` for ``photos.npz``, until
the run is complete, so a killed run loses nothing that was computed.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterator
from typing import IO

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.fields import is_row
from mnv2cli.results.formats import Format, RowAccess
from mnv2cli.results.json_format import to_json
from mnv2cli.results.jsonl_format import scan_lines, with_position
from mnv2cli.results.schema import Layout

ROWS_SUFFIX = ".rows"


def rows_path(output: str) -> str:
    """Return the path of the rows of an unfinished features file."""
    folder, name = os.path.split(os.path.realpath(output))
    return os.path.join(folder, f".{name}{ROWS_SUFFIX}")


class RowsWriter:
    """Writes a line for each image, with its features as base64 of float32."""

    def __init__(self, stream: IO[bytes], layout: Layout) -> None:
        self._stream = stream
        self._has_position = layout.has_position

    def begin(self) -> None:
        """Do nothing: the file starts with the first row."""

    def write(self, record: Record) -> None:
        """Write the line of a record."""
        content: dict[str, object] = {
            "path": record.path,
            "status": record.status,
            "error": record.error,
            "model": record.model,
            "embedding": None
            if record.embedding is None
            else base64.b64encode(record.embedding.astype("<f4").tobytes()).decode(),
        }
        if self._has_position:
            content["position"] = record.position  # the last, as with_position expects
        self._stream.write(to_json(content) + b"\n")
        self._stream.flush()

    def finish(self) -> None:
        """Do nothing: the file is complete after every row."""


def read_rows(path: str) -> Iterator[Record]:
    """Yield the records of a file.

    Raises:
        InputError: The file cannot be read, or a row is damaged.
    """
    import numpy as np

    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    item = json.loads(line)
                    coded = item["embedding"]
                    content = None if coded is None else base64.b64decode(coded, validate=True)
                    if not is_row(item["path"], item["status"], item["error"]):
                        raise ValueError
                    if (content is None) != bool(item["error"]):
                        raise ValueError
                    yield Record(
                        item["path"],
                        error=item["error"],
                        model=item["model"],
                        position=item.get("position"),
                        embedding=None if content is None else np.frombuffer(content, "<f4"),
                    )
                except (ValueError, KeyError, TypeError, binascii.Error) as error:
                    raise InputError(
                        f"{path!r} is damaged in line {number:,}", "Start over with --force."
                    ) from error
    except OSError as error:
        from mnv2cli.system.messages import reason

        raise InputError(f"cannot read {path!r}: {reason(error)}") from error


ROWS = Format(
    "features",
    RowsWriter,
    read_rows,
    rows=RowAccess(scan_lines, lambda path: 0, with_position),
)
