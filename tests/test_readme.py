"""What the README shows of Python works as it stands."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

import mnv2cli
from mnv2cli.inference.classifier import Classifier
from tests.conftest import FakeEngine

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_python_example_prints_labels_and_errors(
    photos: Path, fake_engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "bad.jpg").write_bytes(b"")
    (example,) = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    exec(compile(example, "README.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == [
        "photos/bad.jpg empty file: zero bytes",
        "photos/img2.jpg great white shark n01484850 0.9",
        "photos/img10.png brambling n01530575 0.9",
        "photos/sub/img1.webp goldfish n01443537 0.9",
    ]


def test_the_table_that_it_names_has_the_columns_of_the_csv(
    photos: Path, fake_engine: FakeEngine
) -> None:
    assert "`mnv2cli.write.to_dataframe(records, top=3)`" in README
    from mnv2cli.write import to_dataframe

    table = to_dataframe(Classifier(top=3).classify("photos"), top=3)
    assert list(table.columns)[:5] == ["path", "status", "label_1", "wnid_1", "score_1"]
    assert list(table.columns)[-2:] == ["error", "model"] and len(table) == 3


def test_the_table_of_a_results_file(
    photos: Path, fake_engine: FakeEngine, invoke: Callable[..., Result]
) -> None:
    assert '`mnv2cli.read_dataframe("labels.csv")`' in README
    assert invoke("classify", "photos", "-q", "-o", "labels.csv").exit_code == 0
    table = mnv2cli.read_dataframe("labels.csv")
    assert list(table["path"]) == ["photos/img2.jpg", "photos/img10.png", "photos/sub/img1.webp"]
    assert list(table.columns) == list(
        mnv2cli.to_dataframe(Classifier().classify("photos")).columns
    )


def test_the_objects_that_it_names_are_taken(photos: Path, fake_engine: FakeEngine) -> None:
    (text,) = re.findall(
        r"^`Classifier` takes (.*?)\n`mnv2cli.write", README, re.DOTALL | re.MULTILINE
    )
    given = re.findall(r"`(\w+=\w+\([^`]*\))`", text)
    assert len(given) == 6
    for keyword in given:
        made = eval(
            f"mnv2cli.Classifier({keyword})".replace("=", "=mnv2cli.", 1), {"mnv2cli": mnv2cli}
        )
        assert [record.status for record in made.classify("photos")] == ["ok"] * 3
