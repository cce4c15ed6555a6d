"""The summary of a run, and sizes in it, as people read them."""

from __future__ import annotations

import pytest

from mnv2cli.cli.terminal import summary
from mnv2cli.cli.terminal.summary import format_summary
from mnv2cli.cli.terminal.text import size_text
from mnv2cli.inference.report import Report
from mnv2cli.records import Prediction, Record


def test_a_run_is_summed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "usable_cores", lambda: 2)
    report = Report(kept=1_500, started=10.0, stopped=12.5)
    report.timings.loading = 0.5
    for i in range(3):
        report.add(Record(f"{i}.jpg", (Prediction("n1", "tabby", 0.9),)))
    report.add(Record("bad.jpg", error="truncated: 3 of 9 bytes"))
    report.skip("notes\x1b.txt", "no image suffix")
    assert format_summary(
        report, "net, litert float32", "o\x1but.csv", resume_command="mnv2 --resume"
    ) == [
        ("Images", "4 in 2.5 s (2.0 images/s, net, litert float32)", ""),
        ("Kept", "1,500 that were there", ""),
        ("Errors", "1: truncated 1", "red"),
        ("Most seen", "tabby 3", ""),
        ("Left out", "no image suffix 1", ""),
        (
            "Time",
            "loading 0.5 s, finding 0.0 s, decoding 0.0 s (over 2 threads), predicting 0.0 s",
            "",
        ),
        ("Written", "o\\x1but.csv", ""),
        ("To go on", "mnv2 --resume", ""),
    ]


def test_a_run_with_nothing_to_do_is_summed_up() -> None:
    assert format_summary(Report(), "", "out.csv") == [("Images", "nothing was left to do", "")]


def test_an_interrupted_run_says_so_and_many_labels_are_cut_short() -> None:
    report = Report(started=1.0, stopped=3.0)
    for i in range(7):
        for _ in range(8 - i):
            report.add(Record("a.jpg", (Prediction(f"n{i}", f"label{i}", 0.9),)))
    lines = {name: text for name, text, _ in format_summary(report, "net", None, interrupted=True)}
    assert lines["Images"].startswith("35, then interrupted, in 2.0 s (")
    assert lines["Most seen"].startswith("label0 8 · label1 7 · ")
    assert lines["Most seen"].endswith(" · label4 4 · 2 more")
    assert "Written" not in lines and "To go on" not in lines


def test_sizes_are_in_units_of_a_thousand() -> None:
    sizes = (0, 999, 1_000, 999_999, 1_000_000, 2_345_678_901, 1_234_567_890_123)
    assert [size_text(size) for size in sizes] == [
        "0 bytes", "999 bytes", "1.0 kB", "1,000.0 kB", "1.0 MB", "2.3 GB", "1,234.6 GB",
    ]  # fmt: skip
