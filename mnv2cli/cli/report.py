"""``mnv2 report``: make a page of photos and their labels."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.options.images import limit_options
from mnv2cli.cli.options.report import corrections_option
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.refusals import is_typed
from mnv2cli.cli.report_page import check_page
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.types import RESULTS
from mnv2cli.results.thumbnail_files import EMBED_LIMIT

if TYPE_CHECKING:
    from mnv2cli.cli.report_job import ReportSources
    from mnv2cli.images.options import ImageOptions
    from mnv2cli.reporting.write import ReportTarget

EXAMPLES = (
    ("look at the labels of a folder",
     "mnv2 classify photos -o labels.csv && mnv2 report labels.csv --open"),
    ("the photos have moved since", "mnv2 report labels.csv --base /mnt/photos -o moved.html"),
    ("compare with an earlier run", "mnv2 report new.csv --against labels.csv"),
    ("labels only, without photos", "mnv2 report labels.csv --no-thumbnails"),
    ("one file to send to somebody, however many photos",
     "mnv2 report labels.parquet --embed-limit 100000"),
)  # fmt: skip


def _target(output: str, force: bool, no_thumbnails: bool, embed_limit: int) -> ReportTarget:
    from mnv2cli.reporting.write import ReportTarget

    return ReportTarget(output, force, not no_thumbnails, embed_limit)


def _sources(
    results: str, base: str | None, against: str | None, corrections: str | None
) -> ReportSources:
    from mnv2cli.cli.report_job import ReportSources

    return ReportSources(results, base, against, corrections)


_page = section("Page")
_target_options = grouped(
    "target",
    _target,
    _page(
        "-o",
        "--output",
        type=click.Path(),
        default="report.html",
        metavar="FILE",
        help="Write to FILE, which ends in .html.",
    ),
    _page("--force", is_flag=True, help="Overwrite FILE if it exists."),
    _page("--no-thumbnails", is_flag=True, help="Show labels only, and read no photo."),
    _page(
        "--embed-limit",
        type=click.IntRange(min=0),
        default=EMBED_LIMIT,
        metavar="N",
        help="Put more than N thumbnails into files beside FILE.",
    ),
)


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
    hints={"--thumbnails": "Thumbnails are the default."},
)
@_target_options
@_page("--open", "open_page", is_flag=True, help="Open the page in the browser.")
@grouped(
    "sources",
    _sources,
    click.argument("results", metavar="RESULTS", type=RESULTS),
    _page(
        "--base",
        type=click.Path(),
        metavar="DIR",
        help="Find the photos below DIR, where they are now.  [default: where they were]",
    ),
    _page(
        "--against",
        type=click.Path(),
        metavar="FILE",
        help="Compare with FILE, the results of an earlier run.",
    ),
    corrections_option(_page, "Begin with the corrections that a page has exported as FILE."),
)
@limit_options
@terminal_options
def report(
    sources: ReportSources,
    target: ReportTarget,
    open_page: bool,
    images: ImageOptions,
    terminal: TerminalOptions,
) -> None:
    """Make a page of photos and their labels, to look at, filter and correct in a browser.

    RESULTS is a file of mnv2 classify or mnv2 embed: csv, json, jsonl, parquet or npz. The page is
    one file that opens from disk, without a server, and makes no request to a network. With more
    thumbnails than --embed-limit, it needs the folder beside it that has its name and ends in
    _files.

    Relative paths in RESULTS start at the current folder or at that of RESULTS, where more photos
    exist. With --base, they start at DIR; of absolute paths, the part that all share is replaced by
    DIR. Photos that are not there are looked for by the last folders of their path.

    Exit codes: 0 all done, 1 failed, 2 usage error, 3 no photos in RESULTS, 4 done but some photos
    could not be read now, 130 interrupted, 143 terminated.
    """
    _check(target, sources.base)
    from mnv2cli.cli.report_job import ReportJob
    from mnv2cli.results.any_file import check_any

    check_any(sources.results)
    if sources.against is not None:
        check_any(sources.against)
    inputs = (sources.results, sources.against, sources.corrections)
    check_page(target.path, force=target.force, inputs=inputs)
    job = ReportJob(target, images, terminal.screen())
    job.make(sources)
    job.show()
    if open_page:
        job.open_page()
    click.get_current_context().exit(job.return_code)


def _check(target: ReportTarget, base: str | None) -> None:
    """Check that options can be combined, and that none would be ignored; raises UsageError."""
    ctx = click.get_current_context()
    if not target.thumbnails:
        for name in ("embed_limit", "max_pixels", "allow_truncated", "isolate", "timeout"):
            if is_typed(ctx, name):
                option = f"--{name.replace('_', '-')}"
                raise click.UsageError(f"{option} cannot be combined with --no-thumbnails.")
    if base is not None and not os.path.isdir(base):
        why = "is not a folder" if os.path.lexists(base) else "does not exist"
        raise click.UsageError(f"--base: {base!r} {why}.")
