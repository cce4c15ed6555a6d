"""Parquet: the columns of the CSV, typed; needs pyarrow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO, Any

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.fields import Cell
from mnv2cli.results.formats import Format
from mnv2cli.results.schema import Layout, Schema, read_table

_GROUP = 100_000  # cells
_BATCH = 4096  # rows


class ParquetWriter:
    """Writes typed columns, in groups of rows."""

    def __init__(self, stream: IO[bytes], layout: Layout) -> None:
        pa, pq = pyarrow()
        self._pa = pa
        self._schema = Schema(layout)
        self._columns = self._schema.columns
        self._types = pa.schema(
            [(column.name, getattr(pa, column.type)()) for column in self._columns]
        )
        self._file = pq.ParquetWriter(stream, self._types)
        self._rows: list[list[Cell]] = []

    def begin(self) -> None:
        """Do nothing: pyarrow writes the schema."""

    def write(self, record: Record) -> None:
        """Add the row or rows of a record to the group; write the group once it is full."""
        self._rows += self._schema.rows(record)
        if len(self._rows) * len(self._columns) >= _GROUP:
            self._write_group()

    def finish(self) -> None:
        """Write the last group and the footer."""
        self._write_group()
        self._file.close()

    def _write_group(self) -> None:
        arrays = [
            self._array([row[i] for row in self._rows], field.type)
            for i, field in enumerate(self._types)
        ]
        self._file.write_table(self._pa.Table.from_arrays(arrays, schema=self._types))
        self._rows = []

    def _array(self, cells: list[Cell], type: Any) -> Any:
        try:
            return self._pa.array(cells, type)
        except UnicodeEncodeError:  # the strings of Parquet are UTF-8
            return self._pa.array(list(map(utf8, cells)), type)


def utf8(cell: Cell) -> Cell:
    """Return a text as valid UTF-8: other bytes are described, such as ``\\xff``."""
    return utf8_text(cell) if isinstance(cell, str) else cell


def utf8_text(text: str) -> str:
    """Return a text as valid UTF-8, as :func:`utf8`."""
    return os.fsencode(text).decode("utf-8", "backslashreplace")


def read_parquet(path: str) -> Iterator[Record]:
    """Yield the records of a Parquet file.

    Raises:
        InputError: The file cannot be read, or is not a results file.
    """
    _, pq = pyarrow()
    try:
        file = pq.ParquetFile(path)
    except Exception as error:  # pyarrow raises many kinds
        text = " ".join(str(error).split())[:200]
        raise InputError(f"cannot read the results {path!r}: {text}") from error
    names = file.schema_arrow.names
    yield from read_table(names, _texts(file, path), path, lambda: "one of its rows")


def _texts(file: Any, path: str) -> Iterator[list[str]]:
    """Yield the rows of a file as the texts that a CSV would have."""
    import numpy as np

    def text(value: Any) -> str:
        if value is None:
            return ""
        return str(np.float32(value)) if isinstance(value, float) else str(value)

    try:
        for batch in file.iter_batches(_BATCH):
            columns = [column.to_pylist() for column in batch.columns]
            for cells in zip(*columns, strict=True):
                yield list(map(text, cells))
    except Exception as error:
        raise InputError(
            f"the results {path!r} are damaged", "Write them again with mnv2 classify."
        ) from error
    finally:
        file.close()


def pyarrow() -> tuple[Any, Any]:
    """Return pyarrow and pyarrow.parquet; raises InputError if they are not installed."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise InputError(
            "Parquet requires pyarrow, which is not installed",
            "Install it with: pip install 'mnv2cli[parquet]'",
        ) from error
    return pa, pq


PARQUET = Format(
    "parquet",
    ParquetWriter,
    read_parquet,
    is_table=True,
    is_text=False,
    needs_end=True,
    utf8_only=True,
    check=pyarrow,
)
