"""The results of one shard, as described by its log, and the checks before joining them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import takewhile

from mnv2cli.errors import InputError
from mnv2cli.labels.imagenet import CLASS_COUNT
from mnv2cli.records import Record
from mnv2cli.results.check import is_regular
from mnv2cli.results.features import open_features
from mnv2cli.results.formats import FORMATS, load_format
from mnv2cli.results.read import read_results
from mnv2cli.results.schema import Layout, extras
from mnv2cli.runs.differences import Settings
from mnv2cli.runs.log import read_log
from mnv2cli.runs.shards import Shard

FEATURES = "features"
"""The format of features, in the log of a run."""


@dataclass(frozen=True)
class ShardResults:
    """The results of one shard.

    Attributes:
        path: The file.
        shard: The shard.
        settings: The settings that determined its rows.
        images: The number of images in all shards.
        rows: The number of rows it should have; None if it is not finished.
        size: The number of bytes it should have; None if it is not finished.
        folder: The folder that its relative paths start from.
        format: The format of the file.
    """

    path: str
    shard: Shard
    settings: Settings = field(repr=False)
    images: int
    rows: int | None
    size: int | None
    folder: str
    format: str

    @staticmethod
    def from_log(path: str) -> ShardResults:
        """Return the results of a shard, as described by the log beside them.

        Raises:
            InputError: The file does not exist, or its log is missing, damaged, or not the log of a
                shard.
        """
        if not is_regular(path):
            raise InputError(f"{path!r} is not a file", "Name the results of all shards.")
        begun, ended = read_log(path)
        settings = dict(begun.get("settings", {}))
        name = str(settings.pop("shard", ""))
        if not name:
            raise InputError(
                f"{path!r} is not the results of a shard",
                "Write the results of a shard with: mnv2 classify --shard I/N -o FILE",
            )
        format = settings.pop("format", "")
        settings.pop("position", None)
        is_usable = (
            type(format) is str
            and (format in FORMATS or format == FEATURES)
            and type(settings.get("top")) is int
            and 1 <= settings["top"] <= CLASS_COUNT
            and all(type(settings.get(key)) is bool for key in ("long", "csv_safe"))
            and {"categories", "rollup"} <= settings.keys()
        )
        if not is_usable:
            raise InputError(
                f"the run log of {path!r} is damaged", "Run that shard again with --force."
            )
        # A truncated long table may have the right number of images: check its bytes as well.
        numbers = {key: ended.get(key) for key in ("images", "rows", "bytes")}
        images, rows, size = (n if type(n) is int and n >= 0 else None for n in numbers.values())
        return ShardResults(
            path,
            Shard.parse(name),
            settings,
            images or 0,
            rows if ended.get("event") == "finished" else None,
            size,
            str(begun.get("folder", "")),
            format,
        )

    def whole_rows(self) -> int | None:
        """Return the number of intact rows at the beginning; None if the format cannot be scanned.

        Raises:
            InputError: The columns differ from those in the log.
            OSError: The file cannot be read.
        """
        access = load_format(self.format).rows
        if access is None or self.format == FEATURES:
            return None
        layout = layout_of(self.settings, self.format, position=True)
        with closing(access.scan(self.path, layout)) as rows:
            return sum(1 for _ in takewhile(lambda row: row is not None, rows))

    def read(self) -> Generator[Record, None, None]:
        """Yield the records in the order of the file; raises InputError."""
        if self.format == FEATURES:
            yield from open_features(self.path).records()
            return
        yield from read_results(self.path, self.format, safe=self.settings["csv_safe"])


def layout_of(settings: Settings, format: str, *, position: bool = False) -> Layout:
    """Return the layout of rows with these settings in a format."""
    made = load_format(format)
    return Layout(
        format,
        settings["top"],
        settings["long"] and made.is_table,
        extras(
            category=settings["categories"] is not None,
            node=settings["rollup"] is not None,
            position=position,
        ),
        settings["csv_safe"] and made.may_be_safe,
    )
