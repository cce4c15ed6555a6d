"""The rows of a results file that are kept when its run is resumed."""

from __future__ import annotations

import os
from array import array
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing

from mnv2cli.errors import InputError
from mnv2cli.results.formats import Row, RowAccess, load_format
from mnv2cli.results.schema import Layout
from mnv2cli.runs.rewrite import Rewrite
from mnv2cli.sources.urls import absolute

_MAX_REASONS = 1000


def row_access(layout: Layout) -> RowAccess:
    """Return the row access of a layout, whose format must be resumable."""
    access = load_format(layout.format).rows
    assert access is not None
    return access


class KeptRows:
    """The rows of a file that are kept; nothing is changed before :meth:`clean`.

    Args:
        path: The file; its lock is held.
        layout: The layout of its rows.
        folder: The folder that relative paths start from.
        doubt_last: Drop the last row, which may be incomplete although it looks complete.

    Attributes:
        path: The file, links resolved.
        layout: As given.
        folder: As given.
        is_here: The folder is the current one.
        count: The number of rows that are kept.
        dropped: The number of damaged parts.
        errors: The number of kept rows that are errors, by reason.

    Raises:
        InputError: Its columns differ from the layout, or its relative paths start from another
            folder.
        OSError: The file cannot be read.
    """

    def __init__(self, path: str, layout: Layout, folder: str, *, doubt_last: bool) -> None:
        self.path = os.path.realpath(path)
        self.layout = layout
        self.folder = folder
        self.is_here = os.path.samefile(folder, os.curdir)
        self.count = 0
        self.dropped = 0
        self.errors: Counter[str] = Counter()
        self._gaps = array("Q")  # pairs of start and end of damaged parts
        self._find(doubt_last)

    def _find(self, doubt_last: bool) -> None:
        """Find the damaged parts of the file, and count the rows."""
        self._end = row_access(self.layout).first_row(self.path)
        last = None
        for row in self._scan():
            if row is None:
                self.dropped += 1
                continue
            if not self.is_here and absolute(row.path, "") != absolute(row.path, os.sep):
                raise InputError(
                    f"cannot resume {self.path!r}: its paths are relative to {self.folder!r}",
                    "Change to that folder first, or name another file.",
                )
            if row.start > self._end:
                self._gaps.extend((self._end, row.start))
            last, self._end = row, row.end
            self.count += 1
            if row.error:
                self._count_error(row, 1)
        self._size = os.path.getsize(self.path)
        if doubt_last and last and last.end == self._size:  # its later ranks may be missing
            self.count -= 1
            self._end = last.start
            if last.error:
                self._count_error(last, -1)

    def _scan(self) -> Iterator[Row | None]:
        return row_access(self.layout).scan(self.path, self.layout)

    def _count_error(self, row: Row, by: int) -> None:
        reason = row.error.partition(":")[0][:80]
        if reason not in self.errors and len(self.errors) >= _MAX_REASONS:
            reason = "other reasons"
        self.errors[reason] += by
        if not self.errors[reason]:
            del self.errors[reason]

    def forget(self, row: Row) -> None:
        """Stop counting the row of an error, which another row replaces."""
        self.count -= 1
        self._count_error(row, -1)

    def rows(self) -> Generator[Row, None, None]:
        """Yield the kept rows, before or after :meth:`clean`."""
        count = 0
        for row in self._scan():
            if row:
                count += 1
                if count > self.count:
                    return
                yield row

    def all_rows(self) -> Iterator[Row]:
        """Yield all rows of the file, including those added to it."""
        return filter(None, self._scan())

    def clean(self) -> None:
        """Remove the damaged parts from the file; raises OSError."""
        pairs = zip(self._gaps[::2], self._gaps[1::2], strict=True)
        gaps = [(a, b) for a, b in pairs if a < self._end]
        if not gaps:
            if self._end < self._size:
                os.truncate(self.path, self._end)
            return
        with closing(Rewrite(self.path)) as new:
            start = 0
            for a, b in gaps:
                new.copy(start, a)
                start = b
            new.copy(start, self._end)
            new.commit()
