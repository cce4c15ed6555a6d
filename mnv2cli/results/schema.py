"""One definition of a row: its columns in a table, its object in JSON, and how to read both.

Writers, readers and the scan of ``--resume`` all use it; ``fields.py`` defines the single fields.
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

_NEEDED = tuple(column.name for column in (*PATH.columns, STATUS, *ERROR.columns))
_REST = tuple(field for field in TAIL if field is not ERROR)


Extras = tuple[str, ...]
"""Names of optional fields, out of ``category``, ``node`` and ``position``, in this order."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of the rows of a file.

    Attributes:
        format: Name of the format.
        top: Predictions in each row of a wide table, at least 1.
        long: In tables, one row for each rank of an image.
        extras: The optional fields.
        safe: Cells are escaped for spreadsheets.
    """

    format: str
    top: int
    long: bool = False
    extras: Extras = ()
    safe: bool = False

    @property
    def has_position(self) -> bool:
        """Whether rows have the position of their image, as in shards."""
        return POSITION.name in self.extras


def extras(*, category: bool = False, node: bool = False, position: bool = False) -> Extras:
    """Return the names of the requested optional fields, in their order."""
    wanted = {CATEGORY.name: category, NODE.name: node, POSITION.name: position}
    return tuple(field.name for field in EXTRAS if wanted[field.name])


class UsedColumns:
    """The columns that records need, found by looking at all of them."""

    def __init__(self) -> None:
        self._top = 1
        self._extras = dict.fromkeys((field.name for field in EXTRAS), False)

    def add(self, record: Record) -> None:
        """Look at a record."""
        self._top = max(self._top, len(record.predictions))
        for name, is_used in self._extras.items():
            self._extras[name] = is_used or getattr(record, name) is not None

    @classmethod
    def of(cls, records: Iterable[Record]) -> UsedColumns:
        """Return the columns that some records need."""
        made = cls()
        for record in records:
            made.add(record)
        return made

    def layout(self, format: str = "", *, long: bool = False) -> Layout:
        """Return the layout with these columns."""
        used = tuple(name for name, is_used in self._extras.items() if is_used)
        return Layout(format, self._top, long, used)


def score_text(score: float) -> str:
    """Return a score with all its digits and without an exponent, so that ``sort -n`` works."""
    return format(Decimal(repr(score)), "f")


def cell_text(cell: Cell) -> str:
    """Return the text of a cell, as :func:`read_table` expects it."""
    if cell is None:
        return ""
    return score_text(cell) if isinstance(cell, float) else str(cell)


class Schema:
    """The columns and fields of one layout; converts records to rows and back.

    Args:
        layout: The layout of the rows.

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
        """Return the schema of a table by its column names, in any order; ignore other names.

        Raises:
            ValueError: It is not the table of a results file.
        """
        found = set(names)
        if not found.issuperset(_NEEDED):
            raise ValueError
        label, first_label, category = (
            field.columns[0].name for field in (PREDICTION, PREDICTION.ranked(1), CATEGORY)
        )
        if not found & {label, first_label, category}:
            raise ValueError
        top = sum(name.startswith(f"{label}_") for name in found)
        present = tuple(field.name for field in EXTRAS if field.key in found)
        return cls(Layout("", top, RANK.name in found, present))

    def rows(self, record: Record) -> list[list[Cell]]:
        """Return the rows of one record.

        A wide table has one row for each image, with the best ``top`` predictions. A long table
        has one row for each prediction, or one row without rank for an image that has none.
        """
        if self.layout.safe:
            record = safe_record(record)
        row: list[Cell] = [record.path, record.status]
        tail: list[Cell] = []
        for field in self._tail:
            tail += field.cells(getattr(record, field.name))
        cells = PREDICTION.cells
        if not self.layout.long:
            best = record.predictions[: self.layout.top]
            for prediction in best:
                row += cells(prediction)
            row += [None] * (len(PREDICTION.columns) * (self.layout.top - len(best)))
            return [row + tail]
        if not record.predictions:
            return [[*row, None, *cells(None), *tail]]
        return [
            [*row, rank, *cells(prediction), *tail]
            for rank, prediction in enumerate(record.predictions, 1)
        ]

    def record(self, row: Mapping[str, str]) -> Record:
        """Return the record of a row of texts; in a long table it has at most one prediction.

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
            if not texts[-1]:  # an empty score ends the ranks
                return
            yield value(*texts)

    def to_object(self, record: Record) -> dict[str, object]:
        """Return the JSON object of a record; its keys are the columns, except ``predictions``."""
        content: dict[str, object] = {
            PATH.name: record.path,
            STATUS.name: record.status,
            PREDICTION.name: [_prediction_json(p) for p in record.predictions],
        }
        for field in self._tail:
            content |= field.to_json(getattr(record, field.name))
        return content


def _prediction_json(prediction: Prediction) -> dict[str, object]:
    return {"wnid": prediction.wnid, "label": prediction.label, "score": prediction.score}


def record_from_object(item: Any) -> Record:
    """Return the record of a JSON object; only path, predictions and error are required.

    Raises:
        KeyError, TypeError, ValueError or AttributeError: The object is not a record.
    """
    path, error = PATH.from_json(item), ERROR.from_json(item)
    predictions = tuple(map(PREDICTION.from_json, item[PREDICTION.name]))
    more = {field.name: field.from_json(item) for field in _REST}
    record = Record(path, predictions, error, **more)
    if not record.path:
        raise ValueError
    return record


def row_from_object(item: Any) -> tuple[str, str, int | None]:
    """Return path, error and position of a JSON object, without reading the rest.

    Raises:
        KeyError, TypeError, ValueError or AttributeError: The object is not a row.
    """
    path, error = PATH.from_json(item), ERROR.from_json(item)
    text = path + error
    if not text.isascii():
        os.fsencode(text)  # refuses surrogates that do not stand for a byte
    if not is_row(path, item[STATUS.name], error):
        raise ValueError
    return path, error, POSITION.from_json(item)


def repair_hint(path: str) -> str:
    """Return the way out of an error about a damaged results file."""
    if path.lower().endswith((".csv", ".jsonl")):
        return "Run mnv2 classify again with --resume, which replaces damaged rows."
    return "Run mnv2 classify again with --force."


def read_table(
    names: Sequence[str], rows: Iterable[Sequence[str]], path: str, location: Callable[[], str]
) -> Iterator[Record]:
    """Yield the records of a table of texts.

    Args:
        names: The names of its columns.
        rows: Its rows, without the header.
        path: The file, for messages.
        location: Returns the location of the last row for a message, such as "line 7".

    Raises:
        InputError: The columns are not those of a results file, or a row is damaged.
    """
    try:
        schema = Schema.of_columns(names)
    except ValueError as error:
        raise InputError(
            f"{path!r} is not a results file of mnv2 classify: it has different columns",
            f"It needs the columns {', '.join(_NEEDED)}, and label or label_1 with its score.",
        ) from error
    is_long = schema.layout.long
    record: Record | None = None
    for cells in rows:
        try:
            row = dict(zip(names, cells, strict=True))  # a row of another length is damaged
            new = schema.record(row)
            rank = int(row[RANK.name]) if is_long and row[RANK.name] else 0
            if rank > 1:
                # Ranks must follow each other: a gap is a lost row.
                if record is None or (record.path, len(record.predictions)) != (new.path, rank - 1):
                    raise ValueError
                record = replace(record, predictions=record.predictions + new.predictions)
                continue
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path!r} is damaged in {location()}", repair_hint(path)) from error
        if not is_long:
            yield new
            continue
        if record is not None:
            yield record
        record = new
    if record is not None:
        yield record
