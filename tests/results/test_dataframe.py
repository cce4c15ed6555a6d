from __future__ import annotations

import os
from pathlib import Path

import pytest

from mnv2cli.records import CategoryScore, Record
from mnv2cli.results.dataframe import read_dataframe, to_dataframe
from mnv2cli.results.formats import FORMATS
from mnv2cli.results.schema import Layout
from tests.results.records import BOW, CAT, RECORDS, written


def test_records_become_a_dataframe() -> None:
    frame = to_dataframe(RECORDS, top=2)
    assert frame["label_1"].tolist()[:2] == ["Egyptian cat", "Egyptian cat"]
    assert frame.shape == (3, 10)
    assert to_dataframe(RECORDS, long=True).shape == (4, 8)


def test_only_the_best_predictions_fit_into_a_wide_table() -> None:
    frame = to_dataframe([Record("a.jpg", (CAT, BOW, CAT))], 2)
    assert list(frame.loc[0, ["label_1", "label_2"]]) == [CAT.label, BOW.label]
    assert frame.shape == (1, 10)
    assert len(to_dataframe([Record("a.jpg", (CAT, BOW, CAT))], 2, long=True)) == 3


def test_the_earlier_module_name_still_works() -> None:
    from mnv2cli import write

    assert write.to_dataframe is to_dataframe


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("format", FORMATS)
def test_the_table_does_not_depend_on_the_format(tmp_path: Path, format: str, long: bool) -> None:
    path = tmp_path / f"x.{format}"
    path.write_bytes(written(Layout(format, 2), RECORDS))
    frame = read_dataframe(str(path), long=long)
    wanted = to_dataframe(RECORDS, top=2, long=long)
    assert frame.equals(wanted) and frame.dtypes.equals(wanted.dtypes)


def test_a_table_has_the_columns_that_records_fill(tmp_path: Path) -> None:
    dog = CategoryScore("dog", 0.5, 0.25)
    records = [Record("=a.jpg", (CAT,), category=dog, position=0), Record("b.jpg", error="bad")]
    layout = Layout("csv", 5, extras=("category", "position"), safe=True)
    (tmp_path / "x.txt").write_bytes(written(layout, records))
    frame = read_dataframe(str(tmp_path / "x.txt"), "csv", safe=True)
    assert list(frame.columns) == [
        "path", "status", "label_1", "wnid_1", "score_1",
        "category", "category_score", "category_margin", "error", "model", "position",
    ]  # fmt: skip
    assert frame["path"].tolist() == ["=a.jpg", "b.jpg"] and frame["category"][0] == "dog"


def test_paths_that_are_not_utf_8_are_kept_in_tables(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xe9.jpg")
    (tmp_path / "x.csv").write_bytes(written(Layout("csv", 1), [Record(name, (BOW,))]))
    frame = read_dataframe(str(tmp_path / "x.csv"))
    assert frame["path"].tolist() == [name] and frame["score_1"].tolist() == [BOW.score]
    assert list(frame.columns) == list(to_dataframe([], top=1).columns)
