"""What a format is, and the registry of formats: each is one module and one line here."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import IO, NamedTuple, Protocol, cast

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.schema import Layout
from mnv2cli.sources.urls import redact


class Writer(Protocol):
    """Writes records to a stream in one format."""

    def begin(self) -> None:
        """Write what comes before the first record; not where records follow earlier ones."""
        ...

    def write(self, record: Record) -> None:
        """Write one record."""
        ...

    def finish(self) -> None:
        """Write what makes the file whole; the stream stays open."""
        ...


class Row(NamedTuple):
    """Where a file holds the row of one image, or in a long table its rows.

    Attributes:
        path: As it was found.
        error: As in the row; empty for none.
        position: Among all images, in a shard; else None.
        start: Where it begins in the file, in bytes.
        end: Where the next one begins.
        rank: In a long table; of the last of its rows.
    """

    path: str
    error: str
    position: int | None
    start: int
    end: int
    rank: int = 0


@dataclass(frozen=True, slots=True)
class RowAccess:
    """How to find and change single rows of a file that is whole after every row.

    Attributes:
        scan: Called with a path and its layout, yields the rows as they are found, and None for
            each piece that is not a row; raises InputError if the columns are others, and OSError.
        first_row: Called with a path, returns where the first row begins, in bytes.
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
        name: What users call it; with a dot before it, the suffix of its files.
        writer: Called with a stream and a layout, returns what writes records to it.
        reader: Called with the path of a file, yields its records; raises InputError. None for
            what is only shown.
        is_table: It has columns, so rows may also be long.
        is_text: It may go to a terminal or through a pipe of text.
        may_be_safe: It is opened by spreadsheets, so cells may be safe for them.
        needs_end: A file is nothing without its end, so it gets its name when it is whole.
        utf8_only: Names that are not UTF-8 come back as a description, with ``\\x`` in it.
        check: Raises InputError if a library is missing.
        rows: How to find single rows, for ``--resume``; None where that cannot be.
    """

    name: str
    writer: Callable[[IO[bytes], Layout], Writer]
    reader: Callable[[str], Iterator[Record]] | None = None
    is_table: bool = False
    is_text: bool = True
    may_be_safe: bool = False
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
"""By name: ``module:FORMAT``, which is imported when it is first asked for, or a format itself."""


def register(format: Format) -> None:
    """Add a format, or replace one; its files are known by its name as their suffix."""
    FORMATS[format.name] = format


def load_format(name: str) -> Format:
    """Return a format by its name.

    Raises:
        InputError: There is no such format.
    """
    found = FORMATS.get(name)
    if found is None:
        raise InputError(f"there is no format {name!r}, only {', '.join(FORMATS)}")
    if isinstance(found, str):
        module, _, attribute = found.partition(":")
        found = FORMATS[name] = cast(Format, getattr(import_module(module), attribute))
    return found


def suffixes() -> list[str]:
    """Return the suffixes of files by which formats are known."""
    return [f".{name}" for name in FORMATS]


def suffix_format(path: str) -> str:
    """Return the name of the format that a file's suffix names; empty if it names none."""
    name = os.path.splitext(path)[1].lower().removeprefix(".")
    return name if name in FORMATS else ""


def format_of(path: str) -> str:
    """Return the name of the format that a file's suffix names.

    Raises:
        InputError: It names none.
    """
    name = suffix_format(path)
    if not name:
        raise InputError(
            f"{redact(path)!r} does not end in {', '.join(suffixes())}",
            "Name the format with --format, or rename it.",
        )
    return name


def is_resumable(name: str) -> bool:
    """Return whether results of this format can be resumed; False for what is not a format."""
    return name in FORMATS and load_format(name).rows is not None
