from __future__ import annotations

from mnv2cli.results.dataframe import to_dataframe
from tests.results.records import RECORDS


def test_records_become_a_dataframe() -> None:
    frame = to_dataframe(RECORDS, top=2)
    assert frame["label_1"].tolist()[:2] == ["Egyptian cat", "Egyptian cat"]
    assert frame.shape == (3, 10)
    assert to_dataframe(RECORDS, long=True).shape == (4, 8)
