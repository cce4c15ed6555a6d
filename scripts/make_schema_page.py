"""Print the columns and keys of every format of results as Markdown, for the documentation.

    python scripts/make_schema_page.py

The tables are made from the schema that writers and readers use.
"""

from __future__ import annotations

from collections.abc import Iterable

from mnv2cli.results.fields import (
    EXTRAS,
    PATH,
    PREDICTION,
    RANK,
    STATUS,
    TAIL,
    Column,
    Field,
)

_JSON_TYPES = {"string": "string", "float32": "number", "int32": "integer", "int64": "integer"}
_NULLABLE = {column.name for field in TAIL for column in field.columns} - {"model"}

Row = tuple[str, ...]


def _table(header: Row, rows: Iterable[Row]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _meaning(column: Column, field: Field | None = None) -> str:
    condition = field.condition if field in EXTRAS and field else ""
    return f"{column.meaning} Only with `{condition}`." if condition else column.meaning


def _tail() -> list[tuple[Column, str]]:
    return [(column, _meaning(column, field)) for field in TAIL for column in field.columns]


def _columns(predictions: Iterable[tuple[Column, str]]) -> list[tuple[Column, str]]:
    first = [(PATH.columns[0], PATH.columns[0].meaning), (STATUS, STATUS.meaning)]
    return [*first, *predictions, *_tail()]


def wide_columns() -> list[tuple[Column, str]]:
    """Return the columns of a wide table, each with its meaning."""
    return _columns(
        (column._replace(name=f"{column.name}_N"), column.meaning) for column in PREDICTION.columns
    )


def long_columns() -> list[tuple[Column, str]]:
    """Return the columns of a long table, each with its meaning."""
    return _columns((column, column.meaning) for column in (RANK, *PREDICTION.columns))


def _csv_rows(columns: Iterable[tuple[Column, str]]) -> list[Row]:
    return [(f"`{column.name}`", _JSON_TYPES[column.type], meaning) for column, meaning in columns]


def _parquet_rows(columns: Iterable[tuple[Column, str]]) -> list[Row]:
    return [(f"`{column.name}`", f"`{column.type}`", meaning) for column, meaning in columns]


def _json_type(column: Column) -> str:
    text = _JSON_TYPES[column.type]
    return f"{text} or null" if column.name in _NULLABLE else text


def _json_rows() -> list[Row]:
    predictions = Column(PREDICTION.name, "The labels, best first; empty for an error.")
    columns = _columns([(predictions, predictions.meaning)])
    return [
        (
            f"`{column.name}`",
            "array of objects" if column is predictions else _json_type(column),
            meaning,
        )
        for column, meaning in columns
    ]


def page() -> str:
    """Return the page."""
    header = ("Column", "Type", "Meaning")
    prediction = [
        (f"`{column.name}`", _JSON_TYPES[column.type], column.meaning)
        for column in PREDICTION.columns
    ]
    sections = [
        ("CSV", "One row per image. The columns `label_N`, `wnid_N` and `score_N` are repeated for "
         "each rank N from 1 to `--top`. A cell without a value is empty.",
         _table(header, _csv_rows(wide_columns()))),
        ("CSV with `--long`", "One row per label of an image; an image without labels has one row.",
         _table(header, _csv_rows(long_columns()))),
        ("JSON and JSON lines", "One object per image: JSON is a list of them, JSON lines has one "
         "per line.", _table(("Key", *header[1:]), _json_rows())),
        ("", "Each object in `predictions` has:", _table(("Key", *header[1:]), prediction)),
        ("Parquet", "The columns of CSV, typed; a cell without a value is null. Types are those of "
         "Arrow.", _table(header, _parquet_rows(wide_columns()))),
        ("Parquet with `--long`", "The columns of CSV with `--long`, typed.",
         _table(header, _parquet_rows(long_columns()))),
    ]  # fmt: skip
    return "\n".join(
        (f"## {title}\n\n" if title else "") + f"{text}\n\n{table}"
        for title, text, table in sections
    )


if __name__ == "__main__":
    print(page(), end="")
