from __future__ import annotations

import json

from mnv2cli.records import CategoryScore, Record
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
