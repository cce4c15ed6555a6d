"""Records and results files as pandas tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mnv2cli.records import Record
from mnv2cli.results.read import read_results
from mnv2cli.results.schema import Layout, Schema, UsedColumns

if TYPE_CHECKING:
    import pandas as pd


def to_dataframe(records: Iterable[Record], top: int = 5, *, long: bool = False) -> pd.DataFrame:
    """Return records as a pandas table with the columns of the CSV.

    Args:
        records: The records.
        top: Predictions in each row of a wide table, best first. Further predictions are dropped;
            missing ones leave cells empty. A long table has all predictions.
        long: Return a long table: one row for each rank of an image.
    """
    return _table(records, Layout("", top, long))


def read_dataframe(
    path: str, format: str = "", *, long: bool = False, safe: bool | None = None
) -> pd.DataFrame:
    """Read a file written by ``mnv2 classify`` into a pandas table with the columns of the CSV.

    The table does not depend on the format of the file. It has columns for as many predictions as
    any image has, and for category, node and position if any record has them.

    Args:
        path: The file.
        format: Its format; by default, the format that its suffix names.
        long: Return a long table: one row for each rank of an image, whatever the file has.
        safe: As for :func:`~mnv2cli.results.read.read_results`.

    Raises:
        InputError: The file cannot be read, or is not a results file.
    """
    records = list(read_results(path, format, safe=safe))
    return _table(records, UsedColumns.of(records).layout(long=long))


def _table(records: Iterable[Record], layout: Layout) -> pd.DataFrame:
    import pandas as pd

    schema = Schema(layout)
    rows = [row for record in records for row in schema.rows(record)]
    try:
        return pd.DataFrame(rows, columns=schema.names)
    except UnicodeEncodeError:  # the strings of pandas 3 are UTF-8; paths need not be
        return pd.DataFrame(
            {
                column.name: pd.Series(
                    [row[i] for row in rows], dtype=object if column.type == "string" else None
                )
                for i, column in enumerate(schema.columns)
            }
        )
