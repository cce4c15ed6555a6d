"""One run of ``mnv2 convert``: records in, a dataset or results out, and a summary."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

from mnv2cli.cli.inputs import is_same
from mnv2cli.cli.terminal.records import write_records
from mnv2cli.cli.terminal.text import seconds_text
from mnv2cli.datasets.destination import check_destination
from mnv2cli.datasets.formats import ReadOptions
from mnv2cli.datasets.options import DatasetEvents, check_options
from mnv2cli.datasets.read import Source, open_source
from mnv2cli.datasets.write import write_source
from mnv2cli.errors import ExitCode, InputError, NoImagesError
from mnv2cli.results.formats import load_format
from mnv2cli.results.options import OutputTarget
from mnv2cli.results.parquet_format import utf8_text
from mnv2cli.results.schema import Layout, UsedColumns
from mnv2cli.results.stdin import STDIN, results_file
from mnv2cli.sources.urls import is_url
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.cli.terminal.summary import Line
    from mnv2cli.datasets.formats import DatasetFormat
    from mnv2cli.datasets.options import DatasetOptions, DatasetOutcome
    from mnv2cli.records import Record

_IMAGES = {
    "copy": "images copied",
    "hardlink": "images as hard links",
    "symlink": "images as symbolic links",
    "embed": "images embedded",
    "reference": "images referenced",
}


@dataclass(frozen=True, slots=True)
class ConvertInput:
    """What is read.

    Attributes:
        path: Results, ``-`` for those on standard input, or a dataset.
        read_as: The format of a dataset; empty to detect it.
        base: Where the photos are now; empty if they have not moved.
        paths: Of a dataset of mnv2, whether the paths are ``original`` (the default) or those of
            the ``dataset``.
    """

    path: str
    read_as: str = ""
    base: str = ""
    paths: str = ""


class ConvertJob:
    """One run of the command.

    Args:
        screen: Shows progress, warnings and the summary.

    Attributes:
        return_code: The exit code.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self.return_code = ExitCode.DONE

    @contextmanager
    def opened(self, source: ConvertInput) -> Iterator[Source]:
        """Open the input.

        Raises:
            InputError: It does not exist, or is neither results nor a dataset.
        """
        if source.path == STDIN:
            with results_file(source.path) as path:
                # Relative paths do not start at the temporary file.
                yield replace(open_source(path), origin="")
            return
        options = ReadOptions(source.base or None, original=source.paths != "dataset")
        yield open_source(source.path, source.read_as, options)

    def write_dataset(
        self, source: Source, dest: str, format: DatasetFormat, options: DatasetOptions
    ) -> None:
        """Write a dataset, and show the summary.

        Raises:
            InputError: Options or destination do not fit.
            NoImagesError: There is no photo to write.
            OutputError: It cannot be written.
        """
        check_options(format, options)
        check_destination(dest, format, force=options.force, inputs=(source.origin,))
        start = perf_counter()
        with self._stopping(dest), ExitStack() as stack:
            progress = _Progress(self._screen, stack)
            events = DatasetEvents(progress.start, progress.step, self._screen.unreadable)
            outcome = write_source(source, dest, format, options, events)
        self.return_code = outcome.return_code
        self._screen.lines(outcome_lines(outcome, perf_counter() - start, options.keep_unlabelled))
        if outcome.unsized:
            self._screen.warning(
                f"the size of {count(outcome.unsized, 'photo')}, missing or damaged, is unknown: "
                "written as 0 x 0"
            )

    def write_results(self, source: Source, path: str | None, format: str, *, force: bool) -> None:
        """Write results, and show the summary.

        Raises:
            InputError: The input is damaged, or the output is the input.
            NoImagesError: The input has no photos.
            OutputError: They cannot be written.
        """
        if path is not None and source.origin and is_same(source.origin, path):
            raise InputError(f"{path!r} is also the input", "Name another file with -o.")
        start = perf_counter()
        seen = _Seen()
        for record in source.read():
            seen.add(record)
        if not seen.records:
            name = repr(source.origin) if source.origin else "standard input"
            raise NoImagesError(f"{name} has no photos", "There is nothing to write.")
        layout = seen.layout(format)
        with self._stopping(path or "standard output"):
            write_records(source.read(), OutputTarget(path, force=force), layout)
        is_there = source.format is not None and source.format.images[0] != "reference"
        lines: list[Line] = [
            ("Photos", f"{seen.records:,} in {seconds_text(perf_counter() - start)}", "")
        ]
        if source.format is not None:
            lines.insert(0, ("Dataset", f"{source.origin}, {source.format.name}", ""))
        if seen.unlabelled:
            lines.append(("No label", f"{seen.unlabelled:,}", ""))
        if seen.odd_names and path is not None and load_format(format).utf8_only:
            self._screen.warning(
                f"{count(seen.odd_names, 'path')} not in UTF-8: Parquet stores a description "
                "instead"
            )
        if source.format is not None and seen.missing:
            self._screen.warning(_missing_text(seen.missing, seen.example))
            if is_there:
                self.return_code = ExitCode.SOME_UNREADABLE
        if path is not None:
            lines.append(("Written", path, ""))
        self._screen.lines(lines)

    @contextmanager
    def _stopping(self, dest: str) -> Iterator[None]:
        """Say that nothing was written, if the block is interrupted."""
        try:
            yield
        except KeyboardInterrupt:
            self._screen.notice(f"Stopped: {dest} was not written.", "")
            raise


class _Progress:
    """A progress bar that appears when the number of photos is known."""

    def __init__(self, screen: Screen, stack: ExitStack) -> None:
        self._screen = screen
        self._stack = stack
        self._bar: Callable[[int], None] = lambda number: None

    def start(self, total: int) -> None:
        """Show the bar."""
        self._bar = self._stack.enter_context(self._screen.counting("photos", total))

    def step(self, number: int) -> None:
        """Move the bar."""
        self._bar(number)


def _missing_text(missing: int, example: str) -> str:
    more = f" and {missing - 1:,} more" if missing > 1 else ""
    verb = "do" if missing > 1 else "does"
    return (
        f"{example}{more} {verb} not exist here: name the folder of the photos with --base, or "
        "use --paths dataset"
    )


def outcome_lines(outcome: DatasetOutcome, seconds: float, keeps_unlabelled: bool) -> list[Line]:
    """Return the lines that summarise a dataset.

    Args:
        outcome: What was written.
        seconds: How long that took.
        keeps_unlabelled: Photos without a label were written.
    """
    photos = f"{count(outcome.photos, 'photo')}, {count(outcome.labels, 'label')}"
    lines: list[Line] = [("Dataset", f"{photos}, in {seconds_text(seconds)}", "")]
    if outcome.errors:
        lines.append(("Errors", f"{_counts(outcome.errors)}, in the results; omitted", "red"))
    if outcome.unreadable:
        lines.append(("Unreadable", f"{_counts(outcome.unreadable)}; omitted", "red"))
    if outcome.unlabelled:
        left = "" if keeps_unlabelled else "; omitted (--keep-unlabelled writes them)"
        lines.append(("No label", f"{count(outcome.unlabelled, 'photo')}{left}", ""))
    if outcome.repeated:
        text = f"{count(outcome.repeated, 'row')} of a photo that was written already; omitted"
        lines.append(("Repeated", text, ""))
    if outcome.escaped:
        text = f"{count(outcome.escaped, 'path')}: written with escapes such as \\xff"
        lines.append(("Not UTF-8", text, "yellow"))
    where = f"{outcome.path}, {outcome.format}, {_IMAGES[outcome.images]}"
    return [*lines, ("Written", where, "")]


def _counts(counts: Counter[str]) -> str:
    shown = " · ".join(f"{why} {number:,}" for why, number in counts.most_common(5))
    return f"{counts.total():,}: {shown}"


class _Seen:
    """What the records have, which decides the columns of their table."""

    def __init__(self) -> None:
        self.records = self.unlabelled = self.missing = self.odd_names = 0
        self.example = ""
        self._columns = UsedColumns()

    def add(self, record: Record) -> None:
        """Count a record."""
        self.records += 1
        self._columns.add(record)
        self.unlabelled += not (record.predictions or record.error)
        self.odd_names += utf8_text(record.path) != record.path
        if not is_url(record.path) and not os.path.lexists(record.path):
            self.missing += 1
            self.example = self.example or record.path

    def layout(self, format: str) -> Layout:
        """Return the layout of results in a format."""
        return self._columns.layout(format)
