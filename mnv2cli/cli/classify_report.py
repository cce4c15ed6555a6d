"""The page of ``mnv2 classify --report``: photos are decoded once, for labels and thumbnails."""

from __future__ import annotations

import os
import shlex
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from mnv2cli.cli.report_job import ReportJob
from mnv2cli.errors import OutputError
from mnv2cli.reporting.content import Content, Entry
from mnv2cli.reporting.places import Places
from mnv2cli.reporting.spool import ThumbnailSpool
from mnv2cli.reporting.write import ReportTarget
from mnv2cli.results.read import read_results

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.cli.terminal.summary import Line
    from mnv2cli.images.options import ImageOptions
    from mnv2cli.records import Record
    from mnv2cli.results.options import OutputTarget

_UNNAMED = "Labels"


class AddedReport:
    """The page of a run.

    Its thumbnails wait in a temporary file beside it. Those of rows from earlier runs, and of
    images that another machine has decoded, are made when it is written.

    Args:
        target: The page.
        images: How images are decoded, and the limits.
        screen: Shows the progress.

    Attributes:
        of_one_decoding: The run makes the thumbnails of the images that it decodes; machines of a
            cluster send labels alone.
    """

    def __init__(self, target: ReportTarget, images: ImageOptions, screen: Screen) -> None:
        self.of_one_decoding = True
        self._job = ReportJob(target, images, screen)
        self._records: list[Record] = []
        self._spool = ThumbnailSpool(os.path.dirname(target.path))

    def passing(self, records: Generator[Record, None, None]) -> Generator[Record, None, None]:
        """Yield the records without their thumbnails, which are stored."""
        with closing(records):
            for slim in self._spool.passing(records):
                self._records.append(replace(slim, embedding=None))
                yield slim

    def write(self, target: OutputTarget, *, append: bool) -> list[Line]:
        """Write the page of the complete results.

        Args:
            target: The results.
            append: They have rows of earlier runs, too.

        Returns:
            Lines for the summary.

        Raises:
            OutputError: It cannot be written; the results are complete.
        """
        path, records, places = target.path, self._records, Places()
        try:
            if path is not None and append:
                records = list(read_results(path, target.format, safe=target.safe))
                places = Places.of_results((record.path for record in records), path)
            title = _UNNAMED if path is None else os.path.basename(path)
            entries = [Entry(record) for record in records]
            content = Content(title, entries, results=path or "")
            self._job.write(content, places, self._spool.find, rows_to_stdout=path is None)
        except OutputError as error:
            if path is not None:
                command = shlex.join(["mnv2", "report", path])
                error.hint += f"\nThe results are complete: run {command}"
            raise
        return self._job.written("Report")

    def close(self) -> None:
        """Remove the stored thumbnails."""
        self._spool.close()
