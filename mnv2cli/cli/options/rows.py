"""Options for the destination of rows; ``@row_options`` passes them as ``target``."""

from __future__ import annotations

import sys
from dataclasses import replace

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.errors import OutputError
from mnv2cli.results.check import check_not_folder, check_output
from mnv2cli.results.options import OutputTarget
from mnv2cli.results.rows import ROW_FORMATS
from mnv2cli.sources.urls import is_url
from mnv2cli.system.urls import redact

TABLE = "table"


def _target(output: str | None, format: str | None, csv_safe: bool, force: bool) -> OutputTarget:
    path = None if output == "-" else output
    return OutputTarget(path, format or "", safe=csv_safe, force=force)


_output = section("Results")
output_option = _output(
    "-o",
    "--output",
    type=click.Path(),
    metavar="FILE",
    help="Write to FILE, not stdout; its name sets the format.",
)
csv_safe_option = _output(
    "--csv-safe",
    advanced=True,
    is_flag=True,
    help="Put an apostrophe before csv cells that look like formulas.",
)
force_option = _output("--force", is_flag=True, help="Overwrite FILE if it exists.")
row_options = grouped(
    "target",
    _target,
    output_option,
    _output(
        "-f",
        "--format",
        "format",
        type=click.Choice([TABLE, *ROW_FORMATS]),
        metavar="FORMAT",
        help="table, csv, json or jsonl.  [default: by FILE]",
    ),
    csv_safe_option,
    force_option,
)


def checked_target(target: OutputTarget) -> OutputTarget:
    """Return the target with its format, after checking that it can be written.

    Raises:
        UsageError: The options cannot be combined.
        InputError: The file cannot be written.
        OutputError: Standard output is closed.
    """
    path, format = target.path, target.format
    if path is None:
        if target.force:
            raise click.UsageError("--force requires -o.")
        if sys.stdout is None:
            raise OutputError(
                "cannot write results: standard output is closed", "Name a file with -o."
            )
        format = format or (TABLE if sys.stdout.isatty() else "csv")
    else:
        if is_url(path):
            raise click.UsageError(f"cannot write to {redact(path)!r}: name a local file with -o.")
        check_not_folder(path)
        format = _format_of(path, format)
        check_output(path, format, force=target.force)
    if target.safe and format != "csv":
        raise click.UsageError(f"--csv-safe requires csv, not {format}.")
    return replace(target, format=format)


def _format_of(path: str, format: str) -> str:
    if format == TABLE:
        raise click.UsageError("--format table is for terminals only: use another format with -o.")
    by_name = path.rpartition(".")[2].lower() if "." in path else ""
    if by_name in ROW_FORMATS and format and format != by_name:
        raise click.UsageError(
            f"--format {format} contradicts the name {path!r}: use --format {by_name}, or a name "
            f"that ends in .{format}."
        )
    if by_name not in ROW_FORMATS and not format:
        names = ", ".join(f".{name}" for name in ROW_FORMATS)
        raise click.UsageError(
            f"unknown format of {path!r}: the name does not end in {names}; choose the format "
            "with --format, or use another name."
        )
    return format or by_name
