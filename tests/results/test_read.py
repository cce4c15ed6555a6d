from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from mnv2cli.errors import InputError
from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.results.formats import load_format
from mnv2cli.results.output import Output
from mnv2cli.results.read import read_results
from mnv2cli.results.schema import Layout
from tests.conftest import draw

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
def test_results_are_read_back_unchanged(
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


def test_nested_categories_and_nodes_of_earlier_versions_are_read(tmp_path: Path) -> None:
    item = {
        "path": "a.jpg", "status": "ok", "error": None, "model": "net",
        "predictions": [{"wnid": "n1", "label": "x", "score": 0.75}],
        "category": {"name": None, "score": 0.9, "margin": 0.5},
        "node": {"wnid": "n3", "label": "z", "score": 0.95},
    }  # fmt: skip
    (tmp_path / "x.jsonl").write_text(json.dumps(item) + "\n")
    assert list(read_results(str(tmp_path / "x.jsonl"))) == [
        Record("a.jpg", (Prediction("n1", "x", 0.75),), model="net",
               category=CategoryScore("", 0.9, 0.5), node=Prediction("n3", "z", 0.95)),
    ]  # fmt: skip


def test_a_json_list_on_one_long_line_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnv2cli.results.text_file._MAX_LINE", 200)
    items: list[dict[str, Any]] = [
        {"path": f"{i}.jpg", "predictions": [], "error": None} for i in range(9)
    ]
    for text in (json.dumps(items), "[\n" + json.dumps(items)[1:]):
        (tmp_path / "x.json").write_text(text)
        found = [record.path for record in read_results(str(tmp_path / "x.json"))]
        assert found == [item["path"] for item in items]
    lines = json.dumps(items[0]) + "\n" + json.dumps({**items[1], "error": "x" * 200})
    (tmp_path / "x.jsonl").write_text(lines)
    with pytest.raises(InputError, match="line 2 is longer than"):
        list(read_results(str(tmp_path / "x.jsonl")))


@pytest.mark.parametrize("long", [False, True])
def test_cells_escaped_for_spreadsheets_are_restored_by_default(tmp_path: Path, long: bool) -> None:
    names = ["=1.jpg", "'=2.jpg", "'a.jpg", "''b.jpg", "plain.jpg"]
    given = [Record(name, (Prediction("n1", "-x", 0.5),), model="+net") for name in names]
    for safe in (True, False):
        path = str(tmp_path / f"{safe}.csv")
        with Output(path, load_format("csv"), Layout("csv", 1, long, safe=safe)) as out:
            for item in given:
                out.write(item)
        assert list(read_results(path)) == given


def test_an_existing_file_determines_if_an_apostrophe_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    header = "path,status,label_1,wnid_1,score_1,error\n"
    rows = "".join(f"{name},ok,x,n1,0.5,\n" for name in ("'=a.jpg", "'+b.jpg", "'-c.jpg"))
    (tmp_path / "saved.csv").write_text(header + rows)  # as a spreadsheet saves it
    quoted = ",".join(f'"{name}"' for name in header.strip().split(","))
    (tmp_path / "quoted.csv").write_text(quoted + "\n" + rows)
    (tmp_path / "=a.jpg").touch()
    (tmp_path / "'+b.jpg").touch()
    for name, unknown in (("saved.csv", "'-c.jpg"), ("quoted.csv", "-c.jpg")):
        found = [record.path for record in read_results(name)]
        assert found == ["=a.jpg", "'+b.jpg", unknown]
        (tmp_path / "'=a.jpg").touch()  # both exist: the header decides
        assert next(read_results(name)).path == ("'=a.jpg" if name == "saved.csv" else "=a.jpg")
        (tmp_path / "'=a.jpg").unlink()


def test_json_with_other_line_breaks_is_read(tmp_path: Path) -> None:
    item: dict[str, Any] = {"path": "a.jpg", "predictions": [], "error": None}
    for text in (json.dumps([item, item], indent=2), json.dumps([item, item])):
        (tmp_path / "x.json").write_text(text)
        assert [r.path for r in read_results(str(tmp_path / "x.json"))] == ["a.jpg", "a.jpg"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.txt", "", r"does not end in \.csv, \.json, \.jsonl"),
        ("x.csv", "", "is not a results file"),
        ("x.csv", "path,name\na,b\n", "is not a results file"),
        ("x.csv", "path,status,label_1,wnid_1,score_1,error\na,ok,x,n1,nan,\n", "in line 2"),
        ("x.csv", "path,status,label_1,wnid_1,score_1,error\na,what,x,n1,0.5,\n", "in line 2"),
        ("x.csv", "path,status,label_1,wnid_1,score_1,error\na\n", "in line 2"),
        ("x.json", "{", "is not JSON"),
        ("x.json", "[1]", "in line 1"),
        (
            "x.json",
            '{"path": "a", "predictions": [], "error": null, "category": ["x"], '
            '"category_score": 1, "category_margin": 1}\n',
            "in line 1",
        ),
        (
            "x.json",
            '{"path": "a", "predictions": [{"wnid": "n1", "label": ["x"], "score": 1}], '
            '"error": null}\n',
            "in line 1",
        ),
        ("x.jsonl", '{"path": "a", "predictions": [], "error": null}\n{\n', "in line 2"),
        ("x.jsonl", '{"path": 3, "predictions": [], "error": null}\n', "in line 1"),
        ("x.jsonl", "[" * 100_000, "is not JSON"),
    ],
)
def test_files_without_results_are_refused(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        list(read_results(str(tmp_path / name)))


@pytest.mark.parametrize(("name", "option"), [("x.jsonl", "--resume"), ("x.json", "--force")])
def test_the_error_of_damaged_results_names_the_option_that_repairs_them(
    tmp_path: Path, name: str, option: str
) -> None:
    (tmp_path / name).write_text('{"path": "a", "predictions": [], "error": null}\n{\n')
    with pytest.raises(InputError) as caught:
        list(read_results(str(tmp_path / name)))
    assert option in str(caught.value.hint)


def test_results_escaped_for_spreadsheets_can_be_sorted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    invoke: Callable[..., Result],
    fake_engine: object,
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["=1.png", "'=2.png", "'a.png", "b.png"]
    for i, name in enumerate(names):
        draw(tmp_path / name, (i, 9, 0))
    assert invoke("classify", *names, "-q", "-o", "safe.csv", "--csv-safe").exit_code == 0
    result = invoke("sort", "--from", "safe.csv", "--by", "label", "--into", "sorted")
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in (tmp_path / "sorted").rglob("*.png")) == sorted(names)


def test_a_table_of_another_program_is_told_the_columns_that_it_needs(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("path,label,score\na.jpg,cat,0.9\n")
    with pytest.raises(InputError) as caught:
        list(read_results(str(file)))
    assert "It needs the columns path, status, error, and label or label_1" in caught.value.hint
