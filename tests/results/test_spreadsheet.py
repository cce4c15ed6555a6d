from __future__ import annotations

import pytest

from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.results.spreadsheet import restored, restored_record, safe, safe_record


@pytest.mark.parametrize(
    ("text", "cell"),
    [("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'\t=1"),
     ("\r=1", "'\r=1"), ("＝1", "'＝1"), ("'a", "''a"), ("", ""), ("a=1", "a=1"), ("0.5", "0.5")],
)  # fmt: skip
def test_an_escaped_cell_is_not_a_formula_and_is_restored(text: str, cell: str) -> None:
    assert safe(text) == cell
    assert restored(cell) == text


def test_all_texts_of_a_record_are_escaped() -> None:
    best = Prediction("@n1", "=cmd|' /C calc'!A0", 0.5)
    record = Record("=a.jpg", (best,), "-err", "+net", CategoryScore("=dog", 0.5, 0.1), best)
    made = safe_record(record)
    assert made.path == "'=a.jpg" and made.error == "'-err" and made.model == "'+net"
    assert restored_record(made) == record
    assert made.category and made.category.name == "'=dog"
    for prediction in (*made.predictions, made.node):
        assert prediction == Prediction("'@n1", "'=cmd|' /C calc'!A0", 0.5)
