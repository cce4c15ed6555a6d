"""Read results of an earlier run back into records, whatever their format."""

from __future__ import annotations

from collections.abc import Generator

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.formats import FORMATS, load_format, suffix_format
from mnv2cli.results.spreadsheet import restored_record


def read_results(
    path: str, format: str = "", *, safe: bool = False
) -> Generator[Record, None, None]:
    """Yield the records of a file that ``mnv2 classify`` wrote.

    Args:
        path: Ends in ``.csv`` (wide or long), ``.json``, ``.jsonl`` or ``.parquet``.
        format: One of the formats; else the file's name says which.
        safe: Its cells were made safe for spreadsheets, and are restored.

    Raises:
        InputError: It cannot be read, or holds no results; with the line where that is.
    """
    name = format or suffix_format(path)
    reader = load_format(name).reader if name else None
    if reader is None:
        readable = [f".{each}" for each in FORMATS if load_format(each).reader]
        raise InputError(f"{path!r} does not end in {', '.join(readable)}")
    for record in reader(path):
        yield restored_record(record) if safe else record
