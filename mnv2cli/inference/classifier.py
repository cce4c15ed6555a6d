"""The classifier: images in, records out; the command line and Python programs use it."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from hashlib import sha256
from itertools import chain, islice
from threading import Event
from time import perf_counter
from typing import TYPE_CHECKING, Any

from mnv2cli.engines import Engine, open_engine
from mnv2cli.engines.calibration import Calibration
from mnv2cli.engines.headed import HeadedEngine
from mnv2cli.engines.mirrored import MirroredEngine
from mnv2cli.engines.options import EngineOptions
from mnv2cli.engines.registry import check_precision
from mnv2cli.errors import InputError
from mnv2cli.events import RunEvents
from mnv2cli.images.isolated import worker_limit
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.reader import ImageReader
from mnv2cli.inference.calibration import ReadAhead, calibration_key, decode_all, sample
from mnv2cli.inference.labelling import Labelling
from mnv2cli.inference.networks import (
    categories_of,
    check_features,
    check_network,
    for_network,
    labelling_of,
)
from mnv2cli.inference.options import ClassifierOptions
from mnv2cli.inference.pipeline import PipelineOptions, classify
from mnv2cli.inference.recording import Embedding, FeatureStore, LabelsAndFeatures, Recorder
from mnv2cli.inference.timings import Timings
from mnv2cli.labels.options import LabelOptions
from mnv2cli.models import Model, available, open_model
from mnv2cli.models.options import ModelOptions
from mnv2cli.models.weights import digest
from mnv2cli.records import Record, Source
from mnv2cli.sources.finder import Finder, OnSkip
from mnv2cli.sources.options import Filters
from mnv2cli.system.urls import redact

if TYPE_CHECKING:
    pass

StrPath = str | os.PathLike[str]
Sample = Callable[[], Iterable[str]]
"""Returns the paths of images to calibrate int8 on; called only if calibration is necessary."""


class Classifier:
    """Classify images with pretrained MobileNetV2, or another network.

    The model is loaded at the first image, or by :meth:`load`, and kept: use one classifier for
    many runs.

    Args:
        top: The number of predictions per image, 1 to 1000, best first; overrides ``labels.top``.
        model: The name of a network in :data:`mnv2cli.models.MODELS`, or :class:`ModelOptions`.
            Empty for MobileNetV2 or, if its weights are not available, EfficientNet-Lite0 if
            installed, with a warning.
        engine: ``auto``, ``litert``, ``keras`` or :class:`EngineOptions`.
        labels: What to report for each image: predictions, category, node of the WordNet tree.
        images: How to decode images and fit them to the input of the network.
        filters: Which files in folders to use.
        events: Callbacks for notices, warnings and the progress of downloads.

    Attributes:
        options: All options.
        network: The network, or its replacement if its weights are not available.
        isolate: Decode in separate processes. May be changed until a run starts.

    Raises:
        InputError: An option is invalid.
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
        self._calibration_key = ""
        self.network: Model = open_model(self.options.model, self.events.download)
        check_network(self.network, self.options)
        self.options = for_network(self.network, self.options)
        self._categories = categories_of(self.options.labels)
        self._is_explicit = self.options.model.is_explicit
        self.isolate = self.options.images.isolate
        self._engine: Engine | None = None

    def resolve(self) -> Model:
        """Return the network to use, after downloading its weights if necessary.

        Raises:
            WeightsError: The weights are not available.
        """
        requested = self.network
        self.network = available(requested, named=self._is_explicit, warn=self.events.warning)
        if self.network is not requested:
            self.events.status(f"Loading {self.network.name} …")
        self._is_explicit = True  # do not replace it later
        return self.network

    def load(self, timings: Timings | None = None, sample: Sample = tuple) -> Engine:
        """Load the model if it is not loaded yet.

        Args:
            timings: Receives the seconds.
            sample: Returns the images to calibrate int8 on; called only if calibration is
                necessary and ``engine.calibrate`` names no folder.

        Raises:
            InputError: LiteRT was requested and is not installed.
            WeightsError: The weights are not available, or belong to another network.
            CompileError: LiteRT was requested and cannot compile the network.
        """
        if self._engine is None:
            start = perf_counter()
            options, network = self.options.engine, self.resolve()
            for note in network.notes:
                self.events.notice(note)
            calibration = self._calibration(sample) if options.precision == "int8" else None
            engine = open_engine(options, network.backbone, calibration, self.events.notice)
            if network.accurate:
                engine = MirroredEngine(engine)
            if network.head is not None:
                unknown = bool(self.options.labels.unknown)
                engine = HeadedEngine(engine, network.head, unknown=unknown)
            self._engine = engine
            if timings:
                timings.loading += perf_counter() - start
        return self._engine

    def settings(self) -> dict[str, Any]:
        """Return the options that determine the rows of a run, for its log.

        Once the model is loaded, network, weights, engine and precision are included. The keys are
        part of the format of run logs.
        """
        labels, images = self.options.labels, self.options.images
        categories = self._categories and repr(self._categories.all).encode()
        found: dict[str, Any] = {
            "accurate": self.options.model.accurate,
            "top": labels.top,
            "threshold": labels.min_score,
            "min_margin": labels.min_margin,
            "unknown": bool(labels.unknown),
            "categories": categories and sha256(categories).hexdigest()[:16],
            "rollup": labels.rollup,
            "fit": images.fit,
            "interpolation": images.interpolation,
            "max_pixels": images.max_pixels,
            "allow_truncated": images.allow_truncated,
            "pairs": self.options.filters.pairs,
        }
        if self._engine is not None:
            found |= self._settings_of(self._engine.name, self._engine.precision)
        return found

    def _settings_of(self, engine: str, precision: str) -> dict[str, Any]:
        weights, names = self.network.find(), self.network.class_names
        return {
            "model": self.network.model,
            "labels": sha256(repr(names).encode()).hexdigest()[:16] if names else "",
            "weights": digest(weights)[:16] if weights else "",
            "engine": engine,
            "precision": precision,
            "calibration": self._calibration_key[:16],
        }

    @property
    def about(self) -> str:
        """The model and its engine, such as ``mobilenet_v2_1.0_224, litert float32``; loads it."""
        engine = self.load()
        return f"{self.network.model}, {engine.name} {engine.precision}"

    def _calibration(self, sample: Sample) -> Calibration:
        folder = self.options.engine.calibrate
        paths = self.sample([folder]) if folder else list(sample())
        size = self.network.size
        key = calibration_key(paths, folder or os.curdir, self._images.pixels_key(size))
        self._calibration_key = key

        def images() -> Any:
            with self._reading() as reader:
                return decode_all(paths, reader, size)

        return Calibration(key, images, own=not folder)

    @property
    def _images(self) -> ImageOptions:
        """How to decode images for the network, which may see more of them than usual."""
        images = self.options.images
        return replace(images, crop_ratio=1.0) if self.network.accurate else images

    @contextmanager
    def _reading(self) -> Iterator[ImageReader]:
        """Yield a reader of images; with ``isolate``, its processes end with the block."""
        size, options = self.network.size, self._images
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
        """Return an even, reproducible sample of the images in files, folders and globs."""
        return sample(paths, self.options.filters)

    def sources(
        self, paths: Iterable[str], on_skip: OnSkip | None = None, listed: Iterable[str] = ()
    ) -> Iterator[Source]:
        """Yield the images in files, folders and globs, then in a list, without opening them.

        Args:
            paths: Files, folders, globs and URLs.
            on_skip: Called with the path and the reason for each skipped file or folder.
            listed: More paths, consumed lazily.
        """
        return iter(Finder(paths, self.options.filters, on_skip, listed))

    def classify(self, *paths: StrPath) -> Generator[Record, None, None]:
        """Yield one record per image in files, folders, globs and URLs, lazily and in order.

        An image that cannot be read yields a record with an error.

        Raises:
            WeightsError: The weights are not available, or belong to another network.
        """
        inputs = [os.fspath(path) for path in paths]
        return self.run(self.sources(inputs), Timings(), lambda: self.sample(inputs))

    def run(
        self,
        sources: Iterable[Source],
        timings: Timings | None = None,
        sample: Sample | None = None,
        stop_requested: Event | None = None,
        *,
        features: bool = False,
        thumbnails: bool = False,
    ) -> Generator[Record, None, None]:
        """Yield one record per source, in order, without the secrets in URLs.

        The model is loaded once the first source is found; without sources it is not loaded.

        Args:
            sources: The images; consumed lazily.
            timings: Receives the seconds.
            sample: Returns the images to calibrate int8 on; None for the first of the sources.
            stop_requested: Once set, no more images are started; those in progress still yield
                their records.
            features: Add the features of each image, of the same computation; raises InputError
                if the network has none to use.
            thumbnails: Add a small WebP of each image, upright and up to 160 pixels wide and high,
                as ``thumbnail``; the image is decoded once.
        """
        if features:
            check_features(self.network)

        def recorder() -> Recorder:
            return LabelsAndFeatures(self._labelling()) if features else self._labelling()

        return self._run(recorder, sources, timings, sample, stop_requested, thumbnails=thumbnails)

    def embed(
        self, *paths: StrPath, store: FeatureStore | None = None
    ) -> Generator[Record, None, None]:
        """Yield one record per image, with its features as ``embedding`` and without predictions.

        Features are the inputs of the network's last layer, float32, 1,280 for MobileNetV2: images
        that look alike have similar ones.

        Args:
            paths: Files, folders, globs and URLs.
            store: Keeps features from run to run; None to compute all.

        Raises:
            InputError: The network has no features to use.
            WeightsError: The weights are not available, or belong to another network.
        """
        inputs = [os.fspath(path) for path in paths]
        sources = self.sources(inputs)
        return self.embed_run(sources, store, sample=lambda: self.sample(inputs))

    def embed_run(
        self,
        sources: Iterable[Source],
        store: FeatureStore | None = None,
        timings: Timings | None = None,
        sample: Sample | None = None,
        stop_requested: Event | None = None,
    ) -> Generator[Record, None, None]:
        """Yield one record per source with its features; the parameters are those of ``run``.

        Raises:
            InputError: The network has no features to use.
        """
        check_features(self.network)
        return self._run(
            lambda: Embedding(self.network.model, store), sources, timings, sample, stop_requested
        )

    def _run(
        self,
        recorder: Callable[[], Recorder],
        sources: Iterable[Source],
        timings: Timings | None,
        sample: Sample | None,
        stop_requested: Event | None,
        thumbnails: bool = False,
    ) -> Generator[Record, None, None]:
        timings = Timings() if timings is None else timings
        sources = iter(sources)
        if sample is None:
            sources = ahead = ReadAhead(sources, self.events.notice)
            sample = ahead.paths
        first = list(islice(sources, 1))
        if not first:
            return
        engine = self.load(timings, sample)
        timings.workers = self.options.engine.threads or engine.workers
        with self._reading() as reader:
            records = classify(
                reader.ahead(chain(first, sources)),
                reader,
                engine,
                recorder(),
                replace(self._pipeline_options(), thumbnails=thumbnails),
                timings,
                stop_requested,
            )
            with closing(records):
                for record in records:
                    path = redact(record.path)
                    yield record if path == record.path else replace(record, path=path)

    def _labelling(self) -> Labelling:
        return labelling_of(self.network, self.options.labels, self._categories)

    def _pipeline_options(self) -> PipelineOptions:
        return PipelineOptions(
            self.options.engine.batch_size,
            self.options.engine.threads,
            worker_limit(self.options.images.timeout, isolate=self.isolate),
        )


def _check_engine(engine: EngineOptions) -> None:
    check_precision(engine)
    if engine.calibrate and not os.path.isdir(engine.calibrate):
        raise InputError(f"cannot calibrate on {engine.calibrate!r}: no such folder")
