from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mnv2cli.errors import OutputError
from mnv2cli.results.formats import FORMATS, load_format
from mnv2cli.results.output import Output
from mnv2cli.results.schema import Layout
from tests.results.records import RECORDS


@pytest.mark.parametrize("format", ["csv", "json", "jsonl"])
def test_rows_can_be_read_as_they_are_written(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"a.{format}"
    with Output(str(path), load_format(format), Layout(format, 2)) as out:
        out.write(RECORDS[0])
        assert b"a.jpg" in path.read_bytes()
        out.write(RECORDS[1])
        assert b"b.jpg" in path.read_bytes()


@pytest.mark.parametrize("format", FORMATS)
def test_an_interrupt_leaves_a_readable_file(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"a.{format}"
    with (
        pytest.raises(KeyboardInterrupt),
        Output(str(path), load_format(format), Layout(format, 2)) as out,
    ):
        out.write(RECORDS[0])
        raise KeyboardInterrupt
    if format == "json":
        assert len(json.loads(path.read_text())) == 1
    elif format == "parquet":
        assert pq.read_table(path).num_rows == 1
    else:
        assert path.read_bytes().endswith(b"\n")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_run_without_records_leaves_no_file(tmp_path: Path) -> None:
    with Output(str(tmp_path / "a.csv"), load_format("csv"), Layout("csv", 2)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_force_keeps_the_old_file_until_the_first_record(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    with Output(str(path), load_format("csv"), Layout("csv", 2), force=True):
        assert path.read_text() == "old"
    assert path.read_text() == "old"


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_file_created_during_the_run_is_not_overwritten(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"a.{format}"
    out = Output(str(path), load_format(format), Layout(format, 2))
    path.write_text("another run's")
    with pytest.raises(OutputError, match="another program created it"), out:
        out.write(RECORDS[0])
    assert path.read_text() == "another run's"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_an_error() -> None:
    with (
        pytest.raises(OutputError, match="no space left on device"),
        Output("/dev/full", load_format("csv"), Layout("csv", 2)) as out,
    ):
        out.write(RECORDS[0])


def test_a_closed_pipe_raises_broken_pipe_error() -> None:
    read, write = os.pipe()
    os.close(read)
    with (
        os.fdopen(write, "wb", buffering=0) as stream,
        pytest.raises(BrokenPipeError),
        Output(stream, load_format("json"), Layout("json", 2)) as out,
    ):
        out.write(RECORDS[0])


def test_rows_reach_the_disk_every_few_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, synced = [0.0], []
    monkeypatch.setattr("mnv2cli.results.output.monotonic", lambda: now[0])
    path = tmp_path / "a.csv"
    monkeypatch.setattr(
        "mnv2cli.results.output.os.fsync",
        lambda file: synced.append(path.read_bytes().count(b"\n")),
    )
    with Output(str(path), load_format("csv"), Layout("csv", 2)) as out:
        for i in range(10):
            now[0] = i
            out.write(RECORDS[0])
    assert synced == [5, 8, 11, 11]  # the header and the rows so far, each time
