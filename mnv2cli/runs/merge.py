"""Join the results of shards into those of one run: checked, complete, and in order."""

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
from mnv2cli.runs.log import differences
from mnv2cli.runs.options import RunOptions
from mnv2cli.runs.run import Run
from mnv2cli.runs.shard_results import ShardResults, layout_of
from mnv2cli.system.files import AtomicFile

_MAX_NAMED = 5


class ShardMerge:
    """Shards' results, opened and checked against each other.

    Args:
        paths: One file for each shard, in any order and any of our formats.
        partial: Take what is there, even if shards or rows are missing.

    Attributes:
        settings: What decided the rows of all.
        folder: What relative paths in rows are relative to.
        images: How many rows there should be.
        odd_names: Names that are not UTF-8, of which Parquet has but a description.
        missing: What is missing, in plain words; empty unless ``partial``.

    Raises:
        InputError: They do not belong together, or something is missing or there twice.
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
        self._check()

    def _check(self) -> None:
        first = self._shards[0]
        for other in self._shards[1:]:
            found = differences(
                {**first.settings, "shards": first.shard.count},
                {**other.settings, "shards": other.shard.count},
                "{name} is {new} here and {old} there",
            )
            if found:
                raise InputError(
                    f"{other.path!r} does not belong with {first.path!r}: {'; '.join(found)}",
                    "Shards of one run have the same settings: run the odd ones again.",
                )
        by_number = sorted(self._shards, key=lambda results: results.shard.number)
        for one, other in pairwise(by_number):
            if one.shard == other.shard:
                raise InputError(
                    f"{one.path!r} and {other.path!r} are both shard {one.shard}",
                    "Give each shard once.",
                )
        numbers = {results.shard.number for results in self._shards}
        absent = [str(i) for i in range(1, first.shard.count + 1) if i not in numbers]
        if absent:
            more = f" and {len(absent) - _MAX_NAMED:,} more" if len(absent) > _MAX_NAMED else ""
            self._miss(
                f"of {first.shard.count:,} shards, {', '.join(absent[:_MAX_NAMED])}{more} "
                f"{'is' if len(absent) == 1 else 'are'} missing"
            )
        for results in self._shards:
            if results.rows is None:
                self._miss(
                    f"{results.path!r} is not finished",
                    "Go on with it by the command that made it, with --resume.",
                )
            elif results.size not in (None, os.path.getsize(results.path)):
                self._miss(f"{results.path!r} was changed after it was finished")

    def _miss(self, what: str, hint: str = "") -> None:
        if not self._partial:
            hint = f"{hint}\n" if hint else ""
            raise InputError(what, f"{hint}--partial joins what is there.")
        self.missing.append(what)

    def records(self) -> Generator[Record, None, None]:
        """Yield the records of all shards in the order of one run.

        Raises:
            InputError: A row is missing or there twice, in another shard than it belongs to, or
                damaged.
        """
        readers = [self._placed(results) for results in self._shards]
        next_position, last = 0, ""
        for position, _, record in merge_sorted(*readers, key=lambda item: item[:2]):
            if record.position is not None:
                if position < next_position:
                    self._miss(
                        f"{last!r} and {record.path!r} have the same place in the order: photos "
                        "came or went between the shards",
                        "Run all shards again with --resume, then they agree.",
                    )
                elif position > next_position:
                    self._miss(
                        f"{position - next_position:,} rows are missing before {record.path!r}",
                        "Run all shards again with --resume.",
                    )
                next_position, last = max(next_position, position + 1), record.path
            yield replace(record, position=None)
        if next_position < self.images:
            self._miss(
                f"{self.images - next_position:,} rows are missing at the end",
                "Run all shards again with --resume.",
            )

    def _placed(self, results: ShardResults) -> Iterator[tuple[int, int, Record]]:
        """Yield a shard's records with their place; one without follows the one before it."""
        utf8_only = load_format(results.format).utf8_only
        path, shard, top = results.path, results.shard, self.settings["top"]
        position, rows = -1, 0
        for record in self._records_of(results):
            # A name that is only described says nothing of its shard.
            is_odd = utf8_only and "\\x" in record.path
            self.odd_names += is_odd
            if not is_odd and record.path not in shard:
                raise InputError(
                    f"{path!r} has a row that is not of shard {shard}: {record.path!r}"
                )
            if len(record.predictions) > top:
                raise InputError(f"{path!r} has more than {top} labels for {record.path!r}")
            if record.position is not None:
                if record.position <= position:
                    raise InputError(
                        f"{path!r} is not in order at {record.path!r}",
                        "Was it sorted or joined by something else? Go on with it by --resume.",
                    )
                position = record.position
            rows += 1
            yield position, shard.number, record
        if results.rows is not None and rows != results.rows:
            self._miss(f"{path!r} has {rows:,} rows and should have {results.rows:,}")

    def _records_of(self, results: ShardResults) -> Iterator[Record]:
        """Yield a shard's records as they were found; of one that is cut, those before."""
        limit: int | None = None
        if results.rows is None:  # a row that is cut may look like one
            limit = results.whole_rows()
        with closing(results.read()) as records:
            try:
                yield from islice(records, limit)
            except InputError as error:
                if results.rows is not None:
                    raise
                self.missing.append(f"{error.message}: what comes after is not taken")


def write_merged(merge: ShardMerge, target: OutputTarget) -> int:
    """Write the records of all shards to a file, which appears once it is whole.

    Args:
        merge: The shards.
        target: The file and its format; both must be given.

    Returns:
        How many rows were written.

    Raises:
        InputError: As :meth:`ShardMerge.records`; or another run writes this file.
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
    """Let this process have so many files open, as far as the system lets it."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = files + 100
        if soft != resource.RLIM_INFINITY and soft < wanted:
            limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
