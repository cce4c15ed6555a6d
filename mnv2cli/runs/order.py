"""The order of rows: that of their images, restored once a resumed run is complete."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from contextlib import closing

from mnv2cli.errors import OutputError
from mnv2cli.results.formats import Row
from mnv2cli.runs.index import image_key
from mnv2cli.runs.kept import KeptRows, row_access
from mnv2cli.runs.rewrite import Rewriting


class RowOrder:
    """The rows of a file in the order of their images, noted as the images are met.

    Args:
        in_order: The rows at the beginning of the file, whose images were met in their order.
        count: How many these are.
        has_positions: Rows have positions, as those of shards.

    Attributes:
        rows: The numbers of rows in the file, in the order of their images.
        positions: The positions of these rows; empty where rows have none.
        replaced: The numbers of rows of errors that are done again.
    """

    def __init__(self, in_order: Iterable[Row], count: int, *, has_positions: bool) -> None:
        self.rows = array("Q", range(count))
        self.positions = array("q")
        self.replaced: set[int] = set()
        if has_positions:
            self.positions.extend(map(_position, in_order))

    def add(self, number: int, position: int | None) -> None:
        """Note the row of the next image that was met, and the image's position in a shard."""
        self.rows.append(number)
        if position is not None:
            self.positions.append(position)


def restore_order(kept: KeptRows, order: RowOrder, added: int) -> bool:
    """Put the rows in the order of their images, once all are there.

    Rows of images that are gone stay behind those that they followed; rows of errors that were
    done again go.

    Args:
        kept: The rows that were there; those that go are forgotten.
        order: The order of the rows whose images were met.
        added: How many rows were added behind those that were there.

    Returns:
        Whether anything had to be moved.

    Raises:
        OSError: The file cannot be read or written.
        OutputError: It does not hold the rows that it should.
    """
    met = _met(order, kept.count + added)
    starts, before, later = _survey(kept, order, met)
    numbers, positions = _full_order(order, met, later, first_new=len(met) - added)
    if numbers == array("Q", range(len(met))) and positions in (array("q"), before):
        return False
    with_position = row_access(kept.layout).with_position
    with closing(Rewriting(kept.path)) as new:
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


def _met(order: RowOrder, count: int) -> bytearray:
    """Return for each row whether an image was met for it, or it was replaced."""
    met = bytearray(count)
    for number in order.rows:
        met[number] = 1
    for number in order.replaced:
        met[number] = 1
    return met


def _survey(
    kept: KeptRows, order: RowOrder, met: bytearray
) -> tuple[array[int], array[int], dict[int, int]]:
    """Return where each row begins, its position, and which ones take the place of errors.

    The latter are what a run did again that was killed before it could put rows in order.
    """
    starts, before = array("Q"), array("q")
    again: dict[int, int] = {}  # rows that no image was met for, by key
    errors: list[tuple[int, Row, int]] = []  # rows of errors, with their keys and numbers
    end = 0
    for number, row in enumerate(kept.all_rows()):
        starts.append(row.start)
        before.append(_position(row))
        end = row.end
        if number >= len(met):
            break
        if number in order.replaced:
            kept.forget(row)
        elif not met[number]:
            again[image_key(row.path, kept.folder)] = number
        elif row.error:
            errors.append((image_key(row.path, kept.folder), row, number))
    if len(starts) != len(met):
        raise OutputError(
            f"{kept.path!r} holds {len(starts):,} rows where {len(met):,} were written",
            "Does something else write to it? Go on with --resume.",
        )
    starts.append(end)
    later = {}
    for key, row, old in errors:
        if again.get(key, 0) > old:
            later[old] = again[key]
            kept.forget(row)
    return starts, before, later


def _full_order(
    order: RowOrder, met: bytearray, later: dict[int, int], *, first_new: int
) -> tuple[array[int], array[int]]:
    """Return the rows in order, also those that no image was met for, and their positions."""
    numbers, positions = array("Q"), array("q")
    moved = set(later.values())

    def follow(number: int) -> None:
        while number < first_new and (not met[number] or number in order.replaced):
            if not met[number] and number not in moved:
                numbers.append(number)
                if order.positions:
                    positions.append(-1)
            number += 1

    follow(0)
    for place, number in enumerate(order.rows):
        numbers.append(later.get(number, number))
        if order.positions:
            positions.append(order.positions[place])
        if number < first_new:
            follow(number + 1)
    return numbers, positions


def _position(row: Row) -> int:
    return -1 if row.position is None else row.position
