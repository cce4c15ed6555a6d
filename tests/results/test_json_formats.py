from __future__ import annotations

import json
from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.records import CategoryScore, Record
from mnv2cli.results.read import read_results
from mnv2cli.results.schema import Layout
from tests.results.records import BOW, CAT, RECORDS, written


def test_json_is_a_list_and_jsonl_has_one_object_per_line() -> None:
    wanted = [
        {
            "path": "a.jpg",
            "status": "ok",
            "predictions": [
                {"wnid": "n02124075", "label": "Egyptian cat", "score": 0.9},
                {"wnid": "n02879718", "label": "bow", "score": 1.25e-07},
            ],
            "error": None,
            "model": "net",
        },
        {
            "path": "c.jpg",
            "status": "error",
            "predictions": [],
            "error": "truncated: 3 of 9 bytes",
            "model": "net",
        },
    ]
    records = [RECORDS[0], RECORDS[2]]
    assert json.loads(written(Layout("json", 2), records)) == wanted
    lines = written(Layout("jsonl", 2), records).splitlines()
    assert [json.loads(line) for line in lines] == wanted


def test_category_and_node_are_named_as_in_csv() -> None:
    record = Record("a.jpg", (CAT,), model="net", category=CategoryScore("", 0.5, 0.25), node=BOW)
    layout = Layout("jsonl", 1, extras=("category", "node"))
    found, error = map(json.loads, written(layout, [record, RECORDS[2]]).splitlines())
    wanted = {
        "category": None, "category_score": 0.5, "category_margin": 0.25,
        "node": "bow", "node_wnid": "n02879718", "node_score": 1.25e-07,
    }  # fmt: skip
    assert list(found) == ["path", "status", "predictions", *wanted, "error", "model"]
    assert {key: found[key] for key in wanted} == wanted
    assert {error[key] for key in wanted} == {None}


@pytest.mark.parametrize("name", ["r.json", "r.jsonl"])
def test_a_score_of_hundreds_of_digits_is_no_record(tmp_path: Path, name: str) -> None:
    given = {"wnid": "n1", "label": "x", "score": 10**400}
    row = {"path": "a.jpg", "status": "ok", "predictions": [given], "error": None, "model": "m"}
    path = tmp_path / name
    path.write_text(json.dumps([row]) if name == "r.json" else json.dumps(row))
    with pytest.raises(InputError, match="no record in line 1"):
        list(read_results(str(path)))
