"""Join the features of shards into the features file of one run."""

from __future__ import annotations

from mnv2cli.errors import InputError
from mnv2cli.results.features import Contents
from mnv2cli.runs.features_run import FeaturesRun, info_of, write_features
from mnv2cli.runs.log import read_log
from mnv2cli.runs.merge import ShardMerge
from mnv2cli.runs.options import RunOptions
from mnv2cli.runs.shard_results import FEATURES


def are_features(path: str) -> bool:
    """Return whether a file is the features of a shard, by its log."""
    try:
        begun, _ = read_log(path)
    except InputError:
        return False
    return bool(begun.get("settings", {}).get("format") == FEATURES)


def write_merged_features(merge: ShardMerge, output: str) -> int:
    """Write the features of all shards to a file, which appears once it is complete.

    Returns:
        The number of rows written.

    Raises:
        InputError: As for :meth:`ShardMerge.records`; or another run writes to this file.
        OutputError: The file or its log cannot be written.
    """
    run = FeaturesRun(output, merge.settings, RunOptions())
    try:
        contents = Contents(info_of(merge.settings, output), merge.rows)
        write_features(output, contents, merge.records())
        run.folder = merge.folder
        run.start({})
        run.opened()
        run.finish(merge.rows, merge.images)
    finally:
        run.close()
    return merge.rows
