from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mnv2cli.errors import InputError, OutputError
from mnv2cli.records import Prediction, Record
from mnv2cli.results.write import FORMATS, Output, check_output, format_of, score_text, to_dataframe

CAT = Prediction("n02124075", "Egyptian cat", 0.9)
BOW = Prediction("n02879718", "bow", 1.25e-07)
RECORDS = [
    Record("a.jpg", (CAT, BOW), model="net"),
    Record("b.jpg", (CAT,), model="net"),
    Record("c.jpg", error="truncated: 3 of 9 bytes", model="net"),
]

ODD_NAMES = [
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


def written(form: str, records: list[Record], top: int = 2, long: bool = False) -> bytes:
    stream = io.BytesIO()
    with Output(stream, FORMATS[form], top, long=long, force=False) as out:
        for record in records:
            out.write(record)
    return stream.getvalue()


def test_csv_has_one_row_an_image() -> None:
    assert written("csv", RECORDS).decode() == (
        "path,status,label_1,wnid_1,score_1,label_2,wnid_2,score_2,error,model\n"
        "a.jpg,ok,Egyptian cat,n02124075,0.9,bow,n02879718,0.000000125,,net\n"
        "b.jpg,ok,Egyptian cat,n02124075,0.9,,,,,net\n"
        "c.jpg,error,,,,,,,truncated: 3 of 9 bytes,net\n"
    )


def test_long_csv_has_one_row_a_rank() -> None:
    assert written("csv", RECORDS, long=True).decode() == (
        "path,status,rank,label,wnid,score,error,model\n"
        "a.jpg,ok,1,Egyptian cat,n02124075,0.9,,net\n"
        "a.jpg,ok,2,bow,n02879718,0.000000125,,net\n"
        "b.jpg,ok,1,Egyptian cat,n02124075,0.9,,net\n"
        "c.jpg,error,,,,,truncated: 3 of 9 bytes,net\n"
    )


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
    assert json.loads(written("json", records)) == wanted
    lines = written("jsonl", records).splitlines()
    assert [json.loads(line) for line in lines] == wanted


def test_parquet_has_typed_columns() -> None:
    table = pq.read_table(io.BytesIO(written("parquet", RECORDS)))
    assert table.column_names[:3] == ["path", "status", "label_1"]
    assert str(table.schema.field("score_1").type) == "float"
    assert table["wnid_2"].to_pylist() == ["n02879718", None, None]
    long = pq.read_table(io.BytesIO(written("parquet", RECORDS, long=True)))
    assert long["rank"].to_pylist() == [1, 2, 1, None]


def test_parquet_of_many_rows_and_odd_names() -> None:
    records = [Record(f"{i}.jpg", (CAT,)) for i in range(25_000)]
    records.append(Record(os.fsdecode(b"\xff.jpg")))
    table = pq.read_table(io.BytesIO(written("parquet", records)))
    assert table.num_rows == 25_001
    assert table["path"].to_pylist()[-1] == "\\xff.jpg"


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_survive_a_round_trip(name: str) -> None:
    records = [Record(name, (CAT,)), Record("next.jpg", (CAT,))]
    for form in ("csv", "json", "jsonl"):
        data = written(form, records)
        if form == "csv":
            text = io.StringIO(data.decode("utf-8", "surrogateescape"), newline="")
            back = [row["path"] for row in csv.DictReader(text)]
        else:
            objects = json.loads(data) if form == "json" else map(json.loads, data.splitlines())
            back = [item["path"] for item in objects]
        assert back == [name, "next.jpg"], form
        assert os.fsencode(back[0]) == os.fsencode(name)


def test_names_keep_their_bytes_in_csv() -> None:
    assert b"\xe9.jpg" in written("csv", [Record(os.fsdecode(b"\xe9.jpg"))])


@pytest.mark.parametrize("score", [1.0, 0.5, 1e-12, 3.4028235e-38, 0.0, 0.123456789])
def test_scores_have_all_digits_and_no_exponent(score: float) -> None:
    text = score_text(score)
    assert re.fullmatch(r"\d+(\.\d+)?", text) and float(text) == score


@pytest.mark.parametrize("form", ["csv", "json", "jsonl"])
def test_rows_can_be_read_as_they_are_written(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"a.{form}"
    with Output(str(path), FORMATS[form], 2, long=False, force=False) as out:
        out.write(RECORDS[0])
        assert b"a.jpg" in path.read_bytes()
        out.write(RECORDS[1])
        assert b"b.jpg" in path.read_bytes()


@pytest.mark.parametrize("form", FORMATS)
def test_an_interrupt_leaves_a_readable_file(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"a.{form}"
    with (
        pytest.raises(KeyboardInterrupt),
        Output(str(path), FORMATS[form], 2, long=False, force=False) as out,
    ):
        out.write(RECORDS[0])
        raise KeyboardInterrupt
    if form == "json":
        assert len(json.loads(path.read_text())) == 1
    elif form == "parquet":
        assert pq.read_table(path).num_rows == 1
    else:
        assert path.read_bytes().endswith(b"\n")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_no_record_no_file(tmp_path: Path) -> None:
    with Output(str(tmp_path / "a.csv"), FORMATS["csv"], 2, long=False, force=False):
        pass
    assert list(tmp_path.iterdir()) == []


def test_force_keeps_the_old_file_until_the_first_record(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    with Output(str(path), FORMATS["csv"], 2, long=False, force=True):
        assert path.read_text() == "old"
    assert path.read_text() == "old"


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"a.{form}"
    out = Output(str(path), FORMATS[form], 2, long=False, force=False)
    path.write_text("another run's")
    with pytest.raises(OutputError, match="appeared meanwhile"), out:
        out.write(RECORDS[0])
    assert path.read_text() == "another run's"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_told() -> None:
    with (
        pytest.raises(OutputError, match="no space left on device"),
        Output("/dev/full", FORMATS["csv"], 2, long=False, force=False) as out,
    ):
        out.write(RECORDS[0])


def test_a_closed_pipe_is_passed_on() -> None:
    read, write = os.pipe()
    os.close(read)
    with (
        os.fdopen(write, "wb", buffering=0) as stream,
        pytest.raises(BrokenPipeError),
        Output(stream, FORMATS["json"], 2, long=False, force=False) as out,
    ):
        out.write(RECORDS[0])


def test_outputs_are_checked_beforehand(tmp_path: Path) -> None:
    path = str(tmp_path / "a.csv")
    check_output(path, "csv", force=False)
    Path(path).write_text("old")
    with pytest.raises(InputError, match="exists"):
        check_output(path, "csv", force=False)
    check_output(path, "csv", force=True)
    with pytest.raises(InputError, match="there is no folder"):
        check_output(str(tmp_path / "no" / "a.csv"), "csv", force=False)
    with pytest.raises(InputError, match="is a folder"):
        check_output(str(tmp_path), "csv", force=True)
    with pytest.raises(InputError, match="name of an image"):
        check_output(str(tmp_path / "a.JPG"), "csv", force=True)
    check_output("/dev/null", "csv", force=False)


def test_parquet_without_pyarrow_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"pip install 'mnv2cli\[parquet\]'"):
        check_output(str(tmp_path / "a.parquet"), "parquet", force=False)


def test_the_suffix_names_the_format() -> None:
    assert [format_of(f"x.{s}") for s in ("csv", "JSON", "jsonl", "parquet")] == list(FORMATS)
    with pytest.raises(InputError, match=r"does not end in .csv, .json, .jsonl, .parquet"):
        format_of("x.xls")


def test_records_become_a_dataframe() -> None:
    frame = to_dataframe(RECORDS, top=2)
    assert frame["label_1"].tolist()[:2] == ["Egyptian cat", "Egyptian cat"]
    assert frame.shape == (3, 10)
    assert to_dataframe(RECORDS, long=True).shape == (4, 8)


def test_rows_reach_the_disk_every_few_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, synced = [0.0], []
    monkeypatch.setattr("mnv2cli.results.write.monotonic", lambda: now[0])
    path = tmp_path / "a.csv"
    monkeypatch.setattr(
        "mnv2cli.results.write.os.fsync", lambda file: synced.append(path.read_bytes().count(b"\n"))
    )
    with Output(str(path), FORMATS["csv"], 2, long=False, force=False) as out:
        for i in range(10):
            now[0] = i
            out.write(RECORDS[0])
    assert synced == [5, 8, 11, 11]  # rows and the header, each time; and all at the end
