"""The whole arrow behind one object: what the command line runs, for use from Python."""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from hashlib import sha256
from itertools import chain, islice
from random import Random
from threading import Event
from time import perf_counter
from typing import TYPE_CHECKING, Any

from mnv2cli.engines import ENGINES, Engine, open_engine
from mnv2cli.engines.compiled import CALIBRATION_IMAGES, Calibration, Notify, Precision
from mnv2cli.errors import ImageError, InputError
from mnv2cli.images.decode import DEFAULT_MAX_PIXELS, DecodeOptions, Fit, Interpolation
from mnv2cli.images.isolated import IsolatedDecoders
from mnv2cli.images.reader import ImageReader
from mnv2cli.inference.pipeline import classify
from mnv2cli.inference.report import Timings
from mnv2cli.labels.categories_file import builtin, load
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.labels.rank import rank
from mnv2cli.labels.tree import Rollup
from mnv2cli.models import Model, Progress, available, open_model
from mnv2cli.models.download import no_progress
from mnv2cli.models.weights import digest
from mnv2cli.records import Record, Source
from mnv2cli.sources.finder import Finder, OnSkip
from mnv2cli.sources.options import Filters
from mnv2cli.sources.urls import is_url, redact

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

StrPath = str | os.PathLike[str]

LONGEST_TIMEOUT = 86_400
"""Seconds that one image may take at the most, if there is a limit at all: a day."""

_LAST_RESORT = 60.0
"""Seconds beyond the limit for what even the end of a process does not end: a dead network drive.
The start of a process is within them."""

_SAMPLED_FROM = 50_000
"""A sample is taken from so many images at the most: naming more takes seconds."""


class Classifier:
    """Classify images with pretrained MobileNetV2, or with EfficientNet-Lite0.

    The network is loaded at the first image (or by :meth:`load`) and kept, so one classifier may
    classify many times.

    Args:
        top: Classes for each image, 1 to 1000, best first.
        threshold: Leave out classes whose score is below this, in [0, 1].
        category: Give each record its category, one of some forty.
        categories: A TOML file of your own categories, laid over the built-in ones.
        rollup: Give each record the deepest node of the tree above the classes whose summed score
            reaches this, in (0, 1]; None for no node.
        model: ``mobilenet_v2`` or ``efficientnet_lite0``; empty for MobileNetV2, or, where its
            weights cannot be had and the other's are installed, that one with a warning.
        alpha: Width of MobileNetV2: 0.35, 0.5, 0.75, 1.0 (default), 1.3 or 1.4.
        size: Side of its input in pixels: 96, 128, 160, 192 or 224 (default).
        weights: Your own weights file for this network; else the published ImageNet weights, by
            Keras's cache.
        refresh_weights: Download the published weights again even if they are cached.
        fit: ``crop`` (default), ``pad`` or ``stretch``.
        interpolation: ``bilinear`` (default), ``bicubic``, ``nearest`` or ``lanczos``.
        max_pixels: Images with more pixels are errors.
        allow_truncated: Take what is there of files that end early.
        isolate: Decode in processes of their own, which a file may crash; may be set later, too.
        timeout: Seconds for decoding one image, which is an error after that; 0 for no limit.
        engine: ``auto`` (default), ``litert`` or ``keras``.
        precision: ``float32`` (default), or ``int8`` for faster, slightly different scores.
        calibrate: A folder of typical photos to calibrate int8 on; else a sample of the images
            that are classified first.
        batch_size: Images a batch; 0 for the engine's own choice.
        threads: Workers that decode and predict; 0 for the engine's own choice.
        find: What to take from folders.
        progress: Told how a download of weights goes: file name, bytes done, bytes in all.
        notify: Told what takes long, and what does not go as wished.
        warn: Told that another network than MobileNetV2 stands in for it.

    Raises:
        InputError: A value that cannot be used.
    """

    def __init__(
        self,
        *,
        top: int = 5,
        threshold: float = 0.0,
        category: bool = False,
        categories: StrPath | None = None,
        rollup: float | None = None,
        model: str = "",
        alpha: float | None = None,
        size: int | None = None,
        weights: StrPath | None = None,
        refresh_weights: bool = False,
        fit: Fit = "crop",
        interpolation: Interpolation = "bilinear",
        max_pixels: int = DEFAULT_MAX_PIXELS,
        allow_truncated: bool = False,
        isolate: bool = False,
        timeout: float = 60.0,
        engine: str = "auto",
        precision: Precision = "float32",
        calibrate: StrPath | None = None,
        batch_size: int = 0,
        threads: int = 0,
        find: Filters | None = None,
        progress: Progress = no_progress,
        notify: Notify = lambda text: None,
        warn: Notify = lambda text: warnings.warn(text, stacklevel=2),
    ) -> None:
        if not (isinstance(top, int) and isinstance(size, int | None)):
            raise InputError(f"top and size must be whole numbers, not {top!r} and {size!r}")
        if not 1 <= top <= len(imagenet_labels()):
            raise InputError(f"top is {top}, but must be 1 to {len(imagenet_labels())}")
        if min(batch_size, threads) < 0:
            raise InputError("batch_size and threads must be at least 1, or 0 for the best")
        if not 0 <= threshold <= 1:
            raise InputError(f"threshold is {threshold}, but scores are 0 to 1")
        if not 0 <= timeout <= LONGEST_TIMEOUT:
            raise InputError(f"timeout is {timeout}, but must be 0 to {LONGEST_TIMEOUT:,} seconds")
        if engine not in ENGINES:
            raise InputError(f"there is no engine {engine!r}, only {', '.join(ENGINES)}")
        if precision == "int8" and engine == "keras":
            raise InputError("int8 needs the litert engine", "Leave out --engine keras.")
        if calibrate and precision != "int8":
            raise InputError("--calibrate is for int8", "Add --precision int8.")
        if calibrate and not os.path.isdir(calibrate):
            raise InputError(f"there is no folder {os.fspath(calibrate)!r} to calibrate on")
        if rollup is not None and not 0 < rollup <= 1:
            raise InputError(f"rollup is {rollup}, but must be over 0 and at most 1")
        self._calibrated = ""
        self._categories = load(os.fspath(categories)) if categories else None
        if category and not self._categories:
            self._categories = builtin()
        self._rollup = rollup
        self.engine = engine
        self.precision = precision
        self.calibrate = os.fspath(calibrate) if calibrate else ""
        self.threads = threads
        self.notify = notify
        self.warn = warn
        self.top = top
        self.threshold = threshold
        self.batch_size = batch_size
        self.find = find or Filters()
        self.network: Model = open_model(
            model,
            alpha=alpha,
            size=size,
            weights=os.fspath(weights) if weights else None,
            refresh=refresh_weights,
            progress=progress,
        )
        # Who asks for a width, a size or a file asks for this network.
        self._named = bool(model or alpha or size or weights or refresh_weights)
        self.decode = DecodeOptions(
            self.network.size, fit, interpolation, max_pixels, allow_truncated
        )
        self.isolate = isolate
        self.timeout = timeout
        self._engine: Engine | None = None

    def resolve(self) -> Model:
        """Return the network that is used, once its weights are on this machine.

        Raises:
            WeightsError: They cannot be had.
        """
        self.network = available(self.network, named=self._named, warn=self.warn)
        self._named = True  # settled
        return self.network

    def load(
        self, timings: Timings | None = None, sample: Callable[[], Iterable[str]] = tuple
    ) -> Engine:
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
            self._engine = open_engine(
                self.engine,
                self.resolve(),
                precision=self.precision,
                calibration=self._calibration(sample) if self.precision == "int8" else None,
                notify=self.notify,
            )
            if timings:
                timings.loading += perf_counter() - start
        return self._engine

    def settings(self) -> dict[str, Any]:
        """Return what decides the rows of a run; once it is loaded, the network and engine too."""
        categories = self._categories and repr(self._categories.all).encode()
        found: dict[str, Any] = {
            "top": self.top,
            "threshold": self.threshold,
            "categories": categories and sha256(categories).hexdigest()[:16],
            "rollup": self._rollup,
            "fit": self.decode.fit,
            "interpolation": self.decode.interpolation,
            "max_pixels": self.decode.max_pixels,
            "allow_truncated": self.decode.allow_truncated,
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
            "calibration": self._calibrated[:16],
        }

    @property
    def about(self) -> str:
        """The network and what runs it, in a few words; loads it."""
        engine = self.load()
        return f"{self.network.model}, {engine.name} {engine.precision}"

    def _calibration(self, sample: Callable[[], Iterable[str]]) -> Calibration:
        # Keyed by the very photos: a model calibrated on others would score these worse, and
        # results would depend on which folder happened to come first.
        base = self.calibrate or os.curdir
        paths = self.sample([self.calibrate]) if self.calibrate else list(sample())
        key = sha256(repr(self.decode).encode())
        for path in paths:  # cheap, for it is looked at in every run
            if is_url(path):  # asking each store would take long: the name must do
                key.update(os.fsencode(f"{redact(path)}\0"))
                continue
            with suppress(OSError, ValueError):
                status = os.stat(path)
                name = os.path.relpath(path, base)
                key.update(os.fsencode(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0"))
        self._calibrated = key.hexdigest()
        return Calibration(self._calibrated, lambda: self._pixels(paths), own=not self.calibrate)

    def _pixels(self, paths: Iterable[str]) -> NDArray[np.uint8]:
        """Decode those of some images that can be, uint8 [n, size, size, 3]."""
        import numpy as np

        size = self.decode.size
        images = [np.empty((0, size, size, 3), np.uint8)]
        with self._fetching() as fetcher:
            paths = list(paths)
            for path in paths:
                fetcher.submit(path)
            for path in paths:
                with suppress(ImageError):
                    images.append(fetcher.decode(path)[None])
        return np.concatenate(images)

    @contextmanager
    def _fetching(self) -> Iterator[ImageReader]:
        """Yield what reads images, here or in processes that end with the block."""
        if not self.isolate:
            with ImageReader(self.decode) as fetcher:
                yield fetcher
            return
        with (
            closing(IsolatedDecoders(self.decode, limit=self.timeout)) as decoders,
            ImageReader(self.decode, decoder=decoders) as fetcher,
        ):
            yield fetcher

    def sample(self, inputs: Iterable[str]) -> list[str]:
        """Return an even sample of the images of some inputs, the same each time."""
        random = Random(0)
        chosen: list[str] = []
        for i, source in enumerate(islice(Finder(inputs, self.find), _SAMPLED_FROM)):
            place = i if i < CALIBRATION_IMAGES else random.randrange(i + 1)
            if place < CALIBRATION_IMAGES:
                chosen[place : place + 1] = [source.path]
        return chosen

    def sources(
        self,
        inputs: Iterable[str],
        on_skip: OnSkip | None = None,
        listed: Iterable[str] = (),
    ) -> Iterator[Source]:
        """Yield the images of files, folders and globs, and of a list, without reading them."""
        return iter(Finder(inputs, self.find, on_skip, listed))

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
        sample: Callable[[], Iterable[str]] | None = None,
        stop_requested: Event | None = None,
    ) -> Generator[Record, None, None]:
        """Yield one record for each source; paths that are URLs come without their secrets.

        The network is loaded only once there is something to classify.

        Args:
            sources: The images.
            timings: Seconds are added to it.
            sample: Names images to calibrate int8 on; None for the first of the sources.
            stop_requested: Once set, no more images are started; those in progress still give their
                records.
        """
        if sample is None:
            sources = ahead = ReadAhead(sources, self.notify)
            sample = ahead.paths
        first = list(islice(sources, 1))
        if not first:
            return
        engine = self.load(timings, sample)
        with self._fetching() as fetcher:
            records = classify(
                fetcher.ahead(chain(first, sources)),
                decode=fetcher.decode,
                wait=fetcher.wait,
                engine=engine,
                rank=partial(
                    rank, labels=imagenet_labels(), top=self.top, threshold=self.threshold
                ),
                batch_size=self.batch_size,
                categorize=self._categories,
                rollup=None if self._rollup is None else Rollup(self._rollup),
                model=self.network.model,
                threads=self.threads,
                limit=self.timeout and self.timeout + (_LAST_RESORT if self.isolate else 0),
                timings=timings,
                stop_requested=stop_requested,
                stopping=fetcher.close,
            )
            with closing(records):
                for record in records:
                    path = redact(record.path)
                    yield record if path == record.path else replace(record, path=path)


class ReadAhead(Iterator[Source]):
    """Sources that can be read only once, and the first of them for a sample.

    Args:
        sources: The images.
        notify: Told that the sample is waited for.
    """

    def __init__(self, sources: Iterator[Source], notify: Notify) -> None:
        self._sources = sources
        self._notify = notify
        self._ahead: deque[Source] = deque()
        self._first: list[str] = []

    def __next__(self) -> Source:
        return self._ahead.popleft() if self._ahead else self._read()

    def _read(self) -> Source:
        source = next(self._sources)
        if len(self._first) < CALIBRATION_IMAGES:
            self._first.append(source.path)
        return source

    def paths(self) -> list[str]:
        """Return the paths of the first images, whoever does them; no more are read for it."""
        self._notify(
            f"int8: reading the list for up to {CALIBRATION_IMAGES} images to calibrate on; "
            "--calibrate DIR does not wait."
        )
        with suppress(StopIteration):
            while len(self._first) < CALIBRATION_IMAGES:
                self._ahead.append(self._read())
        return self._first
