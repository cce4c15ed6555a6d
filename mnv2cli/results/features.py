"""Files of features: what they describe, the registry of their formats, and how to open one.

A row has the features of one image, in the order of the run; the row of an unreadable image has the
error instead. Writers and readers hold a block of rows in memory, never all of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pkgutil import resolve_name
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.results.fields import is_row
from mnv2cli.system.urls import redact

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGEST_SIZE = 1 << 16
"""The largest number of features of an image that is read."""

BLOCK = 1024
"""Rows in memory: 5 MB of 1,280 features."""


@dataclass(frozen=True, slots=True)
class FeaturesInfo:
    """How the features in a file were computed; features of different networks never mix.

    Attributes:
        model: The model, such as ``mobilenet_v2_1.0_224``.
        weights: The beginning of the SHA-256 of its weights, in hexadecimal.
        engine: ``litert`` or ``keras``; their features agree.
        precision: ``float32`` or ``int8``.
        size: The number of features of an image.
        normalized: The features of each image have the length 1.
        accurate: They were computed with ``--accurate``.
    """

    model: str
    weights: str
    engine: str
    precision: str
    size: int
    normalized: bool
    accurate: bool = False

    def to_json(self) -> str:
        """Return the information as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> FeaturesInfo:
        """Return the information in a text; raises ValueError if it is not valid."""
        given = json.loads(text)
        if not isinstance(given, dict):
            raise ValueError
        try:
            made = cls(**{field.name: given[field.name] for field in fields(cls)})
        except KeyError as error:
            raise ValueError from error
        texts = (made.model, made.weights, made.engine, made.precision)
        if not all(isinstance(text, str) for text in texts):
            raise ValueError
        if type(made.normalized) is not bool or type(made.accurate) is not bool:
            raise ValueError
        if type(made.size) is not int or not 1 <= made.size <= LARGEST_SIZE:
            raise ValueError
        return made


class Block(NamedTuple):
    """Consecutive rows of a file.

    Attributes:
        paths: The images.
        errors: Why each could not be read; empty if it could.
        embedding: Their features, float32 [n, size]; zeros for errors.
        positions: Their positions among the images of all shards; empty unless it is a shard.
    """

    paths: list[str]
    errors: list[str]
    embedding: NDArray[np.float32]
    positions: list[int]


@dataclass(frozen=True)
class FeaturesFile:
    """A features file that has been checked; its rows are read and checked block by block.

    Attributes:
        path: The file.
        info: How the features were computed.
        rows: The number of rows.
        read: Yields the blocks; raises InputError if one is damaged.
    """

    path: str
    info: FeaturesInfo
    rows: int
    read: Callable[[], Iterator[Block]]

    def blocks(self) -> Iterator[Block]:
        """Yield the rows in blocks.

        Raises:
            InputError: A row is damaged.
        """
        import numpy as np

        rows = 0
        for block in self.read():
            rows += len(block.paths)
            for path, error in zip(block.paths, block.errors, strict=True):
                if not is_row(path, "error" if error else "ok", error):
                    raise damaged(self.path, "an image has no path")
            if not np.isfinite(block.embedding).all():
                raise damaged(self.path, f"{block.paths[0]!r} or a row after it is not a number")
            yield block
        if rows != self.rows:
            raise damaged(self.path, f"it has {rows:,} rows instead of {self.rows:,}")

    def records(self) -> Iterator[Record]:
        """Yield the rows as records; those of errors have no embedding.

        Raises:
            InputError: A row is damaged.
        """
        for block in self.blocks():
            for i, (path, error) in enumerate(zip(block.paths, block.errors, strict=True)):
                yield Record(
                    path,
                    error=error,
                    model=self.info.model,
                    position=block.positions[i] if block.positions else None,
                    embedding=None if error else block.embedding[i],
                )


@dataclass(frozen=True)
class Contents:
    """What a writer needs before the first row.

    Attributes:
        info: How the features were computed.
        rows: The number of rows.
        has_position: Rows have positions, as in shards.
    """

    info: FeaturesInfo
    rows: int
    has_position: bool = False


@dataclass(frozen=True, slots=True)
class FeaturesFormat:
    """A format of features files.

    Attributes:
        write: Called with an open file, the contents and the records, writes the whole file.
        open: Called with a path, checks the file and returns it; raises InputError or OSError.
        check: Raises InputError if a library is missing.
    """

    write: Callable[[IO[bytes], Contents, Iterable[Record]], None]
    open: Callable[[str], FeaturesFile]
    check: Callable[[], object] = lambda: None


FEATURES_FORMATS = {
    "npz": "mnv2cli.results.features_npz:NPZ",
    "parquet": "mnv2cli.results.features_parquet:FEATURES_PARQUET",
}
"""By suffix: ``module:FORMAT``, imported on use."""


def features_format(path: str) -> FeaturesFormat:
    """Return the format that a file's suffix names.

    Raises:
        InputError: The suffix is unknown.
    """
    name = os.path.splitext(path)[1].lower().removeprefix(".")
    if name not in FEATURES_FORMATS:
        raise InputError(
            f"unknown format of {redact(path)!r}: the name does not end in "
            + " or ".join(f".{each}" for each in FEATURES_FORMATS),
            "Use another name.",
        )
    found: Any = resolve_name(FEATURES_FORMATS[name])
    assert isinstance(found, FeaturesFormat)
    return found


def open_features(path: str) -> FeaturesFile:
    """Open a features file and check its description; its rows are checked as they are read.

    Raises:
        InputError: It does not exist, or is not a features file.
    """
    from mnv2cli.system.messages import reason

    format = features_format(path)
    format.check()
    try:
        return format.open(path)
    except OSError as error:
        raise InputError(f"cannot read the features {path!r}: {reason(error)}") from error


def check_same(one: FeaturesFile, other: FeaturesFile) -> None:
    """Check that the features of two files may be compared or joined.

    Raises:
        InputError: They were computed in different ways.
    """
    for field in fields(FeaturesInfo):
        a, b = (getattr(file.info, field.name) for file in (one, other))
        if a != b and field.name != "engine":
            raise InputError(
                f"the features in {other.path!r} cannot be combined with those in {one.path!r}: "
                f"{field.name} is {b}, not {a}",
                "Compute both with the same model and options.",
            )


def damaged(path: str, why: str) -> InputError:
    """Return the error for a file that is not, or no longer, a sound features file."""
    return InputError(
        f"{path!r} is not a sound features file: {why}", "Write it again with mnv2 embed."
    )
