"""Write results to standard output, also as the table for terminals, or to a file."""

from __future__ import annotations

from collections.abc import Iterable

from mnv2cli.cli.terminal.text import stream_for
from mnv2cli.records import Record
from mnv2cli.results.formats import Format, load_format
from mnv2cli.results.options import OutputTarget
from mnv2cli.results.rows import open_whole
from mnv2cli.results.schema import Layout


def format_named(name: str) -> Format:
    """Return a format of results by its name, which may be that of the table for terminals."""
    from mnv2cli.cli.terminal.table import TABLE

    return TABLE if name == TABLE.name else load_format(name)


def write_records(records: Iterable[Record], target: OutputTarget, layout: Layout) -> int:
    """Write results to standard output, or to a file that is complete or unchanged.

    Args:
        records: The records.
        target: The file; without one, standard output.
        layout: The format, which may be the table for terminals, and the columns.

    Returns:
        The number of records.

    Raises:
        OutputError: They cannot be written.
    """
    number = 0
    with open_whole(target, stream_for(target.path)) as file:
        writer = format_named(layout.format).writer(file, layout)
        writer.begin()
        for record in records:
            writer.write(record)
            number += 1
        writer.finish()
    return number
