"""Go on where a run stopped: what rows are there already, what is left to do, and their order.

A run appends rows in the order of its images. So the rows of a run that stopped are the beginning
of those that it would have written, and going on means passing over as many images. That is checked
row by row. Where it does not hold, because photos came or errors are tried again, rows are found by
the digest of their paths, what is missing is appended, and at the end the file is put in order.
"""

from __future__ import annotations

import csv
import io
import json
import mmap
import os
from array import array
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import blake2b
from typing import IO

from mnv2cli.errors import InputError
from mnv2cli.files import PartFile, csv_line
from mnv2cli.records import Source
from mnv2cli.spreadsheet import restored
from mnv2cli.urls import shown
from mnv2cli.write import Extra, columns

FORMS = ("csv", "jsonl")
"""Formats that can be taken up again: those that are whole after every row."""

_LONGEST_ROW = 1 << 20  # bytes; longer ones are damage


@dataclass(frozen=True, slots=True)
class Layout:
    """What the rows of a file look like.

    Attributes:
        form: One of :data:`FORMS`.
        top: Predictions in a row.
        long: A row for each rank.
        extra: Further columns, as in ``write``.
        safe: Cells were made safe for spreadsheets.
    """

    form: str
    top: int
    long: bool = False
    extra: Extra = ()
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """The row of one image, or in a long table its rows.

    Attributes:
        path: As it was found.
        error: As in the row; empty for none.
        position: Among all images, in a shard; else None.
        start: Where it begins in the file, in bytes.
        end: Where the next one begins.
        rank: In a long table; of the last of its rows.
    """

    path: str
    error: str
    position: int | None
    start: int
    end: int
    rank: int = 0


def scan(path: str, layout: Layout) -> Iterator[Row | None]:
    """Yield the rows of a results file as they are found; None for each piece that is no row.

    Raises:
        InputError: Its columns are others.
        OSError: It cannot be read.
    """
    with open(path, "rb") as file:
        if layout.form == "jsonl":
            yield from _scan_lines(file)
        else:
            rows = _scan_csv(file, path, layout)
            yield from _joined(rows) if layout.long else rows


def _scan_lines(file: IO[bytes]) -> Iterator[Row | None]:
    start = 0
    while line := file.readline(_LONGEST_ROW):
        end = start + len(line)
        yield _object_row(line, start, end)
        start = end


def _object_row(line: bytes, start: int, end: int) -> Row | None:
    if not line.endswith(b"\n"):
        return None
    try:
        content = json.loads(line)
        path, status, error = content["path"], content["status"], content["error"] or ""
        position = content.get("position")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not (isinstance(path, str) and path and isinstance(error, str)):
        return None
    if status != ("error" if error else "ok") or not isinstance(position, int | None):
        return None
    return Row(path, error, position, start, end)


def _scan_csv(file: IO[bytes], path: str, layout: Layout) -> Iterator[Row | None]:
    names = columns(layout.top, layout.long, layout.extra)
    header = file.readline(_LONGEST_ROW)
    if not header.endswith(b"\n"):  # cut short: nothing came after it
        if header:
            yield None
        return
    if header.decode(errors="replace").rstrip("\r\n").split(",") != names:
        raise InputError(f"{path!r} holds other columns than this run writes")
    start = len(header)
    while line := file.readline(_LONGEST_ROW):
        record = line
        # A name may hold line ends: a row ends where all quotes are closed.
        while record.count(b'"') % 2 and len(record) < _LONGEST_ROW:
            more = file.readline(_LONGEST_ROW)
            if not more:
                break
            record += more
        row = _csv_row(record, names, layout.safe, start)
        if row is None and len(record) > len(line):  # a stray quote must not swallow good rows
            file.seek(start + len(line))
            record = line
        yield row
        start += len(record)


def _csv_row(record: bytes, names: list[str], safe: bool, start: int) -> Row | None:
    if not record.endswith(b"\n") or b"\0" in record:
        return None
    try:
        cells = next(csv.reader([record.decode("utf-8", "surrogateescape")], strict=True))
        if len(cells) != len(names):
            return None
        row = dict(zip(names, cells, strict=True))
        position = int(row["position"]) if row.get("position") else None
        rank = int(row["rank"]) if row.get("rank") else 0
    except (csv.Error, ValueError, StopIteration):
        return None
    path, error = row["path"], row["error"]
    if safe:
        path, error = restored(path), restored(error)
    if not path or row["status"] != ("error" if error else "ok"):
        return None
    return Row(path, error, position, start, start + len(record), rank)


def _joined(rows: Iterator[Row | None]) -> Iterator[Row | None]:
    """Join the rows of one image in a long table."""
    last: Row | None = None
    for row in rows:
        if row and last and row.path == last.path and row.rank == last.rank + 1 > 1:
            last = Row(row.path, row.error, row.position, last.start, row.end, row.rank)
            continue
        if last:
            yield last
        if row is None:
            yield None
        last = row
    if last:
        yield last


class Resumed:
    """The rows of a results file that stay, and the images that they leave to do.

    Args:
        path: The file; its lock is held.
        layout: What its rows look like.
        folder: The folder that the paths in it are relative to.
        whole: The last run came to its own end, so that no row is in doubt.
        retry_errors: Do images again whose rows are errors.

    Attributes:
        kept: How many rows stay.
        dropped: How many pieces were no whole rows.
        errors: How many rows that stay are errors, by reason.

    Raises:
        InputError: Its columns are others.
        OSError: It cannot be read or written.
    """

    def __init__(
        self, path: str, layout: Layout, folder: str, *, whole: bool, retry_errors: bool
    ) -> None:
        self._path = os.path.realpath(path)
        self._layout = layout
        self._folder = folder
        self._order: array[int] | None = None  # rows in the order of their images
        self._positions: array[int] | None = None  # of these rows, in a shard
        self._walked = False
        self.kept = 0
        self.new = 0
        self.dropped = 0
        self.errors: Counter[str] = Counter()
        self._clean(retry_errors, doubt_last=layout.long and not whole)

    def _clean(self, retry_errors: bool, doubt_last: bool) -> None:
        """Take out of the file what is no row, and errors that are to be done again."""
        gaps = array("Q")  # pairs of start and end of what goes
        end = last_start = self._begin()
        last_reason = ""
        for row in scan(self._path, self._layout):
            if row is None:
                self.dropped += 1
                continue
            if row.start > end:
                gaps.extend((end, row.start))
            end = row.end
            if row.error and retry_errors:
                gaps.extend((row.start, row.end))
                continue
            self.kept += 1
            last_start, last_reason = row.start, row.error.partition(":")[0]
            if row.error:
                self.errors[last_reason] += 1
        size = os.path.getsize(self._path)
        if doubt_last and self.kept:  # its further ranks may be missing
            self.kept -= 1
            if last_reason:
                self.errors -= Counter([last_reason])
            end = last_start
        if not gaps:
            if end < size:
                os.truncate(self._path, end)
            return
        with closing(_Rewriting(self._path)) as new:
            start = 0
            for i in range(0, len(gaps), 2):
                if gaps[i] < end:
                    new.copy(start, gaps[i])
                    start = gaps[i + 1]
            new.copy(start, max(start, end))
            new.commit()

    def _begin(self) -> int:
        """Return where the first row begins."""
        if self._layout.form != "csv":
            return 0
        with open(self._path, "rb") as file:
            header = file.readline(_LONGEST_ROW)
        return len(header) if header.endswith(b"\n") else 0

    # Which images are left

    def remaining(self, sources: Iterable[Source]) -> Iterator[Source]:
        """Yield the sources that have no row yet, and note the order of all."""
        with closing(self._rows()) as rows:
            row = next(rows, None)
            number = 0  # of images that were met
            index: _Index | None = None
            for source in sources:
                if index is None and row is not None:
                    if self._is_of(row, source):
                        row = next(rows, None)
                        number += 1
                        continue
                    index = _Index(self._folder, rows, row, number)
                    self._order = array("Q", range(number))
                    self._positions = array("q", range(0))
                    if source.position is not None:
                        self._positions.extend(self._first_positions(number))
                if index is None:
                    self.new += 1
                    yield source
                    continue
                place = index.take(self._key(source.path))
                assert self._order is not None and self._positions is not None
                self._order.append(self.kept + self.new if place is None else place)
                if source.position is not None:
                    self._positions.append(source.position)
                if place is None:
                    self.new += 1
                    yield source
            if index is None and row is not None and row.position is not None:
                # The last images are gone: their rows lose the positions that others have now.
                self._order = array("Q", range(number))
                self._positions = array("q", self._first_positions(number))
            self._walked = True

    def _rows(self) -> Generator[Row, None, None]:
        return (row for row in scan(self._path, self._layout) if row)

    def _first_positions(self, count: int) -> Iterator[int]:
        for row, _ in zip(self._rows(), range(count), strict=False):
            yield -1 if row.position is None else row.position

    def _is_of(self, row: Row, source: Source) -> bool:
        if row.position != source.position:
            return False
        return row.path == source.path or _key(row.path, self._folder) == self._key(source.path)

    def _key(self, path: str) -> int:
        return _key(path, os.curdir)

    # Their order

    def settle(self) -> bool:
        """Put the rows in the order of their images, once all are there.

        Rows of images that are gone stay behind those that they followed. Returns whether anything
        had to be moved.
        """
        if not self._walked or self._order is None:
            return False
        starts = array("Q")
        end = 0
        for row in self._rows():
            starts.append(row.start)
            end = row.end
        if len(starts) != self.kept + self.new:
            return False  # not all of it was written
        starts.append(end)
        order, positions = self._full_order()
        if not positions and order == array("Q", range(len(order))):
            return False
        with closing(_Rewriting(self._path)) as new:
            new.copy(0, starts[0])
            for place, number in enumerate(order):
                start, end = starts[number], starts[number + 1]
                if positions:
                    position = positions[place] if positions[place] >= 0 else None
                    new.write(self._moved(new.content[start:end], position))
                else:
                    new.copy(start, end)
            new.commit()
        return True

    def _full_order(self) -> tuple[array[int], array[int]]:
        """Return the rows in order, also those that no image was met for, and their positions."""
        assert self._order is not None and self._positions is not None
        met = bytearray(self.kept + self.new)
        for number in self._order:
            met[number] = 1
        order, positions = array("Q"), array("q")

        def follow(number: int) -> None:
            while number < self.kept and not met[number]:
                order.append(number)
                if self._positions:
                    positions.append(-1)
                number += 1

        follow(0)
        for place, number in enumerate(self._order):
            order.append(number)
            if self._positions:
                positions.append(self._positions[place])
            if number < self.kept:
                follow(number + 1)
        return order, positions

    def _moved(self, row: bytes, position: int | None) -> bytes:
        """Return a row, or rows, with another position, which is its last cell."""
        if self._layout.form == "jsonl":
            start = row.rindex(b'"position": ') + len(b'"position": ')
            return row[:start] + json.dumps(position).encode() + b"}\n"
        text = "" if position is None else str(position)
        cells = csv.reader(io.StringIO(row.decode("utf-8", "surrogateescape"), newline=""))
        return "".join(csv_line([*line[:-1], text]) for line in cells).encode(
            "utf-8", "surrogateescape"
        )


class _Index:
    """Where the row of an image is, by the digest of its path: 17 bytes a row."""

    def __init__(self, folder: str, rows: Iterator[Row], first: Row, number: int) -> None:
        import numpy as np

        keys = array("Q", [_key(first.path, folder)])
        keys.extend(_key(row.path, folder) for row in rows)
        found = np.frombuffer(keys, np.uint64)
        self._places = np.argsort(found, kind="stable")
        self._keys = found[self._places]
        self._taken = bytearray(len(found))
        self._first = number

    def take(self, key: int) -> int | None:
        """Return the number of the first row of this key that was not taken yet, and take it."""
        import numpy as np

        i = int(np.searchsorted(self._keys, np.uint64(key)))
        while i < len(self._keys) and self._keys[i] == key:
            place = int(self._places[i])
            if not self._taken[place]:
                self._taken[place] = 1
                return self._first + place
            i += 1
        return None


class _Rewriting:
    """A file written anew from pieces of itself; it takes the old one's place when it is whole."""

    def __init__(self, path: str) -> None:
        self._old = open(path, "rb")  # noqa: SIM115
        self.content = mmap.mmap(self._old.fileno(), 0, access=mmap.ACCESS_READ)
        self._new = PartFile(path)

    def copy(self, start: int, end: int) -> None:
        """Write a piece of the old file."""
        block = 1 << 20
        for at in range(start, end, block):
            self._new.file.write(self.content[at : min(at + block, end)])

    def write(self, data: bytes) -> None:
        """Write something else."""
        self._new.file.write(data)

    def commit(self) -> None:
        """Put the new file in place of the old one."""
        self._release()  # some systems replace no open file
        self._new.commit()

    def close(self) -> None:
        """Let go of both; what was not committed is gone."""
        self._release()
        self._new.discard()

    def _release(self) -> None:
        self.content.close()
        self._old.close()


def _key(path: str, folder: str) -> int:
    """Return what tells an image from others: a digest of its absolute path.

    Two of a million images share one by chance with a probability of 3 in 100 million.
    """
    # A URL as rows have it, without its secrets.
    path = shown(path) if "://" in path else os.path.abspath(os.path.join(folder, path))
    digest = blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
