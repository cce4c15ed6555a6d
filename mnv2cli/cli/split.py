"""``mnv2 split``: split photos into train, val and test."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.options.cache import cache_option
from mnv2cli.cli.options.classifier import as_classifier_options
from mnv2cli.cli.options.engine import speed_options
from mnv2cli.cli.options.images import image_options
from mnv2cli.cli.options.inputs import filter_options
from mnv2cli.cli.options.method import method_options
from mnv2cli.cli.options.model import backbone_options
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.refusals import has_typed_filters, is_typed, refuse_others
from mnv2cli.cli.terminal.help import ExampleCommand, show_only
from mnv2cli.cli.types import RESULTS, Share
from mnv2cli.errors import NoImagesError
from mnv2cli.sources.options import Filters, Inputs

if TYPE_CHECKING:
    from mnv2cli.datasets.formats import LabelBy
    from mnv2cli.datasets.split_lists import ListFormat
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.sorting.actions import Method

EXAMPLES = (
    ("preview: how many photos of each class each set would get",
     "mnv2 split photos --into dataset --dry-run"),
    ("copy 80 % into train, 10 % into val and 10 % into test", "mnv2 split photos --into dataset"),
    ("undo it", "mnv2 undo dataset"),
    ("photos of one house, 12_kitchen.jpg and 12_bath.jpg, are in one set",
     "mnv2 split rooms --into dataset --group-by '([0-9]+)_[^/]*$'"),
    ("by the labels of results, as symbolic links, without a test set",
     "mnv2 split labels.csv --into dataset --test 0 --symlink"),
    ("lists instead of folders: train.csv, val.csv and test.csv with path and label",
     "mnv2 split photos --into lists --list csv"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SplitChoice:
    """The options of a split, as typed.

    Attributes:
        into: The destination.
        list: The format of lists; None for folders.
        force: Overwrite lists.
        dry_run: Show the split and change nothing.
    """

    into: str
    val: float
    test: float
    seed: int
    group_by: str
    near: bool
    label_by: LabelBy
    base: str | None
    list: ListFormat | None
    force: bool
    dry_run: bool


def _inputs(source: str, **filters: Any) -> Inputs:
    return Inputs((source,), filters=Filters(**filters))


_splitting = section("Splitting")
_input_options = grouped(
    "inputs",
    _inputs,
    click.argument("source", metavar="FOLDER|RESULTS", type=RESULTS),
    filter_options,
)
_split_options = grouped(
    "choice",
    SplitChoice,
    _splitting(
        "--into", required=True, type=click.Path(), metavar="DEST",
        help="Create train, val and test in this folder.",
    ),
    _splitting(
        "--val", type=Share(), default=0.1, metavar="SHARE",
        help="The share for validation, or a number of photos.",
    ),
    _splitting(
        "--test", type=Share(), default=0.1, metavar="SHARE",
        help="The share for test, or a number of photos.",
    ),
    _splitting(
        "--seed", type=int, default=0, metavar="N",
        help="Random seed; another number makes another split.",
    ),
    _splitting(
        "--group-by", default="", metavar="REGEX", show_default=False,
        help="Keep photos together: parent (same folder), or a regex; photos whose first group "
        "matches the same text stay together.",
    ),
    _splitting(
        "--no-near", "near", flag_value=False, default=True, show_default=False,
        help="Keep only exact copies together; needs no network and is faster.",
    ),
    _splitting(
        "--label-by", type=click.Choice(["label", "category", "node"]), default="label",
        metavar="KIND",
        help="With RESULTS: classes are label, category or node.",
    ),
    _splitting(
        "--base", type=click.Path(exists=True, file_okay=False), metavar="DIR",
        help="With RESULTS: find the photos below DIR.  [default: where they were]",
    ),
    _splitting(
        "--list", type=click.Choice(["txt", "csv"]), metavar="FORMAT",
        help="Write lists instead: txt (a path on each line) or csv (path and label).",
    ),
    _splitting(
        "--force", is_flag=True, help="Overwrite lists; photos in them stay in their sets."
    ),
    _splitting("--dry-run", is_flag=True, help="Show the split; change nothing."),
)  # fmt: skip
_COMMON = {
    "into", "val", "test", "group_by", "near", "label_by", "dry_run", "list", "move",
    "symlink", "hardlink", "quiet", "verbose",
}  # fmt: skip
"""The options in ``--help``; ``--help-all`` has the others."""
_OF_NETWORK = ("Model", "Speed", "Decoding")


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
    hints=dict.fromkeys(("-o", "--output", "--dest"), "The destination goes to --into."),
)
@_input_options
@_split_options
@method_options(_splitting)
@image_options
@backbone_options
@speed_options
@cache_option
@terminal_options
@as_classifier_options
def split(
    inputs: Inputs,
    options: ClassifierOptions,
    choice: SplitChoice,
    method: Method,
    cache: bool,
    terminal: TerminalOptions,
) -> None:
    """Split photos into train, val and test, each with a folder for each class.

    Each subfolder of FOLDER is a class. RESULTS are those of mnv2 classify, or a CSV with the
    columns path and label. Every class is split by the same shares, as closely as groups allow:
    copies, near copies and photos of one --group-by key are never in two sets.

    Photos are copied unless you choose another method. Nothing is overwritten, and a journal in
    DEST/.mnv2 records every step for mnv2 undo DEST. When you add photos and run the same command
    again, photos stay in the set that they are in.

    Exit codes: 0 all done, 1 failed, 2 usage error, 3 no photos found, 4 done but some photos could
    not be read, 130 interrupted, 143 terminated.
    """
    ctx = click.get_current_context()
    _check(ctx, inputs, choice)
    from mnv2cli.cli.split_job import SplitJob
    from mnv2cli.datasets.split_options import SplitOptions

    made = SplitOptions(
        val=choice.val,
        test=choice.test,
        seed=choice.seed,
        group_by=choice.group_by,
        near=choice.near,
        model=options.model,
        cache=cache,
        label_by=choice.label_by,
        base=choice.base or "",
        method=method,
    )
    job = SplitJob(choice.into, choice.list, terminal.screen())
    if choice.list is None and not choice.dry_run:
        job.finish_interrupted()
    try:
        found = job.plan(inputs, made, options)
    except NoImagesError:
        if (code := job.finished_all()) is None:
            raise
        ctx.exit(code)
    if choice.dry_run:
        job.show(found)
    elif choice.list is not None:
        job.write(found, choice.list, force=choice.force)
    else:
        job.apply_plan(found)
    ctx.exit(job.exit_code(found))


show_only(split, _COMMON)


def _check(ctx: click.Context, inputs: Inputs, choice: SplitChoice) -> None:
    """Check that options can be combined, and that none would be ignored; raises UsageError."""
    (source,) = inputs.paths
    if os.path.lexists(choice.into) and not os.path.isdir(choice.into):
        raise click.UsageError(f"{choice.into!r} is a file: --into requires a folder.")
    if os.path.isdir(source):
        for name in ("label_by", "base"):
            if is_typed(ctx, name):
                option = f"--{name.replace('_', '-')}"
                raise click.UsageError(
                    f"{option} requires RESULTS: in a folder, subfolders are the classes."
                )
    elif has_typed_filters(ctx):
        raise click.UsageError("Options that select images require FOLDER: RESULTS name them.")
    if choice.list is None:
        if choice.force:
            raise click.UsageError("--force requires --list: photos are never overwritten.")
    else:
        for name in ("move", "copy", "symlink", "hardlink"):
            if is_typed(ctx, name):
                raise click.UsageError(f"--{name} cannot be combined with --list: choose one.")
        from mnv2cli.datasets.split_lists import check_lists

        if not choice.dry_run:
            check_lists(choice.into, choice.list, force=choice.force)
    if not choice.near:
        network = {
            param.name
            for param in ctx.command.params
            if getattr(param, "section", "") in _OF_NETWORK
        }
        others = {param.name for param in ctx.command.params} - network
        refuse_others(ctx, others, "--no-near: no network runs")
