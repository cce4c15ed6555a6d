"""``mnv2 classify``: label images and write the results."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.inputs import check_inputs, check_not_an_input, is_same, make_classifier
from mnv2cli.cli.options.classifier import as_classifier_options
from mnv2cli.cli.options.engine import cluster_options, speed_options
from mnv2cli.cli.options.images import image_options
from mnv2cli.cli.options.inputs import input_options
from mnv2cli.cli.options.labels import label_options
from mnv2cli.cli.options.model import model_options
from mnv2cli.cli.options.report import report_option
from mnv2cli.cli.options.rows import check_name, check_stdout, csv_safe_option, output_option
from mnv2cli.cli.options.runs import long_options
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.report_page import check_page
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.datasets.formats import DATASETS
from mnv2cli.errors import ExitCode, InputError, OutputError
from mnv2cli.results.check import check_not_folder, check_output, is_file
from mnv2cli.results.formats import (
    FORMATS,
    format_of,
    is_resumable,
    load_format,
    suffix_format,
)
from mnv2cli.results.options import OutputTarget
from mnv2cli.results.schema import Layout, extras
from mnv2cli.runs.options import RunOptions
from mnv2cli.runs.run import Run
from mnv2cli.sources.urls import is_url

if TYPE_CHECKING:
    from mnv2cli.cli.classify_dataset import AddedDataset
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.sources.options import Inputs

EXAMPLES = (
    ("label all photos in a folder", "mnv2 classify photos --top 3"),
    ("write a file; its name sets the format", "mnv2 classify photos -o labels.csv"),
    ("resume after Ctrl-C or a power cut; also adds new photos",
     "mnv2 classify photos -o labels.csv --resume"),
    ("keep confident labels only", "mnv2 classify photos --min-score 0.8 -o labels.csv"),
    ("list the photos that show a dog, by category",
     "mnv2 classify photos --category -f jsonl | jq -r 'select(.category == \"dog\").path'"),
    ("classify the files that find selects",
     "find . -newer last.csv -type f -print0 | mnv2 classify -0 --files-from -"),
    ("make a page to look at the photos and their labels",
     "mnv2 classify photos -o labels.csv --report report.html"),
    ("read from a bucket and write to it",
     "mnv2 classify s3://bucket/photos/ -o s3://bucket/labels.csv"),
    ("write a dataset, here of Hugging Face; mnv2 convert has all its options",
     "mnv2 classify photos -f imagefolder -o dataset"),
    ("use the smallest and fastest MobileNetV2", "mnv2 classify photos --alpha 0.35 --size 96"),
)  # fmt: skip


_LARGE = 50_000_000  # bytes of existing rows that take about two seconds to read


def _target(
    output: str | None, format: str | None, long: bool, csv_safe: bool, force: bool
) -> OutputTarget:
    return OutputTarget(None if output == "-" else output, format or "", long, csv_safe, force)


_output = section("Results")
_output_options = grouped(
    "target",
    _target,
    output_option,
    _output(
        "-f",
        "--format",
        "format",
        type=click.Choice(["table", *FORMATS, *DATASETS]),
        metavar="FORMAT",
        help="csv, json, jsonl, parquet, table, or of mnv2 convert.",
    ),
    _output("--long", is_flag=True, help="Write one row per label (csv, parquet)."),
    csv_safe_option,
    _output("--force", is_flag=True, help="Overwrite the files if they exist."),
)


@dataclass(frozen=True, slots=True)
class AlsoWritten:
    """What a run writes in addition to its rows; None for nothing.

    Attributes:
        report: A page of the photos.
        embeddings: A file of their features.
    """

    report: str | None
    embeddings: str | None


_also_options = grouped(
    "also",
    AlsoWritten,
    report_option(_output),
    _output(
        "--embeddings",
        advanced=True,
        type=click.Path(),
        metavar="FEATURES",
        help="Also write the features of each image, as mnv2 embed does, to FEATURES (.npz, "
        ".parquet).",
    ),
)


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
    renamed={"--threshold": "--min-score"},
    hints={f"--{name}": f"Use -f {name}." for name in ("table", *FORMATS)},
)
@input_options
@_output_options
@_also_options
@label_options
@long_options("FILE (csv, jsonl)")
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
    also: AlsoWritten,
    cluster: str | None,
    terminal: TerminalOptions,
) -> None:
    """Label the images in files, folders, quoted globs and URLs.

    Labels are the 1,000 classes of ImageNet; scores are probabilities from 0 to 1. Each image
    becomes one row, in natural order; the row of an unreadable image has the reason.

    Images are JPEG, PNG, TIFF, WebP, AVIF, HEIC, PSD, raw photos and others, recognised by content.
    URLs start with s3://, gs://, https://, zip:// or tar://. Without -o and -f, results are a table
    on a terminal, else csv.

    Exit codes: 0 all done, 1 failed, 2 usage error, 3 no images found, 4 done but some images could
    not be read, 130 interrupted, 143 terminated.
    """
    check_inputs(inputs)
    report, embeddings = also.report, also.embeddings
    if target.force and target.path is None and report is None:
        raise click.UsageError("--force requires -o or --report.")
    force_page = target.force
    dataset = _dataset(target, run, inputs)
    target = dataset.target(target) if dataset else target
    target = _checked(target, run)
    check_not_an_input(target.path, inputs, options)
    if report is not None:
        check_not_an_input(report, inputs, options)
        force_page = _check_report(
            report, (target.path, embeddings), force=force_page, resume=run.resume
        )
    if embeddings is not None:
        check_not_an_input(embeddings, inputs, options)
        _check_embeddings(embeddings, target, run, cluster)
    from mnv2cli.cli.classify_job import ClassifyJob
    from mnv2cli.cli.classify_report import AddedReport
    from mnv2cli.cli.embed_job import AddedFeatures, ClassifyAndEmbedJob
    from mnv2cli.reporting.write import ReportTarget

    screen = terminal.screen()
    classifier = make_classifier(options, screen, cluster)
    layout = _layout(target, classifier.options, run)
    results = _open_run(classifier, target, layout, run, screen)
    job: ClassifyJob | None = None
    try:
        kind = ClassifyJob if embeddings is None else ClassifyAndEmbedJob
        job = kind(classifier, screen, target, layout, run.shard, results)
        job.dataset = dataset
        if isinstance(job, ClassifyAndEmbedJob) and embeddings is not None:
            job.features = AddedFeatures(embeddings, classifier)
        if report is not None:
            page = ReportTarget(report, force=force_page)
            job.page = AddedReport(page, classifier.options.images, screen)
            job.page.of_one_decoding = cluster is None
        job.classify(inputs)
    finally:
        if job is not None and job.page:
            job.page.close()
        if results:
            results.close()
    code = job.report.return_code
    if dataset is not None:
        code = ExitCode(max(code, dataset.write(screen)))
    if run.shard and code == ExitCode.NO_IMAGES:
        code = ExitCode.DONE  # a shard may be empty: the other shards have the images
    click.get_current_context().exit(code)


def _dataset(target: OutputTarget, run: RunOptions, inputs: Inputs) -> AddedDataset | None:
    """Return the dataset that a format names, checked; None for a format of results."""
    if target.format not in DATASETS:
        return None
    from mnv2cli.cli.classify_dataset import added_dataset

    return added_dataset(target, run, inputs)


def _check_report(path: str, written: tuple[str | None, ...], *, force: bool, resume: bool) -> bool:
    """Check that a page can be written beside other files; return whether to overwrite it.

    A run that is resumed replaces the page of an earlier run, and nothing else.
    """
    from mnv2cli.reporting.write import is_page

    if resume and os.path.lexists(path) and not is_page(path):
        raise InputError(
            f"{path!r} already exists, and is not a page of mnv2", "Name another file for --report."
        )
    force = force or (resume and os.path.lexists(path))
    check_page(path, force=force, inputs=written)
    return force


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
    """Return the results file and its log; None if the target is not a file, or has no log."""
    path = target.path
    if path is None or not is_file(path):
        return None
    if run.resume and os.path.exists(path) and os.path.getsize(path) > _LARGE:
        screen.notice(f"Reading the existing rows in {path}")
    try:
        return Run(path, layout, classifier.settings(), run)
    except OutputError as error:
        if run.resume or run.shard:
            raise
        screen.warning(f"this run will not be resumable: {error.message}")
    return None


def _checked(target: OutputTarget, run: RunOptions) -> OutputTarget:
    """Return the target with its format, after checking that it can be written."""
    path, format = target.path, target.format
    if path is None:
        check_stdout()
        if format in FORMATS and not load_format(format).is_text:
            raise click.UsageError(f"--format {format} is not text: write it to a file with -o.")
        format = format or ("table" if sys.stdout.isatty() and not target.long else "csv")
    else:
        check_not_folder(path)
        format = format or format_of(path)
        if format == "table":
            raise click.UsageError(
                "--format table is for terminals only: use another format with -o."
            )
        check_name(path, format, suffix_format(path))
    if target.long and not (format in FORMATS and load_format(format).is_table):
        raise click.UsageError(f"--long requires csv or parquet; {format} always has all labels.")
    if path is not None:
        check_output(path, format, force=target.force or run.resume)
    target = replace(target, format=format)
    _check_run(target, run)
    if target.safe and not (format in FORMATS and load_format(format).may_be_safe):
        raise click.UsageError(f"--csv-safe requires csv, not {format}.")
    if run.shard and path is not None and is_url(path):
        raise click.UsageError("--shard requires a local file with -o.")
    return replace(target, force=target.force or run.resume)


def _check_run(target: OutputTarget, run: RunOptions) -> None:
    if run.retry_errors and not run.resume:
        raise click.UsageError("--retry-errors requires --resume.")
    if not run.resume:
        return
    if target.force:
        raise click.UsageError("--force cannot be combined with --resume.")
    if target.path is None or not is_resumable(target.format) or not is_file(target.path):
        raise click.UsageError("--resume requires a local .csv or .jsonl file with -o.")


def _check_embeddings(
    path: str, target: OutputTarget, run: RunOptions, cluster: str | None
) -> None:
    """Check that features can be written beside the results of this run."""
    from mnv2cli.cli.embed import check_features_output

    for option, is_given in (
        ("--resume", run.resume),
        ("--shard", run.shard is not None),
        ("--ray", cluster is not None),
    ):
        if is_given:
            raise click.UsageError(
                f"--embeddings cannot be combined with {option}: use mnv2 embed, which writes "
                "features alone."
            )
    if target.path is not None and is_same(path, target.path):
        raise click.UsageError("--embeddings and -o name the same file.")
    check_features_output(path, force=target.force)
