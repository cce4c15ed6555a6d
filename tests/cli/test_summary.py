"""The summary of a run, and sizes and durations in it."""

from __future__ import annotations

import pytest

from mnv2cli.cli.terminal.screen import Screen
from mnv2cli.cli.terminal.summary import format_summary
from mnv2cli.cli.terminal.text import seconds_text, size_text
from mnv2cli.inference.report import Report
from mnv2cli.records import Prediction, Record


def report() -> Report:
    """Return the report of a run of 12.5 seconds, of which 2 were spent on 4 images."""
    report = Report(kept=1_500, started=10.0, stopped=22.5)
    timings = report.timings
    timings.loading, timings.decoding, timings.predicting, timings.workers = 10.5, 1.25, 2.5, 2
    for i in range(3):
        report.add(Record(f"{i}.jpg", (Prediction("n1", "tabby", 0.9),)))
    report.add(Record("bad.jpg", error="truncated: 3 of 9 bytes"))
    report.skip("notes\x1b.txt", "no image suffix")
    return report


def test_the_summary_lists_all_figures_of_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(quiet=False, verbose=False)
    screen.summary(report(), "net, litert float32", "o\x1but.csv", resume_command="mnv2 --resume")
    assert (
        capsys.readouterr().err
        == """\
Images     4 in 2.00 s (2.0 images/s)
Kept       1,500 rows from earlier runs
Unreadable 1: truncated 1
Top labels tabby 3
Skipped    1: no image suffix 1
Model      net, litert float32, loaded in 10.5 s
Work       decoding 1.25 s, predicting 2.50 s, summed over 2 workers
Written    o\\x1but.csv
Resume     mnv2 --resume
"""
    )


@pytest.mark.parametrize(
    ("workers", "finding", "text"),
    [
        (1, 0.0, "decoding 1.25 s, predicting 2.50 s"),
        (1, 3.0, "decoding 1.25 s, predicting 2.50 s; finding 3.00 s"),
        (4, 0.0, "decoding 1.25 s, predicting 2.50 s, summed over 4 workers"),
    ],
)
def test_the_work_line_names_the_workers_of_the_run(
    workers: int, finding: float, text: str
) -> None:
    done = report()
    done.timings.workers, done.timings.finding = workers, finding
    assert ("Work", text, "") in format_summary(done, "net", None)


def test_the_summary_of_a_run_without_new_images_is_one_line() -> None:
    assert format_summary(Report(), "", "out.csv") == [("Images", "nothing new to classify", "")]


def test_one_row_is_singular() -> None:
    assert ("Kept", "1 row from earlier runs", "") in format_summary(Report(kept=1), "", "out.csv")


def test_the_summary_of_an_interrupted_run_shortens_many_labels() -> None:
    report = Report(started=1.0, stopped=3.0)
    for i in range(7):
        for _ in range(8 - i):
            report.add(Record("a.jpg", (Prediction(f"n{i}", f"label{i}", 0.9),)))
    lines = {name: text for name, text, _ in format_summary(report, "net", None, interrupted=True)}
    assert lines["Images"] == "35 in 2.00 s (17.5 images/s), then interrupted"
    assert lines["Top labels"].startswith("label0 8 · label1 7 · ")
    assert lines["Top labels"].endswith(" · label4 4 · 2 more")
    assert "Written" not in lines and "Resume" not in lines


def test_sizes_are_in_units_of_a_thousand() -> None:
    sizes = (0, 999, 1_000, 999_999, 1_000_000, 2_345_678_901, 1_234_567_890_123)
    assert [size_text(size) for size in sizes] == [
        "0 bytes", "999 bytes", "1.0 kB", "1,000.0 kB", "1.0 MB", "2.3 GB", "1,234.6 GB",
    ]  # fmt: skip


def test_durations_have_three_figures_or_more() -> None:
    assert [seconds_text(s) for s in (0, 0.314, 9.99, 10, 1234.56)] == [
        "0.00 s", "0.31 s", "9.99 s", "10.0 s", "1,234.6 s",
    ]  # fmt: skip
