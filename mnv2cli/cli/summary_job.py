"""One run of ``mnv2 summary``: results files in, figures out."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mnv2cli.cli.terminal.figures import Page
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.reporting.difference import Change
    from mnv2cli.results.fields import Cell


@dataclass(frozen=True, slots=True)
class SummaryOutput:
    """How figures are printed.

    Attributes:
        as_json: Print all of them as JSON.
        as_csv: Print a table of CSV.
        everything: In tables for people, show all rows.
    """

    as_json: bool = False
    as_csv: bool = False
    everything: bool = False


SUMMARY_COLUMNS = ("section", "name", "count", "mean_score")
CHANGE_COLUMNS = ("path", "change", "before", "before_score", "after", "after_score")


class SummaryJob:
    """One run of the command.

    Args:
        screen: Shows progress and warnings.
        output: How to print.
    """

    def __init__(self, screen: Screen, output: SummaryOutput) -> None:
        self._screen = screen
        self._output = output

    def summarise(self, results: str) -> None:
        """Print the figures of a file.

        Raises:
            InputError: It is not a results file.
            NoImagesError: It has no rows.
        """
        from mnv2cli.cli.terminal.summary_tables import summary_renderables, summary_warnings
        from mnv2cli.reporting.summary import summarise

        with self._screen.reading(results):
            summary = summarise(results)
        for text in summary_warnings(summary):
            self._screen.warning(text)
        if self._output.as_json:
            click.echo(json.dumps(summary.as_object(), indent=1))
        elif self._output.as_csv:
            _print_csv(SUMMARY_COLUMNS, summary.table())
        else:
            _print(lambda page: summary_renderables(summary, page), self._output)

    def compare(self, results: str, against: str) -> None:
        """Print the difference of two files.

        Args:
            results: The file of the later run.
            against: The file of the earlier run.

        Raises:
            InputError: One is not a results file, or no image is in both.
            NoImagesError: One has no rows.
        """
        from mnv2cli.cli.terminal.difference_tables import (
            difference_renderables,
            difference_warnings,
        )
        from mnv2cli.reporting.compare import compare

        with self._screen.reading(results):
            difference = compare(results, against)
        for text in difference_warnings(difference):
            self._screen.warning(text)
        if self._output.as_json:
            click.echo(json.dumps(difference.as_object(), indent=1))
        elif self._output.as_csv:
            _print_csv(CHANGE_COLUMNS, (_cells(each) for each in difference.changes()))
        else:
            _print(lambda page: difference_renderables(difference, page), self._output)


def _cells(change: Change) -> tuple[Cell, ...]:
    return (change.path, change.change, change.before, change.before_score, change.after,
            change.after_score)  # fmt: skip


def _print(renderables: Callable[[Page], Iterable[RenderableType]], output: SummaryOutput) -> None:
    from mnv2cli.cli.terminal.console import PlainConsole
    from mnv2cli.cli.terminal.figures import Page

    console = PlainConsole(highlight=False)
    for each in renderables(Page.of(console, everything=output.everything)):
        console.print(each)


def _print_csv(columns: Sequence[str], rows: Iterable[Iterable[Cell]]) -> None:
    """Print a table; paths keep bytes that are not UTF-8, unless it is shown on a terminal."""
    from mnv2cli.cli.terminal.text import data_stream
    from mnv2cli.results.schema import cell_text
    from mnv2cli.system.csvtext import csv_line

    sys.stdout.flush()
    stream = data_stream()
    for row in itertools.chain([columns], rows):
        line = csv_line(cell_text(each) for each in row)
        stream.write(line.encode("utf-8", "surrogateescape"))
    stream.flush()
