"""Find, decode, predict and rank sources; yield the records in order.

One thread finds the sources. Each worker fetches a batch, decodes it and runs the engine on it, so
decoding and inference share the cores without waiting for each other. Only a window of batches is
in memory, so memory use does not grow with the number of images. One slow image delays only its own
batch until the window is full.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

from mnv2cli.engines import Engine
from mnv2cli.errors import ImageError, Mnv2Error
from mnv2cli.images.budget import DECODING
from mnv2cli.images.isolated import LAST_RESORT
from mnv2cli.images.reading import Reader
from mnv2cli.images.unreadable import took_too_long
from mnv2cli.inference.batch import Batch, Decoded, Result
from mnv2cli.inference.recording import Recorder
from mnv2cli.inference.timings import Timings
from mnv2cli.records import Record, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WINDOW = 128
"""Images in progress or waiting for an earlier one, in addition to one batch per worker."""

_JOIN_TIMEOUT = 5.0
"""Seconds to wait for workers at the end of a run with a time limit for each image."""

_FORCED_JOIN_TIMEOUT = 0.2
"""Seconds to wait for workers after a second Ctrl-C."""

_BATCH_WAIT = 0.05
"""Seconds to wait for a slow list before the images found so far become a smaller batch."""


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    """Settings that divide the work.

    Attributes:
        batch_size: Images in a batch; 0 for the engine's own choice.
        threads: Workers; 0 for the engine's own choice.
        limit: Maximum seconds for decoding one image; 0 for no limit. A thread cannot be killed, so
            a thread that exceeds the limit is abandoned, and another thread continues its batch.
        thumbnails: Add a thumbnail to each record, of the same decoding.
    """

    batch_size: int = 0
    threads: int = 0
    limit: float = 0.0
    thumbnails: bool = False


def classify(
    sources: Iterable[Source],
    reader: Reader,
    engine: Engine,
    recorder: Recorder,
    options: PipelineOptions | None = None,
    timings: Timings | None = None,
    stop_requested: threading.Event | None = None,
) -> Generator[Record, None, None]:
    """Yield one record for each source, in the order of the sources.

    A batch is predicted when it is full, or when no further source is found for a moment, so that a
    slow list gets its results without delay. Unreadable images never reach the engine.

    Args:
        sources: The images; consumed during the run.
        reader: Reads them; closed when the run ends.
        engine: Predicts batches; called by all workers.
        recorder: Turns what the engine computes into records; called by all workers.
        options: Batch size, workers and the time limit for one image.
        timings: Receives the seconds of each stage.
        stop_requested: Once set, no more images are started; those in progress still yield their
            records.

    Raises:
        Mnv2Error: Finding the sources or predicting failed.
    """
    options = options or PipelineOptions()
    options = replace(
        options,
        batch_size=options.batch_size or engine.batch_size,
        threads=options.threads or engine.workers,
    )
    run = _Run(
        sources,
        reader,
        engine,
        recorder,
        options,
        timings if timings is not None else Timings(),
        stop_requested or threading.Event(),
    )
    run.start()
    try:
        yield from run.records()
    finally:
        reader.close()
        run.stop()


class _Run:
    """The threads of a run and what they share."""

    def __init__(
        self,
        sources: Iterable[Source],
        reader: Reader,
        engine: Engine,
        recorder: Recorder,
        options: PipelineOptions,
        timings: Timings,
        stop_requested: threading.Event,
    ) -> None:
        self._sources = sources
        self._reader = reader
        reader.before_process = self._leave_time
        self._engine = engine
        self._recorder = recorder
        self._batch_size = batch_size = options.batch_size
        self._limit = options.limit
        self._thumbnails = options.thumbnails
        self._timings = timings
        # From the finder to the workers; None or an exception ends it.
        self._found: queue.Queue[Source | BaseException | None] = queue.Queue(2 * batch_size)
        self._taking = threading.Lock()  # held while a batch is taken and numbered
        self._taken = 0
        self._ended = False
        self._end: list[Record] | BaseException = []  # comes after the last batch
        # From the workers to the caller, by number.
        self._done: dict[int, list[Record] | BaseException] = {}
        self._news = threading.Condition()
        self._window = threading.Semaphore(options.threads + -(-WINDOW // batch_size))
        self._at_once = threading.Semaphore(engine.at_once)
        self._stop_requested = stop_requested
        self._stopping = threading.Event()
        # The finder may hang in a list that never ends, so it is never joined.
        self._finder = threading.Thread(target=self._find, name="mnv2-find", daemon=True)
        self._workers = [self._worker() for _ in range(options.threads)]
        self._watcher = threading.Thread(target=self._watch, name="mnv2-watch", daemon=True)
        self._watched: set[Batch] = set()  # batches being decoded

    def start(self) -> None:
        self._finder.start()
        for worker in self._workers:
            worker.start()
        if self._limit:
            self._watcher.start()

    def stop(self) -> None:
        """End all threads; each worker finishes its current image.

        A worker that does not finish is abandoned if images have a time limit, or if the user has
        asked twice to stop.
        """
        self._stopping.set()
        if self._limit:
            self._watcher.join()
        for _ in self._workers:
            self._window.release()
        timeout = (
            _FORCED_JOIN_TIMEOUT
            if self._stop_requested.is_set()
            else min(self._limit, _JOIN_TIMEOUT)
        )
        until = monotonic() + timeout
        for worker in self._workers:
            worker.join(max(0.0, until - monotonic()) if timeout else None)

    def records(self) -> Iterator[Record]:
        """Yield the records of one batch after another."""
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
                self._enqueue(source)
                if source is None:
                    return
        except BaseException as error:
            self._enqueue(error)

    def _enqueue(self, item: Source | BaseException | None) -> None:
        while not self._stopping.is_set():
            try:
                self._found.put(item, timeout=0.2)
            except queue.Full:
                continue
            return

    # The workers

    def _worker(self, batch: Batch | None = None) -> threading.Thread:
        return threading.Thread(target=self._work, args=(batch,), name="mnv2-work", daemon=True)

    def _work(self, batch: Batch | None) -> None:
        """Work on batches until there are no more, first on the batch of an abandoned worker."""
        while True:
            if batch is None:
                self._window.acquire()
                with self._taking:
                    sources = self._take()
                    batch = Batch(self._taken, sources)
                    self._taken += bool(sources)
                batch.worker = threading.current_thread()
            if self._stopping.is_set():
                return
            if not batch.sources:
                self._report(batch.number, self._end)
                return
            try:
                if not self._decode_all(batch):
                    return
                self._report(batch.number, self._records_of(batch))
            except BaseException as error:
                self._report(batch.number, error)
                return
            batch = None

    def _report(self, number: int, done: list[Record] | BaseException) -> None:
        with self._news:
            self._done[number] = done
            self._news.notify()

    def _take(self) -> list[Source]:
        """Take a batch of sources; an empty one means that there are no more."""
        batch: list[Source] = []
        while len(batch) < self._batch_size and not (self._ended or self._stop_requested.is_set()):
            try:
                item = self._found.get(timeout=_BATCH_WAIT)
            except queue.Empty:
                if batch or self._stopping.is_set() or self._stop_requested.is_set():
                    break
                continue
            if isinstance(item, Source):
                batch.append(item)
                continue
            self._ended = True
            if item is not None:
                self._end = item
        return batch

    def _decode_all(self, batch: Batch) -> bool:
        """Decode the rest of a batch; return False if this worker must end."""
        start = perf_counter()
        self._watched.add(batch)
        try:
            for source in batch.sources[len(batch.results) :]:
                if self._stopping.is_set() or not batch.add(self._decoded(source, batch)):
                    return False
        except BaseException:
            if batch.worker is threading.current_thread():
                raise
            return False  # too late: the batch has another worker
        finally:
            with batch.lock:
                if batch.worker is threading.current_thread():
                    self._watched.discard(batch)
        self._timings.add(decoding=perf_counter() - start)
        return True

    def _decoded(self, source: Source, batch: Batch) -> Result:
        """Return the decoded image, its error, or its record if nothing is left to do."""
        if source.error:
            return source.error
        if (record := self._recorder.known(source)) is not None:
            return record
        try:
            batch.set_age(float("-inf"))  # waiting for a fetch does not count
            self._reader.wait(source.path)
            batch.set_age(0.0)
            if self._thumbnails:
                return Decoded(*self._reader.decode_both(source.path))
            return Decoded(self._reader.decode(source.path))
        except ImageError as error:
            return str(error)

    def _leave_time(self) -> None:
        """Leave it to another process to give up on the image of the calling worker."""
        for batch in list(self._watched):
            batch.set_age(-LAST_RESORT)  # of this worker alone

    def _watch(self) -> None:
        """Replace workers that exceed the limit on one image."""
        # Steps are counted because the clock keeps running while the machine sleeps.
        step = min(0.25, self._limit / 4)
        while not self._stopping.wait(step):
            for batch in list(self._watched):
                with batch.lock:
                    batch.age += 0 if DECODING.is_waiting(batch.worker) else step
                    if batch.age > self._limit and len(batch.results) < len(batch.sources):
                        self._replace_worker(batch)

    def _replace_worker(self, batch: Batch) -> None:
        batch.results.append(str(took_too_long(self._limit)))
        batch.age = 0.0
        old, new = batch.worker, self._worker(batch)
        batch.worker = new
        try:
            new.start()
        except RuntimeError as error:  # the system's limit of threads
            self._watched.discard(batch)
            self._report(
                batch.number,
                Mnv2Error(
                    f"cannot start another thread: {error}",
                    "Run again with --isolate, which ends images that hang.",
                ),
            )
            return
        self._workers = [new if worker is old else worker for worker in self._workers]

    def _records_of(self, batch: Batch) -> list[Record]:
        import numpy as np

        images = [result.pixels for result in batch.results if isinstance(result, Decoded)]
        outputs = iter(self._predict(np.stack(images)) if images else ())
        records = []
        for source, result in zip(batch.sources, batch.results, strict=True):
            if isinstance(result, Record):
                records.append(result)
            elif isinstance(result, str):
                records.append(self._recorder.failed(source, result))
            else:
                record = self._recorder.record(source, next(outputs))
                if result.thumbnail is not None:
                    record = replace(record, thumbnail=result.thumbnail)
                records.append(record)
        return records

    def _predict(self, batch: NDArray[np.uint8]) -> Iterable[Any]:
        with self._at_once:
            start = perf_counter()
            outputs = self._recorder.predict(self._engine, batch)
            self._timings.add(predicting=perf_counter() - start)
        return outputs
