"""``mnv2 find``: find the photos of a label, a category or a node of the tree."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.inputs import check_inputs, check_not_an_input
from mnv2cli.cli.options.classifier import as_classifier_options
from mnv2cli.cli.options.engine import speed_options
from mnv2cli.cli.options.find import (
    find_input_options,
    find_output_options,
    find_search_options,
)
from mnv2cli.cli.options.images import image_options
from mnv2cli.cli.options.model import model_options
from mnv2cli.cli.options.rows import PATHS, check_local_file, check_stdout, checked_target
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.refusals import refuse_others
from mnv2cli.cli.terminal.help import ExampleCommand, show_only
from mnv2cli.labels.options import LabelOptions
from mnv2cli.results.check import check_output
from mnv2cli.results.rows import ROW_FORMATS
from mnv2cli.sources import urls

if TYPE_CHECKING:
    from mnv2cli.cli.options.find import FindInputs, FindOutput
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.selecting.matches import FindOptions
    from mnv2cli.sources.options import Inputs

EXAMPLES = (
    ("list the photos of dogs, best matches first", "mnv2 find dog photos"),
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
@find_input_options
@find_search_options
@find_output_options
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
    """Find the photos of WHAT, best matches first.

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
        check_stdout(force=target.force, what="paths")
    else:
        check_local_file(path)
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
show_only(find, _COMMON)
