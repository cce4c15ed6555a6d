"""Join the results of shards into those of one run: checked, complete, and in order."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from heapq import merge as merge_sorted
from itertools import islice, pairwise, takewhile

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.read import read_results
from mnv2cli.results.spreadsheet import restored_record
from mnv2cli.runs.log import Settings, differences, read_log
from mnv2cli.runs.resume import FORMS, Layout, scan
from mnv2cli.runs.shards import Shard, part_of

_MOST_NAMED = 5
_MOST_LABELS = 1000


@dataclass(frozen=True)
class Part:
    """The results of one shard.

    Attributes:
        path: Its file.
        shard: Which one it is.
        settings: What decided its rows.
        images: How many images there were in all, for all shards.
        rows: How many rows it should have; None if it is not finished.
        size: How many bytes it should have; None if it is not finished.
        folder: What relative paths in it are relative to.
        form: Its format.
    """

    path: str
    shard: Shard
    settings: Settings = field(repr=False)
    images: int
    rows: int | None
    size: int | None
    folder: str
    form: str


class Merging:
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
        self._parts = [_open(path) for path in paths]
        self.settings = self._parts[0].settings
        self.folder = self._parts[0].folder
        self.images = max(part.images for part in self._parts)
        self._check()

    def _check(self) -> None:
        first = self._parts[0]
        for part in self._parts[1:]:
            found = differences(
                {**first.settings, "shards": first.shard.count},
                {**part.settings, "shards": part.shard.count},
                "{name} is {new} here and {old} there",
            )
            if found:
                raise InputError(
                    f"{part.path!r} does not belong with {first.path!r}: {'; '.join(found)}",
                    "Shards of one run have the same settings: run the odd ones again.",
                )
        by_number = sorted(self._parts, key=lambda part: part.shard.number)
        for one, other in pairwise(by_number):
            if one.shard == other.shard:
                raise InputError(
                    f"{one.path!r} and {other.path!r} are both shard {one.shard}",
                    "Give each shard once.",
                )
        numbers = {part.shard.number for part in self._parts}
        absent = [str(i) for i in range(1, first.shard.count + 1) if i not in numbers]
        if absent:
            more = f" and {len(absent) - _MOST_NAMED:,} more" if len(absent) > _MOST_NAMED else ""
            self._miss(
                f"of {first.shard.count:,} shards, {', '.join(absent[:_MOST_NAMED])}{more} "
                f"{'is' if len(absent) == 1 else 'are'} missing"
            )
        for part in self._parts:
            if part.rows is None:
                self._miss(
                    f"{part.path!r} is not finished",
                    "Go on with it by the command that made it, with --resume.",
                )
            elif part.size not in (None, os.path.getsize(part.path)):
                self._miss(f"{part.path!r} was changed after it was finished")

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
        readers = [self._read(part) for part in self._parts]
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

    def _read(self, part: Part) -> Iterator[tuple[int, int, Record]]:
        """Yield a shard's records with their place; one without follows the one before it."""
        place, rows = -1, 0
        for record in self._records_of(part):
            # In Parquet a name that is not UTF-8 is not what it was.
            is_odd = part.form == "parquet" and "\\x" in record.path
            self.odd_names += is_odd
            if not is_odd and part_of(record.path, part.shard.count) != part.shard.number:
                raise InputError(
                    f"{part.path!r} has a row that is not of shard {part.shard}: {record.path!r}"
                )
            if len(record.predictions) > self.settings["top"]:
                raise InputError(
                    f"{part.path!r} has more than {self.settings['top']} labels for {record.path!r}"
                )
            if record.position is not None:
                if record.position <= place:
                    raise InputError(
                        f"{part.path!r} is not in order at {record.path!r}",
                        "Was it sorted or joined by something else? Go on with it by --resume.",
                    )
                place = record.position
            rows += 1
            yield place, part.shard.number, record
        if part.rows is not None and rows != part.rows:
            self._miss(f"{part.path!r} has {rows:,} rows and should have {part.rows:,}")

    def _records_of(self, part: Part) -> Iterator[Record]:
        """Yield the records of a part as they were found; of one that is cut, those before."""
        most: int | None = None
        if part.rows is None and part.form in FORMS:  # a row that is cut may look like one
            layout = layout_of(self.settings, part.form, position=True)
            with closing(scan(part.path, layout)) as rows:
                most = sum(1 for _ in takewhile(lambda row: row is not None, rows))
        with closing(read_results(part.path, part.form)) as records:
            try:
                for record in islice(records, most):
                    yield restored_record(record) if self.settings["csv_safe"] else record
            except InputError as error:
                if part.rows is not None:
                    raise
                self.missing.append(f"{error.message}: what comes after is not taken")


def layout_of(settings: Settings, form: str, *, position: bool = False) -> Layout:
    """Return what the rows of a file with these settings look like."""
    names = {
        "category": settings["categories"] is not None,
        "node": settings["rollup"] is not None,
        "position": position,
    }
    return Layout(
        form,
        settings["top"],
        settings["long"] and form in ("csv", "parquet"),
        tuple(name for name in names if names[name]),
        settings["csv_safe"] and form == "csv",
    )


def _raise_limit(files: int) -> None:
    """Let this process have so many files open, as far as the system lets it."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = files + 100
        if soft != resource.RLIM_INFINITY and soft < wanted:
            most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _open(path: str) -> Part:
    begun, ended = read_log(path)
    settings = dict(begun.get("settings", {}))
    name = str(settings.pop("shard", ""))
    if not name:
        raise InputError(f"{path!r} is no shard", "mnv2 classify --shard I/N -o FILE makes shards.")
    form = settings.pop("format", "")
    settings.pop("position", None)
    is_usable = (
        form in ("csv", "json", "jsonl", "parquet")
        and type(settings.get("top")) is int
        and 1 <= settings["top"] <= _MOST_LABELS
        and all(type(settings.get(key)) is bool for key in ("long", "csv_safe"))
        and {"categories", "rollup"} <= settings.keys()
    )
    if not is_usable:
        raise InputError(
            f"what is noted beside {path!r} is damaged", "Run that shard again with --force."
        )
    # A long part is cut in more ways than a number of rows tells: its bytes are noted.
    numbers = {key: ended.get(key) for key in ("images", "rows", "bytes")}
    images, rows, size = (n if type(n) is int and n >= 0 else None for n in numbers.values())
    return Part(
        path,
        Shard.parse(name),
        settings,
        images or 0,
        rows if ended.get("event") == "finished" else None,
        size,
        str(begun.get("folder", "")),
        form,
    )
