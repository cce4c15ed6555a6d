"""``mnv2 evaluate``: measure a model on photos whose classes are known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.options.cache import cache_option
from mnv2cli.cli.options.engine import speed_options
from mnv2cli.cli.options.images import image_options
from mnv2cli.cli.options.keywords import check_keywords, keyword_options
from mnv2cli.cli.options.model import labelled_model_options
from mnv2cli.cli.options.report import report_option
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.refusals import is_typed
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.types import RESULTS, SCORE

if TYPE_CHECKING:
    from mnv2cli.cli.evaluate_job import EvaluateOutput
    from mnv2cli.engines.options import EngineOptions
    from mnv2cli.images.options import ImageOptions
    from mnv2cli.learning.evaluate import EvaluationSet
    from mnv2cli.models.options import ModelOptions

EXAMPLES = (
    ("measure your own model; subfolders are the classes",
     "mnv2 evaluate photos --model mine.keras"),
    ("also write a page of all photos, to look at the worst mistakes",
     "mnv2 evaluate photos --model mine.keras --report eval.html"),
    ("measure it on photos that have keywords from another program",
     "mnv2 evaluate photos --labels-from-xmp --model mine.keras"),
    ("fail if fewer than 90 % are right, for automatic checks",
     "mnv2 evaluate photos --model mine.keras --fail-under 0.9"),
    ("measure labels that exist, without classifying again",
     "mnv2 evaluate photos --results labels.csv --json > eval.json"),
)  # fmt: skip


def _set(labels_from_xmp: bool, keyword: tuple[str, ...], **values: Any) -> EvaluationSet:
    check_keywords(
        values["folder"],
        keyword,
        labels_from_xmp=labels_from_xmp,
        others={"--labels": values["labels"]},
    )
    from mnv2cli.learning.evaluate import EvaluationSet
    from mnv2cli.learning.keywords import KeywordClasses

    return EvaluationSet(keywords=KeywordClasses(keyword) if labels_from_xmp else None, **values)


def _output(**values: object) -> EvaluateOutput:
    from mnv2cli.cli.evaluate_job import EvaluateOutput

    return EvaluateOutput(**values)  # type: ignore[arg-type]


_photos = section("Photos")
_result = section("Results")
_set_options = grouped(
    "photos",
    _set,
    click.argument("folder", metavar="[FOLDER]", required=False, type=click.Path()),
    _photos(
        "--labels",
        type=RESULTS,
        metavar="FILE",
        help="Evaluate on the photos in FILE, a CSV with the columns path and label.",
    ),
    *keyword_options(_photos),
    _photos(
        "--results",
        type=RESULTS,
        metavar="FILE",
        help="Evaluate the labels in FILE, written by mnv2 classify; classify nothing.",
    ),
    _photos(
        "--group-by",
        advanced=True,
        default="",
        metavar="REGEX",
        help="Photos that belong together are worth less evidence: parent, or a regular "
        "expression whose first group in the path is the same.  [default: all are independent]",
    ),
)
_output_options = grouped(
    "output",
    _output,
    _result("--json", "as_json", is_flag=True, help="Print all figures as JSON."),
    report_option(_result),
    _result("--force", is_flag=True, help="Overwrite the report if it exists."),
    _result(
        "--fail-under",
        type=SCORE,
        metavar="SHARE",
        help="Exit with 1 if fewer photos are right (0 to 1).",
    ),
)


@click.command(cls=ExampleCommand, examples=EXAMPLES)
@_set_options
@_output_options
@cache_option
@image_options
@labelled_model_options
@speed_options
@terminal_options
def evaluate(
    photos: EvaluationSet,
    output: EvaluateOutput,
    cache: bool,
    images: ImageOptions,
    model: ModelOptions,
    engine: EngineOptions,
    terminal: TerminalOptions,
) -> None:
    """Measure a model on photos whose classes are known: each subfolder of FOLDER is a class.

    For networks of ImageNet, the name of a subfolder is a WordNet id, a label, a category or a node
    of the tree (mnv2 labels --tree); a prediction is right if it is that class, or one below it.

    With --labels-from-xmp, FOLDER may have any layout: the class of a photo is the keyword that you
    gave it in another program, of several in the tree the most specific one. Keywords of mnv2 tag
    do not count.

    Prints how many photos are right, the figures of each class, what is confused with what, and
    whether scores can be trusted.

    Exit codes: 0 all done, 1 failed or below --fail-under, 2 usage error, 3 no images found, 4 done
    but some images could not be read, 130 interrupted, 143 terminated.
    """
    context = click.get_current_context()
    if output.force and output.report is None:
        raise click.UsageError("--force requires --report.")
    if photos.results is not None:
        _check_nothing_ignored(context)
    from mnv2cli.cli.evaluate_job import EvaluateJob
    from mnv2cli.inference.options import ClassifierOptions

    options = ClassifierOptions(model=model, engine=engine, images=images)
    job = EvaluateJob(terminal.screen(), output)
    evaluation = job.evaluate(photos, options, cache=cache)
    if output.as_json:
        click.echo(json.dumps(evaluation.as_object(), indent=1))
    else:
        job.show(evaluation)
    context.exit(job.exit_code(evaluation))


def _check_nothing_ignored(context: click.Context) -> None:
    """Check that no option of a run is given when nothing is classified; raises UsageError."""
    used = {"folder", "labels", "group_by", "results", "as_json", "report", "force", "fail_under"}
    used |= {"labels_from_xmp", "keyword", "quiet", "verbose"}
    for param in context.command.get_params(context):
        if param.name and is_typed(context, param.name) and param.name not in used:
            raise click.UsageError(f"{param.opts[-1]} cannot be combined with --results.")
