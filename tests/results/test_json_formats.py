from __future__ import annotations

import json

from mnv2cli.results.schema import Layout
from tests.results.records import RECORDS, written


def test_json_is_a_list_and_jsonl_a_line_each() -> None:
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
