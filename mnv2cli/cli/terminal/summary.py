"""The summary of a run, as lines of text."""

from __future__ import annotations

from collections import Counter

from mnv2cli.cli.terminal.text import printable, seconds_text
from mnv2cli.inference.report import Report
from mnv2cli.inference.timings import Timings
from mnv2cli.system.messages import count

Line = tuple[str, str, str]
"""A name, a text and a style."""

_MAX_SHOWN = 5
_NOTEWORTHY = 0.1  # seconds for finding images; less is not worth showing


def format_summary(
    report: Report,
    engine: str,
    output: str | None,
    *,
    interrupted: bool = False,
    resume_command: str = "",
) -> list[Line]:
    """Return the lines that summarise a run.

    Args:
        report: Counts and times of the run.
        engine: The model and its engine; empty if there was nothing to classify.
        output: The results file; None for standard output.
        interrupted: The run was interrupted.
        resume_command: The command that resumes it; empty if it cannot be resumed.
    """
    timings = report.timings
    text = "nothing new to classify"
    if engine:
        seconds = seconds_text(report.classifying)
        shown = max(float(seconds.split()[0].replace(",", "")), 0.01)  # so that the figures agree
        text = f"{report.images:,} in {seconds} ({report.images / shown:,.1f} images/s)"
    lines = [("Images", text + (", then interrupted" if interrupted else ""), "")]
    if report.kept:
        lines.append(("Kept", f"{count(report.kept, 'row')} from earlier runs", ""))
    if report.errors:
        lines.append(("Unreadable", f"{report.unreadable:,}: {_counts(report.errors)}", "red"))
    labels: Counter[str] = Counter()
    for (_, label), count_of_label in report.labels.items():
        labels[label] += count_of_label
    if max(labels.values(), default=0) > 1:
        lines.append(("Top labels", _counts(labels), ""))
    if report.skipped:
        lines.append(("Skipped", f"{report.skipped.total():,}: {_counts(report.skipped)}", ""))
    if engine:
        lines.append(("Model", f"{engine}, loaded in {seconds_text(timings.loading)}", ""))
        lines.append(("Work", _work(timings), ""))
    if output is not None and report.images:
        lines.append(("Written", printable(output), ""))
    if resume_command:
        lines.append(("Resume", resume_command, ""))
    return lines


def _work(timings: Timings) -> str:
    """Return the seconds of the workers; their sum may exceed the duration of the run."""
    text = (
        f"decoding {seconds_text(timings.decoding)}, predicting {seconds_text(timings.predicting)}"
    )
    if timings.workers > 1:
        text += f", summed over {timings.workers:,} workers"
    if timings.finding >= _NOTEWORTHY:
        text += f"; finding {seconds_text(timings.finding)}"
    return text


def _counts(counter: Counter[str]) -> str:
    shown = [f"{printable(text)} {number:,}" for text, number in counter.most_common(_MAX_SHOWN)]
    more = len(counter) - len(shown)
    return " · ".join(shown) + (f" · {more:,} more" if more else "")
