"""Rows of a few columns as a table on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table
from rich.text import Text

from mnv2cli.cli.terminal.console import PlainConsole
from mnv2cli.cli.terminal.text import printable


def print_table(columns: Sequence[str], rows: Iterable[Sequence[tuple[str, str]]]) -> None:
    """Print a table on standard output; the first column is cut if it is too wide.

    Args:
        columns: The headings.
        rows: For each row, a text and a style for each column.
    """
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, overflow="ellipsis")
    for _ in columns[1:]:
        table.add_column(no_wrap=True, justify="right")
    table.add_row(*(Text(name, style="bold") for name in columns))
    for row in rows:
        table.add_row(*(Text(printable(text), style=style) for text, style in row))
    PlainConsole(highlight=False).print(table)


def print_errors(errors: Mapping[str, str]) -> None:
    """Print unreadable images, each with the reason; nothing if there are none."""
    console = PlainConsole(highlight=False)
    for path, error in errors.items():
        text = Text.assemble((printable(path), "cyan"), "  ", (printable(error), "red"))
        console.print(text, soft_wrap=True)
