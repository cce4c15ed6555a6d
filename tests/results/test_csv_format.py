from __future__ import annotations

import os

from mnv2cli.records import Record
from mnv2cli.results.schema import Layout
from tests.results.records import RECORDS, written


def test_csv_has_one_row_per_image() -> None:
    assert written(Layout("csv", 2), RECORDS).decode() == (
        "path,status,label_1,wnid_1,score_1,label_2,wnid_2,score_2,error,model\n"
        "a.jpg,ok,Egyptian cat,n02124075,0.9,bow,n02879718,0.000000125,,net\n"
        "b.jpg,ok,Egyptian cat,n02124075,0.9,,,,,net\n"
        "c.jpg,error,,,,,,,truncated: 3 of 9 bytes,net\n"
    )


def test_long_csv_has_one_row_per_rank() -> None:
    assert written(Layout("csv", 2, long=True), RECORDS).decode() == (
        "path,status,rank,label,wnid,score,error,model\n"
        "a.jpg,ok,1,Egyptian cat,n02124075,0.9,,net\n"
        "a.jpg,ok,2,bow,n02879718,0.000000125,,net\n"
        "b.jpg,ok,1,Egyptian cat,n02124075,0.9,,net\n"
        "c.jpg,error,,,,,truncated: 3 of 9 bytes,net\n"
    )


def test_paths_keep_their_bytes_in_csv() -> None:
    assert b"\xe9.jpg" in written(Layout("csv", 2), [Record(os.fsdecode(b"\xe9.jpg"))])
