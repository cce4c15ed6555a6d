"""The parts that figures on the terminal share: headlines, tables that are cut, bars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from mnv2cli.cli.terminal.evaluation import cut
from mnv2cli.cli.terminal.text import printable, shorten

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

MOST_ROWS = 15
"""Rows of a table, unless all are requested."""

NARROW = 60
"""The cells of a terminal below which tables have fewer columns."""

_GAP = 2
_BETWEEN = 3  # cells between two columns of a table
_LEAST_NAME = 8


@dataclass(frozen=True, slots=True)
class Page:
    """Where figures are shown.

    Attributes:
        width: Cells of the terminal.
        ascii_only: It has no block characters.
        everything: Show all rows of the tables.
    """

    width: int
    ascii_only: bool
    everything: bool

    @classmethod
    def of(cls, console: Console, *, everything: bool) -> Page:
        """Return the page of a console."""
        return cls(console.width, console.options.ascii_only, everything)

    def shown(self, rows: int) -> int:
        """Return how many of some rows to show; a single one is not worth a line about it."""
        return rows if self.everything or rows <= MOST_ROWS + 1 else MOST_ROWS


def plain_score(score: float | None) -> str:
    """Return a score for people; a dash for none."""
    return "-" if score is None else f"{100 * score:.1f} %"


def score_text(score: float | None) -> Text:
    """Return a score with the colour of its size; a dash for none."""
    if score is None:
        return Text(plain_score(score), style="dim")
    style = "green" if score >= 0.75 else "yellow" if score >= 0.5 else "red"
    return Text(plain_score(score), style=style)


def headline(lines: Sequence[tuple[str, str | Text]]) -> Table:
    """Return names and their values, one below the other."""
    table = Table.grid(padding=(0, _GAP, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in lines:
        table.add_row(name, Text(printable(value)) if isinstance(value, str) else value)
    return table


def heading_table(names: Sequence[str], numbers: Sequence[str] = ()) -> Table:
    """Return an empty table with its columns.

    Args:
        names: Headings of columns of text.
        numbers: Headings of columns of figures, to the right of them.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in names:
        table.add_column(name, no_wrap=True)
    for name in numbers:
        table.add_column(name, no_wrap=True, justify="right")
    return table


def space(width: int, *used: int) -> int:
    """Return the cells that columns of the given widths leave for one more, at least a few."""
    return max(width - sum(used) - _BETWEEN * len(used), _LEAST_NAME)


def widest(texts: Iterable[str], heading: str = "") -> int:
    """Return the width of a column that fits its texts."""
    from rich.cells import cell_len

    return max([cell_len(heading), *(cell_len(printable(each)) for each in texts)])


def name_width(names: Iterable[str], heading: str, largest: int) -> int:
    """Return the width of a column of names that fits the largest, up to a limit."""
    return max(min(widest(names, heading), largest), _LEAST_NAME)


def name_text(name: str, width: int, *, path: bool = False, style: str = "") -> Text:
    """Return a name that fits a width: the end of a path, the beginning of anything else."""
    shown = printable(name)
    return Text(shorten(shown, width) if path else cut(shown, width), style=style)


def more_line(rows: int, shown: int) -> Iterator[RenderableType]:
    """Yield the line on the rows that are not shown, if there are any."""
    if rows > shown:
        yield Text(f"and {rows - shown:,} more; --all shows them", style="dim")


def section(table: Table, rows: int, shown: int) -> Iterator[RenderableType]:
    """Yield a table with an empty line above it, and how many rows are not shown."""
    yield Text()
    yield table
    yield from more_line(rows, shown)
