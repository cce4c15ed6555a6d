"""``mnv2 sort``: photos into class folders, planned first, and every step can be taken back."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.inputs import check_inputs
from mnv2cli.cli.options import (
    TerminalOptions,
    as_classifier_options,
    categories_option,
    image_options,
    input_options,
    model_options,
    speed_options,
    terminal_options,
)
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.errors import ExitCode
from mnv2cli.labels.options import LabelOptions
from mnv2cli.sorting.options import FolderOptions, PlanOptions, SortOptions
from mnv2cli.sorting.photos import check_local

if TYPE_CHECKING:
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.sorting.actions import Method
    from mnv2cli.sources.options import Inputs

EXAMPLES = (
    ("what would happen", "mnv2 sort photos --into sorted --dry-run"),
    ("copies in folders such as dog, car and mountain", "mnv2 sort photos --into sorted"),
    ("moved, by year and label; the unsure ones apart",
     "mnv2 sort photos --into sorted --move --template '{year}/{label}' --threshold 0.5"),
    ("by results of an earlier run, without looking at the photos again",
     "mnv2 sort --from labels.csv --into sorted --by label --symlink"),
    ("look at the plan, edit it, carry it out",
     "mnv2 sort photos --into sorted --plan plan.csv && mnv2 sort --apply plan.csv --into sorted"),
    ("take it all back", "mnv2 undo sorted"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FolderChoice:
    """Which folders the user asks for, as it was typed."""

    by: str | None
    template: str | None
    rollup: float | None
    categories: str | None
    threshold: float
    margin: float
    min_count: int

    def labels(self) -> LabelOptions:
        """Return what must be known of each photo."""
        return LabelOptions(top=2, categories=self.categories, rollup=self.rollup)

    def options(self) -> FolderOptions:
        """Return which folders that are.

        Raises:
            UsageError: Options that cannot be combined.
            InputError: The template cannot be used.
        """
        if self.template is not None and self.by is not None:
            raise click.UsageError("--by is a short --template: choose one.")
        name = "node" if self.rollup and self.by is None else self.by or "category"
        template = f"{{{name}}}" if self.template is None else self.template
        options = FolderOptions(template, self.threshold, self.margin, self.min_count)
        if self.rollup and "node" not in options.fields:
            raise click.UsageError("--rollup needs {node} in the --template, and no --by.")
        return options


_sorting, _folders = section("Sorting"), section("Folders")
_plan_options = grouped(
    "plan",
    PlanOptions,
    _sorting(
        "--from",
        "results",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="Sort by results that mnv2 classify wrote (.csv, .json, .jsonl).  [default: classify "
        "now]",
    ),
    _sorting("--dry-run", is_flag=True, help="Show the plan as a tree, and change nothing."),
    _sorting(
        "--plan",
        "write_to",
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help="Write the plan as CSV, to be edited by hand, and change nothing else.  [default: "
        "carry it out]",
    ),
    _sorting(
        "--apply",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="Carry out a plan that --plan wrote, once it is checked again.  [default: make one]",
    ),
)
_folder_options = grouped(
    "folders",
    FolderChoice,
    _folders(
        "--by",
        type=click.Choice(["category", "label", "wnid"]),
        help="What folders are named after.  [default: category]",
    ),
    _folders(
        "--template",
        metavar="TEXT",
        help="Names of folders, with {category}, {label}, {wnid}, {node}, {year}, {month}, "
        "{score:.1f} and {model} filled in; / goes into a folder.  [default: by --by]",
    ),
    _folders(
        "--rollup",
        type=click.FloatRange(0, 1, min_open=True),
        metavar="P",
        help="The most exact name whose score reaches this: spaniel, else dog, else animal.  "
        "[default: no]",
    ),
    categories_option(_folders),
    _folders(
        "--threshold",
        type=click.FloatRange(0, 1),
        default=0.0,
        metavar="P",
        help="Photos with a score below this go to the folder unsure.",
    ),
    _folders(
        "--margin",
        type=click.FloatRange(0, 1),
        default=0.0,
        metavar="M",
        help="Those whose score is less than this ahead of the next one, too.",
    ),
    _folders(
        "--min-count",
        type=click.IntRange(min=1),
        default=1,
        metavar="N",
        help="Classes with fewer photos go to the folder other.",
    ),
)


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
)
@input_options
@_sorting(
    "--into",
    "dest",
    required=True,
    type=click.Path(),
    metavar="DEST",
    help="The folder that gets the class folders; made if it is not there.",
)
@_sorting("--move", "method", flag_value="move", help="Move photos instead of copying them.")
@_sorting(
    "--symlink", "method", flag_value="symlink", help="Make symbolic links, relative if possible."
)
@_sorting("--hardlink", "method", flag_value="hardlink", help="Make hard links: no room is needed.")
@_sorting("--copy", "method", flag_value="copy", default="copy", help="Copy photos.")
@_plan_options
@_folder_options
@image_options
@model_options
@speed_options
@terminal_options
@as_classifier_options
def sort(
    inputs: Inputs,
    options: ClassifierOptions,
    dest: str,
    method: Method,
    plan: PlanOptions,
    folders: FolderChoice,
    terminal: TerminalOptions,
) -> None:
    """Put the photos of files, folders and globs into folders named after what they show.

    Photos are copied unless you say otherwise. Nothing is ever overwritten: what is there already
    is left alone, another photo of the same name gets a number. Files of the same name that belong
    to a photo (.xmp, .aae, raw files, .mov of Live Photos) go with it. Photos that cannot be read
    stay where they are. Every step is in a journal in DEST/.mnv2, and mnv2 undo DEST takes it back;
    a run that was interrupted is finished by running it again.

    Exit codes: 0 all done, 1 some could not be sorted, 2 usage, 3 no images found, 4 done but some
    images could not be read, 130 interrupted.
    """
    options = replace(options, labels=folders.labels())
    _check(inputs, plan, options.labels)
    check_local(dest)
    if os.path.lexists(dest) and not os.path.isdir(dest):
        raise click.UsageError(f"{dest!r} is a file: --into needs a folder.")
    from mnv2cli.cli.sort_job import SortJob
    from mnv2cli.sorting.plan_file import read_plan

    job = SortJob(dest, terminal.screen())
    if not plan.is_preview:
        job.finish_interrupted()
    if plan.apply is not None:
        made = read_plan(plan.apply, dest)
    else:
        made = job.plan(inputs, plan, SortOptions(dest, method, folders.options()), options)
    code = ExitCode.SOME_UNREADABLE if made.unsorted and plan.apply is None else ExitCode.DONE
    if plan.write_to is not None:
        job.write(made, plan.write_to)
    elif plan.dry_run:
        job.show(made)
    elif job.carry_out(made).failed:
        code = ExitCode.FAILED
    click.get_current_context().exit(code)


def _check(inputs: Inputs, plan: PlanOptions, labels: LabelOptions) -> None:
    for path in inputs.paths:
        check_local(path)
    given = bool(inputs.paths) or inputs.list_file is not None
    if given + (plan.results is not None) + (plan.apply is not None) > 1:
        raise click.UsageError("Photos come from paths, from --from or from --apply: choose one.")
    if plan.results is None and plan.apply is None:
        check_inputs(inputs)
    if plan.results is not None and labels.categories:
        raise click.UsageError(
            "Categories are found when photos are looked at: give --categories to mnv2 classify "
            "--category, which writes the results."
        )
    if plan.results is not None and labels.rollup:
        raise click.UsageError(
            "Nodes are found when photos are looked at: give --rollup to mnv2 classify, and "
            "--template '{node}' here."
        )
    if plan.write_to is not None and (plan.dry_run or plan.apply is not None):
        raise click.UsageError("--plan changes nothing anyway: leave out --dry-run and --apply.")
    if plan.write_to is not None and os.path.lexists(plan.write_to):
        raise click.UsageError(f"{plan.write_to!r} exists: name another file for --plan.")
