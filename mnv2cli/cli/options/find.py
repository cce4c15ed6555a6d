"""Options of ``mnv2 find``: what to find, and what to do with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.options.cache import cache_option
from mnv2cli.cli.options.inputs import filter_options
from mnv2cli.cli.options.labels import categories_option
from mnv2cli.cli.options.rows import PATHS, TABLE, csv_safe_option, force_option, output_option
from mnv2cli.cli.types import RESULTS_FILE, SCORE
from mnv2cli.results.options import OutputTarget
from mnv2cli.results.rows import ROW_FORMATS
from mnv2cli.sources.options import Filters, Inputs

if TYPE_CHECKING:
    from mnv2cli.selecting.matches import FindOptions
    from mnv2cli.sorting.actions import Method


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
    from mnv2cli.selecting.matches import FindOptions

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
find_input_options = grouped(
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
find_search_options = grouped(
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
find_output_options = grouped(
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
