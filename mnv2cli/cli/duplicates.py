"""``mnv2 duplicates``: find copies of images, and plan to move all but the best ones."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.inputs import check_inputs, make_classifier
from mnv2cli.cli.options.cache import cache_option
from mnv2cli.cli.options.classifier import as_classifier_options
from mnv2cli.cli.options.engine import speed_options
from mnv2cli.cli.options.images import image_options
from mnv2cli.cli.options.inputs import input_options
from mnv2cli.cli.options.model import model_options
from mnv2cli.cli.options.rows import checked_target, row_options
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.refusals import is_typed
from mnv2cli.cli.terminal.help import ExampleCommand, show_only
from mnv2cli.cli.types import POSITIVE_SCORE
from mnv2cli.sorting.photos import check_local

if TYPE_CHECKING:
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.results.options import OutputTarget
    from mnv2cli.sources.options import Inputs

EXAMPLES = (
    ("show the copies in a folder, the best of each group first", "mnv2 duplicates photos"),
    ("only copies that are equal byte for byte", "mnv2 duplicates photos --exact -o copies.csv"),
    ("plan to move the other copies away",
     "mnv2 duplicates photos --write-plan plan.csv --into copies"),
    ("then do it", "mnv2 sort --apply plan.csv --into copies"),
)  # fmt: skip

THRESHOLD = 0.75
"""The default of ``--threshold``; see docs/find-similar-and-duplicates.md for the measurements."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Which copies to find, and what to do with them.

    Attributes:
        threshold: The least cosine of the features of near copies.
        exact: Find exact copies only.
        write_plan: Write a plan for ``mnv2 sort --apply`` to this file; None for no plan.
        into: The folder that the plan moves copies into.
    """

    threshold: float
    exact: bool
    write_plan: str | None
    into: str | None


_copies = section("Copies")
_search_options = grouped(
    "search",
    SearchOptions,
    _copies(
        "--threshold",
        type=POSITIVE_SCORE,
        default=THRESHOLD,
        metavar="SCORE",
        help="Near copies have features whose cosine is at least SCORE.",
    ),
    _copies("--exact", is_flag=True, help="Find only copies that are equal byte for byte."),
    _copies(
        "--write-plan",
        type=click.Path(dir_okay=False),
        metavar="PLAN",
        help="Plan to move all copies but the best ones; with --into.  [default: no plan]",
    ),
    _copies(
        "--into",
        type=click.Path(),
        metavar="DIR",
        help="The folder for the copies in PLAN, new or not.  [default: none]",
    ),
)


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
    hints=dict.fromkeys(("--apply", "--move", "--delete"), "Use --write-plan with --into."),
)
@input_options
@_search_options
@row_options
@image_options
@model_options
@speed_options
@cache_option
@terminal_options
@as_classifier_options
def duplicates(
    inputs: Inputs,
    options: ClassifierOptions,
    search: SearchOptions,
    target: OutputTarget,
    cache: bool,
    terminal: TerminalOptions,
) -> None:
    """Find copies of images in files and folders, and choose the best one of each group.

    Exact copies have the same content. Near copies have similar features and look alike when they
    are tiny and grey: compressed, resized, slightly cropped or retouched copies. The best image of
    a group has the most pixels, then the most bytes; of equals it is the oldest. Links and the
    companions of a photo, such as its raw photo, are not copies.

    No image is changed. A plan moves all copies but the best ones, with their companions, when you
    apply it with mnv2 sort, and mnv2 undo moves them back.

    Exit codes: 0 all done, 1 failed, 2 usage error, 3 no images found, 4 done but some images could
    not be read, 130 interrupted, 143 terminated.
    """
    check_inputs(inputs)
    for path in inputs.paths:
        check_local(path)
    _check(inputs, search)
    target = checked_target(target)
    from mnv2cli.cli.duplicates_job import DuplicatesJob

    screen = terminal.screen()
    classifier = make_classifier(options, screen)
    job = DuplicatesJob(classifier, screen, cache=cache)
    found = job.find(inputs, None if search.exact else search.threshold, search.into)
    if search.write_plan is not None and search.into is not None:
        job.plan(found, search.write_plan, search.into)
    job.write(found, target)
    click.get_current_context().exit(job.return_code)


_COMMON = {
    "files_from", "include", "exclude", "threshold", "exact", "write_plan", "into", "output",
    "format", "force", "model", "quiet", "verbose",
}  # fmt: skip
show_only(duplicates, _COMMON)


def _check(inputs: Inputs, search: SearchOptions) -> None:
    ctx = click.get_current_context()
    if inputs.filters.pairs == "both":
        raise click.UsageError(
            "--pairs both cannot be combined with duplicates: a raw photo and its JPEG are one "
            "shot, not copies."
        )
    if search.exact and is_typed(ctx, "threshold"):
        raise click.UsageError("--threshold cannot be combined with --exact.")
    if (search.write_plan is None) != (search.into is None):
        given, other = ("--write-plan PLAN", "--into DIR")
        if search.write_plan is None:
            given, other = other, given
        raise click.UsageError(f"{given.split()[0]} requires {other}.")
    if search.into is not None:
        check_local(search.into)
        if os.path.lexists(search.into) and not os.path.isdir(search.into):
            raise click.UsageError(f"{search.into!r} is a file: --into requires a folder.")
    if search.write_plan is not None and os.path.lexists(search.write_plan):
        raise click.UsageError(
            f"{search.write_plan!r} already exists: name another file for --write-plan."
        )
