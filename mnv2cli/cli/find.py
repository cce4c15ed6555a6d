"""``mnv2 find``: find the photos of a label, a category or a node of the tree."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.inputs import check_inputs, check_not_an_input
from mnv2cli.cli.options.cache import cache_option
from mnv2cli.cli.options.classifier import as_classifier_options
from mnv2cli.cli.options.engine import speed_options
from mnv2cli.cli.options.images import image_options
from mnv2cli.cli.options.inputs import filter_options
from mnv2cli.cli.options.labels import categories_option
from mnv2cli.cli.options.model import model_options
from mnv2cli.cli.options.rows import (
    TABLE,
    checked_target,
    csv_safe_option,
    force_option,
    output_option,
)
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.refusals import refuse_others
from mnv2cli.cli.terminal.help import ExampleCommand, SectionOption
from mnv2cli.cli.types import RESULTS_FILE, SCORE
from mnv2cli.errors import OutputError
from mnv2cli.labels.options import LabelOptions
from mnv2cli.results.check import check_not_folder, check_output
from mnv2cli.results.options import OutputTarget
from mnv2cli.results.rows import ROW_FORMATS
from mnv2cli.sources import urls
from mnv2cli.sources.options import Filters, Inputs
from mnv2cli.system.urls import redact

if TYPE_CHECKING:
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.selecting.find import FindOptions
    from mnv2cli.sorting.actions import Method

EXAMPLES = (
    ("list the photos of dogs, the likeliest first", "mnv2 find dog photos"),
    ("copy them into a folder", "mnv2 find dog photos --copy-to dogs"),
    ("photos of dogs or cats, in two folders", "mnv2 find dog cat in photos more-photos"),
    ("photos whose category is not certain, the least certain first",
     "mnv2 find --unsure photos"),
    ("pass paths with any characters to another program",
     "mnv2 find 'Egyptian cat' photos -0 | xargs -0 ls -l"),
    ("find by the results of mnv2 classify, without classifying",
     "mnv2 find dog --from labels.csv"),
    ("the 10 most likely, however unlikely they are",
     "mnv2 find violin photos --min-score 0 --limit 10"),
)  # fmt: skip

PATHS = "paths"
"""The format of plain lists."""

_WITH_RESULTS = {
    "results",
    "unsure",
    "by",
    "min_score",
    "limit",
    "categories",
    "files_from",
    "null",
}


@dataclass(frozen=True, slots=True)
class FindInputs:
    """What to find, and where, as typed.

    Attributes:
        words: Names, then paths.
        inputs: The list of paths and the filters.
        results: Results of an earlier run; None to classify.
    """

    words: tuple[str, ...]
    inputs: Inputs
    results: str | None


@dataclass(frozen=True, slots=True)
class FindOutput:
    """What to do with the photos that are found.

    Attributes:
        target: Where the list of them is written, and its format.
        is_null: Paths end with NUL.
        places: The folders to put them into, by method.
    """

    target: OutputTarget
    is_null: bool
    places: dict[Method, str]

    @property
    def is_listed(self) -> bool:
        """Whether photos are listed: if they go to a folder, only on request."""
        return not self.places or bool(self.target.path or self.target.format)


def _inputs(
    words: tuple[str, ...],
    files_from: str | None,
    null: bool,
    results: str | None,
    **filters: Any,
) -> FindInputs:
    return FindInputs(words, Inputs((), files_from, null, Filters(**filters)), results)


def _options(unsure: bool, by: str | None, **others: Any) -> FindOptions:
    from mnv2cli.selecting.find import FindOptions

    if by and not unsure:
        raise click.UsageError("--by requires --unsure.")
    if unsure and by == "label" and others["categories"] is not None:
        raise click.UsageError("--categories cannot be combined with --by label.")
    return FindOptions(unsure, by or "", **others)  # type: ignore[arg-type]


def _output(
    output: str | None,
    format: str | None,
    print0: bool,
    csv_safe: bool,
    force: bool,
    **places: str | None,
) -> FindOutput:
    if print0 and format:
        raise click.UsageError("-0/--print0 cannot be combined with --format: it writes paths.")
    target = OutputTarget(
        None if output == "-" else output,
        PATHS if print0 else format or "",
        safe=csv_safe,
        force=force,
    )
    given = {name.removesuffix("_to"): place for name, place in places.items() if place is not None}
    if len(given) > 1:
        one, two = (f"--{name}-to" for name in list(given)[:2])
        raise click.UsageError(f"{one} cannot be combined with {two}: choose one method.")
    return FindOutput(target, print0, given)  # type: ignore[arg-type]


_images = section("Images")
_search = section("Search")
_results = section("Results")
_input_options = grouped(
    "found_in",
    _inputs,
    click.argument("words", metavar="WHAT... [in] PATH...", nargs=-1),
    _search(
        "--from",
        "results",
        type=RESULTS_FILE,
        metavar="FILE",
        help="Find by the results of mnv2 classify in FILE (- is stdin).",
    ),
    _images(
        "--files-from",
        type=click.Path(exists=True, dir_okay=False, allow_dash=True),
        metavar="FILE",
        help="Read more paths from FILE, one per line; - is stdin.",
    ),
    _images(
        "--null",
        advanced=True,
        is_flag=True,
        help="Paths in --files-from end with NUL, as from find -print0.",
    ),
    filter_options,
)
_search_options = grouped(
    "search",
    _options,
    _search(
        "--unsure",
        is_flag=True,
        help="Find photos whose category is not certain, least certain first.",
    ),
    _search(
        "--min-score",
        type=SCORE,
        metavar="P",
        help="Find photos that score P or more; with --unsure, less than P.  "
        "[default: 0.5, ImageNet labels 0.3]",
    ),
    _search(
        "-n",
        "--limit",
        type=click.IntRange(min=1),
        metavar="N",
        help="Find at most N photos.",
    ),
    _search(
        "--by",
        advanced=True,
        type=click.Choice(["category", "label"]),
        help="With --unsure, what is not certain.  [default: category, if there is one]",
    ),
    categories_option(_search),
    cache_option,
)
_output_options = grouped(
    "output",
    _output,
    *(
        _results(
            f"--{method}-to",
            type=click.Path(),
            metavar="DIR",
            help=text,
        )
        for method, text in (
            ("copy", "Copy the photos into DIR."),
            ("symlink", "Create symbolic links to the photos in DIR."),
            ("hardlink", "Create hard links to the photos in DIR."),
        )
    ),
    output_option,
    _results(
        "-f",
        "--format",
        "format",
        type=click.Choice([TABLE, PATHS, *ROW_FORMATS]),
        metavar="FORMAT",
        help="table, paths, csv, json or jsonl.  [default: by FILE]",
    ),
    _results("-0", "--print0", is_flag=True, help="Write paths, each with NUL after it."),
    csv_safe_option,
    force_option,
)


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
    hints={
        "--threshold": "Use --min-score.",
        "--top": "Use --limit.",
        "--label": "Name it first: mnv2 find 'Egyptian cat' photos, or label:crane.",
        "--category": "Name it first: mnv2 find dog photos, or category:dog.",
        "--node": "Name it first: mnv2 find spaniel photos, or node:spaniel.",
        "--into": "Use --copy-to, --symlink-to or --hardlink-to.",
    },
)
@_input_options
@_search_options
@_output_options
@image_options
@model_options
@speed_options
@terminal_options
def find(
    found_in: FindInputs,
    search: FindOptions,
    output: FindOutput,
    terminal: TerminalOptions,
    **made: Any,
) -> None:
    """Find the photos of WHAT, the likeliest first.

    WHAT is a category such as dog, a label of the model such as 'Egyptian cat', or any node of the
    WordNet tree such as spaniel; its score is the sum of its classes' scores.

    A name that is several of these means the category, else the label; label:mushroom and node:dog
    choose. mnv2 labels lists the names. Several WHATs are alternatives: write "in" before the
    paths. The list is a table on a terminal, else one path per line.

    With --copy-to and the links, companions of a photo (.xmp, .aae, its raw photo, .mov of Live
    Photos) go with it. Nothing is overwritten, and mnv2 undo DIR undoes it.

    What is computed is kept in the cache, so that finding something else in the same photos takes
    no time. With --from, no photo is read: the score is that of the category, or the sum of the
    labels in FILE.

    Exit codes: 0 all done, 1 failed, 2 usage error, 3 no images found or none of WHAT, 4 done but
    some images could not be read, 130 interrupted, 143 terminated.
    """
    from mnv2cli.cli.find_words import split_words

    whats, paths = split_words(found_in, is_unsure=search.unsure)
    inputs = replace(found_in.inputs, paths=paths)
    options = _classifier_options(inputs=inputs, **made)
    context = click.get_current_context()
    if found_in.results is None:
        check_inputs(inputs)
    else:
        _check_results(context, inputs)
    output = _checked(output)
    check_not_an_input(output.target.path, inputs, options)
    for place in output.places.values():
        urls.check_local(place, "copy photos to")
        if os.path.lexists(place) and not os.path.isdir(place):
            raise click.UsageError(f"{place!r} is a file: name a folder.")
    from mnv2cli.cli.find_job import FindJob

    job = FindJob(whats, search, output, terminal.screen())
    context.exit(job.run(inputs, options, found_in.results))


@as_classifier_options
def _classifier_options(inputs: Inputs, options: ClassifierOptions) -> ClassifierOptions:
    return replace(options, labels=LabelOptions(unknown=None))


def _check_results(context: click.Context, inputs: Inputs) -> None:
    if inputs.list_file is not None:
        raise click.UsageError(
            "--files-from cannot be combined with --from: the results name the photos."
        )
    used = {
        param.name
        for param in context.command.params
        if getattr(param, "section", "") in ("Search", "Results", "Terminal")
    }
    refuse_others(context, used | _WITH_RESULTS, "--from: no image is classified again")


def _checked(output: FindOutput) -> FindOutput:
    """Return the output with its format, after checking that it can be written."""
    target = output.target
    path, format = target.path, target.format
    if not output.is_listed:
        if target.force or target.safe:
            option = "--force" if target.force else "--csv-safe"
            raise click.UsageError(f"{option} requires -o.")
        return output
    if path is None and not format and sys.stdout is not None and not sys.stdout.isatty():
        format = PATHS
    if path is not None and not format and path.lower().endswith(".txt"):
        format = PATHS
    if format != PATHS:
        return replace(output, target=checked_target(replace(target, format=format)))
    if target.safe:
        raise click.UsageError(f"--csv-safe requires csv, not {format}.")
    if path is None:
        if target.force:
            raise click.UsageError("--force requires -o.")
        if sys.stdout is None:
            raise OutputError("cannot write paths: standard output is closed", "Name a file: -o.")
    else:
        if urls.is_url(path):
            raise click.UsageError(f"cannot write to {redact(path)!r}: name a local file with -o.")
        check_not_folder(path)
        if (suffix := path.rpartition(".")[2].lower()) in ROW_FORMATS:
            raise click.UsageError(
                f"{path!r} is named like {suffix}, and paths are a plain list: use a name that "
                "ends in .txt."
            )
        check_output(path, "csv", force=target.force)
    return replace(output, target=replace(target, format=format))


_COMMON = {
    "unsure", "min_score", "limit", "results", "copy_to", "symlink_to", "hardlink_to", "output",
    "format", "print0", "model", "quiet", "verbose",
}  # fmt: skip
for _param in find.params:
    if isinstance(_param, SectionOption):
        _param.advanced = _param.name not in _COMMON
