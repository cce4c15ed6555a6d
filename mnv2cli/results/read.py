"""Read results of an earlier run back into records: CSV, JSON, JSON lines and Parquet."""

from __future__ import annotations

import csv
import itertools
import json
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from typing import IO, Any

from mnv2cli.errors import InputError
from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.results.write import pyarrow

_LONGEST_LINE = 16 << 20
_LARGEST_LIST = 1 << 30  # bytes; a list that is not an object a line has to be held as a whole

SUFFIXES = (".csv", ".json", ".jsonl", ".parquet")


def read_results(path: str, form: str = "") -> Generator[Record, None, None]:
    """Yield the records of a file that ``mnv2 classify`` wrote.

    Args:
        form: One of the formats; else the file's name says which.
        path: Ends in ``.csv`` (wide or long), ``.json``, ``.jsonl`` or ``.parquet``.

    Raises:
        InputError: It cannot be read, or holds no results; with the line where that is.
    """
    suffix = f".{form}" if form else os.path.splitext(path)[1].lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path!r} does not end in {', '.join(SUFFIXES)}")
    reader = _read_csv if suffix == ".csv" else _read_json
    if suffix == ".parquet":
        names, rows = _parquet_rows(path)
        yield from _read_table(names, rows, path, lambda: "one of its rows")
        return
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield from reader(file, path)
    except OSError as error:
        raise InputError(f"the results {path!r} cannot be read: {error.strerror}") from error
    except csv.Error as error:
        raise InputError(f"the results {path!r} are no CSV: {error}") from error


def _read_csv(file: IO[str], path: str) -> Iterator[Record]:
    reader = csv.DictReader(_lines(file, path))
    yield from _read_table(reader.fieldnames or (), reader, path, lambda: f"line {reader.line_num}")


def _parquet_rows(path: str) -> tuple[list[str], Iterator[dict[str, str]]]:
    """Return the columns of a Parquet file, and its rows with the texts that a CSV would have."""
    _, pq = pyarrow()
    try:
        file = pq.ParquetFile(path)
    except Exception as error:  # of its own kinds
        text = " ".join(str(error).split())[:200]
        raise InputError(f"the results {path!r} cannot be read: {text}") from error
    return file.schema_arrow.names, _texts(file, path)


def _texts(file: Any, path: str) -> Iterator[dict[str, str]]:
    import numpy as np

    def text(value: Any) -> str:
        if value is None:
            return ""
        return str(np.float32(value)) if isinstance(value, float) else str(value)

    try:
        for batch in file.iter_batches(4096):
            for row in batch.to_pylist():
                yield {name: text(value) for name, value in row.items()}
    except Exception as error:
        raise InputError(f"the results {path!r} are damaged") from error
    finally:
        file.close()


def _read_table(
    columns: Iterable[str], rows: Iterable[dict[str, Any]], path: str, place: Callable[[], str]
) -> Iterator[Record]:
    names = set(columns)
    if not {"path", "status", "error"} <= names or not names & {"label", "label_1", "category"}:
        raise InputError(f"{path!r} holds no results of mnv2 classify: its columns are others")
    is_long = "rank" in names
    top = sum(name.startswith("label_") for name in names)
    record: Record | None = None
    for row in rows:
        try:
            if not is_long:
                ranked = (
                    (row[f"wnid_{i}"], row[f"label_{i}"], row[f"score_{i}"])
                    for i in range(1, top + 1)
                )
                yield _csv_record(row, ranked)
                continue
            new = _csv_record(row, [(row["wnid"], row["label"], row["score"])])
            rank = int(row["rank"]) if row["rank"] else 0
            if rank > 1:
                # A rank that is missing is not made good by the next one.
                if record is None or (record.path, len(record.predictions)) != (new.path, rank - 1):
                    raise ValueError
                record = _joined(record, new)
            elif record is None:
                record = new
            else:
                yield record
                record = new
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path!r} is damaged in {place()}") from error
    if record is not None:
        yield record


def _joined(record: Record, more: Record) -> Record:
    predictions = record.predictions + more.predictions
    return replace(record, predictions=predictions)


def _csv_record(row: dict[str, Any], ranked: Iterable[tuple[str, str, str]]) -> Record:
    if None in row or None in row.values():  # cells too many or too few: it is cut
        raise ValueError
    path, status, error = row["path"], row["status"], row["error"]
    if not path or status not in ("ok", "error") or (status == "error") != bool(error):
        raise ValueError
    predictions = tuple(
        Prediction(wnid, label, _score(score))
        for wnid, label, score in itertools.takewhile(lambda cells: cells[2], ranked)
    )
    category = node = None
    if row.get("category_score"):
        score, margin = _score(row["category_score"]), _score(row["category_margin"])
        category = CategoryScore(row["category"], score, margin)
    if row.get("node_score"):
        node = Prediction(row["node_wnid"], row["node"], _score(row["node_score"]))
    position = int(row["position"]) if row.get("position") else None
    return Record(path, predictions, error, row.get("model") or "", category, node, position)


def _score(text: Any) -> float:
    if isinstance(text, bool):
        raise ValueError
    score = float(text)
    if not 0 <= score <= 1.001:  # also says no to nan
        raise ValueError
    return score


def _lines(file: IO[str], path: str) -> Iterator[str]:
    while line := file.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise InputError(f"{path!r} has a line that is far too long for results")
        yield line


def _read_json(file: IO[str], path: str) -> Iterator[Record]:
    begun = False
    for number, line in enumerate(_lines(file, path), 1):
        text = line.strip().rstrip(",")
        # A list has an object a line, as it is written here; others are read as a whole.
        if text in ("", "[", "]", "[]"):
            continue
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            if begun:
                raise InputError(f"{path!r} is damaged in line {number}") from error
            yield from _whole(file, path)
            return
        begun = True
        for item in content if isinstance(content, list) else [content]:
            yield _json_record(item, path, number)


def _whole(file: IO[str], path: str) -> Iterator[Record]:
    if os.fstat(file.fileno()).st_size > _LARGEST_LIST:
        raise InputError(f"{path!r} is no JSON with an object a line, and far too large")
    file.seek(0)
    try:
        content = json.load(file)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path!r} is no JSON") from error
    for item in content if isinstance(content, list) else [content]:
        yield _json_record(item, path, 1)


def _json_record(item: Any, path: str, number: int) -> Record:
    try:
        json.dumps(item, ensure_ascii=False).encode("utf-8", "surrogateescape")  # text of no kind?
        predictions = tuple(_prediction(p) for p in item["predictions"])
        category, node = item.get("category"), item.get("node")
        if category:
            category = CategoryScore(
                str(category["name"] or ""), _score(category["score"]), _score(category["margin"])
            )
        record = Record(
            item["path"],
            predictions,
            item["error"] or "",
            item.get("model") or "",
            category or None,
            _prediction(node) if node else None,
            item.get("position"),
        )
        if not isinstance(record.position, int | None):
            raise ValueError
        if not all(isinstance(text, str) for text in (record.path, record.error, record.model)):
            raise ValueError
        if not record.path:
            raise ValueError
        return record
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path!r} holds no results in line {number}") from error


def _prediction(item: Any) -> Prediction:
    return Prediction(str(item["wnid"]), str(item["label"]), _score(item["score"]))
