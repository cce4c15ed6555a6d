"""The whole arrow behind one object: what the command line runs, for use from Python."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator
from functools import partial
from itertools import chain
from time import perf_counter

from mnv2cli.decode import DEFAULT_MAX_PIXELS, DecodeOptions, Fit, Interpolation, decode
from mnv2cli.engines import Engine, Network, open_engine
from mnv2cli.errors import InputError
from mnv2cli.find import Finder, FindOptions, OnSkip
from mnv2cli.labels import imagenet_labels
from mnv2cli.models import DEFAULT_MODEL, MODELS, Progress
from mnv2cli.models.weights import no_progress
from mnv2cli.pipeline import classify
from mnv2cli.rank import rank
from mnv2cli.records import Record, Source
from mnv2cli.report import Report

StrPath = str | os.PathLike[str]


class Classifier:
    """Classify images with pretrained MobileNetV2.

    The network is loaded at the first image (or by :meth:`load`) and kept, so one classifier may
    classify many times.

    Args:
        top: Classes for each image, 1 to 1000, best first.
        threshold: Leave out classes whose score is below this, in [0, 1].
        alpha: Width of the network: 0.35, 0.5, 0.75, 1.0, 1.3 or 1.4.
        size: Side of the input in pixels: 96, 128, 160, 192 or 224.
        weights: Your own weights file for this network; else the published ImageNet weights, by
            Keras's cache.
        refresh_weights: Download the published weights again even if they are cached.
        fit: ``crop`` (default), ``pad`` or ``stretch``.
        interpolation: ``bilinear`` (default), ``bicubic``, ``nearest`` or ``lanczos``.
        max_pixels: Images with more pixels are errors.
        allow_truncated: Take what is there of files that end early.
        batch_size: Images a batch; 0 for the engine's own choice.
        find: What to take from folders.
        progress: Told how a download of weights goes: file name, bytes done, bytes in all.

    Raises:
        InputError: A value that cannot be used.
    """

    def __init__(
        self,
        *,
        top: int = 5,
        threshold: float = 0.0,
        alpha: float = 1.0,
        size: int = 224,
        weights: StrPath = "",
        refresh_weights: bool = False,
        fit: Fit = "crop",
        interpolation: Interpolation = "bilinear",
        max_pixels: int = DEFAULT_MAX_PIXELS,
        allow_truncated: bool = False,
        batch_size: int = 0,
        find: FindOptions | None = None,
        progress: Progress = no_progress,
    ) -> None:
        if not 1 <= top <= len(imagenet_labels()):
            raise InputError(f"top is {top}, but must be 1 to {len(imagenet_labels())}")
        if not 0 <= threshold <= 1:
            raise InputError(f"threshold is {threshold}, but scores are 0 to 1")
        self.top = top
        self.threshold = threshold
        self.batch_size = batch_size
        self.find = find or FindOptions()
        self.decode = DecodeOptions(size, fit, interpolation, max_pixels, allow_truncated)
        self.network: Network = MODELS[DEFAULT_MODEL](
            alpha=alpha,
            size=size,
            weights=os.fspath(weights),
            refresh=refresh_weights,
            progress=progress,
        )
        self._engine: Engine | None = None

    def load(self, report: Report | None = None) -> Engine:
        """Load the network now, if it is not loaded yet; the report gets the time it took.

        Raises:
            WeightsError: The weights cannot be had, or are not this network's.
        """
        if self._engine is None:
            start = perf_counter()
            self._engine = open_engine("keras", self.network)
            if report:
                report.timings.loading += perf_counter() - start
        return self._engine

    def sources(self, inputs: Iterable[str], on_skip: OnSkip | None = None) -> Iterator[Source]:
        """Yield the images of files, folders and globs, without reading them."""
        return iter(Finder(inputs, self.find, on_skip))

    def classify(self, *paths: StrPath) -> Generator[Record, None, None]:
        """Yield one record for each image in files, folders and globs, lazily and in order.

        Raises:
            WeightsError: The weights cannot be had, or are not this network's.
        """
        return self.run(self.sources(os.fspath(path) for path in paths), Report())

    def run(self, sources: Iterator[Source], report: Report) -> Generator[Record, None, None]:
        """Yield one record for each source, counted in the report.

        The network is loaded only once there is something to classify.
        """
        first = next(sources, None)
        if first is not None:
            engine = self.load(report)
            for record in classify(
                chain([first], sources),
                decode=partial(decode, options=self.decode),
                engine=engine,
                rank=partial(
                    rank, labels=imagenet_labels(), top=self.top, threshold=self.threshold
                ),
                batch_size=self.batch_size,
                timings=report.timings,
            ):
                report.add(record)
                yield record
        report.stop()
