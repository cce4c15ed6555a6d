"""Shared by commands that compare images: their features, from images or from a file."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.inference.report import Report
    from mnv2cli.records import Record, Source

FEATURE_FILES = (".parquet", ".npz")
"""Suffixes of files with features."""


def embed_sources(
    classifier: Classifier,
    sources: Iterable[Source],
    report: Report,
    sample: Callable[[], Iterable[str]] | None = None,
    stop_requested: Event | None = None,
) -> Generator[Record, None, None]:
    """Yield the records of images with their features, or with an error.

    Args:
        classifier: Embeds them.
        sources: The images.
        report: Receives the seconds.
        sample: Returns the paths of images to calibrate int8 on; None for the first of the sources.
        stop_requested: Once set, no more images are started.
    """
    return classifier.embed_run(sources, report.timings, sample, stop_requested)


def read_features(path: str) -> Iterator[tuple[Sequence[str], NDArray[np.float32]]]:
    """Yield the paths and the features, float32 [m, d], of a file in blocks.

    Raises:
        InputError: It is not a file of features.
    """
    raise NotImplementedError
