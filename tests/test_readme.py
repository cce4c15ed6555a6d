"""The Python that README.md and docs/python.md show works, also for images that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

import mnv2cli
from mnv2cli.inference.classifier import Classifier
from tests.conftest import FakeEngine
from tests.doc_pages import ROOT, blocks

README = ROOT / "README.md"
PYTHON = ROOT / "docs" / "python.md"
TEXT = PYTHON.read_text(encoding="utf-8")


def examples(page: Path) -> list[str]:
    """Return the Python blocks of a page."""
    return [block.text for block in blocks(page) if block.language == "python"]


def run(example: str, page: Path) -> None:
    exec(compile(example, str(page), "exec"), {})


def test_the_python_example_prints_labels_and_errors(
    photos: Path, fake_engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "bad.jpg").write_bytes(b"")
    run(examples(PYTHON)[0], PYTHON)
    assert capsys.readouterr().out.splitlines() == [
        "photos/bad.jpg empty file: zero bytes",
        "photos/img2.jpg great white shark n01484850 0.9",
        "photos/img10.png brambling n01530575 0.9",
        "photos/sub/img1.webp goldfish n01443537 0.9",
    ]


def test_the_example_of_the_readme_prints_labels_and_errors(
    photos: Path, fake_engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "bad.jpg").write_bytes(b"")
    (example,) = examples(README)
    run(example.replace("examples/photos", "photos"), README)
    assert capsys.readouterr().out.splitlines() == [
        "photos/bad.jpg empty file: zero bytes",
        "photos/img2.jpg great white shark",
        "photos/img10.png brambling",
        "photos/sub/img1.webp goldfish",
    ]


def test_the_documented_table_has_the_columns_of_the_csv(
    photos: Path, fake_engine: FakeEngine
) -> None:
    assert "`to_dataframe(records, top=3)`" in TEXT
    from mnv2cli import to_dataframe

    table = to_dataframe(Classifier(top=3).classify("photos"), top=3)
    assert list(table.columns)[:5] == ["path", "status", "label_1", "wnid_1", "score_1"]
    assert list(table.columns)[-2:] == ["error", "model"] and len(table) == 3


def test_the_documented_table_of_a_results_file_is_read(
    photos: Path, fake_engine: FakeEngine, invoke: Callable[..., Result]
) -> None:
    assert '`read_dataframe("labels.csv")`' in TEXT
    assert invoke("classify", "photos", "-q", "-o", "labels.csv").exit_code == 0
    table = mnv2cli.read_dataframe("labels.csv")
    assert list(table["path"]) == ["photos/img2.jpg", "photos/img10.png", "photos/sub/img1.webp"]
    assert list(table.columns) == list(
        mnv2cli.to_dataframe(Classifier().classify("photos")).columns
    )


@pytest.mark.parametrize(
    "keyword", ["labels", "images", "filters", "model", "engine", "events"], ids=str
)
def test_the_documented_options_are_accepted(
    photos: Path, fake_engine: FakeEngine, keyword: str
) -> None:
    (lines,) = [e.splitlines() for e in examples(PYTHON) if "labels=LabelOptions" in e]
    (line,) = [line.strip() for line in lines if line.startswith(f"    {keyword}=")]
    argument = line.partition(",  #")[0]
    made = eval(f"Classifier({argument})", {**vars(mnv2cli), **public_names()})
    assert [record.status for record in made.classify("photos")] == ["ok"] * 3


def public_names() -> dict[str, object]:
    """Return the public names of the package, which are imported on first use."""
    return {name: getattr(mnv2cli, name) for name in mnv2cli.__all__}
