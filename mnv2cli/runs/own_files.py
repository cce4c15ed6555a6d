"""Recognize the files that runs write, so that no run classifies them as images."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from mnv2cli.records import Source
from mnv2cli.results.check import LOG_SUFFIX, OWN_FILE, possible_logs
from mnv2cli.results.features_rows import ROWS_SUFFIX
from mnv2cli.results.thumbnail_files import is_thumbnail_path
from mnv2cli.runs.log import is_log
from mnv2cli.sources.names import IMAGE_SUFFIXES

_PART_SUFFIX = ".part"


def without_own_files(
    sources: Iterable[Source],
    output: str = "",
    on_skip: Callable[[str, str], None] = lambda path, reason: None,
) -> Iterator[Source]:
    """Yield the sources that were not written by a run.

    With ``--all-files``, results among the images are found like any other file. Shards must agree
    on the images, so each shard skips the results of all shards, which it recognises by their logs:
    a log exists before its results do.

    Args:
        sources: The images as found.
        output: The results file of this run, which may have no log; empty if there is none.
        on_skip: Called with path and reason for each file that is skipped.
    """
    own = {os.path.realpath(output), os.path.abspath(output)} if output else set()
    own_names = {os.path.basename(path) for path in own}
    for source in sources:
        name = os.path.basename(source.path)
        is_own = name in own_names and os.path.abspath(source.path) in own
        # Results never have the suffix of an image; the thumbnails of a report have.
        if is_own or (
            is_thumbnail_path(source.path)
            if name.lower().endswith(IMAGE_SUFFIXES)
            else is_own_file(source.path)
        ):
            on_skip(source.path, OWN_FILE)
        else:
            yield source


def is_own_file(path: str) -> bool:
    """Return whether a file was written by a run: results with a log, a log, or unfinished results.

    Results without shards in a format that cannot be resumed have no log, and are not recognized.
    """
    name = os.path.basename(path)
    if "://" in path:
        return False
    if name.endswith(LOG_SUFFIX):
        return is_log(path) or _is_empty(path)
    if name.startswith(".") and name.endswith(_PART_SUFFIX):
        # .labels.csv.x7k2.part, which will be labels.csv
        path = os.path.join(os.path.dirname(path), name[1:].rsplit(".", 2)[0])
        name = os.path.basename(path)
    if name.startswith(".") and name.endswith(ROWS_SUFFIX):
        path = os.path.join(os.path.dirname(path), name[1:].removesuffix(ROWS_SUFFIX))
    log, earlier = possible_logs(path)
    return is_log(log) or is_log(earlier) or _is_empty(log)


def _is_empty(path: str) -> bool:
    """Return whether a file exists and is empty, as a log is until its run has found an image."""
    try:
        return os.path.getsize(path) == 0
    except OSError:
        return False
