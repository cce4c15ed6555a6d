"""Features as Parquet: a row for each image, its features a list of fixed size; needs pyarrow."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, Any

from mnv2cli.errors import OutputError
from mnv2cli.records import Record
from mnv2cli.results.features import (
    BLOCK,
    Block,
    Contents,
    FeaturesFile,
    FeaturesFormat,
    FeaturesInfo,
    damaged,
)
from mnv2cli.results.parquet_format import pyarrow, utf8

_KEY = b"mnv2"
_GROUP = 4 * BLOCK  # rows; 20 MB of 1,280 features


def write_parquet(stream: IO[bytes], contents: Contents, records: Iterable[Record]) -> None:
    """Write a file in groups of rows.

    The columns are ``path``, ``path_bytes`` (null, except where the path is not UTF-8), ``status``,
    ``error`` (null if there is none), ``model``, ``embedding`` (a list of float32; null for errors)
    and, in a shard, ``position``.

    Raises:
        OutputError: There are more or fewer records.
    """
    pa, pq = pyarrow()
    schema = _schema(pa, contents)
    written, left = 0, iter(records)
    options = {"compression": "zstd", "write_page_checksum": True}
    # Features do not repeat: a dictionary would only take time.
    with pq.ParquetWriter(stream, schema, use_dictionary=["model"], **options) as writer:
        while group := list(islice(left, _GROUP)):
            writer.write_table(_table(pa, schema, group))
            written += len(group)
    if written != contents.rows:
        raise OutputError(f"the features have {written:,} rows instead of {contents.rows:,}")


def _schema(pa: Any, contents: Contents) -> Any:
    columns = [
        ("path", pa.string()),
        ("path_bytes", pa.binary()),
        ("status", pa.string()),
        ("error", pa.string()),
        ("model", pa.string()),
        ("embedding", pa.list_(pa.float32(), contents.info.size)),
    ]
    if contents.has_position:
        columns.append(("position", pa.int64()))
    return pa.schema(columns, metadata={_KEY: contents.info.to_json().encode()})


def _table(pa: Any, schema: Any, group: list[Record]) -> Any:
    import numpy as np

    size = schema.field("embedding").type.list_size
    values = np.zeros((len(group), size), np.float32)
    for i, record in enumerate(group):
        if record.embedding is not None:
            values[i] = record.embedding
    is_null = np.array([record.embedding is None for record in group])
    columns = {
        "path": [utf8(record.path) for record in group],
        "path_bytes": [_odd_bytes(record.path) for record in group],
        "status": [record.status for record in group],
        "error": [utf8(record.error) if record.error else None for record in group],
        "model": [record.model for record in group],
        "position": [record.position for record in group],
    }
    arrays = [
        pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), size, mask=pa.array(is_null))
        if field.name == "embedding"
        else pa.array(columns[field.name], field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _odd_bytes(path: str) -> bytes | None:
    """Return the bytes of a path that is not UTF-8, else None."""
    content = os.fsencode(path)
    try:
        content.decode()
    except UnicodeDecodeError:
        return content
    return None


def open_parquet(path: str) -> FeaturesFile:
    """Check the columns of a file; its rows are read later.

    Raises:
        InputError: It is not a features file, or pyarrow is not installed.
        OSError: It cannot be read.
    """
    pa, pq = pyarrow()
    with open(path, "rb"):
        pass  # raises the error of the system
    try:
        with pq.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
    except Exception as error:  # pyarrow raises many kinds
        raise damaged(path, _why(error)) from error
    try:
        info = FeaturesInfo.from_json((schema.metadata or {}).get(_KEY, b""))
    except ValueError as error:
        raise damaged(path, "its description is missing") from error
    has_position = "position" in schema.names
    wanted = _schema(pa, Contents(info, rows, has_position))
    for field in wanted:
        if schema.names.count(field.name) != 1 or schema.field(field.name).type != field.type:
            raise damaged(path, f"the column {field.name} is missing or not {field.type}")
    return FeaturesFile(path, info, rows, lambda: _read(path, info, wanted.names))


def _why(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _read(path: str, info: FeaturesInfo, names: list[str]) -> Iterator[Block]:
    _, pq = pyarrow()
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for group in range(file.num_row_groups):  # all at once would hold more of them
                for batch in file.iter_batches(BLOCK, row_groups=[group], columns=names):
                    yield _block(path, info, batch)
    except Exception as error:
        from mnv2cli.errors import InputError

        if isinstance(error, InputError):
            raise
        raise damaged(path, _why(error)) from error


def _block(path: str, info: FeaturesInfo, batch: Any) -> Block:
    import numpy as np

    columns = {
        name: batch.column(name).to_pylist() for name in batch.schema.names if name != "embedding"
    }
    paths = [
        os.fsdecode(odd) if odd is not None else text or ""
        for text, odd in zip(columns["path"], columns["path_bytes"], strict=True)
    ]
    errors = [error or "" for error in columns["error"]]
    vectors = batch.column("embedding")
    for error, status, is_valid in zip(
        errors, columns["status"], vectors.is_valid().to_pylist(), strict=True
    ):
        if status != ("error" if error else "ok") or is_valid == bool(error):
            raise damaged(path, "a status contradicts the error or features beside it")
    embedding = np.zeros((len(paths), info.size), np.float32)
    sound = [i for i, error in enumerate(errors) if not error]
    if sound:
        values = vectors.flatten()  # without those of nulls
        if values.null_count or len(values) != len(sound) * info.size:
            raise damaged(path, "some features are missing")
        embedding[sound] = values.to_numpy(zero_copy_only=False).reshape(len(sound), info.size)
    return Block(paths, errors, embedding, columns.get("position", []))


FEATURES_PARQUET = FeaturesFormat(write_parquet, open_parquet, pyarrow)
