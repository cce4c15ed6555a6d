"""CSV: one row per image or rank; UTF-8, lines end in ``\\n``, cells are quoted where needed."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Generator, Iterable, Iterator
from typing import IO

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.fields import ERROR, PATH, POSITION, RANK, STATUS, Cell, is_row
from mnv2cli.results.formats import Format, Row, RowAccess
from mnv2cli.results.schema import Layout, Schema, cell_text, read_table, repair_hint
from mnv2cli.results.spreadsheet import restored
from mnv2cli.results.text_file import lines, open_text
from mnv2cli.system.csvtext import NUL_SIGN, csv_line

_MAX_ROW = 1 << 20  # bytes; a longer row is damage
_MAX_QUOTED = 1 << 16  # bytes of a row with line ends in its cells

_READS_NUL = sys.version_info >= (3, 11)  # the csv module of Python 3.10 does not


class CsvWriter:
    """Writes the columns ``path,status,label_1,wnid_1,score_1,...,error,model``, a row per image.

    A long layout has ``path,status,rank,label,wnid,score,error,model``, a row per rank. In a safe
    layout every cell is quoted, so no part of a cell becomes a formula if a spreadsheet separates
    cells at another character. Readers recognise the layout by the quoted header and restore the
    cells.
    """

    def __init__(self, stream: IO[bytes], layout: Layout) -> None:
        self._stream = stream
        self._schema = Schema(layout)
        self._quote = layout.safe

    def begin(self) -> None:
        """Write the header."""
        self._write([self._schema.names])

    def write(self, record: Record) -> None:
        """Write the row or rows of a record."""
        self._write(self._schema.rows(record))

    def finish(self) -> None:
        """Do nothing: a CSV is complete after every row."""

    def _write(self, rows: Iterable[Iterable[Cell]]) -> None:
        text = "".join(csv_line(map(cell_text, row), quote=self._quote) for row in rows)
        self._stream.write(text.encode("utf-8", "surrogateescape"))
        self._stream.flush()


def read_csv(path: str) -> Iterator[Record]:
    """Yield the records of a CSV file; raises InputError with the damaged line."""
    try:
        with open_text(path) as file:
            nul = _HiddenNul()
            reader = csv.reader(map(nul.hide, lines(file, path)))
            names = next(reader, [])
            rows = map(nul.restore, filter(None, reader))
            yield from read_table(names, rows, path, lambda: f"line {reader.line_num}")
    except csv.Error as error:
        raise InputError(f"{path!r} is not valid CSV: {error}", repair_hint(path)) from error


def is_safe_csv(path: str) -> bool:
    """Return whether the cells of a CSV file are escaped for spreadsheets: its header is quoted."""
    try:
        with open(path, "rb") as file:
            header = file.readline(_MAX_ROW)
    except OSError:  # reported when the file is read
        return False
    text = header.decode("utf-8-sig", "surrogateescape").rstrip("\r\n")
    try:
        names = next(csv.reader([text]), [])
    except csv.Error:
        return False
    return bool(names) and csv_line(names, quote=True).rstrip("\n") == text


class _HiddenNul:
    """Hides NUL from the csv module of Python 3.10, which refuses it."""

    def __init__(self) -> None:
        self._is_hidden = False

    def hide(self, text: str) -> str:
        """Return a text with a stand-in for each NUL."""
        if _READS_NUL or "\0" not in text:
            return text
        self._is_hidden = True
        return text.replace("\0", NUL_SIGN)

    def restore(self, cells: list[str]) -> list[str]:
        """Return cells with their NULs restored."""
        if not self._is_hidden:
            return cells
        return [cell.replace(NUL_SIGN, "\0") for cell in cells]


# Single rows, for --resume


def scan_csv(path: str, layout: Layout) -> Generator[Row | None, None, None]:
    """Yield the rows of a CSV file in order; None for each damaged part.

    Raises:
        InputError: The columns differ from the layout.
        OSError: The file cannot be read.
    """
    with open(path, "rb") as file:
        rows = _scan(file, path, layout)
        yield from _joined(rows) if layout.long else rows


def _scan(file: IO[bytes], path: str, layout: Layout) -> Iterator[Row | None]:
    names = Schema(layout).names
    header = file.readline(_MAX_ROW)
    if not header.endswith(b"\n"):  # truncated, so no row follows
        if header:
            yield None
        return
    if cells_of(header) != names:
        raise InputError(
            f"the columns of {path!r} do not match the options of this run",
            "Start over with --force, or name another file.",
        )
    read = _RowReader(names, layout.safe)
    start = len(header)
    while line := file.readline(_MAX_ROW):
        pieces = [line]
        odd, length = line.count(b'"') % 2, len(line)
        # A path may contain line ends: a row ends where all quotes are closed.
        while odd and length < _MAX_QUOTED and (more := file.readline(_MAX_QUOTED)):
            pieces.append(more)
            odd ^= more.count(b'"') % 2
            length += len(more)
        row = read(b"".join(pieces), start)
        if row is None and len(pieces) > 1:  # a stray quote must not hide intact rows
            length = len(line)
            file.seek(start + length)
        yield row
        start += length


class _RowReader:
    """Reads the cells of a row that ``--resume`` needs."""

    def __init__(self, names: list[str], safe: bool) -> None:
        self._count = len(names)
        self._safe = safe
        self._path = names.index(PATH.key)
        self._status = names.index(STATUS.name)
        self._error = names.index(ERROR.key)
        self._position = names.index(POSITION.key) if POSITION.key in names else 0
        self._rank = names.index(RANK.name) if RANK.name in names else 0

    def __call__(self, record: bytes, start: int) -> Row | None:
        cells = cells_of(record)
        if cells is None or len(cells) != self._count:
            return None
        path, error = cells[self._path], cells[self._error]
        if self._safe:
            path, error = restored(path), restored(error)
        if not is_row(path, cells[self._status], error):
            return None
        position = cells[self._position] if self._position else ""
        rank = cells[self._rank] if self._rank else ""
        if (position and not _is_number(position)) or (rank and not _is_number(rank)):
            return None
        end = start + len(record)
        return Row(path, error, int(position) if position else None, start, end, int(rank or 0))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 18


def cells_of(record: bytes) -> list[str] | None:
    """Return the cells of a row that ends in a line feed, or None if it is damaged."""
    if not record.endswith(b"\n"):
        return None
    text = record[:-1].decode("utf-8", "surrogateescape")
    if '"' not in text and "\r" not in text:
        return text.split(",")  # ten times as fast, and enough for nearly all rows
    nul = _HiddenNul()
    try:
        return nul.restore(next(csv.reader([nul.hide(text)], strict=True)))
    except (csv.Error, StopIteration):
        return None


def _joined(rows: Iterator[Row | None]) -> Iterator[Row | None]:
    """Join the rows of each image of a long table.

    An image before a damaged part may lack rows, so it counts as damaged as well.
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


def header_end(path: str) -> int:
    """Return the offset of the first row, after the header; 0 if the header is truncated."""
    with open(path, "rb") as file:
        header = file.readline(_MAX_ROW)
    return len(header) if header.endswith(b"\n") else 0


def with_position(row: bytes, position: int | None, layout: Layout) -> bytes:
    """Return the row or rows of an image with another position, which is the last cell."""
    nul = _HiddenNul()
    text = nul.hide(row.decode("utf-8", "surrogateescape"))
    last = cell_text(position)
    return b"".join(
        csv_line([*nul.restore(cells)[:-1], last], quote=layout.safe).encode(
            "utf-8", "surrogateescape"
        )
        for cells in csv.reader(io.StringIO(text, newline=""))
    )


CSV = Format(
    "csv",
    CsvWriter,
    read_csv,
    is_table=True,
    may_be_safe=True,
    is_safe=is_safe_csv,
    rows=RowAccess(scan_csv, header_end, with_position),
)
