"""One run of ``mnv2 select``: rows of results in, some of them out."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import IO, TYPE_CHECKING

import click

from mnv2cli.cli.inputs import is_same
from mnv2cli.cli.options.rows import PATHS, TABLE, check_local_file, check_name, check_stdout
from mnv2cli.cli.terminal.records import write_records
from mnv2cli.cli.terminal.suggest import did_you_mean
from mnv2cli.cli.terminal.text import stream_for
from mnv2cli.errors import NoImagesError
from mnv2cli.results.any_file import check_any
from mnv2cli.results.check import check_output
from mnv2cli.results.formats import FORMATS, format_of, load_format, suffix_format
from mnv2cli.results.options import OutputTarget
from mnv2cli.results.rows import (
    ROW_FORMATS,
    Value,
    write_lines,
    write_paths,
    write_rows,
)
from mnv2cli.selecting.conditions import Conditions
from mnv2cli.selecting.csv_rows import CsvRows
from mnv2cli.selecting.select import layout_of, names_in, select
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.selecting.conditions import Order, Subject


@dataclass(frozen=True, slots=True)
class SelectOutput:
    """What is written of the selected rows.

    Attributes:
        target: The file and format; the format may be ``paths``.
        null: Paths end with NUL.
        top: Labels of each row; None for all.
        sql: A query of all rows; None to select rows.
    """

    target: OutputTarget
    null: bool = False
    top: int | None = None
    sql: str | None = None


def checked_output(output: SelectOutput, results: str) -> SelectOutput:
    """Return an output with its format, after checking that it can be written.

    Raises:
        UsageError: The options cannot be combined.
        InputError: The file cannot be written.
        OutputError: Standard output is closed.
    """
    target = output.target
    path, format = target.path, target.format
    if path is None:
        check_stdout(force=target.force)
        format = format or (TABLE if sys.stdout.isatty() else "csv")
        if format in FORMATS and not load_format(format).is_text:
            raise click.UsageError(f"--format {format} is not text: write it to a file with -o.")
    else:
        format = _format_of_file(path, format, results)
        check_output(path, format if format in FORMATS else "csv", force=target.force)
    if output.sql is not None and format not in (*ROW_FORMATS, TABLE, PATHS):
        raise click.UsageError(f"--sql writes {', '.join(ROW_FORMATS)}, not {format}.")
    if target.safe and format != "csv":
        raise click.UsageError(f"--csv-safe requires csv, not {format}.")
    if output.top is not None and format == PATHS:
        raise click.UsageError("--top cannot be combined with --paths: no label is written.")
    return replace(output, target=replace(target, format=format))


def _format_of_file(path: str, format: str, results: str) -> str:
    """Return the format of a file to write, after checking its name."""
    check_local_file(path)
    if is_same(results, path):
        raise click.UsageError(f"-o {path!r} is RESULTS itself: name another file.")
    if format == TABLE:
        raise click.UsageError("--format table is for terminals only: use another format with -o.")
    named = suffix_format(path)
    if format == PATHS:
        if named:
            raise click.UsageError(
                f"--paths writes a list, not {named}: use a name that ends in .txt."
            )
        return PATHS
    check_name(path, format, named)
    return format or format_of(path)


class SelectJob:
    """One run of the command.

    Args:
        results: The results.
        output: What to write, checked.
        screen: Shows the summary.

    Raises:
        InputError: The results are not a file that may be results.
    """

    def __init__(self, results: str, output: SelectOutput, screen: Screen) -> None:
        check_any(results)  # a pipe would be waited for
        self._results = results
        self._output = output
        self._target = output.target
        self._screen = screen

    def select(self, where: Conditions, order: Order) -> None:
        """Write the selected rows.

        Raises:
            InputError: The results cannot be read.
            NoImagesError: No row meets the conditions.
            OutputError: The rows cannot be written.
        """
        format = self._target.format
        rows = CsvRows.of(self._results)
        top = self._output.top
        keeps_labels = rows is not None and (top is None or top >= rows.layout.top)
        as_they_are = format == "csv" and keeps_labels and not self._target.safe
        if rows is not None and (format == PATHS or as_they_are):
            found = rows.selected(where, order)
            if format == PATHS:
                number = self._write_paths(map(rows.path_of, found))
            else:
                lines = (row.raw for row in found)
                number = write_lines(lines, self._target, self._stream(), rows.header)
        elif format == PATHS:
            selected = select(self._results, where, order)
            number = self._write_paths(record.path for record in selected)
        else:
            number = self._write_records(where, order)
        if not number:
            raise self._nothing(where)
        if self._target.path is not None:
            self._screen.lines([("Selected", f"{count(number, 'row')} in {self._target.path}", "")])

    def query(self, sql: str) -> None:
        """Write what a query returns.

        Raises:
            InputError: The results cannot be read, or the query is not valid.
            NoImagesError: It returns no row.
            OutputError: The rows cannot be written.
        """
        from mnv2cli.selecting.sql import Query

        layout = layout_of(self._results, "csv", Conditions(), None)
        query = Query(select(self._results), replace(layout, long=False, safe=False), sql)
        rows = query.rows()
        format = self._target.format
        if format == PATHS:
            if query.columns != ["path"]:
                raise click.UsageError("--paths with --sql requires a query of path only.")
            number = self._write_paths(str(row["path"]) for row in rows)
        else:
            first = next(rows, None)
            number = 0 if first is None else 1

            def counted() -> Iterator[dict[str, Value]]:
                nonlocal number
                if first is not None:
                    yield first
                for row in rows:
                    number += 1
                    yield row

            if first is not None and format == TABLE:
                from mnv2cli.cli.terminal.columns import print_table

                cells = ([(_text(value), "") for value in row.values()] for row in counted())
                print_table(query.columns, cells)
            elif first is not None:
                write_rows(counted(), query.columns, self._target, self._stream())
        if not number:
            raise NoImagesError("the query returns no row")
        if self._target.path is not None:
            self._screen.lines([("Written", f"{count(number, 'row')} in {self._target.path}", "")])

    def _write_records(self, where: Conditions, order: Order) -> int:
        target, top = self._target, self._output.top
        records = select(self._results, where, order, top=top)
        first = next(records, None)
        if first is None:
            return 0
        layout = layout_of(self._results, target.format, where, top)
        layout = replace(layout, safe=target.safe, long=False)
        return write_records(chain([first], records), target, layout)

    def _stream(self) -> IO[bytes] | None:
        return stream_for(self._target.path)

    def _write_paths(self, paths: Iterable[str]) -> int:
        return write_paths(paths, self._target, self._stream(), null=self._output.null)

    def _has_row(self, where: Conditions) -> bool:
        return next(select(self._results, where), None) is not None

    def _nothing(self, where: Conditions) -> NoImagesError:
        """Return the error that no row was selected, with the name that may have been meant."""
        labels, any_rank = where.labels, bool(where.labels) and where.any_rank
        alone: dict[Subject, Conditions] = {
            "label": Conditions(labels, any_rank=any_rank),
            "category": Conditions(categories=where.categories),
            "node": Conditions(nodes=where.nodes),
        }
        for field, named in alone.items():
            names = (*named.labels, *named.categories, *named.nodes)
            if len(names) != 1 or self._has_row(named):
                continue
            if named.labels and not any_rank and self._has_row(replace(named, any_rank=True)):
                return NoImagesError(
                    f"{names[0]!r} is not the best label of any row",
                    "Add --any-rank for rows that have it at another rank.",
                )
            known = names_in(self._results, field, any_rank=any_rank)
            return NoImagesError(f"no row has {names[0]!r}", did_you_mean(names[0], known).strip())
        return NoImagesError(f"no row of {self._results!r} meets the conditions")


def _text(value: Value) -> str:
    return "" if value is None else str(value)
