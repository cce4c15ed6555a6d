"""``mnv2 embed``: write the features of images."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.inputs import check_inputs, check_not_an_input, make_classifier
from mnv2cli.cli.options.cache import cache_option
from mnv2cli.cli.options.classifier import as_classifier_options
from mnv2cli.cli.options.engine import speed_options
from mnv2cli.cli.options.images import image_options
from mnv2cli.cli.options.inputs import input_options
from mnv2cli.cli.options.model import model_options
from mnv2cli.cli.options.rows import force_option
from mnv2cli.cli.options.runs import long_options
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.errors import ExitCode
from mnv2cli.results.check import check_not_folder, check_output, is_file
from mnv2cli.results.features import features_format
from mnv2cli.results.options import OutputTarget
from mnv2cli.runs.features_run import FeaturesRun, check_rows
from mnv2cli.runs.options import RunOptions
from mnv2cli.runs.shard_results import FEATURES
from mnv2cli.system.urls import redact

if TYPE_CHECKING:
    from mnv2cli.cli.embed_job import EmbedOptions
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.sources.options import Inputs

EXAMPLES = (
    ("write the features of all photos in a folder", "mnv2 embed photos -o photos.npz"),
    ("as Parquet, each photo's features with the length 1",
     "mnv2 embed photos --normalize -o photos.parquet"),
    ("resume after Ctrl-C or a power cut; also adds new photos",
     "mnv2 embed photos -o photos.npz --resume"),
    ("read them in Python",
     "python -c \"import numpy; print(numpy.load('photos.npz')['embedding'].shape)\""),
)  # fmt: skip


def _embed_options(normalize: bool, cache: bool) -> EmbedOptions:
    from mnv2cli.cli.embed_job import EmbedOptions

    return EmbedOptions(normalize, cache)


_output = section("Results")
_target_options = grouped(
    "target",
    lambda output, force: OutputTarget(output, FEATURES, force=force),
    _output(
        "-o",
        "--output",
        type=click.Path(),
        required=True,
        metavar="FILE",
        help="Write to FILE, which ends in .npz or .parquet.",
    ),
    force_option,
)
_feature_options = grouped(
    "features",
    _embed_options,
    _output("--normalize", is_flag=True, help="Scale the features of each image to length 1."),
    cache_option,
)


@click.command(cls=ExampleCommand, examples=EXAMPLES)
@input_options
@_target_options
@_feature_options
@long_options("FILE")
@image_options
@model_options
@speed_options
@terminal_options
@as_classifier_options
def embed(
    inputs: Inputs,
    options: ClassifierOptions,
    target: OutputTarget,
    features: EmbedOptions,
    run: RunOptions,
    terminal: TerminalOptions,
) -> None:
    """Write the features of images: 1,280 numbers that say what an image looks like.

    They are what the network computes below its last layer. Images that look alike have similar
    features, so they serve to search, group and learn. Each image becomes one row, in natural
    order; the row of an unreadable image has the reason.

    Features of local photos are kept in a cache, and found again by the content of the photo.

    Exit codes: 0 all done, 1 failed, 2 usage error, 3 no images found, 4 done but some images could
    not be read, 130 interrupted, 143 terminated.
    """
    check_inputs(inputs)
    path = target.path or ""
    check_features_output(path, force=target.force, resume=run.resume)
    if run.retry_errors and not run.resume:
        raise click.UsageError("--retry-errors requires --resume.")
    check_not_an_input(path, inputs, options)
    from mnv2cli.cli.embed_job import EmbedJob
    from mnv2cli.inference.feature_store import features_settings

    screen = terminal.screen()
    classifier = make_classifier(options, screen)
    settings = features_settings(classifier, normalized=features.normalize)
    results = FeaturesRun(path, settings, run)
    try:
        job = EmbedJob(classifier, screen, target, run.shard, results, features)
        job.classify(inputs)
    finally:
        results.close()
    code = job.report.return_code
    if run.shard and code == ExitCode.NO_IMAGES:
        code = ExitCode.DONE  # a shard may be empty: the other shards have the images
    click.get_current_context().exit(code)


def check_features_output(path: str, *, force: bool, resume: bool = False) -> None:
    """Check that features can be written to a file, before any work is done.

    Raises:
        UsageError: It is not a local file, or the options contradict each other.
        InputError: It exists, has another suffix, or cannot be written.
    """
    if force and resume:
        raise click.UsageError("--force cannot be combined with --resume.")
    if path == "-" or (not is_file(path) and not os.path.isdir(path)):
        raise click.UsageError(f"cannot write features to {redact(path)!r}: name a local file.")
    check_not_folder(path)
    features_format(path).check()
    check_output(path, FEATURES, force=force or resume)
    check_rows(path, replace=force or resume)
