"""Query results with SQL, in a database that exists only for the query."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
from collections.abc import Generator, Iterable, Iterator
from math import isfinite

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.rows import Value
from mnv2cli.results.schema import Layout, Schema

TABLE = "results"
_STEPS = 100_000  # of the database between two looks at Ctrl-C
_RECURSIVE = 33  # SQLITE_RECURSIVE, which Python does not name
_ROWS = "rows"
_MAX_VALUE = 32 << 20
"""The most bytes of a value, and of a row of the table."""

_HARMLESS = """
    abs avg char coalesce concat concat_ws count cume_dist dense_rank first_value format glob
    group_concat hex if ifnull iif instr lag last_value lead length like likelihood likely lower
    ltrim max min nth_value ntile nullif octet_length percent_rank printf quote random rank replace
    round row_number rtrim sign soundex string_agg substr substring sum total trim typeof unhex
    unicode unlikely upper
    acos acosh asin asinh atan atan2 atanh ceil ceiling cos cosh degrees exp floor ln log log10 log2
    median mod percentile percentile_cont percentile_disc pi pow power radians sin sinh sqrt tan
    tanh trunc
    current_date current_time current_timestamp date datetime julianday strftime time timediff
    unixepoch
    -> ->> json json_array json_array_length json_extract json_group_array json_group_object
    json_insert json_object json_patch json_pretty json_quote json_remove json_replace json_set
    json_type json_valid
"""
_FUNCTIONS = frozenset(_HARMLESS.split())
"""Those that compute something of values; others read more, or make blobs."""

_EXPLAIN = re.compile(
    r"(?:[\s;\ufeff]|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*explain\b", re.IGNORECASE
)
"""EXPLAIN after comments; each character can match in one way only, so the time is linear."""
_NOT_SELECT = ("not authorized", "prohibited", "one statement", "cannot modify")
"""What the database says of anything but one SELECT."""
_TYPES = {"string": "TEXT", "float32": "REAL", "int32": "INTEGER", "int64": "INTEGER"}


class Query:
    """The rows that a SELECT returns from the table ``results``.

    The table has a row for each record, with the columns of a wide CSV, and ``label``, ``wnid`` and
    ``score`` for those of the best label. Nothing but reading this table is allowed. Infinite
    numbers become None.

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
        try:
            self._fill(records, schema)
        except sqlite3.Error as error:  # too many columns, or the disk is full
            raise InputError(f"--sql: cannot make the table {TABLE}: {error}") from error
        if sys.version_info >= (3, 11):
            self._database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE)
        self._database.set_authorizer(_authorize)
        self._stopped: KeyboardInterrupt | None = None
        looks = self._looks()
        next(looks)  # from here, Ctrl-C is raised where it is caught
        self._database.set_progress_handler(looks.__next__, _STEPS)
        if _EXPLAIN.match(sql):
            raise _not_one_select()
        try:
            self._cursor = self._database.execute(sql)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise self._refused(error) from error
        if self._cursor.description is None:
            raise InputError("the query returns nothing", "Write a SELECT, such as: " + EXAMPLE)
        self.columns = _distinct([each[0] for each in self._cursor.description])

    def rows(self) -> Iterator[dict[str, Value]]:
        """Yield the rows; raises InputError if the query fails, or returns a blob."""
        try:
            for cells in self._cursor:
                yield {
                    name: _value(name, cell) for name, cell in zip(self.columns, cells, strict=True)
                }
        except sqlite3.Error as error:
            raise self._refused(error) from error
        finally:
            self._database.close()

    def _looks(self) -> Generator[int, None, None]:
        """Yield 0 at each look at Ctrl-C; after Ctrl-C or SIGTERM, 1, which stops the query."""
        while True:
            try:
                yield 0
            except KeyboardInterrupt as error:
                self._stopped = error
                yield 1

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
        self._database.execute(f"CREATE TABLE {_ROWS} ({names})")
        self._database.executemany(f"INSERT INTO {_ROWS} VALUES ({marks})", rows())
        self._database.execute(f"CREATE TEMP VIEW {TABLE} AS SELECT *, {best} FROM {_ROWS}")

    def _refused(self, error: Exception) -> InputError | KeyboardInterrupt:
        if self._stopped is not None:
            return self._stopped
        text = str(error)
        if function := re.search(r"not authorized to use function: (.*)", text):
            return InputError(f"--sql: the function {function[1]} is not allowed")
        if "vtable" in text:
            return InputError(
                f"--sql: only the table {TABLE} can be read, not functions that return tables"
            )
        if any(words in text for words in _NOT_SELECT):
            return _not_one_select()
        if "too big" in text:
            return InputError(
                f"--sql: a value has more than {_MAX_VALUE >> 20} MiB",
                "Shorten it, as in: substr(path, 1, 1000)",
            )
        return InputError(
            f"--sql: {text}", f"The table {TABLE} has the columns {', '.join(self._known)}."
        )


EXAMPLE = f"select label, count(*) as images from {TABLE} group by label"


def _not_one_select() -> InputError:
    return InputError(
        f"--sql: only one SELECT from the table {TABLE} is allowed", f"Such as: {EXAMPLE}"
    )


def _authorize(action: int, first: str | None, second: str | None, *others: object) -> int:
    """Return whether an action is allowed: https://sqlite.org/c3ref/c_alter_table.html."""
    is_allowed = action in (sqlite3.SQLITE_SELECT, _RECURSIVE)
    if action == sqlite3.SQLITE_READ:
        # Without a column, only rows are counted; then the table may be a name of WITH.
        is_counted = not second and not (first or "").casefold().startswith("sqlite_")
        is_allowed = first in (_ROWS, TABLE) or is_counted
    elif action == sqlite3.SQLITE_FUNCTION:
        is_allowed = (second or "").casefold() in _FUNCTIONS
    return sqlite3.SQLITE_OK if is_allowed else sqlite3.SQLITE_DENY


def _value(name: str, cell: str | bytes | int | float | None) -> Value:
    """Return the value of a cell; raises InputError for a blob that is not text."""
    if isinstance(cell, bytes):
        try:
            return cell.decode()
        except UnicodeDecodeError as error:
            raise InputError(
                f"--sql: column {name} is a blob", f"Write it as text, as in: hex({name})"
            ) from error
    return None if isinstance(cell, float) and not isfinite(cell) else cell


def _distinct(names: list[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        number, made = 1, name
        while made in found:
            number += 1
            made = f"{name}_{number}"
        found.append(made)
    return found
