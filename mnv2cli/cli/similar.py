"""``mnv2 similar``: find the images that look most like some photos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.inputs import check_inputs, make_classifier
from mnv2cli.cli.options.cache import cache_option
from mnv2cli.cli.options.classifier import as_classifier_options
from mnv2cli.cli.options.engine import speed_options
from mnv2cli.cli.options.images import image_options
from mnv2cli.cli.options.inputs import filter_options
from mnv2cli.cli.options.model import model_options
from mnv2cli.cli.options.rows import checked_target, row_options
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.terminal.help import ExampleCommand, show_only
from mnv2cli.sources.options import Filters, Inputs

if TYPE_CHECKING:
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.results.options import OutputTarget

EXAMPLES = (
    ("show the photos most like one", "mnv2 similar cat.jpg --in photos"),
    ("list 100 of them in a file", "mnv2 similar cat.jpg --in photos --top 100 -o like.csv"),
    ("search features that are already computed",
     "mnv2 embed photos -o features.parquet && mnv2 similar cat.jpg --in features.parquet"),
)  # fmt: skip


def _searched(within: tuple[str, ...], **filters: Any) -> Inputs:
    return Inputs(within, filters=Filters(**filters))


_search = section("Search")
_search_options = grouped(
    "inputs",
    _searched,
    _search(
        "--in",
        "within",
        multiple=True,
        required=True,
        type=click.Path(),
        metavar="PATH",
        help="Search this folder, image or features file (.parquet, .npz); repeatable.",
    ),
    filter_options,
)


@click.command(cls=ExampleCommand, examples=EXAMPLES)
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True, type=click.Path())
@_search_options
@_search(
    "-k",
    "--top",
    type=click.IntRange(min=1, max=100_000),
    default=20,
    metavar="N",
    help="Show the N most similar images for each PHOTO.",
)
@row_options
@image_options
@model_options
@speed_options
@cache_option
@terminal_options
@as_classifier_options
def similar(
    photos: tuple[str, ...],
    inputs: Inputs,
    options: ClassifierOptions,
    top: int,
    target: OutputTarget,
    cache: bool,
    terminal: TerminalOptions,
) -> None:
    """Find the images that look most like each PHOTO, the most similar first.

    The score is the cosine of the features under the last layer of the network: 1 for a copy, about
    0.5 and less for photos with nothing in common. PHOTO itself is not among its results, but
    copies of it are. With several PHOTOs the column query names the one that a row belongs to.

    Exit codes: 0 all done, 1 failed, 2 usage error, 3 no images found, 4 done but some images could
    not be read, 130 interrupted, 143 terminated.
    """
    check_inputs(Inputs(photos))
    check_inputs(inputs)
    target = checked_target(target)
    from mnv2cli.cli.similar_job import SimilarJob

    screen = terminal.screen()
    job = SimilarJob(make_classifier(options, screen), screen, cache=cache)
    job.write(job.search(photos, inputs, top), target)
    click.get_current_context().exit(job.return_code)


_COMMON = {
    "within", "include", "exclude", "top", "output", "format", "force", "model", "quiet", "verbose",
}  # fmt: skip
show_only(similar, _COMMON)
