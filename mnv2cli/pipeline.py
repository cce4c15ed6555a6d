"""The way of the data: sources are found, decoded, predicted and ranked, in order.

One thread finds. Workers take a batch of sources each, decode it and have it predicted, so that
decoding and inference share the cores without ever waiting for each other. All that is held is a
window of batches, so memory does not grow with the number of images, and one slow image delays
nothing but its own batch until the window is full.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING

from mnv2cli.engines import Engine
from mnv2cli.errors import ImageError
from mnv2cli.records import CategoryScore, Prediction, Record, Source
from mnv2cli.report import Timings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Decode = Callable[[str], "NDArray[np.uint8]"]
Rank = Callable[["NDArray[np.float32]"], tuple[Prediction, ...]]
Categorize = Callable[["NDArray[np.float32]"], CategoryScore]
Rollup = Callable[["NDArray[np.float32]"], Prediction]

WINDOW = 128
"""Images that may be on their way or wait for an earlier one, beyond a batch for each worker."""

_PATIENCE = 0.05
"""Seconds to wait for a slow list before the images at hand are predicted as a smaller batch."""


def classify(
    sources: Iterable[Source],
    *,
    decode: Decode,
    engine: Engine,
    rank: Rank,
    categorize: Categorize | None = None,
    rollup: Rollup | None = None,
    model: str = "",
    batch_size: int = 0,
    threads: int = 0,
    timings: Timings | None = None,
    stopping: Callable[[], None] = lambda: None,
) -> Generator[Record, None, None]:
    """Yield one record for each source, in the order of the sources.

    A batch is predicted when it is full, or when no further source comes for a moment, so that a
    slow list gets its answers at once. Images that cannot be read never reach the engine.

    Args:
        sources: Where the images are; consumed as the work goes on.
        decode: From a path to uint8 [size, size, 3]; raises ImageError.
        engine: Predicts batches, called by all workers; which one it is, is not known here.
        rank: From float32 [classes] to predictions; may raise ImageError.
        categorize: From float32 [classes] to a category, if records shall have one.
        rollup: From float32 [classes] to a node of the tree, likewise.
        model: The name of the network, for the records.
        batch_size: Images a batch; 0 for the engine's own choice.
        threads: Workers; 0 for the engine's own choice.
        timings: Seconds are added to it.
        stopping: Called when the run ends, so that no worker goes on waiting in ``decode``.

    Raises:
        Mnv2Error: Whatever finding the sources or predicting raised.
    """
    run = _Run(
        sources,
        decode,
        engine,
        rank,
        categorize,
        rollup,
        model,
        batch_size or engine.batch_size,
        threads or engine.workers,
        timings if timings is not None else Timings(),
    )
    run.start()
    try:
        yield from run.records()
    finally:
        stopping()
        run.stop()


class _Run:
    """A run's threads and what they share."""

    def __init__(
        self,
        sources: Iterable[Source],
        decode: Decode,
        engine: Engine,
        rank: Rank,
        categorize: Categorize | None,
        rollup: Rollup | None,
        model: str,
        batch_size: int,
        workers: int,
        timings: Timings,
    ) -> None:
        self._sources = sources
        self._decode = decode
        self._engine = engine
        self._rank = rank
        self._categorize = categorize
        self._rollup = rollup
        self._model = model
        self._batch_size = batch_size
        self._timings = timings
        # From the finder to the workers. None ends it, an exception as well.
        self._found: queue.Queue[Source | BaseException | None] = queue.Queue(2 * batch_size)
        self._taking = threading.Lock()  # held while a batch is taken, which gives it its number
        self._taken = 0
        self._ended = False
        self._end: list[Record] | BaseException = []  # what comes after the last batch
        # From the workers to the caller, by number.
        self._done: dict[int, list[Record] | BaseException] = {}
        self._news = threading.Condition()
        self._window = threading.Semaphore(workers + -(-WINDOW // batch_size))
        self._at_once = threading.Semaphore(engine.at_once)
        self._stopping = threading.Event()
        # The finder may hang in a list that never ends: nobody waits for it.
        self._finder = threading.Thread(target=self._find, name="mnv2-find", daemon=True)
        self._workers = [
            threading.Thread(target=self._work, name=f"mnv2-work-{i}", daemon=True)
            for i in range(workers)
        ]

    def start(self) -> None:
        self._finder.start()
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """End all threads; each worker finishes what it has in hand."""
        self._stopping.set()
        for _ in self._workers:
            self._window.release()
        for worker in self._workers:
            worker.join()

    def records(self) -> Iterator[Record]:
        """Yield the records of one batch after the other."""
        number = 0
        while True:
            with self._news:
                while number not in self._done:
                    self._news.wait()
                batch = self._done.pop(number)
            if isinstance(batch, BaseException):
                raise batch
            if not batch:  # the end
                return
            self._window.release()
            yield from batch
            number += 1

    # The finder

    def _find(self) -> None:
        sources = iter(self._sources)
        try:
            while not self._stopping.is_set():
                start = perf_counter()
                source = next(sources, None)
                self._timings.add(finding=perf_counter() - start)
                self._hand_over(source)
                if source is None:
                    return
        except BaseException as error:
            self._hand_over(error)

    def _hand_over(self, item: Source | BaseException | None) -> None:
        while not self._stopping.is_set():
            try:
                self._found.put(item, timeout=0.2)
            except queue.Full:
                continue
            return

    # The workers

    def _work(self) -> None:
        while True:
            self._window.acquire()
            with self._taking:
                batch = self._take()
                number = self._taken
                self._taken += bool(batch)
            if self._stopping.is_set():
                return
            if not batch:
                self._report(number, self._end)
                return
            try:
                self._report(number, self._process(batch))
            except BaseException as error:
                self._report(number, error)
                return

    def _report(self, number: int, done: list[Record] | BaseException) -> None:
        with self._news:
            self._done[number] = done
            self._news.notify()

    def _take(self) -> list[Source]:
        """Take a batch of sources; an empty one means that there will be no more."""
        batch: list[Source] = []
        while len(batch) < self._batch_size and not self._ended:
            try:
                item = self._found.get(timeout=_PATIENCE)
            except queue.Empty:
                if batch or self._stopping.is_set():
                    break
                continue
            if isinstance(item, Source):
                batch.append(item)
                continue
            self._ended = True
            if item is not None:
                self._end = item
        return batch

    def _process(self, batch: list[Source]) -> list[Record]:
        import numpy as np

        start = perf_counter()
        images: list[NDArray[np.uint8]] = []
        errors: list[str] = []
        for source in batch:
            if self._stopping.is_set():
                return []  # nobody waits for it any more
            error = source.error
            if not error:
                try:
                    images.append(self._decode(source.path))
                except ImageError as caught:
                    error = str(caught)
            errors.append(error)
        self._timings.add(decoding=perf_counter() - start)
        scores = iter(self._predict(np.stack(images)) if images else ())
        return [
            self._failed(source, error) if error else self._ranked(source, next(scores))
            for source, error in zip(batch, errors, strict=True)
        ]

    def _predict(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        with self._at_once:
            start = perf_counter()
            scores = self._engine.predict(batch)
            self._timings.add(predicting=perf_counter() - start)
        return scores

    def _ranked(self, source: Source, scores: NDArray[np.float32]) -> Record:
        try:
            return Record(
                source.path,
                self._rank(scores),
                model=self._model,
                category=self._categorize(scores) if self._categorize else None,
                node=self._rollup(scores) if self._rollup else None,
                position=source.position,
            )
        except ImageError as error:
            return self._failed(source, str(error))

    def _failed(self, source: Source, error: str) -> Record:
        return Record(source.path, error=error, model=self._model, position=source.position)
