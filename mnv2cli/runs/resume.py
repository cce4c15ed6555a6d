"""Resume a run where it stopped: find its existing rows, and the images that lack one.

A run appends rows in the order of its images. The rows of an interrupted run are therefore the
first rows of the complete run, and resuming it means skipping as many images, which is checked row
by row. If the check fails, because photos were added or errors are retried, rows are found by a
digest of their paths, missing rows are appended, and the order of the file is restored at the end.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain, islice

from mnv2cli.records import Source
from mnv2cli.results.formats import Row
from mnv2cli.results.schema import Layout
from mnv2cli.runs.index import RowIndex, image_key
from mnv2cli.runs.kept import KeptRows
from mnv2cli.runs.order import RowOrder, restore_order


class Resumed:
    """The rows of a results file that are kept, and the images that lack one.

    Nothing is changed before :meth:`clean`.

    Args:
        path: The file; its lock is held.
        layout: The layout of its rows.
        folder: The folder that relative paths start from.
        whole: The last run finished, so the last row is complete.
        retry_errors: Classify images with an error row again.

    Attributes:
        new: The number of images without a row, so far.

    Raises:
        InputError: Its columns differ from the layout, or its relative paths start from another
            folder.
        OSError: The file cannot be read.
    """

    def __init__(
        self, path: str, layout: Layout, folder: str, *, whole: bool, retry_errors: bool
    ) -> None:
        self._rows = KeptRows(path, layout, folder, doubt_last=layout.long and not whole)
        self._retry_errors = retry_errors
        self._order: RowOrder | None = None  # None as long as the file is in order
        self._walked = False
        self.new = 0

    @property
    def kept(self) -> int:
        """The number of rows that are kept."""
        return self._rows.count

    @property
    def dropped(self) -> int:
        """The number of damaged parts of the file."""
        return self._rows.dropped

    @property
    def errors(self) -> Counter[str]:
        """The number of kept rows that are errors, by reason."""
        return self._rows.errors

    def clean(self) -> None:
        """Remove the damaged parts from the file; raises OSError."""
        self._rows.clean()

    def image_keys(self) -> set[int]:
        """Return the keys of the images that have a row, as of ``image_key``."""
        return {image_key(row.path, self._rows.folder) for row in self._rows.rows()}

    def remaining(self, sources: Iterable[Source]) -> Iterator[Source]:
        """Yield the sources that have no row yet, and record the order of all sources."""
        with closing(self._rows.rows()) as rows:
            row = next(rows, None)
            number = 0  # of images so far
            index: RowIndex | None = None
            for source in sources:
                if index is None and row is not None:
                    if self._is_of(row, source) and not (row.error and self._retry_errors):
                        row = next(rows, None)
                        number += 1
                        continue
                    index = RowIndex(chain([row], rows), self._rows.folder, number)
                    self._order = self._begin_order(number)
                if self._order is None or index is None:
                    self.new += 1
                    yield source
                    continue
                row_number = self._take(index, self._order, source)
                self._order.add(
                    self.kept + self.new if row_number is None else row_number, source.position
                )
                if row_number is None:
                    self.new += 1
                    yield source
            if row is not None and index is None:  # images were deleted, or errors retried
                self._order = self._begin_order(number)
            self._walked = True

    def _take(self, index: RowIndex, order: RowOrder, source: Source) -> int | None:
        """Return the number of the row of an image, or None if it must be classified."""
        key = image_key(source.path, os.curdir)
        while True:
            row_number, is_error = index.take(key)
            if row_number is None or not (is_error and self._retry_errors):
                return row_number
            order.replaced.add(row_number)

    def _begin_order(self, number: int) -> RowOrder:
        """Return the order of the rows so far, which is the order in the file."""
        in_order = islice(self._rows.rows(), number)
        return RowOrder(in_order, number, has_positions=self._rows.layout.has_position)

    def _is_of(self, row: Row, source: Source) -> bool:
        if row.position != source.position:
            return False
        if self._rows.is_here and row.path == source.path:
            return True
        return image_key(row.path, self._rows.folder) == image_key(source.path, os.curdir)

    def settle(self) -> bool:
        """Put the rows in the order of their images, once the file has all of them.

        Returns:
            Whether the file was rewritten.

        Raises:
            OSError: The file cannot be read or written.
            OutputError: The file does not have the expected rows.
        """
        if not self._walked or self._order is None:
            return False
        return restore_order(self._rows, self._order, self.new)
