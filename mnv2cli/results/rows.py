"""Write rows of named values as CSV, JSON or JSON lines, to a file or a stream."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import IO

from mnv2cli.errors import InputError, OutputError
from mnv2cli.results.check import destination, is_regular
from mnv2cli.results.json_format import to_json
from mnv2cli.results.options import OutputTarget
from mnv2cli.results.spreadsheet import safe
from mnv2cli.system.csvtext import csv_line
from mnv2cli.system.files import AtomicFile
from mnv2cli.system.messages import reason

_BLOCK = 1000  # lines that are written together
Value = str | int | float | bool | None
Values = Mapping[str, Value]

ROW_FORMATS = ("csv", "json", "jsonl")
"""The formats that rows can have."""


def write_rows(
    rows: Iterable[Values], columns: Sequence[str], target: OutputTarget, stream: IO[bytes] | None
) -> None:
    """Write rows to a file, which is complete or unchanged, or to a stream.

    Args:
        rows: Each with a value for each column; None is an empty cell, or ``null`` in JSON.
        columns: Their names, in order.
        target: The file, if there is no stream, and the format: one of :data:`ROW_FORMATS`.
        stream: Receives the rows instead of a file.

    Raises:
        OutputError: The file cannot be written, or was created after it was checked.
        BrokenPipeError: The reader of the stream is gone.
    """
    write_content(_content(rows, columns, target), target, stream)


def write_paths(
    paths: Iterable[str], target: OutputTarget, stream: IO[bytes] | None, *, null: bool = False
) -> int:
    """Write a list of paths, as their bytes, if there are any; return their number.

    Args:
        paths: The paths.
        target: The file, if there is no stream.
        stream: Receives the list instead of a file.
        null: End each with NUL, not with a line feed.

    Raises:
        InputError: A path has a line feed, and ``null`` is not set.
        OutputError or BrokenPipeError: As :func:`write_rows`.
    """
    end = b"\0" if null else b"\n"

    def lines() -> Iterator[bytes]:
        for path in paths:
            if not null and "\n" in path:
                raise InputError(
                    f"{path!r} has a line feed in its name, which a list of lines cannot have",
                    "Add -0, or choose another format with --format.",
                )
            yield os.fsencode(path) + end

    return write_lines(lines(), target, stream)


def write_lines(
    lines: Iterable[bytes], target: OutputTarget, stream: IO[bytes] | None, header: bytes = b""
) -> int:
    """Write lines after a header, if there are any; return their number.

    Args:
        lines: The lines, with their ends.
        target: The file, if there is no stream.
        stream: Receives the lines instead of a file.
        header: What precedes the first.

    Raises:
        OutputError or BrokenPipeError: As :func:`write_rows`.
    """
    number = 0

    def parts() -> Iterator[bytes]:
        nonlocal number
        rest, start = iter(lines), header
        while block := list(islice(rest, _BLOCK)):
            number += len(block)
            yield start + b"".join(block)
            start = b""

    content = parts()
    first = next(content, None)
    if first is not None:
        write_content(chain([first], content), target, stream)
    return number


def write_content(content: Iterable[bytes], target: OutputTarget, stream: IO[bytes] | None) -> None:
    """Write parts of a content to a file, which is complete or unchanged, or to a stream.

    Args:
        content: The parts.
        target: The file, if there is no stream.
        stream: Receives the content instead of a file.

    Raises:
        OutputError or BrokenPipeError: As :func:`write_rows`.
    """
    with open_whole(target, stream) as file:
        for part in content:
            file.write(part)


@contextmanager
def open_whole(target: OutputTarget, stream: IO[bytes] | None) -> Iterator[IO[bytes]]:
    """Open a file that is complete when the block ends without an error, and else unchanged.

    Args:
        target: The file, if there is no stream.
        stream: Is returned instead of a file.

    Raises:
        OutputError or BrokenPipeError: As :func:`write_rows`.
    """
    name = "standard output" if stream is not None else repr(target.path)
    try:
        if stream is not None:
            yield stream
            stream.flush()
            return
        assert target.path is not None
        path = destination(target.path)
        if is_regular(path) and not target.force:
            raise _already_exists(path)
        if os.path.lexists(path) and not is_regular(path):
            with open(path, "wb") as device:
                yield device
            return
        part_file = AtomicFile(os.path.realpath(path))
        try:
            yield part_file.file
            part_file.commit(replace=target.force)
        finally:
            part_file.discard()
    except FileExistsError as error:
        raise _already_exists(target.path) from error
    except OSError as error:
        if isinstance(error, BrokenPipeError) or error.errno == errno.EPIPE:
            raise
        raise OutputError(f"cannot write results to {name}: {reason(error)}") from error


def _already_exists(path: str | None) -> OutputError:
    return OutputError(f"{path!r} already exists", "Overwrite it with --force.")


def _content(
    rows: Iterable[Values], columns: Sequence[str], target: OutputTarget
) -> Iterator[bytes]:
    """Yield the content of a file, row by row."""
    if target.format == "csv":
        yield csv_line(columns, quote=target.safe).encode()
        for row in rows:
            cells = [_cell(row[name]) for name in columns]
            if target.safe:
                cells = [
                    safe(cell) if isinstance(row[name], str) else cell
                    for name, cell in zip(columns, cells, strict=True)
                ]
            yield csv_line(cells, quote=target.safe).encode("utf-8", "surrogateescape")
        return
    lines = (to_json({name: row[name] for name in columns}) for row in rows)
    if target.format == "jsonl":
        yield from (line + b"\n" for line in lines)
        return
    start = b"[\n"
    for line in lines:
        yield start + line
        start = b",\n"
    yield b"[]\n" if start == b"[\n" else b"\n]\n"


def _cell(value: Value) -> str:
    """Return a value as text: ``true`` and ``false`` as in JSON, all digits of a number."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else repr(value)
