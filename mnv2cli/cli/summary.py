"""``mnv2 summary``: the figures of a results file, or the difference of two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.types import RESULTS

if TYPE_CHECKING:
    from mnv2cli.cli.summary_job import SummaryOutput

EXAMPLES = (
    ("show what is in a results file", "mnv2 summary labels.csv"),
    ("compare it with an earlier run", "mnv2 summary labels.csv --against old.csv"),
    ("list the images whose label changed",
     "mnv2 summary labels.csv --against old.csv --csv | grep ,label,"),
)  # fmt: skip


def _output(as_json: bool, as_csv: bool, everything: bool) -> SummaryOutput:
    from mnv2cli.cli.summary_job import SummaryOutput

    if as_json and as_csv:
        raise click.UsageError("--json and --csv are formats: choose one.")
    if everything and (as_json or as_csv):
        option = "--json" if as_json else "--csv"
        raise click.UsageError(f"--all cannot be combined with {option}, which prints all rows.")
    return SummaryOutput(as_json, as_csv, everything)


_format = section("Format")
_output_options = grouped(
    "output",
    _output,
    _format("--json", "as_json", is_flag=True, help="Print all figures as JSON."),
    _format(
        "--csv",
        "as_csv",
        is_flag=True,
        help="Print section, name, count, mean_score; with --against a row for each change.",
    ),
    _format(
        "--all", "everything", is_flag=True, help="Show all rows of the tables, not the first 15."
    ),
)


@click.command(cls=ExampleCommand, examples=EXAMPLES)
@click.argument("results", type=RESULTS)
@section("Difference")(
    "--against",
    type=click.Path(allow_dash=True),
    metavar="FILE",
    help="Show the changes since FILE, the results of an earlier run.  [default: none]",
)
@_output_options
@terminal_options
def summary(
    results: str, against: str | None, output: SummaryOutput, terminal: TerminalOptions
) -> None:
    """Show the figures of RESULTS, a file that mnv2 classify, merge or embed wrote in any format.

    These are the errors, the labels and categories with their counts and mean scores, histograms
    of the scores and of the lead of the best label over the second, the ten images with the
    smallest lead, and the folders.

    With --against, both files are joined by path and compared: which labels and categories changed,
    in which classes, and where both runs were sure. Relative paths start in the current folder.

    Exit codes: 0 all done, 1 failed, 2 usage error or not a results file, 3 no images in it.
    """
    if against == "-":
        raise click.UsageError("--against - is not supported: name a file, such as old.csv.")
    from mnv2cli.cli.summary_job import SummaryJob

    job = SummaryJob(terminal.screen(), output)
    if against is None:
        job.summarise(results)
    else:
        job.compare(results, against)
