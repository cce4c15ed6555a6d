"""Resume a run where it stopped: which rows are there already, and which images are left to do.

A run appends rows in the order of its images. So the rows of a run that stopped are the beginning
of those that it would have written, and to resume it means passing over as many images. That is
checked row by row. Where it does not hold, because photos came or errors are tried again, rows are
found by the digest of their paths, what is missing is appended, and at the end the file is put in
order.
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
    """The rows of a results file that stay, and the images that they leave to do.

    Nothing is changed before :meth:`clean`.

    Args:
        path: The file; its lock is held.
        layout: What its rows look like.
        folder: The folder that the paths in it are relative to.
        whole: The last run did all that it had to, so that no row is in doubt.
        retry_errors: Do images again whose rows are errors.

    Attributes:
        new: How many images are left to do.

    Raises:
        InputError: Its columns are others, or it names images as seen from another folder.
        OSError: It cannot be read.
    """

    def __init__(
        self, path: str, layout: Layout, folder: str, *, whole: bool, retry_errors: bool
    ) -> None:
        self._rows = KeptRows(path, layout, folder, doubt_last=layout.long and not whole)
        self._retry_errors = retry_errors
        self._order: RowOrder | None = None  # once it is not that of the file
        self._walked = False
        self.new = 0

    @property
    def kept(self) -> int:
        """How many rows stay."""
        return self._rows.count

    @property
    def dropped(self) -> int:
        """How many pieces of the file were no whole rows."""
        return self._rows.dropped

    @property
    def errors(self) -> Counter[str]:
        """How many rows that stay are errors, by reason."""
        return self._rows.errors

    def clean(self) -> None:
        """Take out of the file what is no row; raises OSError."""
        self._rows.clean()

    def remaining(self, sources: Iterable[Source]) -> Iterator[Source]:
        """Yield the sources that have no row yet, and note the order of all."""
        with closing(self._rows.rows()) as rows:
            row = next(rows, None)
            number = 0  # of images that were met
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
            if row is not None and index is None:  # images are gone, or errors were done again
                self._order = self._begin_order(number)
            self._walked = True

    def _take(self, index: RowIndex, order: RowOrder, source: Source) -> int | None:
        """Return the number of the row of an image, or None if it has to be done."""
        key = image_key(source.path, os.curdir)
        while True:
            row_number, is_error = index.take(key)
            if row_number is None or not (is_error and self._retry_errors):
                return row_number
            order.replaced.add(row_number)

    def _begin_order(self, number: int) -> RowOrder:
        """Return the order of the rows so far, which is that of the file."""
        in_order = islice(self._rows.rows(), number)
        return RowOrder(in_order, number, has_positions=self._rows.layout.has_position)

    def _is_of(self, row: Row, source: Source) -> bool:
        if row.position != source.position:
            return False
        if self._rows.is_here and row.path == source.path:
            return True
        return image_key(row.path, self._rows.folder) == image_key(source.path, os.curdir)

    def settle(self) -> bool:
        """Put the rows in the order of their images, once all are there.

        Returns:
            Whether anything had to be moved.

        Raises:
            OSError: The file cannot be read or written.
            OutputError: It does not hold the rows that it should.
        """
        if not self._walked or self._order is None:
            return False
        return restore_order(self._rows, self._order, self.new)
