"""Read the results of an earlier run back into records, whatever their format."""

from __future__ import annotations

import os
from collections.abc import Generator
from dataclasses import replace

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.check import is_regular
from mnv2cli.results.formats import FORMATS, load_format, suffix_format
from mnv2cli.results.spreadsheet import is_escaped, restored, restored_record


def read_results(
    path: str, format: str = "", *, safe: bool | None = None
) -> Generator[Record, None, None]:
    """Yield the records of a file written by ``mnv2 classify``.

    A CSV written with ``--csv-safe`` has apostrophes before cells that look like formulas. They are
    removed; the file is recognised by its header, in which every name is quoted. A spreadsheet that
    saves the file may change the header. A path that starts like an escaped path is therefore
    looked up: if only one of its two readings is an existing file, that reading is used, even if
    the real name of the file starts with an apostrophe.

    Args:
        path: Ends in ``.csv`` (wide or long), ``.json``, ``.jsonl`` or ``.parquet``.
        format: One of the formats; by default, the format that the suffix names.
        safe: Whether cells were escaped for spreadsheets; None to detect it. If given, paths are
            not looked up.

    Raises:
        InputError: The file cannot be read, or is not a results file; with the line if possible.
    """
    name = format or suffix_format(path)
    made = load_format(name) if name else None
    if made is None or made.reader is None:
        readable = [f".{each}" for each in FORMATS if load_format(each).reader]
        raise InputError(
            f"cannot read {path!r}: its name does not end in {', '.join(readable)}", "Rename it."
        )
    look_up = safe is None and made.may_be_safe
    if safe is None:
        # A pipe can be read only once.
        safe = made.may_be_safe and is_regular(path) and made.is_safe(path)
    for record in made.reader(path):
        found = restored_record(record) if safe else record
        yield _with_existing_path(found, record.path) if look_up else found


def _with_existing_path(record: Record, cell: str) -> Record:
    """Return a record with the reading of its path that exists, if only one of the two exists."""
    if not is_escaped(cell):
        return record
    existing = [each for each in (cell, restored(cell)) if os.path.lexists(each)]
    return replace(record, path=existing[0]) if len(existing) == 1 else record
