"""``mnv2 merge``: the results of shards, joined into those of one run."""

from __future__ import annotations

import os

import click

from mnv2cli.cli.grouping import section
from mnv2cli.cli.options import TerminalOptions, terminal_options
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.results.formats import FORMATS, format_of
from mnv2cli.results.options import OutputTarget

EXAMPLES = (
    ("the results of mnv2 classify --shard 1/3, 2/3 and 3/3", "mnv2 merge part*.csv -o all.csv"),
    ("what is there so far", "mnv2 merge --partial part*.jsonl -o some.jsonl"),
    ("from one format to another", "mnv2 merge part*.parquet -o all.csv"),
)

_output = section("Results")


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
)
@click.argument("shards", metavar="PART...", nargs=-1, required=True, type=click.Path())
@_output(
    "-o",
    "--output",
    type=click.Path(),
    required=True,
    metavar="FILE",
    help="Write to this file; .csv, .json, .jsonl or .parquet says how.",
)
@_output(
    "-f",
    "--format",
    type=click.Choice(list(FORMATS)),
    help="Format of the results.  [default: by the file's name]",
)
@_output("--force", is_flag=True, help="Overwrite the output file if it exists.")
@_output(
    "--partial",
    is_flag=True,
    help="Join what is there, even if shards or rows are missing, and say what is missing.",
)
@terminal_options
def merge(
    shards: tuple[str, ...],
    output: str,
    format: str | None,
    force: bool,
    partial: bool,
    terminal: TerminalOptions,
) -> None:
    """Join the results of mnv2 classify --shard I/N into the file that one run would have written.

    Each part needs the file with .mnv2 at its end beside it, which mnv2 classify wrote. It is
    checked that all shards are there, once, finished, made with the same network and options, and
    that no row is missing or there twice. The rows come in the order of one run, byte for byte.

    Exit codes: 0 all done, 1 failed, 2 the parts do not belong together or something is missing.
    """
    from mnv2cli.results.check import check_output, is_file
    from mnv2cli.runs.merge import ShardMerge, write_merged

    target = OutputTarget(output, format or format_of(output), force=force)
    check_output(output, target.format, force=force)
    if not is_file(output):
        raise click.UsageError(f"{output!r} is no file: name one with -o.")
    if any(
        os.path.exists(p) and os.path.exists(output) and os.path.samefile(p, output) for p in shards
    ):
        raise click.UsageError(f"{output!r} is one of the parts: name another file with -o.")
    screen = terminal.screen()
    joined = ShardMerge(list(shards), partial=partial)
    rows = write_merged(joined, target)
    if joined.odd_names:
        screen.warning(
            f"{joined.odd_names:,} names are not UTF-8: they are written as Parquet has them"
        )
    for what in joined.missing:
        screen.warning(what)
    screen.lines([("Joined", f"{rows:,} rows of {len(shards):,} shards", "")])
    screen.lines([("Written", output, "")])
