"""Restore the order of rows after a resumed run: the order of their images."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from contextlib import closing

from mnv2cli.errors import OutputError
from mnv2cli.results.formats import Row
from mnv2cli.runs.index import image_key
from mnv2cli.runs.kept import KeptRows, row_access
from mnv2cli.runs.rewrite import Rewrite
from mnv2cli.system.messages import count


class RowOrder:
    """The order of rows, recorded as their images are found.

    Args:
        in_order: The rows at the beginning of the file whose images were found in that order.
        count: The number of these rows.
        has_positions: Rows have positions, as in shards.

    Attributes:
        rows: The numbers of rows in the file, in the order of their images.
        positions: The positions of these rows; empty if rows have none.
        replaced: The numbers of error rows whose images are classified again.
    """

    def __init__(self, in_order: Iterable[Row], count: int, *, has_positions: bool) -> None:
        self.rows = array("Q", range(count))
        self.positions = array("q")
        self.replaced: set[int] = set()
        if has_positions:
            self.positions.extend(map(_position, in_order))

    def add(self, number: int, position: int | None) -> None:
        """Record the row of the next image, and its position in a shard."""
        self.rows.append(number)
        if position is not None:
            self.positions.append(position)


def restore_order(kept: KeptRows, order: RowOrder, added: int) -> bool:
    """Put the rows in the order of their images, once the file has all of them.

    Rows of deleted images stay after the rows that they followed; error rows whose images were
    classified again are removed.

    Args:
        kept: The rows from earlier runs; removed rows are no longer counted.
        order: The order of the rows whose images were found.
        added: The number of rows that were appended.

    Returns:
        Whether the file was rewritten.

    Raises:
        OSError: The file cannot be read or written.
        OutputError: The file does not have the expected rows.
    """
    found = _found_rows(order, kept.count + added)
    starts, old_positions, replacements = _survey(kept, order, found)
    numbers, positions = _full_order(order, found, replacements, first_new=len(found) - added)
    if numbers == array("Q", range(len(found))) and positions in (array("q"), old_positions):
        return False
    with_position = row_access(kept.layout).with_position
    with closing(Rewrite(kept.path)) as new:
        new.copy(0, starts[0])
        for place, number in enumerate(numbers):
            start, end = starts[number], starts[number + 1]
            if positions:
                position = positions[place] if positions[place] >= 0 else None
                new.write(with_position(new.content[start:end], position, kept.layout))
            else:
                new.copy(start, end)
        new.commit()
    return True


def _found_rows(order: RowOrder, count: int) -> bytearray:
    """Return for each row whether its image was found or the row was replaced."""
    found = bytearray(count)
    for number in order.rows:
        found[number] = 1
    for number in order.replaced:
        found[number] = 1
    return found


def _survey(
    kept: KeptRows, order: RowOrder, found: bytearray
) -> tuple[array[int], array[int], dict[int, int]]:
    """Return the offset of each row, its position, and the rows that replace errors.

    A run with ``--retry-errors`` that was killed before restoring the order leaves such rows.
    """
    starts, old_positions = array("Q"), array("q")
    unmatched: dict[int, int] = {}  # rows without an image, by key
    errors: list[tuple[int, Row, int]] = []  # rows of errors, with their keys and numbers
    end = 0
    for number, row in enumerate(kept.all_rows()):
        starts.append(row.start)
        old_positions.append(_position(row))
        end = row.end
        if number >= len(found):
            break
        if number in order.replaced:
            kept.forget(row)
        elif not found[number]:
            unmatched[image_key(row.path, kept.folder)] = number
        elif row.error:
            errors.append((image_key(row.path, kept.folder), row, number))
    if len(starts) != len(found):
        raise OutputError(
            f"{kept.path!r} has {count(len(starts), 'row')}, but {len(found):,} were written: "
            "another program changed it",
            "Run the command again with --resume.",
        )
    starts.append(end)
    replacements = {}
    for key, row, old in errors:
        if unmatched.get(key, 0) > old:
            replacements[old] = unmatched[key]
            kept.forget(row)
    return starts, old_positions, replacements


def _full_order(
    order: RowOrder, found: bytearray, replacements: dict[int, int], *, first_new: int
) -> tuple[array[int], array[int]]:
    """Return all rows in order, including those without an image, and their positions."""
    numbers, positions = array("Q"), array("q")
    moved = set(replacements.values())

    def append_unmatched(number: int) -> None:
        while number < first_new and (not found[number] or number in order.replaced):
            if not found[number] and number not in moved:
                numbers.append(number)
                if order.positions:
                    positions.append(-1)
            number += 1

    append_unmatched(0)
    for place, number in enumerate(order.rows):
        numbers.append(replacements.get(number, number))
        if order.positions:
            positions.append(order.positions[place])
        if number < first_new:
            append_unmatched(number + 1)
    return numbers, positions


def _position(row: Row) -> int:
    return -1 if row.position is None else row.position
