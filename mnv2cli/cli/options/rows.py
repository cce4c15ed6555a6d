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

TABLE, PATHS = "table", "paths"
"""Formats that no file of rows has: a table is for terminals, and paths are a plain list."""


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
        check_stdout(force=target.force)
        format = format or (TABLE if sys.stdout.isatty() else "csv")
    else:
        check_local_file(path)
        format = _format_of(path, format)
        check_output(path, format, force=target.force)
    if target.safe and format != "csv":
        raise click.UsageError(f"--csv-safe requires csv, not {format}.")
    return replace(target, format=format)


def check_stdout(*, force: bool = False, what: str = "results") -> None:
    """Check that something can be written to standard output.

    Args:
        force: ``--force`` was given, which is for files.
        what: What is written, for errors.

    Raises:
        UsageError: ``--force`` was given.
        OutputError: Standard output is closed.
    """
    if force:
        raise click.UsageError("--force requires -o.")
    if sys.stdout is None:
        raise OutputError(f"cannot write {what}: standard output is closed", "Name a file with -o.")


def check_local_file(path: str) -> None:
    """Check that a path may be a file of this machine; raises UsageError or InputError."""
    if is_url(path):
        raise click.UsageError(f"cannot write to {redact(path)!r}: name a local file with -o.")
    check_not_folder(path)


def check_name(path: str, format: str, by_name: str) -> None:
    """Check that a format does not contradict the name of a file; raises UsageError.

    Args:
        path: The file.
        format: The format that was chosen; empty for none.
        by_name: The format that the name sets; empty for none.
    """
    if by_name and format and by_name != format:
        raise click.UsageError(
            f"--format {format} contradicts the name {redact(path)!r}: use --format {by_name}, or "
            f"a name that ends in .{format}."
        )


def _format_of(path: str, format: str) -> str:
    if format == TABLE:
        raise click.UsageError("--format table is for terminals only: use another format with -o.")
    by_name = path.rpartition(".")[2].lower() if "." in path else ""
    check_name(path, format, by_name if by_name in ROW_FORMATS else "")
    if by_name not in ROW_FORMATS and not format:
        names = ", ".join(f".{name}" for name in ROW_FORMATS)
        raise click.UsageError(
            f"unknown format of {path!r}: the name does not end in {names}; choose the format "
            "with --format, or use another name."
        )
    return format or by_name
