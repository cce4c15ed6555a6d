"""Rows of named values as CSV, JSON and JSON lines."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest

from mnv2cli.errors import InputError, OutputError
from mnv2cli.results.options import OutputTarget
from mnv2cli.results.rows import Values, write_paths, write_rows

COLUMNS = ("path", "kept", "score", "bytes")
ROWS: list[Values] = [
    {"path": 'a,"b".jpg', "kept": True, "score": 0.1 + 0.2, "bytes": 10, "more": 1},
    {"path": "=b\udcff.jpg", "kept": None, "score": None, "bytes": -1},
]


def written(format: str, rows: list[Values] = ROWS, safe: bool = False) -> bytes:
    stream = io.BytesIO()
    write_rows(rows, COLUMNS, OutputTarget(None, format, safe=safe), stream)
    return stream.getvalue()


def test_csv_keeps_the_bytes_of_paths_and_all_digits() -> None:
    assert written("csv") == (
        b'path,kept,score,bytes\n"a,""b"".jpg",true,0.30000000000000004,10\n=b\xff.jpg,,,-1\n'
    )


def test_safe_csv_escapes_texts_and_quotes_every_cell() -> None:
    text = written("csv", safe=True).decode("utf-8", "surrogateescape")
    assert text.startswith('"path","kept"')
    assert list(csv.reader(io.StringIO(text)))[2] == ["'=b\udcff.jpg", "", "", "-1"]


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], []])
def test_json_and_json_lines_have_the_columns_as_keys(rows: list[Values]) -> None:
    expected = [{name: row[name] for name in COLUMNS} for row in rows]
    assert json.loads(written("json", rows)) == expected
    lines = written("jsonl", rows).decode().splitlines()
    assert [json.loads(line) for line in lines] == expected


def test_a_file_is_complete_or_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"

    def broken() -> object:
        yield ROWS[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_rows(broken(), COLUMNS, OutputTarget(str(path), "csv"), None)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
    write_rows(ROWS, COLUMNS, OutputTarget(str(path), "csv"), None)
    assert path.read_bytes() == written("csv")
    with pytest.raises(OutputError, match="already exists"):
        write_rows([], COLUMNS, OutputTarget(str(path), "csv"), None)
    write_rows([], COLUMNS, OutputTarget(str(path), "csv", force=True), None)
    assert path.read_text() == "path,kept,score,bytes\n"
    assert [p.name for p in tmp_path.iterdir()] == ["rows.csv"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_an_output_error() -> None:
    with pytest.raises(OutputError, match="cannot write results to '/dev/full': no space left"):
        write_rows(ROWS, COLUMNS, OutputTarget("/dev/full", "csv", force=True), None)


def test_a_list_of_lines_refuses_a_name_with_a_line_feed(tmp_path: Path) -> None:
    target = OutputTarget(str(tmp_path / "list.txt"), "paths")
    with pytest.raises(InputError, match=r"has a line feed in its name"):
        write_paths(["a.jpg", "b\n.jpg"], target, None)
    assert not os.listdir(tmp_path)
    assert write_paths(["a.jpg", "b\n.jpg"], target, None, null=True) == 2
    assert (tmp_path / "list.txt").read_bytes() == b"a.jpg\0b\n.jpg\0"
