"""Query results with SQL, in a database that exists only for the query."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.rows import Value
from mnv2cli.results.schema import Layout, Schema

TABLE = "results"
_STEPS = 100_000  # of the database between two looks at Ctrl-C
_ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    33,  # SQLITE_RECURSIVE, which Python does not name
}
_NOT_SELECT = ("not authorized", "prohibited", "one statement", "cannot modify")
"""What the database says of anything but one SELECT."""
_TYPES = {"string": "TEXT", "float32": "REAL", "int32": "INTEGER", "int64": "INTEGER"}


class Query:
    """The rows that a SELECT returns from the table ``results``.

    The table has a row for each record, with the columns of a wide CSV, and ``label``, ``wnid`` and
    ``score`` for those of the best label. Nothing but reading this table is allowed.

    Args:
        records: The records.
        layout: The columns of the table.
        sql: The query.

    Attributes:
        columns: The names of the columns that it returns; repeated ones have a number.

    Raises:
        InputError: The query is not valid, or does more than select.
    """

    def __init__(self, records: Iterable[Record], layout: Layout, sql: str) -> None:
        schema = Schema(layout)
        self._known = [*schema.names, "label", "wnid", "score"]
        self._database = sqlite3.connect("")  # a temporary file, as far as it exceeds memory
        self._database.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        self._fill(records, schema)
        self._database.set_authorizer(_authorize)
        self._database.set_progress_handler(lambda: 0, _STEPS)  # lets Ctrl-C in
        try:
            self._cursor = self._database.execute(sql)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise self._refused(error) from error
        if self._cursor.description is None:
            raise InputError("the query returns nothing", "Write a SELECT, such as: " + EXAMPLE)
        self.columns = _distinct([each[0] for each in self._cursor.description])

    def rows(self) -> Iterator[dict[str, Value]]:
        """Yield the rows; raises InputError if the query fails."""
        try:
            for cells in self._cursor:
                yield {
                    name: cell.decode("utf-8", "surrogateescape")
                    if isinstance(cell, bytes)
                    else cell
                    for name, cell in zip(self.columns, cells, strict=True)
                }
        except sqlite3.Error as error:
            raise self._refused(error) from error
        finally:
            self._database.close()

    def _fill(self, records: Iterable[Record], schema: Schema) -> None:
        types = [_TYPES[column.type] for column in schema.columns]
        names = ", ".join(
            f'"{name}" {type}' for name, type in zip(schema.names, types, strict=True)
        )
        # The bytes of a path need not be UTF-8.
        marks = ", ".join("CAST(? AS TEXT)" if type == "TEXT" else "?" for type in types)
        texts = [place for place, type in enumerate(types) if type == "TEXT"]

        def rows() -> Iterator[list[object]]:
            for record in records:
                cells: list[object] = list(schema.rows(record)[0])
                for place in texts:
                    if cells[place] is not None:
                        cells[place] = os.fsencode(str(cells[place]))
                yield cells

        best = "label_1 AS label, wnid_1 AS wnid, score_1 AS score"
        self._database.execute(f"CREATE TABLE rows ({names})")
        self._database.executemany(f"INSERT INTO rows VALUES ({marks})", rows())
        self._database.execute(f"CREATE TEMP VIEW {TABLE} AS SELECT *, {best} FROM rows")

    def _refused(self, error: Exception) -> InputError:
        text = str(error)
        if any(words in text for words in _NOT_SELECT):
            return InputError(
                f"--sql: only one SELECT from the table {TABLE} is allowed", f"Such as: {EXAMPLE}"
            )
        return InputError(
            f"--sql: {text}", f"The table {TABLE} has the columns {', '.join(self._known)}."
        )


EXAMPLE = f"select label, count(*) as images from {TABLE} group by label"


def _authorize(action: int, *names: object) -> int:
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _distinct(names: list[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        number, made = 1, name
        while made in found:
            number += 1
            made = f"{name}_{number}"
        found.append(made)
    return found
