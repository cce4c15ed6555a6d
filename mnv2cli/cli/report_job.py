"""Make a page of results: read them, make the thumbnails, write the page, show a summary."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from mnv2cli.cli.terminal.text import seconds_text, size_text
from mnv2cli.errors import ExitCode, NoImagesError
from mnv2cli.images.decode import set_process_limit
from mnv2cli.reporting.compare import compare, with_before
from mnv2cli.reporting.content import Content, Entry
from mnv2cli.reporting.difference_panel import difference_panel
from mnv2cli.reporting.places import Places
from mnv2cli.reporting.thumbnails import GONE, Thumbnail, make_thumbnails
from mnv2cli.reporting.write import write_report
from mnv2cli.results.any_file import read_any
from mnv2cli.results.corrections import matched, read_corrections, unmatched_text
from mnv2cli.results.thumbnail_files import files_folder
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.cli.terminal.summary import Line
    from mnv2cli.images.options import ImageOptions
    from mnv2cli.records import Record
    from mnv2cli.reporting.write import ReportTarget

Known = Callable[["Record"], "bytes | None"]
"""Returns the thumbnail of a record if it has been made before, else None."""


@dataclass(frozen=True, slots=True)
class ReportSources:
    """The files that a page is made from.

    Attributes:
        results: The results.
        base: The folder where the photos are now; None if they have not moved.
        against: Results of an earlier run, to compare with; None for none.
        corrections: Corrections to begin with; None for none.
    """

    results: str
    base: str | None = None
    against: str | None = None
    corrections: str | None = None

    def content(self, warn: Callable[[str], None]) -> Content:
        """Read the files.

        Args:
            warn: Called with a warning about corrections of photos that are not in the results.

        Raises:
            InputError: A file cannot be read, or does not belong to the results.
            NoImagesError: The results have no rows.
        """
        corrections = {} if self.corrections is None else read_corrections(self.corrections)
        entries = [Entry(record) for record in read_any(self.results)]
        if not entries:
            raise NoImagesError(f"{self.results!r} has no rows", "Classify some photos first.")
        content = Content(os.path.basename(self.results), entries, results=self.results)
        if corrections:
            paths = (entry.record.path for entry in entries)
            corrections, unmatched = matched(corrections, paths)
            if text := unmatched_text(unmatched):
                warn(text)
            content = replace(content, corrections=corrections)
        if self.against is not None:
            panel = difference_panel(compare(self.results, self.against))
            entries = with_before(entries, self.against)
            content = replace(content, entries=entries, panels=(panel,))
        return content

    def places(self, content: Content) -> Places:
        """Return where the photos are."""
        paths = (entry.record.path for entry in content.entries)
        return Places.of_results(paths, self.results, self.base or "")


class ReportJob:
    """Makes one page.

    Args:
        target: The page.
        images: How photos are decoded, and the limits.
        screen: Shows progress, warnings and the summary.

    Attributes:
        missing: The number of photos that could not be read now, by reason.
    """

    def __init__(self, target: ReportTarget, images: ImageOptions, screen: Screen) -> None:
        self._target = target
        self._images = images
        self._screen = screen
        self._entries: Sequence[Entry] = ()
        self._seconds = 0.0
        self._made = 0
        self._bytes = 0
        self.missing: Counter[str] = Counter()

    @property
    def return_code(self) -> ExitCode:
        """The exit code: errors in the results are shown on the page, and are none here."""
        return ExitCode.SOME_UNREADABLE if self.missing else ExitCode.DONE

    def make(self, sources: ReportSources) -> None:
        """Make the page of results.

        Raises:
            InputError: A file cannot be read.
            NoImagesError: The results have no rows.
            OutputError: The page cannot be written.
        """
        content = sources.content(self._screen.warning)
        self.write(content, sources.places(content))

    def write(
        self,
        content: Content,
        places: Places,
        known: Known = lambda record: record.thumbnail,
        *,
        rows_to_stdout: bool = False,
    ) -> None:
        """Write a page; show the progress, and warn of photos that could not be read.

        Args:
            content: What it shows.
            places: Where the photos are.
            known: Returns the thumbnails that have been made before.
            rows_to_stdout: Results went to standard output.

        Raises:
            OutputError: It cannot be written.
        """
        start = perf_counter()
        self._entries = content.entries
        try:
            if self._target.thumbnails:
                self._write_with_thumbnails(content, places, known, rows_to_stdout)
            else:
                write_report(content, self._target, places)
        except KeyboardInterrupt:
            self._screen.notice(f"Stopped: {self._target.path} was not written.", "")
            raise
        self._seconds = perf_counter() - start
        if gone := self.missing[GONE]:
            self._screen.warning(
                f"{count(gone, 'photo')} not found: if they have moved, name the folder where they "
                "are now with mnv2 report --base DIR"
            )

    def _write_with_thumbnails(
        self, content: Content, places: Places, known: Known, rows_to_stdout: bool
    ) -> None:
        set_process_limit(self._images.max_pixels)
        records = (entry.record for entry in content.entries)
        total = len(content.entries)
        with self._screen.counting("thumbnails", total, rows_to_stdout=rows_to_stdout) as step:

            def advance(record: Record, thumbnail: Thumbnail) -> None:
                step(1)
                self._count(record, thumbnail)

            made = make_thumbnails(records, places, self._images, known, advance)
            with closing(made):
                write_report(content, self._target, places, made)

    def _count(self, record: Record, thumbnail: Thumbnail) -> None:
        if not isinstance(thumbnail, str):
            self._made += 1
            self._bytes += len(thumbnail)
        elif not record.error:
            self.missing[thumbnail.partition(":")[0]] += 1
            self._screen.unreadable(record.path, thumbnail)

    def show(self) -> None:
        """Show the summary."""
        self._screen.lines([*self._photos(), *self.written()])

    def _photos(self) -> list[Line]:
        lines: list[Line] = [
            ("Photos", f"{len(self._entries):,} in {seconds_text(self._seconds)}", "")
        ]
        errors = sum(bool(entry.record.error) for entry in self._entries)
        if errors:
            lines.append(("Errors", f"{errors:,} in the results", ""))
        if self.missing:
            reasons = " · ".join(f"{why} {n:,}" for why, n in self.missing.most_common())
            lines.append(("Unreadable", f"{self.missing.total():,}: {reasons}", "red"))
        return lines

    def written(self, name: str = "Written") -> list[Line]:
        """Return the lines that name the files written."""
        path = self._target.path
        lines: list[Line] = [(name, f"{path}, {size_text(os.path.getsize(path))}", "")]
        folder = files_folder(path)
        if self._target.thumbnails and self._target.needs_files(self._entries):
            text = f"{folder}{os.sep}, {size_text(self._bytes)}; keep it beside {path}"
            lines.append(("Thumbnails", text, ""))
        return lines

    def open_page(self) -> None:
        """Open the page in the browser; without one, show how to."""
        import webbrowser

        path = os.path.abspath(self._target.path)
        try:
            opened = webbrowser.open(Path(path).as_uri())
        except (webbrowser.Error, OSError):
            opened = False
        if not opened:
            self._screen.notice(f"No browser found: open {path} in one.", "")
