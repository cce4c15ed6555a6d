"""The way of the data: sources are found, decoded, batched, predicted and ranked, in order.

One thread finds, a few decode, the caller's predicts. All that is ever held is a window of a few
batches, so memory does not grow with the number of images.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from mnv2cli.engines import Engine
from mnv2cli.errors import ImageError
from mnv2cli.records import Prediction, Record, Source
from mnv2cli.report import Timings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Decode = Callable[[str], "NDArray[np.uint8]"]
Rank = Callable[["NDArray[np.float32]"], tuple[Prediction, ...]]

_PATIENCE = 0.05
"""Seconds to wait for a slow list before the images at hand are predicted as a smaller batch."""


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(slots=True)
class _Item:
    """An image on its way: a source, then its pixels or its error."""

    source: Source
    pixels: NDArray[np.uint8] | None = None
    error: str = ""
    seconds: float = 0.0


class _Feeder(threading.Thread):
    """Finds sources and hands them to the decoders, never further ahead than the window.

    It puts futures into ``queue`` in the order found; ``None`` ends it, an exception too.
    """

    def __init__(
        self,
        sources: Iterable[Source],
        submit: Callable[[Source], Future[_Item]],
        window: int,
        timings: Timings,
    ) -> None:
        super().__init__(daemon=True, name="mnv2-find")  # may hang in a list that never ends
        self.queue: queue.Queue[Future[_Item] | BaseException | None] = queue.Queue(window)
        self._sources = sources
        self._submit = submit
        self._timings = timings
        self._stopping = threading.Event()

    def run(self) -> None:
        sources = iter(self._sources)
        try:
            while not self._stopping.is_set():
                start = perf_counter()
                source = next(sources, None)
                self._timings.finding += perf_counter() - start
                if source is None:
                    break
                self._put(self._submit(source))
            self._put(None)
        except BaseException as error:
            self._put(error)

    def _put(self, item: Future[_Item] | BaseException | None) -> None:
        while not self._stopping.is_set():
            try:
                self.queue.put(item, timeout=0.2)
            except queue.Full:
                continue
            return

    def stop(self) -> None:
        self._stopping.set()


def classify(
    sources: Iterable[Source],
    *,
    decode: Decode,
    engine: Engine,
    rank: Rank,
    batch_size: int = 0,
    threads: int = 0,
    timings: Timings | None = None,
) -> Generator[Record, None, None]:
    """Yield one record for each source, in the order of the sources.

    A batch is predicted when it is full, or when no further source comes for a moment, so that a
    slow list gets its answers at once. Images that cannot be read never reach the engine.

    Args:
        sources: Where the images are; consumed as the work goes on.
        decode: From a path to uint8 [size, size, 3]; raises ImageError.
        engine: Predicts batches; which one, is not known here.
        rank: From float32 [classes] to predictions; may raise ImageError.
        batch_size: Images a batch; 0 for the engine's own choice.
        threads: Decoding threads; 0 for one a core.
        timings: Seconds are added to it.

    Raises:
        Mnv2Error: Whatever finding the sources raised.
    """
    timings = timings if timings is not None else Timings()
    batch_size = batch_size or engine.batch_size
    threads = threads or usable_cores()
    executor = ThreadPoolExecutor(threads, thread_name_prefix="mnv2-decode")
    feeder = _Feeder(
        sources,
        lambda source: executor.submit(_decode, source, decode),
        window=2 * batch_size + threads,
        timings=timings,
    )
    feeder.start()
    try:
        for items in _batches(feeder.queue, batch_size):
            yield from _predict(items, engine, rank, timings)
    finally:
        feeder.stop()
        executor.shutdown(wait=True, cancel_futures=True)


def _decode(source: Source, decode: Decode) -> _Item:
    start = perf_counter()
    item = _Item(source, error=source.error)
    if not item.error:
        try:
            item.pixels = decode(source.path)
        except ImageError as error:
            item.error = str(error)
    item.seconds = perf_counter() - start
    return item


def _batches(
    futures: queue.Queue[Future[_Item] | BaseException | None], batch_size: int
) -> Iterator[list[_Item]]:
    """Gather items until ``batch_size`` of them have pixels, or nothing comes for a moment."""
    items: list[_Item] = []
    good = 0
    while True:
        try:
            future = futures.get(timeout=_PATIENCE) if items else futures.get()
        except queue.Empty:
            future = None
        else:
            if isinstance(future, BaseException):
                if items:
                    yield items
                raise future
            if future is None:
                if items:
                    yield items
                return
            item = future.result()
            items.append(item)
            good += item.pixels is not None
        # A long row of unreadable images is not held back for the sake of a full batch.
        if future is None or good == batch_size or len(items) >= 4 * batch_size:
            yield items
            items, good = [], 0


def _predict(items: list[_Item], engine: Engine, rank: Rank, timings: Timings) -> Iterator[Record]:
    import numpy as np

    timings.decoding += sum(item.seconds for item in items)
    pixels = [item.pixels for item in items if item.pixels is not None]
    scores = iter(())
    if pixels:
        start = perf_counter()
        scores = iter(engine.predict(np.stack(pixels)))
        timings.predicting += perf_counter() - start
    for item in items:
        if item.pixels is None:
            yield Record(item.source.path, error=item.error)
            continue
        try:
            yield Record(item.source.path, rank(next(scores)))
        except ImageError as error:
            yield Record(item.source.path, error=str(error))
