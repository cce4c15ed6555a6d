"""``mnv2 merge``: join the results of shards into the results of one run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from glob import glob

import click

from mnv2cli.cli.grouping import section
from mnv2cli.cli.inputs import is_same
from mnv2cli.cli.options.rows import force_option
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.results.formats import FORMATS, format_of
from mnv2cli.results.options import OutputTarget
from mnv2cli.sources.names import natural_sorted
from mnv2cli.system.messages import count

EXAMPLES = (
    ("join the results of --shard 1/3, 2/3 and 3/3", "mnv2 merge part*.csv -o all.csv"),
    ("join what exists so far", "mnv2 merge --partial part*.jsonl -o some.jsonl"),
    ("convert to another format", "mnv2 merge part*.parquet -o all.csv"),
)

_output = section("Results")


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
    hints={f"--{name}": f"Use -f {name}." for name in FORMATS},
)
@click.argument("shards", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@_output(
    "-o",
    "--output",
    type=click.Path(),
    required=True,
    metavar="FILE",
    help="Write to FILE; its name sets the format.",
)
@_output(
    "-f",
    "--format",
    type=click.Choice(list(FORMATS)),
    metavar="FORMAT",
    advanced=True,
    help="csv, json, jsonl or parquet.  [default: by FILE]",
)
@force_option
@_output(
    "--partial",
    is_flag=True,
    help="Join what exists, and list the missing shards and rows.",
)
@terminal_options
def merge(
    shards: Sequence[str],
    output: str,
    format: str | None,
    force: bool,
    partial: bool,
    terminal: TerminalOptions,
) -> None:
    """Join the results of mnv2 classify --shard I/N into the file that one run would have written.

    Features of mnv2 embed --shard I/N (.npz, .parquet) are joined in the same way.

    Each FILE needs its run log beside it: the log of part1.csv is .part1.csv.mnv2. The output is
    written only if every shard is named once and has finished, all used the same model and options,
    and no row is missing or duplicated. It equals the file of a single run, byte for byte.

    Exit codes: 0 all done, 1 failed, 2 usage error, or the files do not belong together or are
    incomplete.
    """
    from mnv2cli.results.check import check_not_folder, check_output, is_file
    from mnv2cli.runs.merge import ShardMerge, write_merged
    from mnv2cli.runs.merge_features import are_features, write_merged_features
    from mnv2cli.runs.shard_results import FEATURES

    check_not_folder(output)
    shards = _expanded(shards)
    if is_features := are_features(shards[0]):
        _check_features(output, format)
    target = OutputTarget(
        output, FEATURES if is_features else format or format_of(output), force=force
    )
    check_output(output, target.format, force=force)
    if not is_file(output):
        raise click.UsageError(f"cannot write to {output!r}: name a local file with -o.")
    if any(is_same(path, output) for path in shards):
        raise click.UsageError(f"{output!r} is also an input: name another file with -o.")
    screen = terminal.screen()
    joined = ShardMerge(list(shards), partial=partial)
    rows = write_merged_features(joined, output) if is_features else write_merged(joined, target)
    if joined.odd_names:
        screen.warning(
            f"{count(joined.odd_names, 'path')} not in UTF-8: Parquet stores a description instead"
        )
    for description in joined.missing:
        screen.warning(description)
    screen.lines([("Joined", f"{count(rows, 'row')} of {count(len(shards), 'shard')}", "")])
    screen.lines([("Written", output, "")])


def _check_features(output: str, format: str | None) -> None:
    """Check the options for joining features."""
    from mnv2cli.results.features import features_format

    if format is not None:
        raise click.UsageError("--format is for results of mnv2 classify; omit it for features.")
    features_format(output).check()


def _expanded(shards: Iterable[str]) -> list[str]:
    """Return the named files, and those that match patterns the shell has not expanded."""
    found: list[str] = []
    for path in shards:
        matching = () if os.path.lexists(path) else glob(path)
        found += natural_sorted(list(matching)) or [path]
    return found
