"""``mnv2 classify``: a folder of photos in, a table of labels out."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.inputs import check_inputs, make_classifier
from mnv2cli.cli.options import (
    TerminalOptions,
    as_classifier_options,
    cluster_options,
    image_options,
    input_options,
    label_options,
    model_options,
    speed_options,
    terminal_options,
)
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.errors import ExitCode, OutputError
from mnv2cli.results.check import check_output, is_file
from mnv2cli.results.formats import FORMATS, format_of, is_resumable, load_format
from mnv2cli.results.options import OutputTarget
from mnv2cli.results.schema import Layout, extras
from mnv2cli.runs.options import RunOptions
from mnv2cli.runs.run import Run
from mnv2cli.runs.shards import Shard
from mnv2cli.sources.urls import is_url

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.sources.options import Inputs

EXAMPLES = (
    ("the three best labels of every photo in a folder", "mnv2 classify photos --top 3"),
    ("into a file; the format follows the name", "mnv2 classify photos -o labels.csv"),
    ("the sure ones", "mnv2 classify photos -f jsonl | jq 'select(.predictions[0].score > 0.8)'"),
    ("what find finds", "find . -newer last.csv -type f -print0 | mnv2 classify -0 --files-from -"),
    ("categories such as dog and car, besides", "mnv2 classify photos --category -o labels.csv"),
    ("a bucket, and results beside it", "mnv2 classify s3://bucket/photos/ -o s3://bucket/labels.csv"),
    ("a small, fast network", "mnv2 classify photos --alpha 0.35 --size 128"),
    ("go on after a power cut; new photos too", "mnv2 classify photos -o labels.csv --resume"),
)  # fmt: skip


_MUCH = 50_000_000  # bytes of rows; they are read in two seconds or so


def _target(
    output: str | None, format: str | None, long: bool, csv_safe: bool, force: bool
) -> OutputTarget:
    return OutputTarget(None if output == "-" else output, format or "", long, csv_safe, force)


def _run_options(resume: bool, retry_errors: bool, shard: str | None) -> RunOptions:
    return RunOptions(resume, retry_errors, Shard.parse(shard) if shard else None)


_output = section("Results")
_output_options = grouped(
    "target",
    _target,
    _output(
        "-o",
        "--output",
        type=click.Path(),
        metavar="FILE",
        help="Write to a file; .csv, .json, .jsonl or .parquet says how.  [default: standard "
        "output]",
    ),
    _output(
        "-f",
        "--format",
        "format",
        type=click.Choice(["table", *FORMATS]),
        help="Format of the results.  [default: by the file's name; without -o a table on a "
        "terminal, else csv]",
    ),
    _output("--long", is_flag=True, help="In csv and parquet: a row for each image and rank."),
    _output(
        "--csv-safe",
        is_flag=True,
        help="In csv: an apostrophe before cells that a spreadsheet would take for a formula.",
    ),
    _output("--force", is_flag=True, help="Overwrite the output file if it exists."),
)
_long = section("Long runs")
_long_options = grouped(
    "run",
    _run_options,
    _long(
        "--resume",
        is_flag=True,
        help="Go on with the rows that are in the csv or jsonl file of -o, after any end: Ctrl-C, "
        "a power cut, new photos. Starts it if it is not there.",
    ),
    _long(
        "--retry-errors", is_flag=True, help="With --resume: do images again whose row is an error."
    ),
    _long(
        "--shard",
        metavar="I/N",
        help="Do only the I-th of N parts of the images, the same on every machine; mnv2 merge "
        "joins their results.  [default: all]",
    ),
)


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
)
@input_options
@label_options
@_output_options
@_long_options
@image_options
@model_options
@speed_options
@cluster_options
@terminal_options
@as_classifier_options
def classify(
    inputs: Inputs,
    options: ClassifierOptions,
    target: OutputTarget,
    run: RunOptions,
    cluster: str | None,
    terminal: TerminalOptions,
) -> None:
    """Label every image in files, folders and quoted globs with the classes it most likely shows.

    Images are JPEG, PNG, GIF, BMP, TIFF, WebP, AVIF and HEIC, told by their content, here or at
    URLs (s3://, gs://, https://, zip://, tar://). Each gives one row, in natural order; one that
    cannot be read gives a row that says why. Labels are the 1,000 classes of ImageNet, scores are
    probabilities from 0 to 1.

    Exit codes: 0 all done, 1 failed, 2 usage, 3 no images found, 4 done but some images could not
    be read, 130 interrupted, 143 terminated.
    """
    check_inputs(inputs)
    target = _checked(target, run)
    _check_not_an_input(target, [*inputs.paths, inputs.list_file, options.model.weights])
    from mnv2cli.cli.classify_job import ClassifyJob

    screen = terminal.screen()
    classifier = make_classifier(options, screen, cluster)
    layout = _layout(target, options, run)
    results = _open_run(classifier, target, layout, run, screen)
    try:
        job = ClassifyJob(classifier, screen, target, layout, run.shard, results)
        job.classify(inputs)
    finally:
        if results:
            results.close()
    code = job.report.return_code
    if run.shard and code == ExitCode.NO_IMAGES:
        code = ExitCode.DONE  # a shard may be empty: others have the images
    click.get_current_context().exit(code)


def _layout(target: OutputTarget, options: ClassifierOptions, run: RunOptions) -> Layout:
    found = extras(
        category=options.labels.category,
        node=options.labels.rollup is not None,
        position=run.shard is not None,
    )
    return Layout(target.format, options.labels.top, target.long, found, target.safe)


def _open_run(
    classifier: Classifier, target: OutputTarget, layout: Layout, run: RunOptions, screen: Screen
) -> Run | None:
    """Return the results file and its log; None where rows go elsewhere, or without a log."""
    path = target.path
    if path is None or not is_file(path):
        return None
    if run.resume and os.path.exists(path) and os.path.getsize(path) > _MUCH:
        screen.notice(f"Reading the rows that are in {path}")
    try:
        return Run(path, layout, classifier.settings(), run)
    except OutputError as error:
        if run.resume or run.shard:
            raise
        screen.warning(f"this run cannot be gone on with: {error.message}")
    return None


def _checked(target: OutputTarget, run: RunOptions) -> OutputTarget:
    """Return the target with its format, once it is sure that results may be written to it."""
    path, format = target.path, target.format
    if path is None:
        if sys.stdout is None:
            raise OutputError("standard output is closed", "Name a file with -o.")
        if format in FORMATS and not load_format(format).is_text:
            raise click.UsageError("Parquet is not text: name a file for it with -o.")
        format = format or ("table" if sys.stdout.isatty() and not target.long else "csv")
    else:
        format = format or format_of(path)
        if format == "table":
            raise click.UsageError("A table is for the terminal: choose another --format for -o.")
    if target.long and not (format in FORMATS and load_format(format).is_table):
        raise click.UsageError(f"--long is for csv and parquet: {format} has all ranks anyway.")
    if path is not None:
        check_output(path, format, force=target.force or run.resume)
    target = replace(target, format=format)
    _check_run(target, run)
    if target.safe and not (format in FORMATS and load_format(format).may_be_safe):
        raise click.UsageError(f"--csv-safe is for csv: {format} is not opened by spreadsheets so.")
    if run.shard and path is not None and is_url(path):
        raise click.UsageError("--shard writes notes beside its results: name a file here with -o.")
    return replace(target, force=target.force or run.resume)


def _check_run(target: OutputTarget, run: RunOptions) -> None:
    if run.retry_errors and not run.resume:
        raise click.UsageError("--retry-errors is about rows that are there: add --resume.")
    if not run.resume:
        return
    if target.force:
        raise click.UsageError("--force starts over and --resume goes on: choose one.")
    if target.path is None or not is_resumable(target.format) or not is_file(target.path):
        raise click.UsageError(
            "--resume goes on in a file of rows: name a .csv or .jsonl file with -o."
        )


def _check_not_an_input(target: OutputTarget, inputs: list[str | None]) -> None:
    output = target.path
    for path in inputs if output is not None else ():
        if (
            path
            and output
            and (
                path == output
                if is_url(output)
                else os.path.isfile(path)
                and os.path.exists(output)
                and os.path.samefile(path, output)
            )
        ):
            raise click.UsageError(f"Results would overwrite {path!r}, which is read.")
