from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest
from click.testing import Result

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.formats import (
    FORMATS,
    Format,
    format_of,
    is_resumable,
    load_format,
    register,
)
from mnv2cli.results.output import Output
from mnv2cli.results.read import read_results
from mnv2cli.results.schema import Layout, Schema, cell_text, read_table
from tests.results.records import RECORDS


def test_the_suffix_selects_the_format() -> None:
    assert [format_of(f"x.{s}") for s in ("csv", "JSON", "jsonl", "parquet")] == list(FORMATS)
    with pytest.raises(InputError, match=r"does not end in .csv, .json, .jsonl, .parquet"):
        format_of("x.xls")


def test_formats_declare_their_capabilities() -> None:
    made = [load_format(name) for name in FORMATS]
    assert [each.name for each in made] == ["csv", "json", "jsonl", "parquet"]
    assert [each.name for each in made if each.is_table] == ["csv", "parquet"]
    assert [each.name for each in made if each.may_be_safe] == ["csv"]
    assert [each.name for each in made if not each.is_text] == ["parquet"]
    assert [each.name for each in made if each.needs_end] == ["parquet"]
    assert [name for name in (*FORMATS, "table", "") if is_resumable(name)] == ["csv", "jsonl"]
    with pytest.raises(InputError, match="unknown format 'xls': choose from csv, json"):
        load_format("xls")


def test_the_registry_imports_a_format_on_first_use() -> None:
    code = (
        "import sys\nfrom mnv2cli.results import formats\n"
        "def loaded(): return sorted(n[16:-7] for n in sys.modules if n.endswith('_format'))\n"
        "print(formats.format_of('x.parquet'), loaded())\n"
        "formats.load_format('parquet')\nprint(loaded(), 'pyarrow' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "parquet []\n['parquet'] False\n"


class TabWriter:
    """A format for a test: cells separated by tabs."""

    def __init__(self, stream: IO[bytes], layout: Layout) -> None:
        self._stream = stream
        self._schema = Schema(layout)

    def begin(self) -> None:
        self._line(self._schema.names)

    def write(self, record: Record) -> None:
        for row in self._schema.rows(record):
            self._line(list(map(cell_text, row)))

    def finish(self) -> None:
        pass

    def _line(self, cells: list[str]) -> None:
        self._stream.write("\t".join(cells).encode() + b"\n")


def read_tabs(path: str) -> Iterator[Record]:
    with open(path, encoding="utf-8") as file:
        names, *rows = [line.rstrip("\n").split("\t") for line in file]
    return read_table(names, rows, path, lambda: "a line")


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Format:
    monkeypatch.setitem(FORMATS, "toy", "")  # so that it is removed after the test
    made = Format("toy", TabWriter, read_tabs, is_table=True)
    register(made)
    return made


@pytest.mark.parametrize("long", [False, True])
def test_a_registered_format_is_written_and_read(tmp_path: Path, toy: Format, long: bool) -> None:
    path = str(tmp_path / "x.toy")
    assert format_of(path) == "toy" and load_format("toy") is toy
    with Output(path, load_format("toy"), Layout("toy", 2, long)) as out:
        for record in RECORDS:
            out.write(record)
    assert list(read_results(path)) == RECORDS
    with pytest.raises(InputError, match=r"\.parquet, \.toy"):
        format_of("x.xls")


def test_a_registered_format_is_available_in_commands(
    photos: Path, invoke: Callable[..., Result], toy: Format, fake_engine: object
) -> None:
    for i in (1, 2):
        name, shard = f"part{i}.toy", f"{i}/2"
        result = invoke("classify", "photos", "-q", "--long", "-o", name, "--shard", shard)
        assert result.exit_code == 0, result.stderr
    assert Path("part1.toy").read_text().startswith("path\tstatus\trank\tlabel\t")
    assert invoke("merge", "part1.toy", "part2.toy", "-q", "-o", "all.toy").exit_code == 0
    assert invoke("classify", "photos", "-q", "--long", "-o", "one.csv").exit_code == 0
    assert list(read_results("all.toy")) == list(read_results("one.csv"))
    result = invoke("classify", "photos", "-o", "all.toy", "--resume")
    assert result.exit_code == 2 and "--resume requires a local .csv or .jsonl" in result.stderr
    plan = ("sort", "--from", "all.toy", "--by", "label", "--into", "sorted", "--dry-run", "-v")
    result = invoke(*plan)
    assert result.exit_code == 0 and "great white shark" in result.stderr + result.stdout
