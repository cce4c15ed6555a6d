from __future__ import annotations

import json
from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.results.formats import load_format
from mnv2cli.results.output import Output
from mnv2cli.results.read import read_results
from mnv2cli.results.schema import Layout

RECORDS = [
    Record(
        "a,b.jpg",
        (Prediction("n1", "x", 0.75), Prediction("n2", "y", 0.25)),
        model="net",
        category=CategoryScore("dog", 0.9, 0.5),
        node=Prediction("n3", "z", 0.95),
    ),
    Record("odd\udcff\n.jpg", (Prediction("n1", "x", 0.5),), model="net",
           category=CategoryScore("", 0.0, 0.0), node=Prediction("n3", "z", 0.95)),
    Record("bad.jpg", error="truncated: 3 of 9 bytes", model="net"),
    Record("none.jpg", model="net", category=CategoryScore("cat", 0.5, 0.1),
           node=Prediction("n3", "z", 0.95)),
]  # fmt: skip


@pytest.mark.parametrize(("format", "long"), [("csv", False), ("csv", True), ("json", False),
                                            ("jsonl", False)])  # fmt: skip
@pytest.mark.parametrize("extra", [(), ("category",), ("category", "node")])
def test_results_come_back_as_they_were(
    tmp_path: Path, format: str, long: bool, extra: tuple[str, ...]
) -> None:
    path = tmp_path / f"out.{format}"
    layout = Layout(format, 2, long, extra)
    with Output(str(path), load_format(format), layout) as out:
        for item in RECORDS:
            out.write(item)
    found = list(read_results(str(path)))
    assert [(r.path, r.predictions, r.error, r.model) for r in found] == [
        (r.path, r.predictions, r.error, r.model) for r in RECORDS
    ]
    assert [r.category for r in found] == [r.category if extra else None for r in RECORDS]
    assert [r.node for r in found] == [r.node if "node" in extra else None for r in RECORDS]


def test_json_of_other_shapes_is_read(tmp_path: Path) -> None:
    item = {"path": "a.jpg", "predictions": [], "error": None}
    for text in (json.dumps([item, item], indent=2), json.dumps([item, item])):
        (tmp_path / "x.json").write_text(text)
        assert [r.path for r in read_results(str(tmp_path / "x.json"))] == ["a.jpg", "a.jpg"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.txt", "", r"does not end in \.csv, \.json, \.jsonl"),
        ("x.csv", "", "holds no results"),
        ("x.csv", "path,name\na,b\n", "holds no results"),
        ("x.csv", "path,status,label_1,wnid_1,score_1,error\na,ok,x,n1,nan,\n", "in line 2"),
        ("x.csv", "path,status,label_1,wnid_1,score_1,error\na,what,x,n1,0.5,\n", "in line 2"),
        ("x.csv", "path,status,label_1,wnid_1,score_1,error\na\n", "in line 2"),
        ("x.json", "{", "is no JSON"),
        ("x.json", "[1]", "in line 1"),
        ("x.jsonl", '{"path": "a", "predictions": [], "error": null}\n{\n', "in line 2"),
        ("x.jsonl", '{"path": 3, "predictions": [], "error": null}\n', "in line 1"),
        ("x.jsonl", "[" * 100_000, "is no JSON"),
    ],
)
def test_files_that_hold_no_results_are_told(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        list(read_results(str(tmp_path / name)))
