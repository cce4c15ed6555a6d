"""The summary of a run, as lines of text."""

from __future__ import annotations

from collections import Counter

from mnv2cli.cli.terminal.text import printable
from mnv2cli.inference.report import Report
from mnv2cli.system.hardware import usable_cores

Line = tuple[str, str, str]
"""A name, a text and a style."""

_MAX_SHOWN = 5


def format_summary(
    report: Report,
    engine: str,
    output: str | None,
    *,
    interrupted: bool = False,
    resume_command: str = "",
) -> list[Line]:
    """Return the lines of what a run came to.

    Args:
        report: Counts and times of the run.
        engine: The network and what ran it; empty if nothing was left to do.
        output: The file that was written; None for standard output.
        interrupted: The run was interrupted.
        resume_command: The command that resumes it; empty for none.
    """
    timings = report.timings
    count = f"{report.images:,}" + (", then interrupted," if interrupted else "")
    by = f"{report.rate:,.1f} images/s, {engine}"
    text = f"{count} in {report.seconds:,.1f} s ({by})" if engine else "nothing was left to do"
    lines = [("Images", text, "")]
    if report.kept:
        lines.append(("Kept", f"{report.kept:,} that were there", ""))
    if report.errors:
        lines.append(("Errors", f"{report.unreadable:,}: {_counts(report.errors)}", "red"))
    labels: Counter[str] = Counter()
    for (_, label), count_of_label in report.labels.items():
        labels[label] += count_of_label
    if max(labels.values(), default=0) > 1:
        lines.append(("Most seen", _counts(labels), ""))
    if report.skipped:
        lines.append(("Left out", _counts(report.skipped), ""))
    if engine:
        times = (
            f"loading {timings.loading:.1f} s, finding {timings.finding:.1f} s, decoding "
            f"{timings.decoding:.1f} s (over {usable_cores()} threads), predicting "
            f"{timings.predicting:.1f} s"
        )
        lines.append(("Time", times, ""))
    if output is not None and report.images:
        lines.append(("Written", printable(output), ""))
    if resume_command:
        lines.append(("To go on", resume_command, ""))
    return lines


def _counts(counter: Counter[str]) -> str:
    shown = [f"{printable(text)} {count:,}" for text, count in counter.most_common(_MAX_SHOWN)]
    more = len(counter) - len(shown)
    return " · ".join(shown) + (f" · {more:,} more" if more else "")
