"""Records as pandas tables, and results read into them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mnv2cli.records import Record
from mnv2cli.results.read import read_results
from mnv2cli.results.schema import Layout, Schema, extras

if TYPE_CHECKING:
    import pandas as pd


def to_dataframe(records: Iterable[Record], top: int = 5, *, long: bool = False) -> pd.DataFrame:
    """Return records as a pandas table with the columns of the CSV.

    Args:
        records: Any records.
        top: Predictions in a row, of a table that is not long.
        long: One row for each rank of an image.
    """
    return _table(records, Layout("", top, long))


def read_dataframe(
    path: str, format: str = "", *, long: bool = False, safe: bool = False
) -> pd.DataFrame:
    """Read a file that ``mnv2 classify`` wrote into a pandas table with the columns of the CSV.

    The table is the same whichever format the file has: columns for as many predictions as the
    image with the most has, and those of category, node and position where any record has one.

    Args:
        path: The file.
        format: Its format; else its name says which.
        long: One row for each rank of an image, whether the file is long or not.
        safe: The file's cells were made safe for spreadsheets, and are restored.

    Raises:
        InputError: It cannot be read, or holds no results.
    """
    records = list(read_results(path, format, safe=safe))
    found = extras(
        category=any(record.category is not None for record in records),
        node=any(record.node is not None for record in records),
        position=any(record.position is not None for record in records),
    )
    top = max((len(record.predictions) for record in records), default=0)
    return _table(records, Layout("", max(top, 1), long, found))


def _table(records: Iterable[Record], layout: Layout) -> pd.DataFrame:
    import pandas as pd

    schema = Schema(layout)
    rows = [row for record in records for row in schema.rows(record)]
    try:
        return pd.DataFrame(rows, columns=schema.names)
    except UnicodeEncodeError:  # since pandas 3 its own texts are UTF-8, and names need not be
        return pd.DataFrame(
            {
                column.name: pd.Series(
                    [row[i] for row in rows], dtype=object if column.type == "string" else None
                )
                for i, column in enumerate(schema.columns)
            }
        )
