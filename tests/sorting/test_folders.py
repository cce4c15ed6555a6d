"""Folder names, templates, and results read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image

from mnv2cli.errors import InputError
from mnv2cli.images.exif import taken_at
from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.results.read import read_results
from mnv2cli.results.write import FORMATS, Output
from mnv2cli.sorting.folders import safe_name
from mnv2cli.sorting.options import FolderOptions
from tests.conftest import draw

Invoke = Callable[..., Result]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("dog", "dog"),
        ("../../etc", "_._.._etc"),
        ("..", "_"),
        (".", "_"),
        ("", "_"),
        ("/etc/passwd", "_etc_passwd"),
        ("C:\\x", "C__x"),
        ("a\0b\nc\x1b[31m", "a_b_c_[31m"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1", "_com1"),
        ("LPT9.jpg", "_LPT9.jpg"),
        ("console", "console"),
        ("dots...", "dots"),
        ("blank  ", "blank"),
        (".mnv2", "_mnv2"),
        ("a/b", "a_b"),
        ("x" * 300, "x" * 100),
        ("\U0001f408" * 80, "\U0001f408" * 50),
        ("cafe\u0301", "caf\u00e9"),
        ("\u202egpj.exe", "_gpj.exe"),
        ("\udcff", "_"),
    ],
)
def test_names_are_safe_on_every_system(text: str, name: str) -> None:
    assert safe_name(text) == name


@pytest.mark.parametrize(
    "template",
    ["", "/", "a//b", "../x", "{label", "{labels}", "{label.__class__}", "{label[0]}", "{label!r}",
     "{label:>99999999}", "{score:9999999.1f}", "{0}", "{}", " / x", "x/.."],
)  # fmt: skip
def test_templates_that_cannot_be_used_are_refused(template: str) -> None:
    with pytest.raises(InputError, match="the template"):
        FolderOptions(template)


def test_the_date_is_that_of_the_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0132] = "2023:01:02 03:04:05"
    path = draw(tmp_path / "a.jpg", exif=exif)
    assert taken_at(str(path)) == "2023:01:02 03:04:05"
    exif.get_ifd(0x8769)[0x9003] = "2020:11:12 13:14:15"
    path = draw(tmp_path / "b.jpg", exif=exif)
    assert taken_at(str(path)) == "2020:11:12 13:14:15"
    exif = Image.Exif()
    exif[0x0132] = "../../:..:.."
    assert taken_at(str(draw(tmp_path / "c.jpg", exif=exif))) == ""
    assert taken_at(str(draw(tmp_path / "d.png"))) == ""


# Results read back

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


@pytest.mark.parametrize(("form", "long"), [("csv", False), ("csv", True), ("json", False),
                                            ("jsonl", False)])  # fmt: skip
@pytest.mark.parametrize("extra", [(), ("category",), ("category", "node")])
def test_results_come_back_as_they_were(
    tmp_path: Path, form: str, long: bool, extra: tuple[str, ...]
) -> None:
    path = tmp_path / f"out.{form}"
    with Output(str(path), FORMATS[form], 2, long=long, force=False, extra=extra) as out:
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
