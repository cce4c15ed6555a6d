"""The definition of a format, and the registry: each format is one module and one line here."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import IO, NamedTuple, Protocol, cast

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.schema import Layout
from mnv2cli.system.urls import redact


class Writer(Protocol):
    """Writes records to a stream in one format."""

    def begin(self) -> None:
        """Write what precedes the first record; not called when rows are appended."""
        ...

    def write(self, record: Record) -> None:
        """Write one record."""
        ...

    def finish(self) -> None:
        """Write what completes the file; the stream stays open."""
        ...


class Row(NamedTuple):
    """The row of one image in a file, or its rows in a long table.

    Attributes:
        path: The path of the image.
        error: The error in the row; empty if there is none.
        position: The position among all images, in a shard; else None.
        start: The offset of its first byte in the file.
        end: The offset after its last byte.
        rank: In a long table, the rank of its last row; else 0.
    """

    path: str
    error: str
    position: int | None
    start: int
    end: int
    rank: int = 0


@dataclass(frozen=True, slots=True)
class RowAccess:
    """How to find and change single rows of a file that is complete after every row.

    Attributes:
        scan: Called with a path and its layout, yields the rows in order, and None for each
            damaged part; raises InputError if the columns differ from the layout, and OSError.
        first_row: Called with a path, returns the offset of the first row in bytes.
        with_position: Called with the bytes of a row, a position and the layout, returns the bytes
            of the row with that position.
    """

    scan: Callable[[str, Layout], Generator[Row | None, None, None]]
    first_row: Callable[[str], int]
    with_position: Callable[[bytes, int | None, Layout], bytes]


@dataclass(frozen=True, slots=True)
class Format:
    """A format of results.

    Attributes:
        name: Its name in ``--format``; with a dot before it, the suffix of its files.
        writer: Called with a stream and a layout, returns the writer.
        reader: Called with the path of a file, yields its records; raises InputError. None for
            a format that is only displayed.
        is_table: It has columns, so it supports long tables.
        is_text: It can be written to a terminal.
        may_be_safe: Spreadsheets open it, so its cells may be escaped for them.
        is_safe: Called with the path of a file, returns whether its cells are escaped.
        needs_end: A file is unreadable until its end is written, so it is renamed into place then.
        utf8_only: Paths that are not UTF-8 are written with each other byte as ``\\x`` and two
            digits.
        check: Raises InputError if a library is missing.
        rows: How to find single rows, for ``--resume``; None if the format does not allow it.
    """

    name: str
    writer: Callable[[IO[bytes], Layout], Writer]
    reader: Callable[[str], Iterator[Record]] | None = None
    is_table: bool = False
    is_text: bool = True
    may_be_safe: bool = False
    is_safe: Callable[[str], bool] = lambda path: False
    needs_end: bool = False
    utf8_only: bool = False
    check: Callable[[], object] = lambda: None
    rows: RowAccess | None = None


FORMATS: dict[str, str | Format] = {
    "csv": "mnv2cli.results.csv_format:CSV",
    "json": "mnv2cli.results.json_format:JSON",
    "jsonl": "mnv2cli.results.jsonl_format:JSONL",
    "parquet": "mnv2cli.results.parquet_format:PARQUET",
}
"""By name: ``module:FORMAT``, imported on first use, or the format."""

_UNFINISHED: dict[str, str | Format] = {"features": "mnv2cli.results.features_rows:ROWS"}
"""Formats that are never chosen: rows of files that are not complete."""


def register(format: Format) -> None:
    """Add a format, or replace one; its name is the suffix of its files."""
    FORMATS[format.name] = format


def load_format(name: str) -> Format:
    """Return a format by its name.

    Raises:
        InputError: The format is unknown.
    """
    registry = _UNFINISHED if name in _UNFINISHED else FORMATS
    found = registry.get(name)
    if found is None:
        raise InputError(f"unknown format {name!r}: choose from {', '.join(FORMATS)}")
    if isinstance(found, str):
        module, _, attribute = found.partition(":")
        found = registry[name] = cast(Format, getattr(import_module(module), attribute))
    return found


def suffixes() -> list[str]:
    """Return the suffixes of the formats."""
    return [f".{name}" for name in FORMATS]


def suffix_format(path: str) -> str:
    """Return the format that a file's suffix names; empty if the suffix is unknown."""
    name = os.path.splitext(path)[1].lower().removeprefix(".")
    return name if name in FORMATS else ""


def format_of(path: str) -> str:
    """Return the format that a file's suffix names.

    Raises:
        InputError: The suffix is unknown.
    """
    name = suffix_format(path)
    if not name:
        raise InputError(
            f"unknown format of {redact(path)!r}: the name does not end in {', '.join(suffixes())}",
            "Choose the format with --format, or use another name.",
        )
    return name


def is_resumable(name: str) -> bool:
    """Return whether runs that write this format can be resumed; False for an unknown format."""
    return name in {**FORMATS, **_UNFINISHED} and load_format(name).rows is not None
