"""Options that select the images of a run; ``@input_options`` passes them as ``inputs``."""

from __future__ import annotations

from typing import Any

import click

from mnv2cli.cli.grouping import grouped, section, together
from mnv2cli.sources.names import IMAGE_SUFFIXES, RAW_SUFFIXES
from mnv2cli.sources.options import Filters, Inputs
from mnv2cli.sources.pairs import PAIRS


def _inputs(paths: tuple[str, ...], files_from: str | None, null: bool, **filters: Any) -> Inputs:
    return Inputs(paths, files_from, null, Filters(**filters))


_input = section("Images")
filter_options = together(
    _input(
        "--recursive/--no-recursive", advanced=True, default=True, help="Search subfolders, or not."
    ),
    _input(
        "--include",
        multiple=True,
        metavar="PATTERN",
        help="Use only matching files, such as '*.jpg'; repeatable.",
    ),
    _input(
        "--exclude",
        multiple=True,
        metavar="PATTERN",
        help="Skip matching files and folders; repeatable.",
    ),
    _input(
        "--all-files",
        advanced=True,
        is_flag=True,
        help="In folders, try every file. Otherwise only these: "
        + " ".join(suffix for suffix in IMAGE_SUFFIXES if suffix not in RAW_SUFFIXES)
        + f", and raw photos: {' '.join(RAW_SUFFIXES)}.",
    ),
    _input(
        "--pairs",
        advanced=True,
        type=click.Choice(PAIRS),
        default="first",
        help="In folders and globs, classify a raw photo beside its JPEG or HEIC: first (the JPEG "
        "only) or both.",
    ),
    _input("--hidden", advanced=True, is_flag=True, help="Include hidden files and folders."),
    _input("--follow-links", advanced=True, is_flag=True, help="Follow symbolic links to folders."),
)
input_options = grouped(
    "inputs",
    _inputs,
    click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path()),
    _input(
        "--files-from",
        type=click.Path(exists=True, dir_okay=False, allow_dash=True),
        metavar="FILE",
        help="Read more paths from FILE, one per line; - is stdin.",
    ),
    _input(
        "-0",
        "--null",
        advanced=True,
        is_flag=True,
        help="Paths in --files-from end with NUL, as from find -print0.",
    ),
    filter_options,
)
