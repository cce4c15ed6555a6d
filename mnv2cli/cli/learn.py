"""``mnv2 learn``: learn classes from photos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.options.cache import cache_option
from mnv2cli.cli.options.classifier import as_classifier_options
from mnv2cli.cli.options.engine import speed_options
from mnv2cli.cli.options.images import image_options
from mnv2cli.cli.options.inputs import filter_options
from mnv2cli.cli.options.keywords import keyword_options
from mnv2cli.cli.options.model import backbone_options
from mnv2cli.cli.options.report import report_option
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.types import RESULTS
from mnv2cli.sources.options import Filters, Inputs

if TYPE_CHECKING:
    from mnv2cli.cli.learn_job import LearnTarget
    from mnv2cli.inference.options import ClassifierOptions

EXAMPLES = (
    ("learn a class from each subfolder", "mnv2 learn photos -o mine.keras"),
    ("then sort other photos by it", "mnv2 sort new --into sorted --model mine.keras"),
    ("you moved some photos to the right folder: learn from that",
     "mnv2 learn --from-sorted sorted -o mine.keras"),
    ("also write a page: the photos that are probably in a wrong folder, and all others",
     "mnv2 learn photos -o mine.keras --report learned.html"),
    ("learn from a file with the columns path and label",
     "mnv2 learn --labels labels.csv -o mine.keras"),
    ("learn from the keywords that you gave your photos in another program",
     "mnv2 learn photos --labels-from-xmp --keyword kitchen --keyword bath -o mine.keras"),
    ("photos of one house, 12_kitchen.jpg and 12_bath.jpg, belong together",
     "mnv2 learn rooms --group-by '([0-9]+)_' -o rooms.keras"),
)  # fmt: skip


def _inputs(folder: str | None, **filters: Any) -> Inputs:
    return Inputs(() if folder is None else (folder,), filters=Filters(**filters))


def _target(**values: Any) -> LearnTarget:
    from mnv2cli.cli.learn_job import LearnTarget

    return LearnTarget(**values)


_learning = section("Learning")
_input_options = grouped(
    "inputs",
    _inputs,
    click.argument("folder", metavar="[FOLDER]", required=False, type=click.Path()),
    filter_options,
)
_target_options = grouped(
    "target",
    _target,
    _learning(
        "-o",
        "--output",
        type=click.Path(),
        required=True,
        metavar="FILE",
        help="Write the model to FILE, which ends in .keras.",
    ),
    _learning("--force", is_flag=True, help="Overwrite FILE and the report if they exist."),
    report_option(_learning),
    _learning(
        "--labels",
        type=RESULTS,
        metavar="FILE",
        help="Learn from a CSV with the columns path and label, or from results.",
    ),
    *keyword_options(_learning),
    _learning(
        "--from-sorted",
        type=click.Path(),
        metavar="DEST",
        help="Learn from photos that you moved in DEST since mnv2 sort made it.",
    ),
    _learning(
        "--trust-all",
        is_flag=True,
        advanced=True,
        help="With --from-sorted, learn also from the photos that you did not move.",
    ),
    _learning(
        "--group-by",
        default="",
        metavar="REGEX",
        help="Hold out together what belongs together: parent, or a regular expression whose "
        "first group in the path is the same.",
    ),
    _learning("--json", "as_json", is_flag=True, help="Print the report as JSON."),
    cache_option,
)


@click.command(cls=ExampleCommand, examples=EXAMPLES)
@_input_options
@_target_options
@image_options
@backbone_options
@speed_options
@terminal_options
@as_classifier_options
def learn(
    inputs: Inputs, options: ClassifierOptions, target: LearnTarget, terminal: TerminalOptions
) -> None:
    """Learn your own classes from a few photos of each, in seconds.

    Each subfolder of FOLDER is a class, named like the folder. 10 photos of a class are a good
    start. The model is one file, for --model of mnv2 classify and mnv2 sort.

    Everything is measured on photos that were held out: the accuracy, the recall and precision of
    each class, and which photos are probably in the wrong folder. Copies of a photo are always held
    out together; add --group-by for other photos that belong together.

    With --labels-from-xmp, FOLDER may have any layout: the class of a photo is the keyword that you
    gave it in another program. Keywords of mnv2 tag do not count. Photos without a keyword, or with
    those of several classes, are skipped.

    With --from-sorted, the photos that you moved to another class folder since mnv2 sort put them
    into DEST are learned, in addition to those that FILE was learned from. Photos that you did not
    move are not, because you may not have looked at them. FILE is replaced, and the earlier model
    is kept beside it as FILE.previous.keras.

    Exit codes: 0 all done, 1 failed, 2 usage error, 3 no images found, 4 done but some images could
    not be read, 130 interrupted, 143 terminated.
    """
    from mnv2cli.cli.learn_job import LearnJob, check_usage

    check_usage(inputs, target)
    job = LearnJob(options, target, terminal.screen())
    click.get_current_context().exit(job.learn(inputs))
