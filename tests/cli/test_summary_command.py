"""``mnv2 summary`` prints the figures of results, and the difference of two runs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from rich.console import Console

from mnv2cli.cli.terminal.bars import bar, columns
from mnv2cli.cli.terminal.difference_tables import difference_renderables
from mnv2cli.cli.terminal.figures import Page
from mnv2cli.cli.terminal.summary_tables import summary_renderables
from mnv2cli.records import Record
from mnv2cli.reporting.compare import compare
from mnv2cli.reporting.summary import summarise
from mnv2cli.system.messages import share_text
from tests.reporting.results_files import labelled, write, write_features

Invoke = Callable[..., Result]

HOSTILE = "p\x1b[31m/caf\udce9 " + "long " * 30 + "\n.jpg"


@pytest.fixture
def results(tmp_path: Path) -> str:
    """A file with 40 labels, two errors and a hostile name."""
    records = [
        labelled(f"photos/{i % 20}/{i}.jpg", (f"class {i}", 0.6), ("tabby", 0.3),
                 category=("cat", 0.7))
        for i in range(40)
    ]  # fmt: skip
    records += [Record("photos/a.jpg", error="truncated: x"), Record("b", error="not an image")]
    return write(tmp_path / "r.csv", [*records, labelled(HOSTILE, ("\x1b[2Jtabby", 0.5))])


@pytest.fixture
def earlier(tmp_path: Path) -> str:
    """Results of an earlier run."""
    records = [labelled("photos/1/1.jpg", ("class 1", 0.9)),
               labelled("photos/2/2.jpg", ("espresso", 0.8)),
               labelled("gone.jpg", ("espresso", 0.8))]  # fmt: skip
    return write(tmp_path / "old.csv", records)


def test_the_figures_are_shown_in_sections(invoke: Invoke, results: str) -> None:
    result = invoke("summary", results)
    assert (result.exit_code, result.stderr) == (0, "")
    shown = result.stdout
    assert "43, of which 2 could not be read" in shown
    headings = ("Unreadable ", "Category ", "Label ", "Score of the best label", "Least sure ",
                "Folder ")  # fmt: skip
    places = [shown.index(f"\n{heading}") for heading in headings]
    assert places == sorted(places)
    assert "and 26 more; --all shows them" in shown
    assert "class 9" in invoke("summary", results, "--all").stdout
    assert "more; --all" not in invoke("summary", results, "--all").stdout
    assert max(map(len, shown.splitlines())) <= 80


def test_names_cannot_control_the_terminal(invoke: Invoke, results: str, earlier: str) -> None:
    for options in ([], ["--all"], ["--against", earlier]):
        result = invoke("summary", results, *options)
        assert result.exit_code == 0 and "\x1b" not in result.stdout
        result.stdout.encode()
    assert "\\x1b[2Jtabby" in invoke("summary", results, "--all").stdout


@pytest.mark.parametrize("width", [30, 45, 60, 80, 120])
def test_lines_fit_the_terminal(results: str, earlier: str, width: int) -> None:
    for ascii_only in (False, True):
        console = Console(width=width, file=io.StringIO(), record=True)
        page = Page(width, ascii_only, everything=False)
        for each in summary_renderables(summarise(results), page):
            console.print(each)
        for each in difference_renderables(compare(results, earlier), page):
            console.print(each)
        lines = console.export_text().splitlines()
        assert max(map(len, lines)) <= width
        assert ("█" in "".join(lines)) is not ascii_only


def test_json_has_every_figure(invoke: Invoke, results: str) -> None:
    result = invoke("summary", results, "--json")
    content = json.loads(result.stdout)
    assert list(content) == [
        "file", "images", "read", "unreadable", "repeated", "unlabelled", "uncategorised",
        "errors", "models", "labels", "categories", "nodes", "scores", "margins", "least_sure",
        "folders",
    ]  # fmt: skip
    assert (content["images"], content["unreadable"], content["uncategorised"]) == (43, 2, 1)
    assert len(content["labels"]) == 41 and len(content["scores"]["histogram"]) == 10
    assert content["categories"] == [
        {"name": "cat", "wnid": "", "count": 40, "mean_score": pytest.approx(0.7)}
    ]
    assert HOSTILE.rpartition("/")[0] in [each["folder"] for each in content["folders"]]


def test_csv_has_a_row_for_each_count(invoke: Invoke, results: str) -> None:
    rows = list(csv.DictReader(io.StringIO(invoke("summary", results, "--csv").stdout)))
    assert rows[0] == {
        "section": "images", "name": "all", "count": "43", "mean_score": rows[0]["mean_score"],
    }  # fmt: skip
    assert sum(row["section"] == "label" for row in rows) == 41
    assert {row["name"] for row in rows if row["section"] == "error"} == {
        "truncated", "not an image",
    }  # fmt: skip


def test_csv_keeps_the_bytes_of_paths(invoke: Invoke, results: str, earlier: str) -> None:
    assert b"\nfolder,p\x1b[31m,1,0.5\n" in invoke("summary", results, "--csv").stdout_bytes
    changes = invoke("summary", results, "--against", earlier, "--csv").stdout_bytes
    assert b"caf\xe9 long" in changes


def test_two_runs_are_compared(invoke: Invoke, results: str, earlier: str) -> None:
    result = invoke("summary", results, "--against", earlier)
    assert result.exit_code == 0
    assert result.stdout.startswith("50.0 % of 2 images have the same label.\n")
    for line in ("Only before", "Only after", "Label before", "Surest changes",
                 "Most changed scores"):  # fmt: skip
        assert f"\n{line}" in result.stdout
    content = json.loads(invoke("summary", results, "--against", earlier, "--json").stdout)
    assert (content["agreement"], content["only_before"], content["only_after"]) == (0.5, 1, 41)
    assert content["pairs"] == [{"before": "espresso", "after": "class 2", "count": 1}]
    text = invoke("summary", results, "--against", earlier, "--csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row for row in rows if row["change"] == "label"] == [
        {"path": "photos/2/2.jpg", "change": "label", "before": "espresso", "before_score": "0.8",
         "after": "class 2", "after_score": "0.6"}
    ]  # fmt: skip
    assert rows[-1]["change"] == "only_before" and rows[-1]["path"] == "gone.jpg"


def test_equal_runs_have_no_tables(invoke: Invoke, results: str) -> None:
    result = invoke("summary", results, "--against", results)
    assert result.stdout.startswith("The labels of all 41 images are the same.\n")
    assert "Label before" not in result.stdout and "Changed     0 labels" in result.stdout


def test_repeated_paths_are_named(invoke: Invoke, tmp_path: Path) -> None:
    twice = [labelled("1.jpg", ("tabby", 0.9)), labelled("1.jpg", ("tabby", 0.9))]
    path = write(tmp_path / "twice.csv", twice)
    assert "repeats a path of earlier rows" in invoke("summary", path).stderr
    assert "has a path in several rows" in invoke("summary", path, "--against", path).stderr


def test_features_are_counted_and_not_compared(invoke: Invoke, tmp_path: Path) -> None:
    path = write_features(tmp_path / "f.npz", [Record("a/1.jpg"), Record("2.jpg", error="empty")])
    result = invoke("summary", path)
    assert result.exit_code == 0 and "2, of which 1 could not be read" in result.stdout
    assert "Label" not in result.stdout and "Score" not in result.stdout
    result = invoke("summary", path, "--against", path)
    assert result.exit_code == 2 and "features, not labels" in result.stderr


def test_what_cannot_be_shown_is_an_error(invoke: Invoke, results: str, tmp_path: Path) -> None:
    empty = write(tmp_path / "empty.csv", [])
    (tmp_path / "other.csv").write_text("a,b\n")
    (tmp_path / "other.txt").write_text("a,b\n")
    for args, code, message in [
        (["--json", "--csv", results], 2, "choose one"),
        (["--json", "--all", results], 2, "--all cannot be combined with --json"),
        ([results, "--against", "-"], 2, "--against - is not supported"),
        ([tmp_path], 2, "is a folder"),
        ([tmp_path / "none.csv"], 2, "does not exist"),
        ([tmp_path / "none.npz"], 2, "does not exist"),
        ([tmp_path / "other.txt"], 2, "its name does not end in"),
        ([tmp_path / "other.csv"], 2, "not a results file"),
        ([empty], 3, "has no rows"),
        ([results, "--against", empty], 3, "has no rows"),
        ([], 2, "Missing argument 'RESULTS'"),
    ]:
        result = invoke("summary", *args)
        assert (result.exit_code, result.stdout) == (code, ""), args
        assert message in result.stderr, args


def test_bars_show_every_count_that_is_not_zero() -> None:
    assert bar(0, 8, ascii_only=False) == ""
    assert bar(1e-9, 8, ascii_only=False) == "▏"
    assert bar(0.5, 8, ascii_only=False) == "████" and bar(0.5, 8, ascii_only=True) == "####"
    assert bar(0.45, 10, ascii_only=False) == "████▌"
    assert columns([0, 1, 1000, 500], 2, 1, ascii_only=False) == ["    █  ", "  ▁ █ █"]
    assert columns([0, 1, 1000, 500], 2, 1, ascii_only=True) == ["    #  ", "  # # #"]
    assert columns([0] * 3, 1, 1, ascii_only=False) == ["     "]


def test_shares_are_not_rounded_to_all_or_nothing() -> None:
    assert [share_text(each) for each in (0, 1e-6, 0.5, 0.99999, 1)] == [
        "0.0 %", "0.1 %", "50.0 %", "99.9 %", "100.0 %",
    ]  # fmt: skip
