"""Lines and cells of a CSV, as bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate, count
from typing import IO

from mnv2cli.results.csv_format import cells_of
from mnv2cli.selecting.sieve import Sieve

Cells = list[bytes]
"""Cells of a row: all, or the first ones."""

Line = tuple[bytes, int, int]
"""A line without its line feed, its offset without the line feeds before it, and their number."""

MAX_ROW = 16 << 20
"""The most bytes of a row."""

_BLOCK = 1 << 20  # bytes


def blocks(file: IO[bytes], start: int, sieve: Sieve | None) -> Iterator[Iterable[Line]]:
    """Yield the lines of a file from an offset, many at a time."""
    rest, index = b"", 0
    while read := file.read(_BLOCK):
        lines, end, after = (rest + read).rpartition(b"\n")
        if len(after) > MAX_ROW:
            raise ValueError
        block, rest = lines + end, after
        if not block:
            continue
        yield _lines(block, start - index, index, sieve)
        start += len(block)
        index += block.count(b"\n")
    if rest:
        yield [(rest, start - index, index)]


def _lines(block: bytes, before: int, index: int, sieve: Sieve | None) -> Iterable[Line]:
    """Return the lines of a block; those that a sieve drops are missing.

    Args:
        block: Whole lines.
        before: The offset of its first line, without the line feeds before it.
        index: The number of lines before it.
        sieve: Drops rows.
    """
    kept = sieve(block) if sieve else None
    if kept is not None:
        return [(block[a:b], before + a - i, index + i) for i, a, b in kept]
    lines = block[:-1].split(b"\n")
    return zip(lines, accumulate(map(len, lines), initial=before), count(index))


def whole(line: bytes, lines: Iterator[Line]) -> bytes:
    """Return a row that starts with a line: up to the line where all quotes are closed."""
    while line.count(b'"') % 2 and len(line) < MAX_ROW and (more := next(lines, None)) is not None:
        line += b"\n" + more[0]
    return line


def quoted(raw: bytes) -> Cells:
    """Return the cells of a row with quotes or carriage returns; none if it is damaged."""
    return all_cells(raw.removesuffix(b"\r") + b"\n")


def all_cells(raw: bytes) -> Cells:
    """Return all cells of a row that ends in a line feed; none if it is damaged."""
    if raw.endswith(b"\r\n"):
        raw = raw[:-2] + b"\n"
    return [cell.encode("utf-8", "surrogateescape") for cell in cells_of(raw) or []]
