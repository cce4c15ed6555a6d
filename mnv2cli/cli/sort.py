"""``mnv2 sort``: sort photos into class folders by a plan, with a journal that undo reads."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.inputs import check_inputs
from mnv2cli.cli.options.classifier import as_classifier_options
from mnv2cli.cli.options.engine import speed_options
from mnv2cli.cli.options.folders import FOLDERS, FolderChoice, folder_options
from mnv2cli.cli.options.images import image_options
from mnv2cli.cli.options.inputs import input_options
from mnv2cli.cli.options.method import method_options
from mnv2cli.cli.options.model import model_options
from mnv2cli.cli.options.plan import plan_file_options
from mnv2cli.cli.options.report import corrections_option, report_option
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.refusals import check_refresh, refuse_others
from mnv2cli.cli.report_page import check_page
from mnv2cli.cli.terminal.help import ExampleCommand, SectionOption, show_only
from mnv2cli.cli.types import RESULTS_FILE
from mnv2cli.errors import ExitCode
from mnv2cli.sorting.options import PlanOptions, SortOptions
from mnv2cli.sorting.photos import check_local

if TYPE_CHECKING:
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.labels.options import LabelOptions
    from mnv2cli.sorting.actions import Method
    from mnv2cli.sorting.options import FolderOptions
    from mnv2cli.sources.options import Inputs

EXAMPLES = (
    ("preview: the folders, and how many photos each would get",
     "mnv2 sort photos --into sorted --dry-run"),
    ("copy photos into folders such as dog, car and mountain", "mnv2 sort photos --into sorted"),
    ("undo it", "mnv2 undo sorted"),
    ("move photos by year and label, without unsure/",
     "mnv2 sort photos --into sorted --move --template '{year}/{label}' --threshold 0"),
    ("sort by results of an earlier run, without classifying again",
     "mnv2 sort --from labels.csv --into sorted --by label --symlink"),
    ("... and by the corrections of these results that mnv2 report exported",
     "mnv2 sort --from labels.csv --corrections corrections.csv --into sorted --by label"),
    ("write a plan, edit it, then apply it",
     "mnv2 sort photos --into sorted --plan plan.csv && mnv2 sort --apply plan.csv --into sorted"),
)  # fmt: skip


_NAMES_PHOTOS = {"--files-from": "files_from", "--from": "results", "--apply": "apply"}
"""The options that name the photos in place of PATH, with their parameters."""


class _DestinationOption(SectionOption):
    """The option for the destination; if it is missing, the error shows how to use it."""

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        try:
            return super().process_value(ctx, value)
        except click.MissingParameter:
            paths = list(ctx.params.get("paths") or ())
            files = [
                (option, file)
                for option, name in _NAMES_PHOTOS.items()
                if isinstance(file := ctx.params.get(name), str)  # click has a marker for unset
            ]
            dest = paths.pop() if len(paths) > (not files) else "sorted"
            photos = paths or ([] if files else ["PHOTOS"])
            line = shlex.join(["mnv2", "sort", *photos, *chain(*files), "--into", dest])
            raise click.UsageError(
                f"Missing option '--into': it names the destination, as in: {line}", ctx
            ) from None


_OWN_SECTIONS = ("Sorting", FOLDERS)
_sorting = section("Sorting")
_method_options = method_options(_sorting)
_plan_options = grouped(
    "plan",
    PlanOptions,
    _sorting(
        "--from",
        "results",
        type=RESULTS_FILE,
        metavar="FILE",
        help="Sort by the results of mnv2 classify in FILE.  [default: classify now]",
    ),
    corrections_option(
        _sorting,
        "With --from: sort photos by the labels that you corrected in mnv2 report, exported as "
        "FILE.",
    ),
    _sorting("--dry-run", is_flag=True, help="Show the plan as a tree; change nothing."),
    plan_file_options(_sorting),
    _sorting(
        "--refresh",
        is_flag=True,
        help="Sort the photos again that earlier runs put into DEST and you did not move.",
    ),
    report_option(_sorting),
)
_COMMON = {
    "dest", "move", "symlink", "hardlink", "results", "dry_run", "write_to", "apply", "report",
    "by", "template", "threshold", "quiet", "verbose",
}  # fmt: skip
"""The options in ``--help``; ``--help-all`` has the others."""
_WITH_APPLY = {"dest", "apply", "dry_run", "report", "quiet", "verbose"}
_WITH_DATES = {"isolate", "timeout"}


def _new_name(name: str) -> str:
    """Return the name of an option without its dashes; the former name in scripts still works."""
    return "min-margin" if name == "margin" else name


@click.command(
    cls=ExampleCommand,
    context_settings={"token_normalize_func": _new_name},
    examples=EXAMPLES,
    hints=dict.fromkeys(("-o", "--output", "--dest"), "The destination goes to --into."),
)
@input_options
@_sorting(
    "--into",
    "dest",
    cls=_DestinationOption,
    required=True,
    type=click.Path(),
    metavar="DEST",
    help="Sort into this folder, new or not.",
)
@_method_options
@_plan_options
@folder_options
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
    """Sort photos into folders named after what they show.

    Photos are copied unless you choose another method. Nothing is overwritten: a photo that is
    already in the destination is skipped, and a different photo of the same name gets a number.
    Companions of a photo (.xmp, .aae, its raw photo, .mov of Live Photos) go with it. Photos with a
    low score go to unsure/, photos of an ignored category to other/; photos that cannot be read
    stay where they are. A journal in DEST/.mnv2 records every step for mnv2 undo DEST. To finish an
    interrupted run, run the same command again.

    The page of --report shows each photo, its labels, and the folder where the plan puts it. It is
    written before the plan is applied, so that --dry-run or --plan can come first. Its links lead
    to the photos where they are; with --move, where they are moved to.

    Exit codes: 0 all done, 1 some photos could not be sorted, 2 usage error, 3 no images found, 4
    done but some images could not be read, 130 interrupted, 143 terminated.
    """
    ctx = click.get_current_context()
    is_new = plan.results is None and plan.apply is None
    if is_new:
        folders = folders.for_model(options.model)
    options = replace(options, labels=folders.labels())
    if plan.refresh:
        check_refresh(ctx, _OWN_SECTIONS)
    _check(inputs, plan, options.labels)
    filters = inputs.filters
    pairs = filters.pairs if plan.results is None else "both"
    sort_options = SortOptions(
        dest, method, folders.options(), pairs, exclude=filters.exclude, given=inputs.paths
    )
    if plan.refresh:
        sort_options = replace(sort_options, method="move", pairs="both", refresh=True)
    _check_ignored(ctx, plan, sort_options.folders)
    check_local(dest)
    if os.path.lexists(dest) and not os.path.isdir(dest):
        raise click.UsageError(f"{dest!r} is a file: --into requires a folder.")
    from mnv2cli.cli.sort_job import SortJob
    from mnv2cli.cli.sort_refresh import RefreshJob
    from mnv2cli.sorting.plan_file import read_plan

    screen = terminal.screen()
    job = (RefreshJob if plan.refresh else SortJob)(dest, screen)
    if plan.report is not None:
        from mnv2cli.cli.plan_page import PlanPage

        classes = sort_options.folders.thresholds  # of a model of the user's
        job.page = PlanPage(plan.report, options.images, screen, classes, plan.results or "")
    if not plan.is_preview:
        job.finish_interrupted()
    if plan.apply is not None:
        made = read_plan(plan.apply, dest)
    else:
        made = job.plan(inputs, plan, sort_options, options)
    job.write_page(made, is_applied=not plan.is_preview)
    code = ExitCode.SOME_UNREADABLE if made.unsorted and plan.apply is None else ExitCode.DONE
    if plan.write_to is not None:
        job.write(made, plan.write_to)
    elif plan.dry_run:
        job.show(made)
    elif job.apply_plan(made).failed:
        code = ExitCode.FAILED
    job.show_written()
    ctx.exit(code)


show_only(sort, _COMMON)


def _check(inputs: Inputs, plan: PlanOptions, labels: LabelOptions) -> None:
    for path in inputs.paths:
        check_local(path)
    if plan.corrections is not None and plan.results is None and plan.apply is None:
        raise click.UsageError(
            "--corrections requires --from: name the results that were corrected."
        )
    given = bool(inputs.paths) or inputs.list_file is not None
    if given + (plan.results is not None) + (plan.apply is not None) > 1:
        raise click.UsageError("PATH, --from and --apply cannot be combined: choose one.")
    if plan.results is None and plan.apply is None and not plan.refresh:
        check_inputs(inputs)
    if plan.results is not None and labels.categories and plan.corrections is None:
        raise click.UsageError(
            "--categories cannot be combined with --from: use it with mnv2 classify, which writes "
            "the categories into its results."
        )
    if plan.results is not None and labels.rollup:
        raise click.UsageError(
            "--rollup cannot be combined with --from: use it with mnv2 classify, and "
            "--template '{node}' here."
        )
    if plan.write_to is not None and plan.dry_run:
        raise click.UsageError(
            "--dry-run cannot be combined with --plan, which changes no photo either."
        )
    if plan.write_to is not None and os.path.lexists(plan.write_to):
        raise click.UsageError(f"{plan.write_to!r} already exists: name another file for --plan.")
    if plan.report is not None:
        _check_report(plan.report, plan)


def _check_report(path: str, plan: PlanOptions) -> None:
    """Check that a page can be written; nothing is overwritten, so there is no --force."""
    if os.path.isfile(path):
        raise click.UsageError(f"{path!r} already exists: name another file for --report.")
    check_page(path, force=False, inputs=[plan.write_to, plan.results, plan.apply])


def _check_ignored(ctx: click.Context, plan: PlanOptions, folders: FolderOptions) -> None:
    """Check that no option was typed that --apply or --from would ignore."""
    if plan.apply is not None:
        refuse_others(ctx, _WITH_APPLY, "--apply: the plan decides where each photo goes")
    if plan.results is not None:
        used = {
            param.name
            for param in ctx.command.params
            if getattr(param, "section", "") in _OWN_SECTIONS
        }
        if folders.fields & {"year", "month"}:
            used |= _WITH_DATES  # dates are read from the photos
        refuse_others(ctx, used | {"quiet", "verbose"}, "--from: no image is classified again")
