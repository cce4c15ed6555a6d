from __future__ import annotations

import io
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.check import check_output
from mnv2cli.results.schema import Layout
from tests.results.records import CAT, RECORDS, written


def test_parquet_has_typed_columns() -> None:
    table = pq.read_table(io.BytesIO(written(Layout("parquet", 2), RECORDS)))
    assert table.column_names[:3] == ["path", "status", "label_1"]
    assert str(table.schema.field("score_1").type) == "float"
    assert table["wnid_2"].to_pylist() == ["n02879718", None, None]
    long = pq.read_table(io.BytesIO(written(Layout("parquet", 2, long=True), RECORDS)))
    assert long["rank"].to_pylist() == [1, 2, 1, None]


def test_parquet_has_many_rows_and_names_that_are_not_utf_8() -> None:
    records = [Record(f"{i}.jpg", (CAT,)) for i in range(25_000)]
    records.append(Record(os.fsdecode(b"\xff.jpg")))
    table = pq.read_table(io.BytesIO(written(Layout("parquet", 2), records)))
    assert table.num_rows == 25_001
    assert table["path"].to_pylist()[-1] == "\\xff.jpg"


def test_parquet_without_pyarrow_names_the_command_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"pip install 'mnv2cli\[parquet\]'"):
        check_output(str(tmp_path / "a.parquet"), "parquet", force=False)


def test_errors_that_are_not_utf_8_are_described() -> None:
    record = Record("a.jpg", error="cannot be read: " + os.fsdecode(b"caf-\xff"))
    table = pq.read_table(io.BytesIO(written(Layout("parquet", 1), [record])))
    assert table["error"].to_pylist() == ["cannot be read: caf-\\xff"]
