"""What travels between this machine, the cluster's jobs and its workers."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mnv2cli import __version__
from mnv2cli.errors import Mnv2Error
from mnv2cli.records import Record, Source

if TYPE_CHECKING:
    import pyarrow as pa

    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.inference.options import ClassifierOptions

INSTALL = "pip install 'mnv2cli[ray]'"

BATCH = 32
"""Images between two messages to the tally: half a second's work, redone if the worker dies."""

Block = list[tuple[int, bytes]]
"""Batches that come back: the number of the first image of each, and a pickled ``Done``."""


class ClusterError(Mnv2Error):
    """The cluster cannot be reached, or cannot continue."""


@dataclass(frozen=True)
class JobSpec:
    """What every worker receives.

    Attributes:
        open: Opens the network there, by the following two.
        options: Those of the classifier, settled.
        identity: What identifies the network, its weights' content too.
        folder: What relative paths are below.
        version: Of this package.
    """

    open: Callable[[ClassifierOptions, dict[str, Any]], Classifier]
    options: ClassifierOptions
    identity: dict[str, Any]
    folder: str
    version: str = __version__


@dataclass(frozen=True)
class Done:
    """A batch that comes back; or in ``failure`` why there will be none: type, message, hint."""

    records: tuple[Record, ...] = ()
    decoding: float = 0.0
    predicting: float = 0.0
    failure: tuple[type[Mnv2Error], str, str] | None = None


def source_blocks(sources: list[Source], number: int, size: int) -> list[pa.Table]:
    """Return the sources as Arrow tables of ``size`` rows, numbered from ``number`` on."""
    import pyarrow as pa

    return [
        pa.table(
            {
                "number": pa.array(range(number + i, number + i + len(block)), pa.int64()),
                "path": pa.array([os.fsencode(source.path) for source in block], pa.binary()),
                "error": pa.array([os.fsencode(source.error) for source in block], pa.binary()),
                "position": pa.array([source.position for source in block], pa.int64()),
            }
        )
        for i in range(0, len(sources), size)
        for block in [sources[i : i + size]]
    ]


def open_batch(content: bytes) -> Done:
    """Return a batch that came back; raises the error that it holds instead, if it does."""
    batch: Done = pickle.loads(content)
    if batch.failure:
        error, message, hint = batch.failure
        raise error(message, hint)
    return batch
