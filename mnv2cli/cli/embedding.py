"""Shared by commands that compare images: their features, from images or from a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain, islice
from threading import Event
from typing import TYPE_CHECKING

from mnv2cli.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.inference.report import Report
    from mnv2cli.records import Record, Source

FEATURE_FILES = (".parquet", ".npz")
"""Suffixes of files with features."""


def is_features_file(path: str) -> bool:
    """Return whether a path names a file of features."""
    return path.lower().endswith(FEATURE_FILES) and not os.path.isdir(path)


def embed_sources(
    classifier: Classifier,
    sources: Iterable[Source],
    report: Report,
    sample: Callable[[], Iterable[str]] | None = None,
) -> Generator[Record, None, None]:
    """Yield the records of images with their features, or with an error.

    Args:
        classifier: Embeds them.
        sources: The images.
        report: Receives the seconds.
        sample: Returns the paths of images to calibrate int8 on; None for the first of the sources.
    """
    return classifier.embed_run(sources, timings=report.timings, sample=sample)


def read_features(
    path: str, model: str
) -> Iterator[tuple[Sequence[str], NDArray[np.float32], Sequence[str]]]:
    """Yield the paths, the features, float32 [m, d], and the errors of a file in blocks.

    Args:
        path: The file.
        model: The model that its features must come from.

    Raises:
        InputError: It is not a file of features, or they come from another model.
    """
    raise InputError(f"cannot read features from {path!r} yet")


def embedded(
    classifier: Classifier,
    records: Generator[Record, None, None],
    report: Report,
    screen: Screen,
    total: Callable[[Event], int | None] | None,
) -> Iterator[Record]:
    """Yield records while their progress is shown; unreadable images are shown and counted."""
    with closing(records):
        with screen.loading(classifier.network.name):
            started = list(islice(records, 1))
        with screen.progress(total) as advance:
            for record in chain(started, records):
                report.add(record)
                advance(record)
                yield record
