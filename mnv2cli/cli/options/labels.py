"""Options for what to report for each image; ``@label_options`` passes them as ``labels``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.types import Score
from mnv2cli.labels.imagenet import CLASS_COUNT
from mnv2cli.labels.options import LabelOptions


def _labels(*, category: bool, categories: str | None, **values: Any) -> LabelOptions:
    return LabelOptions(
        category=category or categories is not None, categories=categories, **values
    )


def categories_option(heading: Callable[..., Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """Return the option for a file of categories, in a section of the help."""
    return heading(
        "--categories",
        advanced=True,
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="Use the categories in FILE (TOML, see mnv2 labels --toml).  [default: built-in]",
    )


_result = section("Results")
label_options = grouped(
    "labels",
    _labels,
    _result(
        "-k",
        "--top",
        type=click.IntRange(1, CLASS_COUNT),
        default=5,
        metavar="N",
        help="Report the N best labels of each image.",
    ),
    _result(
        "--min-score",
        type=Score(),
        default=0.0,
        metavar="SCORE",
        help="Omit labels with a lower score (0 to 1).  [default: 0]",
        show_default=False,
    ),
    _result(
        "--min-margin",
        advanced=True,
        type=Score(),
        default=0.0,
        metavar="M",
        help="Omit the labels of an image if the best leads the next by less than M; likewise its "
        "category.  [default: 0]",
        show_default=False,
    ),
    _result(
        "--category",
        is_flag=True,
        help="Add the category, such as dog, car or mountain.",
    ),
    categories_option(_result),
    _result(
        "--unknown",
        advanced=True,
        is_flag=True,
        help="With a model of mnv2 learn, label photos unlike all its classes unknown.",
    ),
    _result(
        "--rollup",
        advanced=True,
        type=Score(min_open=True),
        metavar="SCORE",
        help="Add the most specific WordNet name whose summed score reaches SCORE: spaniel, "
        "else dog, else animal.  [default: off]",
    ),
)
