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
from itertools import chain, islice
from typing import IO, NamedTuple

from mnv2cli.errors import InputError, OutputError
from mnv2cli.records import Source
from mnv2cli.results.spreadsheet import restored
from mnv2cli.results.write import Extra, columns
from mnv2cli.sources.urls import absolute, redact
from mnv2cli.system.csvtext import NUL_SIGN, csv_line
from mnv2cli.system.files import PartFile

FORMS = ("csv", "jsonl")
"""Formats that can be taken up again: those that are whole after every row."""

_LONGEST_ROW = 1 << 20  # bytes; longer ones are damage
_LONGEST_QUOTED = 1 << 16  # bytes of a row whose cells hold line ends
_MOST_REASONS = 1000


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


class Row(NamedTuple):
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


def scan(path: str, layout: Layout) -> Generator[Row | None, None, None]:
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
        os.fsencode(path + error)  # what no file can be named
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not path or status != ("error" if error else "ok") or not isinstance(position, int | None):
        return None
    return Row(path, error, position, start, end)


def _scan_csv(file: IO[bytes], path: str, layout: Layout) -> Iterator[Row | None]:
    names = columns(layout.top, layout.long, layout.extra)
    header = file.readline(_LONGEST_ROW)
    if not header.endswith(b"\n"):  # cut short: nothing came after it
        if header:
            yield None
        return
    if _cells(header) != names:
        raise InputError(f"{path!r} holds other columns than this run writes")
    read = _RowReader(names, layout.safe)
    start = len(header)
    while line := file.readline(_LONGEST_ROW):
        pieces = [line]
        odd, length = line.count(b'"') % 2, len(line)
        # A name may hold line ends: a row ends where all quotes are closed.
        while odd and length < _LONGEST_QUOTED and (more := file.readline(_LONGEST_QUOTED)):
            pieces.append(more)
            odd ^= more.count(b'"') % 2
            length += len(more)
        row = read(b"".join(pieces), start)
        if row is None and len(pieces) > 1:  # a stray quote must not swallow good rows
            length = len(line)
            file.seek(start + length)
        yield row
        start += length


class _RowReader:
    """Reads rows of a CSV with these columns."""

    def __init__(self, names: list[str], safe: bool) -> None:
        self._count = len(names)
        self._safe = safe
        self._status = names.index("status")
        self._error = names.index("error")
        self._position = names.index("position") if "position" in names else 0
        self._rank = names.index("rank") if "rank" in names else 0

    def __call__(self, record: bytes, start: int) -> Row | None:
        cells = _cells(record)
        if cells is None or len(cells) != self._count:
            return None
        path, error = cells[0], cells[self._error]
        if self._safe:
            path, error = restored(path), restored(error)
        if not path or cells[self._status] != ("error" if error else "ok"):
            return None
        numbers = []
        for column in (self._position, self._rank):
            text = cells[column] if column else ""
            if text and not (text.isascii() and text.isdigit() and len(text) < 18):
                return None
            numbers.append(int(text) if text else None)
        position, rank = numbers
        return Row(path, error, position, start, start + len(record), rank or 0)


def _cells(record: bytes) -> list[str] | None:
    """Return the cells of one row of CSV, or None if it is none."""
    if not record.endswith(b"\n"):
        return None
    text = record[:-1].decode("utf-8", "surrogateescape")
    if '"' not in text and "\r" not in text:
        return text.split(",")  # most rows, and ten times as fast
    try:  # Python 3.10's csv knows no NUL
        cells = next(csv.reader([text.replace("\0", NUL_SIGN)], strict=True))
    except (csv.Error, StopIteration):
        return None
    return [cell.replace(NUL_SIGN, "\0") for cell in cells]


def _joined(rows: Iterator[Row | None]) -> Iterator[Row | None]:
    """Join the rows of one image in a long table.

    An image before damage may lack some of its rows, and is damage, too.
    """
    last: Row | None = None
    for row in rows:
        if row and last and row.path == last.path and row.rank == last.rank + 1 > 1:
            last = Row(row.path, row.error, row.position, last.start, row.end, row.rank)
            continue
        is_damage = row is None or row.rank > 1
        if last:
            yield None if is_damage else last
        if is_damage:
            yield None
        last = None if is_damage else row
    if last:
        yield last


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
        kept: How many rows stay.
        dropped: How many pieces were no whole rows.
        errors: How many rows that stay are errors, by reason.

    Raises:
        InputError: Its columns are others, or it names images as seen from another folder.
        OSError: It cannot be read.
    """

    def __init__(
        self, path: str, layout: Layout, folder: str, *, whole: bool, retry_errors: bool
    ) -> None:
        self._path = os.path.realpath(path)
        self._layout = layout
        self._folder = folder
        self._is_here = os.path.samefile(folder, os.curdir)
        self._has_positions = "position" in layout.extra
        self._retry_errors = retry_errors
        self._gaps = array("Q")  # pairs of start and end of what is no row
        self._order: array[int] | None = None  # rows in the order of their images
        self._positions: array[int] | None = None  # of these rows, in a shard
        self._replaced: set[int] = set()  # rows of errors that were done again
        self._walked = False
        self.kept = 0
        self.new = 0
        self.dropped = 0
        self.errors: Counter[str] = Counter()
        self._look(doubt_last=layout.long and not whole)

    def _look(self, doubt_last: bool) -> None:
        """Find what in the file is no row, and count the rest."""
        self._end = self._begin()
        last = None
        for row in scan(self._path, self._layout):
            if row is None:
                self.dropped += 1
                continue
            if not self._is_here and absolute(row.path, "") != absolute(row.path, os.sep):
                raise InputError(
                    f"{self._path!r} names images as seen from {self._folder!r}",
                    "Go on from there, or name another file.",
                )
            if row.start > self._end:
                self._gaps.extend((self._end, row.start))
            last, self._end = row, row.end
            self.kept += 1
            if row.error:
                self._count_error(row, 1)
        self._size = os.path.getsize(self._path)
        if doubt_last and last and last.end == self._size:  # its further ranks may be missing
            self.kept -= 1
            self._end = last.start
            if last.error:
                self._count_error(last, -1)

    def _count_error(self, row: Row, by: int) -> None:
        reason = row.error.partition(":")[0][:80]
        if reason not in self.errors and len(self.errors) >= _MOST_REASONS:
            reason = "other reasons"
        self.errors[reason] += by
        if not self.errors[reason]:
            del self.errors[reason]

    def _begin(self) -> int:
        """Return where the first row begins."""
        if self._layout.form != "csv":
            return 0
        with open(self._path, "rb") as file:
            header = file.readline(_LONGEST_ROW)
        return len(header) if header.endswith(b"\n") else 0

    def clean(self) -> None:
        """Take out of the file what is no row; raises OSError."""
        pairs = zip(self._gaps[::2], self._gaps[1::2], strict=True)
        gaps = [(a, b) for a, b in pairs if a < self._end]
        if not gaps:
            if self._end < self._size:
                os.truncate(self._path, self._end)
            return
        with closing(_Rewriting(self._path)) as new:
            start = 0
            for a, b in gaps:
                new.copy(start, a)
                start = b
            new.copy(start, self._end)
            new.commit()

    # Which images are left

    def remaining(self, sources: Iterable[Source]) -> Iterator[Source]:
        """Yield the sources that have no row yet, and note the order of all."""
        with closing(self._rows()) as rows:
            row = next(rows, None)
            number = 0  # of images that were met
            index: _Index | None = None
            for source in sources:
                if index is None and row is not None:
                    if self._is_of(row, source) and not (row.error and self._retry_errors):
                        row = next(rows, None)
                        number += 1
                        continue
                    index = _Index(self._folder, rows, row, number)
                    self._begin_order(number)
                if index is None:
                    self.new += 1
                    yield source
                    continue
                place = self._take(index, source)
                assert self._order is not None and self._positions is not None
                self._order.append(self.kept + self.new if place is None else place)
                if source.position is not None:
                    self._positions.append(source.position)
                if place is None:
                    self.new += 1
                    yield source
            if row is not None and index is None:  # images are gone, or errors were done again
                self._begin_order(number)
            self._walked = True

    def _take(self, index: _Index, source: Source) -> int | None:
        """Return the number of the row of an image, or None if it has to be done."""
        key = _key(source.path, os.curdir)
        while True:
            place, is_error = index.take(key)
            if place is None or not (is_error and self._retry_errors):
                return place
            self._replaced.add(place)

    def _begin_order(self, number: int) -> None:
        """Note the order of the rows from here on; those before are in order."""
        self._order = array("Q", range(number))
        self._positions = array("q")
        if self._has_positions:
            self._positions.extend(_position(row) for row in islice(self._rows(), number))

    def _rows(self) -> Generator[Row, None, None]:
        """Yield the rows that stay, of the file as it is or as it was before it was cleaned."""
        count = 0
        for row in scan(self._path, self._layout):
            if row:
                count += 1
                if count > self.kept:
                    return
                yield row

    def _is_of(self, row: Row, source: Source) -> bool:
        if row.position != source.position:
            return False
        if self._is_here and row.path == source.path:
            return True
        return _key(row.path, self._folder) == _key(source.path, os.curdir)

    # Their order

    def settle(self) -> bool:
        """Put the rows in the order of their images, once all are there.

        Rows of images that are gone stay behind those that they followed; rows of errors that
        were done again go. Returns whether anything had to be moved.

        Raises:
            OSError: The file cannot be read or written.
            OutputError: It does not hold the rows that it should.
        """
        if not self._walked or self._order is None:
            return False
        met = self._met()
        starts, before, later = self._survey(met)
        order, positions = self._full_order(met, later)
        if order == array("Q", range(len(met))) and positions in (array("q"), before):
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

    def _survey(self, met: bytearray) -> tuple[array[int], array[int], dict[int, int]]:
        """Return where each row begins, its position, and which ones take the place of errors.

        The latter are what a run did again that was killed before it could put rows in order.
        """
        starts, before = array("Q"), array("q")
        again: dict[int, int] = {}  # rows that no image was met for, by key
        errors: list[tuple[int, Row, int]] = []  # rows of errors, with their keys and numbers
        end = 0
        for number, row in enumerate(filter(None, scan(self._path, self._layout))):
            starts.append(row.start)
            before.append(_position(row))
            end = row.end
            if number >= len(met):
                break
            if number in self._replaced:
                self._forget(row)
            elif not met[number]:
                again[_key(row.path, self._folder)] = number
            elif row.error:
                errors.append((_key(row.path, self._folder), row, number))
        if len(starts) != len(met):
            raise OutputError(
                f"{self._path!r} holds {len(starts):,} rows where {len(met):,} were written",
                "Does something else write to it? Go on with --resume.",
            )
        starts.append(end)
        later = {}
        for key, row, old in errors:
            if again.get(key, 0) > old:
                later[old] = again[key]
                self._forget(row)
        return starts, before, later

    def _forget(self, row: Row) -> None:
        """Count a row of an error no more: another one has taken its place."""
        self.kept -= 1
        self._count_error(row, -1)

    def _met(self) -> bytearray:
        """Return for each row whether an image was met for it, or it was replaced."""
        assert self._order is not None
        met = bytearray(self.kept + self.new)
        for number in self._order:
            met[number] = 1
        for number in self._replaced:
            met[number] = 1
        return met

    def _full_order(self, met: bytearray, later: dict[int, int]) -> tuple[array[int], array[int]]:
        """Return the rows in order, also those that no image was met for, and their positions."""
        assert self._order is not None and self._positions is not None
        order, positions = array("Q"), array("q")
        moved, first_new = set(later.values()), len(met) - self.new

        def follow(number: int) -> None:
            while number < first_new and (not met[number] or number in self._replaced):
                if not met[number] and number not in moved:
                    order.append(number)
                    if self._positions:
                        positions.append(-1)
                number += 1

        follow(0)
        for place, number in enumerate(self._order):
            order.append(later.get(number, number))
            if self._positions:
                positions.append(self._positions[place])
            if number < first_new:
                follow(number + 1)
        return order, positions

    def _moved(self, row: bytes, position: int | None) -> bytes:
        """Return a row, or rows, with another position, which is its last cell."""
        if self._layout.form == "jsonl":
            start = row.rindex(b'"position": ') + len(b'"position": ')
            return row[:start] + json.dumps(position).encode() + b"}\n"
        text = "" if position is None else str(position)
        lines = io.StringIO(
            row.decode("utf-8", "surrogateescape").replace("\0", NUL_SIGN), newline=""
        )
        return b"".join(
            csv_line([*cells[:-1], text], quote=self._layout.safe)
            .replace(NUL_SIGN, "\0")
            .encode("utf-8", "surrogateescape")
            for cells in csv.reader(lines)
        )


def _position(row: Row) -> int:
    return -1 if row.position is None else row.position


class _Index:
    """Where the row of an image is, by the digest of its path: 18 bytes a row."""

    def __init__(self, folder: str, rows: Iterator[Row], first: Row, number: int) -> None:
        import numpy as np

        keys, errors = array("Q"), bytearray()
        for row in chain([first], rows):
            keys.append(_key(row.path, folder))
            errors.append(bool(row.error))
        found = np.frombuffer(keys, np.uint64)
        self._places = np.argsort(found, kind="stable")
        self._keys = found[self._places]
        self._errors = errors
        self._taken = bytearray(len(found))
        self._first = number

    def take(self, key: int) -> tuple[int | None, bool]:
        """Take the first row of this key that was not taken yet.

        Returns:
            Its number, or None if there is none, and whether it is an error.
        """
        import numpy as np

        i = int(np.searchsorted(self._keys, np.uint64(key)))
        while i < len(self._keys) and self._keys[i] == key:
            place = int(self._places[i])
            if not self._taken[place]:
                self._taken[place] = 1
                return self._first + place, bool(self._errors[place])
            i += 1
        return None, False


class _Rewriting:
    """A file written anew from pieces of itself; it takes the old one's place when it is whole."""

    def __init__(self, path: str) -> None:
        folder, name = os.path.split(path)
        for entry in os.listdir(folder):  # what a run left that was killed here
            if entry.startswith(f".{name}.") and entry.endswith(".part"):
                os.unlink(os.path.join(folder, entry))
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
    path = absolute(path, os.path.abspath(folder))
    # A URL as rows have it, without its secrets.
    path = redact(path) if "://" in path else os.path.normpath(path)
    digest = blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
