"""Results as a table on a terminal, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import IO

from rich.table import Table
from rich.text import Text

from mnv2cli.cli.terminal.console import PlainConsole
from mnv2cli.cli.terminal.text import printable, shorten
from mnv2cli.records import Prediction, Record
from mnv2cli.results.formats import Format
from mnv2cli.results.schema import Layout

_GAP = 2
_SCORE = 7
_BAR = 12
_WIDE = 64  # the narrowest terminal with bars beside the scores
_LEAST = 8


class TableWriter:
    """Prints each record immediately, in columns of fixed width."""

    def __init__(self, stream: IO[bytes], layout: Layout) -> None:
        self._console = PlainConsole(highlight=False)
        width = self._console.width
        self._bar = _BAR if width >= _WIDE else 0
        rest = max(width - _SCORE - self._bar - 4 * _GAP, 2 * _LEAST)
        self._label = min(rest * 2 // 5, 32)  # paths are longer than labels
        self._path = min(rest - self._label, 80)
        self._rest = max(width - self._path - 2 * _GAP, _LEAST)
        self._block = "#" if self._console.options.ascii_only else "█"
        self._header = True

    def begin(self) -> None:
        """Do nothing: the header is written with the first record, which names the network."""

    def write(self, record: Record) -> None:
        """Print a record: one line per label, the path on the first."""
        path = Text(shorten(printable(record.path), self._path), style="cyan")
        if self._header:
            self._header = False
            if record.model:
                by = f"Labels by {printable(record.model)}"
                self._console.print(Text(by, style="dim"), overflow="ellipsis", no_wrap=True)
            table = self._table()
            table.add_row(*(Text(name, style="bold") for name in ("Image", "Label", "Score", "")))
            self._console.print(table)
        shown = list(record.predictions)
        if record.node:
            shown.insert(0, replace(record.node, label=f"node: {record.node.label}"))
        if record.category and record.category.name:
            category = record.category
            shown.insert(0, Prediction("", f"category: {category.name}", category.score))
        if shown:
            table = self._table()
            for prediction in shown:
                table.add_row(path, *self._cells(prediction, first=bool(path)))
                path = Text()
        else:
            table = Table.grid(padding=(0, _GAP, 0, 0))
            table.add_column(width=self._path, no_wrap=True)
            table.add_column(width=self._rest)
            if record.error:
                table.add_row(path, Text(printable(record.error), style="red"))
            else:
                table.add_row(path, Text("no label reaches the minimum score", style="dim"))
        self._console.print(table)

    def finish(self) -> None:
        """Do nothing: the table has no end."""

    def _table(self) -> Table:
        table = Table.grid(padding=(0, _GAP, 0, 0))
        table.add_column(width=self._path, no_wrap=True)
        table.add_column(width=self._label, no_wrap=True)
        table.add_column(width=_SCORE, no_wrap=True, justify="right")
        table.add_column(width=self._bar, no_wrap=True)
        return table

    def _cells(self, prediction: Prediction, *, first: bool) -> list[Text]:
        style = "bold" if first else "dim"
        colour = "green" if prediction.score >= 0.5 else "yellow" if first else "bright_black"
        return [
            Text(printable(prediction.label), style=style, overflow="ellipsis"),
            Text(f"{prediction.score * 100:.1f} %", style=style),
            Text(self._block * round(prediction.score * self._bar), style=colour),
        ]


TABLE = Format("table", TableWriter)
"""The format for terminals; files cannot have it."""
