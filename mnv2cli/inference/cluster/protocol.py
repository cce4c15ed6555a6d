"""Messages between this machine, the jobs in the cluster and their workers."""

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
"""Images between two messages to the tally: half a second of work, repeated if a worker dies."""

Block = list[tuple[int, bytes]]
"""Finished batches: the number of the first image of each, and a pickled ``Done``."""


class ClusterError(Mnv2Error):
    """The cluster cannot be reached or started, or a run on it failed."""


@dataclass(frozen=True)
class JobSpec:
    """What every worker receives.

    Attributes:
        open: Called with ``options`` and ``identity``, loads the network on the worker.
        options: Options of the classifier, with network and engine chosen.
        identity: Identifies the network, including the content of its weights.
        folder: The folder that relative paths start from.
        version: Version of this package.
    """

    open: Callable[[ClassifierOptions, dict[str, Any]], Classifier]
    options: ClassifierOptions
    identity: dict[str, Any]
    folder: str
    version: str = __version__


@dataclass(frozen=True)
class Done:
    """A finished batch; or, in ``failure``, the type, message and hint of the error instead."""

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
    """Unpickle a finished batch; raises the error in it, if any."""
    batch: Done = pickle.loads(content)
    if batch.failure:
        error, message, hint = batch.failure
        raise error(message, hint)
    return batch
