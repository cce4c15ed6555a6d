"""Join the results of shards into the results of one run: checked, complete and in order."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from heapq import merge as merge_sorted
from itertools import islice, pairwise

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.formats import is_resumable, load_format
from mnv2cli.results.options import OutputTarget
from mnv2cli.results.output import Output
from mnv2cli.runs.differences import Difference, differences
from mnv2cli.runs.options import RunOptions
from mnv2cli.runs.ranges import missing_text, names_text, ranges_of
from mnv2cli.runs.run import Run
from mnv2cli.runs.shard_results import FEATURES, ShardResults, layout_of
from mnv2cli.system.files import AtomicFile
from mnv2cli.system.messages import count

_RUN_AGAIN = "Run all shards again with --resume."
_START_OVER = "Run that shard again with --force."


class ShardMerge:
    """The results of shards, opened and checked against each other.

    Args:
        paths: One file for each shard, in any order and any readable format.
        partial: Join what exists, even if shards or rows are missing.

    Attributes:
        settings: The settings that determined the rows.
        folder: The folder that relative paths in rows start from.
        images: The number of images in all shards.
        rows: The number of rows in the files, without those of unfinished shards.
        odd_names: The number of paths that are not UTF-8, of which Parquet has only a description.
        missing: Descriptions of missing shards and rows; empty unless ``partial``.

    Raises:
        InputError: The files do not belong together, or a shard is missing or given twice.
    """

    def __init__(self, paths: list[str], *, partial: bool = False) -> None:
        self._partial = partial
        self.missing: list[str] = []
        _raise_limit(len(paths))
        self.odd_names = 0
        self._shards = [ShardResults.from_log(path) for path in paths]
        self.settings = self._shards[0].settings
        self.folder = self._shards[0].folder
        self.images = max(results.images for results in self._shards)
        self.rows = sum(results.rows or 0 for results in self._shards)
        self._gaps: list[tuple[int, int]] = []  # rows that are missing, from 1
        self._conflicts = 0  # rows with the position of another
        self._check()

    def _check(self) -> None:
        first = self._shards[0]
        for other in self._shards[1:]:
            self._check_settings(first, other)
        by_number = sorted(self._shards, key=lambda results: results.shard.number)
        for one, other in pairwise(by_number):
            if one.shard == other.shard:
                raise InputError(
                    f"{one.path!r} and {other.path!r} are both shard {one.shard}",
                    "Name each shard once.",
                )
        numbers = {results.shard.number for results in self._shards}
        absent = [i for i in range(1, first.shard.count + 1) if i not in numbers]
        if absent:
            self._miss(
                missing_text("shard", list(ranges_of(absent)), first.shard.count),
                "Name the results of all shards.",
            )
        unfinished = [each.path for each in self._shards if each.rows is None]
        if unfinished:
            self._miss(
                f"{count(len(unfinished), 'shard')} not finished: {names_text(unfinished)}",
                "Run the same command for that shard again with --resume.",
            )
        changed = [
            each.path
            for each in self._shards
            if each.rows is not None and each.size not in (None, os.path.getsize(each.path))
        ]
        if changed:
            self._miss(
                f"{count(len(changed), 'shard')} changed after the run finished: "
                f"{names_text(changed)}",
                _RUN_AGAIN,
            )

    def _check_settings(self, first: ShardResults, other: ShardResults) -> None:
        found = differences(first.settings, other.settings)
        if (first.format == FEATURES) != (other.format == FEATURES):
            found.append(Difference(f"as {first.format}", f"as {other.format}"))
        if first.shard.count != other.shard.count:
            found.append(Difference(f"with --shard {first.shard}", f"with --shard {other.shard}"))
        if found:
            raise InputError(
                f"{other.path!r} and {first.path!r} are not shards of one run: the first was "
                f"written {'; '.join(f'{each.new}, the second {each.old}' for each in found)}",
                "Run one of them again with the options of the other shards.",
            )

    def _miss(self, what: str, hint: str) -> None:
        if not self._partial:
            raise InputError(what, f"{hint}\nTo join what exists, add --partial.")
        self.missing.append(what)

    def records(self) -> Generator[Record, None, None]:
        """Yield the records of all shards in the order of one run.

        Raises:
            InputError: A row is missing, duplicate, damaged, or in the wrong shard.
        """
        readers = [self._placed(results) for results in self._shards]
        next_position, last = 0, ""
        for position, _, record in merge_sorted(*readers, key=lambda item: item[:2]):
            if record.position is not None:
                if position < next_position:
                    self._add_conflict(last, record.path)
                elif position > next_position:
                    self._add_gap(next_position, position)
                next_position, last = max(next_position, position + 1), record.path
            yield replace(record, position=None)
        if next_position < self.images:
            self._add_gap(next_position, self.images)
        if self._gaps:
            self.missing.append(missing_text("row", self._gaps, self.images))
        if self._conflicts:
            self.missing.append(
                f"{count(self._conflicts, 'row')} with the position of another row: photos were "
                "added or removed between the shards"
            )

    def _add_gap(self, start: int, end: int) -> None:
        """Record that the rows from one position up to another are missing."""
        gap = (start + 1, end)
        if not self._partial:
            self._miss(missing_text("row", [gap], self.images), _RUN_AGAIN)
        self._gaps.append(gap)

    def _add_conflict(self, one: str, other: str) -> None:
        """Record that two rows have the same position."""
        if not self._partial:
            self._miss(
                f"{one!r} and {other!r} have the same position: photos were added or removed "
                "between the shards",
                _RUN_AGAIN,
            )
        self._conflicts += 1

    def _placed(self, results: ShardResults) -> Iterator[tuple[int, int, Record]]:
        """Yield a shard's records with their position; one without follows its predecessor."""
        utf8_only = load_format(results.format).utf8_only
        path, shard, top = results.path, results.shard, self.settings["top"]
        position, rows = -1, 0
        for record in self._records_of(results):
            # A path that is only described does not identify its shard.
            is_odd = utf8_only and "\\x" in record.path
            self.odd_names += is_odd
            if not is_odd and record.path not in shard:
                raise InputError(
                    f"{path!r} has a row that does not belong to shard {shard}: {record.path!r}",
                    _START_OVER,
                )
            if len(record.predictions) > top:
                raise InputError(
                    f"{path!r} has more than {top} labels for {record.path!r}", _START_OVER
                )
            if record.position is not None:
                if record.position <= position:
                    raise InputError(
                        f"{path!r} is not in order at {record.path!r}: another program changed it",
                        "Restore the order by running that shard again with --resume.",
                    )
                position = record.position
            rows += 1
            yield position, shard.number, record
        if results.rows is not None and rows != results.rows:
            self._miss(f"{path!r} has {count(rows, 'row')} instead of {results.rows:,}", _RUN_AGAIN)

    def _records_of(self, results: ShardResults) -> Iterator[Record]:
        """Yield a shard's records in order, up to the first damage."""
        limit: int | None = None
        if results.rows is None:  # a truncated row may look complete
            limit = results.whole_rows()
        with closing(results.read()) as records:
            try:
                yield from islice(records, limit)
            except InputError as error:
                if results.rows is not None:
                    raise
                self.missing.append(f"{error.message}; the rows after that are not joined")


def write_merged(merge: ShardMerge, target: OutputTarget) -> int:
    """Write the records of all shards to a file, which appears once it is complete.

    Args:
        merge: The shards.
        target: The file and its format; both must be given.

    Returns:
        The number of rows written.

    Raises:
        InputError: As for :meth:`ShardMerge.records`; or another run writes to this file.
        OutputError: The file or its log cannot be written.
    """
    assert target.path is not None
    layout = layout_of(merge.settings, target.format)
    own = {"long": layout.long, "csv_safe": layout.safe}
    run = Run(target.path, layout, {**merge.settings, **own}, RunOptions())
    file = AtomicFile(os.path.realpath(target.path))
    try:
        with Output(file.file, load_format(target.format), layout) as out:
            out.open()
            for record in merge.records():
                out.write(record)
        run.forget()
        file.commit()
        if is_resumable(target.format):
            run.folder = merge.folder
            run.start({})
            run.opened()
            run.finish(out.written, merge.images)
    finally:
        file.discard()
        run.close()
    return out.written


def _raise_limit(files: int) -> None:
    """Allow this process to open this many files, as far as the system permits."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = files + 100
        if soft != resource.RLIM_INFINITY and soft < wanted:
            limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
