"""Sources in, records out, behind one object: what the command line runs, for use from Python."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from hashlib import sha256
from itertools import chain, islice
from threading import Event
from time import perf_counter
from typing import TYPE_CHECKING, Any

from mnv2cli.engines import Engine, open_engine
from mnv2cli.engines.calibration import Calibration
from mnv2cli.engines.options import EngineOptions
from mnv2cli.engines.registry import check_precision
from mnv2cli.errors import InputError
from mnv2cli.events import RunEvents
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.reader import ImageReader
from mnv2cli.inference.calibration import ReadAhead, calibration_key, decode_all, sample
from mnv2cli.inference.labelling import Labelling
from mnv2cli.inference.options import ClassifierOptions
from mnv2cli.inference.pipeline import PipelineOptions, classify
from mnv2cli.inference.timings import Timings
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.labels.options import LabelOptions
from mnv2cli.labels.rank import rank
from mnv2cli.models import Model, available, open_model
from mnv2cli.models.options import ModelOptions
from mnv2cli.models.weights import digest
from mnv2cli.records import Record, Source
from mnv2cli.sources.finder import Finder, OnSkip
from mnv2cli.sources.options import Filters
from mnv2cli.sources.urls import redact

if TYPE_CHECKING:
    from mnv2cli.labels.categories import Categories
    from mnv2cli.labels.tree import Rollup

StrPath = str | os.PathLike[str]
Sample = Callable[[], Iterable[str]]
"""Names images to calibrate int8 on, when it must be calibrated."""

_LAST_RESORT = 60.0
"""Seconds beyond the limit for what even the end of a process does not end: a dead network drive.
The start of a process is within them."""


class Classifier:
    """Classify images with pretrained MobileNetV2, or with EfficientNet-Lite0.

    The network is loaded at the first image (or by :meth:`load`) and kept, so one classifier may
    classify many times.

    Args:
        top: Predictions for each image, 1 to 1000, best first; short for ``labels``.
        model: ``mobilenet_v2`` or ``efficientnet_lite0``, or all that can be said of a network.
            Empty for MobileNetV2; where its weights cannot be had and the other's are installed,
            that one with a warning.
        engine: ``auto``, ``litert`` or ``keras``, or all that can be said of an engine.
        labels: What is reported of each image: predictions, category, node of the tree.
        images: How images become the network's input.
        filters: What to take from folders.
        events: Callbacks of a run.

    Attributes:
        options: All of these in one.
        network: The network; another one, if that stands in for it.
        isolate: Decode in separate processes; may be set until the run starts.

    Raises:
        InputError: A value that cannot be used.
    """

    def __init__(
        self,
        *,
        top: int | None = None,
        model: str | ModelOptions = "",
        engine: str | EngineOptions = "auto",
        labels: LabelOptions | None = None,
        images: ImageOptions | None = None,
        filters: Filters | None = None,
        events: RunEvents | None = None,
    ) -> None:
        labels = labels or LabelOptions()
        self.options = ClassifierOptions(
            labels=labels if top is None else replace(labels, top=top),
            model=ModelOptions(model) if isinstance(model, str) else model,
            engine=EngineOptions(engine) if isinstance(engine, str) else engine,
            images=images or ImageOptions(),
            filters=filters or Filters(),
        )
        self.events = events or RunEvents()
        _check_engine(self.options.engine)
        self._categories = _categories(self.options.labels)
        self._calibration_key = ""
        self.network: Model = open_model(self.options.model, self.events.download)
        self._is_explicit = self.options.model.is_explicit
        self.isolate = self.options.images.isolate
        self._engine: Engine | None = None

    def resolve(self) -> Model:
        """Return the network that is used, once its weights are on this machine.

        Raises:
            WeightsError: They cannot be had.
        """
        self.network = available(self.network, named=self._is_explicit, warn=self.events.warning)
        self._is_explicit = True  # settled
        return self.network

    def load(self, timings: Timings | None = None, sample: Sample = tuple) -> Engine:
        """Load the network now, if it is not loaded yet.

        Args:
            timings: The seconds it took are added to it.
            sample: Names images to calibrate int8 on, if that must be done and no folder was
                given for it.

        Raises:
            InputError: LiteRT is asked for and not installed.
            WeightsError: The weights cannot be had, or are not this network's.
            CompileError: LiteRT is asked for and cannot compile the network.
        """
        if self._engine is None:
            start = perf_counter()
            options, network = self.options.engine, self.resolve()
            calibration = self._calibration(sample) if options.precision == "int8" else None
            self._engine = open_engine(options, network, calibration, self.events.notice)
            if timings:
                timings.loading += perf_counter() - start
        return self._engine

    def settings(self) -> dict[str, Any]:
        """Return what decides the rows of a run; once it is loaded, the network and engine too."""
        labels, images = self.options.labels, self.options.images
        categories = self._categories and repr(self._categories.all).encode()
        found: dict[str, Any] = {
            "top": labels.top,
            "threshold": labels.threshold,
            "categories": categories and sha256(categories).hexdigest()[:16],
            "rollup": labels.rollup,
            "fit": images.fit,
            "interpolation": images.interpolation,
            "max_pixels": images.max_pixels,
            "allow_truncated": images.allow_truncated,
        }
        if self._engine is not None:
            found |= self._settings_of(self._engine.name, self._engine.precision)
        return found

    def _settings_of(self, engine: str, precision: str) -> dict[str, Any]:
        weights = self.network.find()
        return {
            "model": self.network.model,
            "weights": digest(weights)[:16] if weights else "",
            "engine": engine,
            "precision": precision,
            "calibration": self._calibration_key[:16],
        }

    @property
    def about(self) -> str:
        """The network and what runs it, in a few words; loads it."""
        engine = self.load()
        return f"{self.network.model}, {engine.name} {engine.precision}"

    def _calibration(self, sample: Sample) -> Calibration:
        folder = self.options.engine.calibrate
        paths = self.sample([folder]) if folder else list(sample())
        size = self.network.size
        key = calibration_key(paths, folder or os.curdir, self.options.images.pixels_key(size))
        self._calibration_key = key

        def images() -> Any:
            with self._reading() as reader:
                return decode_all(paths, reader, size)

        return Calibration(key, images, own=not folder)

    @contextmanager
    def _reading(self) -> Iterator[ImageReader]:
        """Yield what reads images, here or in processes that end with the block."""
        size, options = self.network.size, self.options.images
        if not self.isolate:
            with ImageReader(size, options) as reader:
                yield reader
            return
        from mnv2cli.images.isolated import IsolatedDecoders

        with (
            closing(IsolatedDecoders(size, options)) as decoders,
            ImageReader(size, options, decoder=decoders) as reader,
        ):
            yield reader

    def sample(self, paths: Iterable[str]) -> list[str]:
        """Return an even sample of the images of files, folders and globs, the same each time."""
        return sample(paths, self.options.filters)

    def sources(
        self, paths: Iterable[str], on_skip: OnSkip | None = None, listed: Iterable[str] = ()
    ) -> Iterator[Source]:
        """Yield the images of files, folders and globs, and of a list, without reading them."""
        return iter(Finder(paths, self.options.filters, on_skip, listed))

    def classify(self, *paths: StrPath) -> Generator[Record, None, None]:
        """Yield one record for each image in files, folders and globs, lazily and in order.

        Raises:
            WeightsError: The weights cannot be had, or are not this network's.
        """
        inputs = [os.fspath(path) for path in paths]
        return self.run(self.sources(inputs), Timings(), lambda: self.sample(inputs))

    def run(
        self,
        sources: Iterator[Source],
        timings: Timings,
        sample: Sample | None = None,
        stop_requested: Event | None = None,
    ) -> Generator[Record, None, None]:
        """Yield one record for each source; paths that are URLs come without their secrets.

        The network is loaded only once there is something to classify.

        Args:
            sources: The images.
            timings: Seconds are added to it.
            sample: Names images to calibrate int8 on; None for the first of the sources.
            stop_requested: Once set, no more images are started: those in progress still give
                their records.
        """
        if sample is None:
            sources = ahead = ReadAhead(sources, self.events.notice)
            sample = ahead.paths
        first = list(islice(sources, 1))
        if not first:
            return
        engine = self.load(timings, sample)
        with self._reading() as reader:
            records = classify(
                reader.ahead(chain(first, sources)),
                reader,
                engine,
                self._labelling(),
                self._pipeline_options(),
                timings,
                stop_requested,
            )
            with closing(records):
                for record in records:
                    path = redact(record.path)
                    yield record if path == record.path else replace(record, path=path)

    def _labelling(self) -> Labelling:
        labels = self.options.labels
        return Labelling(
            partial(rank, labels=imagenet_labels(), top=labels.top, threshold=labels.threshold),
            self._categories,
            _rollup(labels.rollup),
            self.network.model,
        )

    def _pipeline_options(self) -> PipelineOptions:
        timeout = self.options.images.timeout
        return PipelineOptions(
            self.options.engine.batch_size,
            self.options.engine.threads,
            timeout and timeout + (_LAST_RESORT if self.isolate else 0),
        )


def _check_engine(engine: EngineOptions) -> None:
    check_precision(engine)
    if engine.calibrate and not os.path.isdir(engine.calibrate):
        raise InputError(f"there is no folder {engine.calibrate!r} to calibrate on")


def _categories(labels: LabelOptions) -> Categories | None:
    if not (labels.categories or labels.category):
        return None
    from mnv2cli.labels.categories_file import builtin, load

    return load(labels.categories) if labels.categories else builtin()


def _rollup(threshold: float | None) -> Rollup | None:
    if threshold is None:
        return None
    from mnv2cli.labels.tree import Rollup

    return Rollup(threshold)
