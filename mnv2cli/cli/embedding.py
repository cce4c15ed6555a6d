"""Shared by commands that compare images: their features, from images or from a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from threading import Event
from typing import TYPE_CHECKING

from mnv2cli.cli.inputs import watched
from mnv2cli.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.inference.report import Report
    from mnv2cli.records import Record, Source

Sample = Callable[[], Iterable[str]]
"""Returns the paths of images to calibrate int8 on."""


class Embedder:
    """Computes the features of images for a command, or reads them from a file.

    Args:
        classifier: Computes them.
        screen: Shows progress and unreadable images.
        report: Receives counts and seconds.
        cache: Use and fill the cache of features.
    """

    def __init__(
        self, classifier: Classifier, screen: Screen, report: Report, *, cache: bool = True
    ) -> None:
        self._classifier = classifier
        self._screen = screen
        self._report = report
        self._cache = cache

    def embed(
        self,
        sources: Iterable[Source],
        sample: Sample,
        total: Callable[[Event], int | None] | None,
    ) -> Iterator[Record]:
        """Yield the records of images with their features, or with an error.

        Args:
            sources: The images.
            sample: Returns images to calibrate int8 on.
            total: Returns the number of images; called in a thread. None if it is unknown.
        """
        from mnv2cli.inference.feature_store import CachedFeatures

        classifier, screen, report = self._classifier, self._screen, self._report
        with ExitStack() as stack:
            store = CachedFeatures(classifier) if self._cache else None
            if store:
                stack.callback(store.close)
            records = classifier.embed_run(sources, store, report.timings, sample)
            stack.callback(records.close)
            yield from watched(records, classifier.network.name, report, screen, total)

    def read(self, path: str) -> Iterator[tuple[Sequence[str], NDArray[np.float32], Sequence[str]]]:
        """Yield the paths, the features, float32 [m, d], and the errors of a file in blocks.

        Raises:
            InputError: It is not a features file, or its features come from another network.
        """
        from mnv2cli.results.features import open_features

        file = open_features(path)
        info, classifier = file.info, self._classifier
        network = classifier.network
        settings = classifier.settings()
        wrong = ""
        if info.model not in (network.model, network.backbone.model):
            wrong = f"it was written with the model {info.model}, not {network.model}"
        elif info.accurate != settings["accurate"]:
            wrong = f"it was written {'with' if info.accurate else 'without'} --accurate"
        elif info.model == network.model and info.weights != settings.get("weights", info.weights):
            wrong = "it was written with different weights"
        if wrong:
            raise InputError(
                f"cannot search {path!r}: {wrong}", "Use the same --model, or embed again."
            )
        for block in file.blocks():
            yield block.paths, block.embedding, block.errors


def is_features_file(path: str) -> bool:
    """Return whether a path names a features file."""
    from mnv2cli.results.features import FEATURES_FORMATS

    name = os.path.splitext(path)[1].lower().removeprefix(".")
    return name in FEATURES_FORMATS and not os.path.isdir(path)
