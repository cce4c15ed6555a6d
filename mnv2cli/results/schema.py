"""One definition of a row: its columns in a table, its object in JSON, and the way back from both.

Writers, readers and the scan of ``--resume`` all ask for it here; what each field of a record is
made of stands in ``fields.py``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from operator import itemgetter
from typing import Any

from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record
from mnv2cli.results.fields import (
    CATEGORY,
    ERROR,
    EXTRAS,
    NODE,
    PATH,
    POSITION,
    PREDICTION,
    RANK,
    STATUS,
    TAIL,
    Cell,
    Column,
    is_row,
)
from mnv2cli.results.spreadsheet import safe_record

_REST = tuple(field for field in TAIL if field is not ERROR)

Extras = tuple[str, ...]
"""Which fields rows have besides, of ``category``, ``node`` and ``position``."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the rows of a file look like.

    Attributes:
        format: Name of the format.
        top: Predictions in a row, in tables.
        long: In tables, a row for each rank of an image.
        extras: Further fields, of ``category``, ``node`` and ``position``.
        safe: Cells are safe for spreadsheets.
    """

    format: str
    top: int
    long: bool = False
    extras: Extras = ()
    safe: bool = False

    @property
    def has_position(self) -> bool:
        """Whether rows have their position among all images, as those of shards."""
        return POSITION.name in self.extras


def extras(*, category: bool = False, node: bool = False, position: bool = False) -> Extras:
    """Return the names of the fields that rows have besides, in their order."""
    wanted = {CATEGORY.name: category, NODE.name: node, POSITION.name: position}
    return tuple(field.name for field in EXTRAS if wanted[field.name])


def score_text(score: float) -> str:
    """Return a score with all its digits and no exponent, so that ``sort -n`` understands it."""
    return format(Decimal(repr(score)), "f")


def cell_text(cell: Cell) -> str:
    """Return the text of a cell; :func:`read_table` takes such texts."""
    if cell is None:
        return ""
    return score_text(cell) if isinstance(cell, float) else str(cell)


class Schema:
    """The columns and fields of rows of one layout, and both directions between them and records.

    Args:
        layout: What rows look like.

    Attributes:
        layout: As given.
        columns: The columns of the table.
        names: Their names.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._ranked = tuple(PREDICTION.ranked(i) for i in range(1, layout.top + 1))
        self._tail = tuple(
            field for field in TAIL if field not in EXTRAS or field.name in layout.extras
        )
        predictions: tuple[Column, ...] = (RANK, *PREDICTION.columns)
        if not layout.long:
            predictions = tuple(column for field in self._ranked for column in field.columns)
        tail = (column for field in self._tail for column in field.columns)
        self.columns = (*PATH.columns, STATUS, *predictions, *tail)
        self.names = [column.name for column in self.columns]
        self._read = [
            (itemgetter(*(column.name for column in field.columns)), field.value)
            for field in ((PREDICTION,) if layout.long else self._ranked)
        ]

    @classmethod
    def of_columns(cls, names: Iterable[str]) -> Schema:
        """Return the schema of a table that has these columns, in any order, and maybe others.

        Raises:
            ValueError: It is not a table of results.
        """
        found = set(names)
        needed = {*PATH.columns, STATUS, *ERROR.columns}
        if not {column.name for column in needed} <= found:
            raise ValueError
        label, first_label, category = (
            field.columns[0].name for field in (PREDICTION, PREDICTION.ranked(1), CATEGORY)
        )
        if not found & {label, first_label, category}:
            raise ValueError
        top = sum(name.startswith(f"{label}_") for name in found)
        there = tuple(field.name for field in EXTRAS if field.key in found)
        return cls(Layout("", top, RANK.name in found, there))

    def rows(self, record: Record) -> list[list[Cell]]:
        """Return the rows of one record.

        A wide table has one row for each image; a long one has one for each rank, and one without
        rank for an image that has no predictions.
        """
        if self.layout.safe:
            record = safe_record(record)
        row: list[Cell] = [record.path, record.status]
        tail: list[Cell] = []
        for field in self._tail:
            tail += field.cells(getattr(record, field.name))
        cells = PREDICTION.cells
        if not self.layout.long:
            for prediction in record.predictions:
                row += cells(prediction)
            row += [None] * (len(PREDICTION.columns) * (self.layout.top - len(record.predictions)))
            return [row + tail]
        if not record.predictions:
            return [[*row, None, *cells(None), *tail]]
        return [
            [*row, rank, *cells(prediction), *tail]
            for rank, prediction in enumerate(record.predictions, 1)
        ]

    def record(self, row: Mapping[str, str]) -> Record:
        """Return the record of a row of texts; of a long table it has one prediction at most.

        Raises:
            KeyError: A column is missing.
            ValueError: The row is damaged.
        """
        path, error = row[PATH.key], row[ERROR.key]
        if not is_row(path, row[STATUS.name], error):
            raise ValueError
        more = {field.name: field.read(row) for field in self._tail}
        return Record(path, tuple(self._predictions(row)), **more)

    def _predictions(self, row: Mapping[str, str]) -> Iterator[Prediction]:
        for texts_in, value in self._read:
            texts = texts_in(row)
            if not texts[-1]:  # without a score there are no further ranks
                return
            yield value(*texts)

    def to_object(self, record: Record) -> dict[str, object]:
        """Return a record as JSON has it: path, status, predictions as a list, and the rest."""
        content: dict[str, object] = {
            PATH.name: record.path,
            STATUS.name: record.status,
            PREDICTION.name: [PREDICTION.to_json(p) for p in record.predictions],
        }
        for field in self._tail:
            content[field.name] = field.to_json(getattr(record, field.name))
        return content


def record_from_object(item: Any) -> Record:
    """Return the record of an object of JSON; it may lack all but path, predictions and error.

    Raises:
        KeyError, TypeError, ValueError or AttributeError: It is no record.
    """
    path, error = PATH.from_json(item[PATH.name]), ERROR.from_json(item[ERROR.name])
    predictions = tuple(map(PREDICTION.from_json, item[PREDICTION.name]))
    more = {field.name: field.from_json(item[field.name]) for field in _REST if field.name in item}
    record = Record(path, predictions, error, **more)
    if not record.path:
        raise ValueError
    return record


def row_from_object(item: Any) -> tuple[str, str, int | None]:
    """Return path, error and position of an object of JSON, without a look at the rest.

    Raises:
        KeyError, TypeError, ValueError or AttributeError: It is no row.
    """
    path, error = PATH.from_json(item[PATH.name]), ERROR.from_json(item[ERROR.name])
    text = path + error
    if not text.isascii():
        os.fsencode(text)  # refuses surrogates that stand for no byte
    if not is_row(path, item[STATUS.name], error):
        raise ValueError
    return path, error, POSITION.from_json(item.get(POSITION.name))


def read_table(
    names: Sequence[str], rows: Iterable[Sequence[str]], path: str, location: Callable[[], str]
) -> Iterator[Record]:
    """Yield the records of a table, whose cells are texts.

    Args:
        names: The names of its columns.
        rows: Its rows, without the header.
        path: The file, for messages.
        location: Called for damage, returns where the last row stands, such as "line 7".

    Raises:
        InputError: Its columns are others, or it is damaged.
    """
    try:
        schema = Schema.of_columns(names)
    except ValueError as error:
        raise InputError(
            f"{path!r} holds no results of mnv2 classify: its columns are others"
        ) from error
    is_long = schema.layout.long
    record: Record | None = None
    for cells in rows:
        try:
            row = dict(zip(names, cells, strict=True))  # one of another length is cut
            new = schema.record(row)
            rank = int(row[RANK.name]) if is_long and row[RANK.name] else 0
            if rank > 1:
                # A rank that is missing is not made good by the next one.
                if record is None or (record.path, len(record.predictions)) != (new.path, rank - 1):
                    raise ValueError
                record = replace(record, predictions=record.predictions + new.predictions)
                continue
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path!r} is damaged in {location()}") from error
        if not is_long:
            yield new
            continue
        if record is not None:
            yield record
        record = new
    if record is not None:
        yield record
