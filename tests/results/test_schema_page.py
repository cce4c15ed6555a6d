"""The schema page lists the columns that are written."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from mnv2cli.records import CategoryScore, Record
from mnv2cli.results.schema import Layout, Schema, extras
from tests.results.records import BOW, CAT

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_schema_page.py"
EXTRAS = extras(category=True, node=True, position=True)


@pytest.fixture(scope="module")
def sections() -> list[list[str]]:
    """The first column of every table."""
    page: str = runpy.run_path(str(SCRIPT))["page"]()
    return [
        re.findall(r"^\| `(.+?)` \|", table, re.MULTILINE) for table in page.split("| --- |\n")[1:]
    ]


def test_tables_are_listed_as_they_are_written(sections: list[list[str]]) -> None:
    csv, csv_long, _, _, parquet, parquet_long = sections
    assert [name.replace("_N", "_1") for name in csv] == Schema(Layout("", 1, False, EXTRAS)).names
    assert csv_long == Schema(Layout("", 1, True, EXTRAS)).names
    assert (parquet, parquet_long) == (csv, csv_long)


def test_json_is_listed_as_it_is_written(sections: list[list[str]]) -> None:
    record = Record("a", (CAT,), "", "net", CategoryScore("dog", 0.5, 0.1), BOW, 3)
    found = Schema(Layout("", 1, False, EXTRAS)).to_object(record)
    assert sections[2] == list(found)
    predictions = found["predictions"]
    assert isinstance(predictions, list) and sorted(sections[3]) == sorted(predictions[0])
