from __future__ import annotations

import csv
import io
import json
import os
import re

import pytest

from mnv2cli.records import Record
from mnv2cli.results.schema import Layout, score_text
from tests.results.records import CAT, written

UNUSUAL_NAMES = [
    "plain.jpg",
    "with space.jpg",
    'quo"te.jpg',
    "com,ma;semi.jpg",
    "new\nline.jpg",
    "carriage\rreturn.jpg",
    "crlf\r\n.jpg",
    "tab\t.jpg",
    "=1+1.jpg",
    "-dash.jpg",
    "+plus@at.jpg",
    " lead and trail ",
    "caf\u00e9 \u732b \U0001f408.jpg",
    os.fsdecode(b"latin-\xe9.jpg"),
    "back\\slash.jpg",
    "esc\x1b[31mred.jpg",
    "'",
    '"',
    "\ufeffbom.jpg",
]


@pytest.mark.parametrize("name", UNUSUAL_NAMES)
def test_unusual_names_are_read_back_unchanged(name: str) -> None:
    records = [Record(name, (CAT,)), Record("next.jpg", (CAT,))]
    for format in ("csv", "json", "jsonl"):
        data = written(Layout(format, 2), records)
        if format == "csv":
            text = io.StringIO(data.decode("utf-8", "surrogateescape"), newline="")
            back = [row["path"] for row in csv.DictReader(text)]
        else:
            objects = json.loads(data) if format == "json" else map(json.loads, data.splitlines())
            back = [item["path"] for item in objects]
        assert back == [name, "next.jpg"], format
        assert os.fsencode(back[0]) == os.fsencode(name)


@pytest.mark.parametrize("score", [1.0, 0.5, 1e-12, 3.4028235e-38, 0.0, 0.123456789])
def test_scores_have_all_digits_and_no_exponent(score: float) -> None:
    text = score_text(score)
    assert re.fullmatch(r"\d+(\.\d+)?", text) and float(text) == score
