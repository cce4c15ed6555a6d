"""Make the thumbnails of many photos in order, in as many threads as cores."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import islice
from time import monotonic

from mnv2cli.errors import ImageError, InputError
from mnv2cli.images.budget import DECODING
from mnv2cli.images.isolated import LAST_RESORT, worker_limit
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.reader import ImageReader
from mnv2cli.images.reading import Reader
from mnv2cli.images.unreadable import took_too_long
from mnv2cli.records import Record
from mnv2cli.reporting.places import Places
from mnv2cli.sources.urls import is_url
from mnv2cli.system.hardware import usable_cores

AHEAD = 128
"""Photos in progress or waiting for an earlier one: half a megabyte of thumbnails."""

GONE = "no such file"

_STEP = 0.25  # seconds

Thumbnail = bytes | str
"""A WebP image, or why there is none."""

Advance = Callable[[Record, Thumbnail], None]
"""Called with each record and its thumbnail, in order."""


def make_thumbnails(
    records: Iterable[Record],
    places: Places,
    options: ImageOptions | None = None,
    known: Callable[[Record], bytes | None] = lambda record: record.thumbnail,
    advance: Advance = lambda record, thumbnail: None,
) -> Generator[Thumbnail, None, None]:
    """Yield the thumbnail of each record, or why there is none, in order.

    Records with an error yield it, without another attempt. The thread of an image
    that exceeds the time limit is abandoned, as it cannot be killed, and another one replaces it.

    Args:
        records: The photos; consumed as far ahead as threads need.
        places: Where they are.
        options: How to decode, and the limits.
        known: Returns the thumbnail of a record if it has been made before, else None.
        advance: Called with each record and its thumbnail, in order.
    """
    options = options or ImageOptions()
    with ExitStack() as stack:
        decoder = None
        if options.isolate:
            from mnv2cli.images.isolated import IsolatedDecoders

            decoder = stack.enter_context(closing(IsolatedDecoders(0, options)))
        reader = stack.enter_context(ImageReader(0, options, decoder=decoder))
        limit = worker_limit(options.timeout, isolate=options.isolate)
        yield from thumbnails_in_order(
            records, ThumbnailSource(reader, places, known), limit, advance
        )


@dataclass(frozen=True)
class ThumbnailSource:
    """What is known of the thumbnail of a record, and what reads it otherwise.

    Attributes:
        reader: Reads images.
        places: Where the photos are.
        known: Returns the thumbnail of a record if it has been made before, else None.
    """

    reader: Reader
    places: Places
    known: Callable[[Record], bytes | None] = lambda record: record.thumbnail

    def task(self, record: Record) -> _Task:
        """Return what is to be done for a record; it is done already if it needs no decoding."""
        if record.error:
            return _Task(record, result=record.error)
        if known := self.known(record):
            return _Task(record, result=known)
        place = record.path if is_url(record.path) else self.places.local(record.path)
        if not place:
            return _Task(record, result=GONE)
        try:
            self.reader.submit(place)
        except InputError as error:  # a URL, and the libraries for it are not installed
            return _Task(record, result=f"cannot be read: {error.message}")
        return _Task(record, place)


def thumbnails_in_order(
    records: Iterable[Record],
    source: ThumbnailSource,
    limit: float,
    advance: Advance,
    threads: int = 0,
) -> Iterator[Thumbnail]:
    """Yield the thumbnail of each record, as :func:`make_thumbnails` does.

    Args:
        records: The photos.
        source: Has their thumbnails.
        limit: Seconds for decoding an image before its thread is abandoned; 0 for no limit.
        advance: Called with each record and its thumbnail.
        threads: Threads that decode; 0 for one per core.
    """
    pool = _Pool(source.reader, limit, threads or usable_cores())
    tasks = map(source.task, records)
    window: deque[_Task] = deque()
    try:
        while True:
            for task in islice(tasks, AHEAD - len(window)):
                window.append(task)
                if task.result is None:
                    pool.add(task)
            if not window:
                return
            task = window.popleft()
            result = pool.wait(task)
            yield result
            advance(task.record, result)
    finally:
        pool.stop()


@dataclass(eq=False)
class _Task:
    """A photo whose thumbnail is to be made.

    Attributes:
        record: Its record.
        path: The file.
        result: The thumbnail, or why there is none; None as long as it is not made.
        age: Seconds of decoding.
        worker: The thread that decodes it; another thread finds that it was abandoned.
    """

    record: Record
    path: str = ""
    result: Thumbnail | None = None
    age: float = 0.0
    worker: threading.Thread | None = field(default=None, repr=False)


class _Pool:
    """Threads that make thumbnails.

    The caller watches the time while it waits for the next thumbnail.
    """

    def __init__(self, reader: Reader, limit: float, threads: int) -> None:
        self._reader = reader
        reader.before_process = self._leave_time
        self._limit = limit
        self._threads = threads
        self._news = threading.Condition()
        self._todo: deque[_Task] = deque()
        self._busy: set[_Task] = set()
        self._workers = 0
        self._stopped = False

    def add(self, task: _Task) -> None:
        """Add a task; start a thread if there are not enough."""
        with self._news:
            self._todo.append(task)
            if self._workers < self._threads:
                self._start()
            self._news.notify_all()

    def wait(self, task: _Task) -> Thumbnail:
        """Return the result of a task once it is done."""
        while True:
            with self._news:
                before = monotonic()
                if task.result is None:
                    self._news.wait(_STEP)
                if task.result is not None:
                    return task.result
                # Not more than the step: the clock keeps running while the machine sleeps.
                self._grow_older(min(monotonic() - before, _STEP))

    def stop(self) -> None:
        """End the threads without waiting for the images that they are reading."""
        with self._news:
            self._stopped = True
            self._todo.clear()
            self._news.notify_all()

    def _start(self) -> None:
        self._workers += 1
        # A thread that hangs must not delay the exit.
        threading.Thread(target=self._work, name="mnv2-work", daemon=True).start()

    def _grow_older(self, seconds: float) -> None:
        """Add to the time of all tasks, and give up on those over the limit."""
        for task in list(self._busy):
            task.age += 0.0 if DECODING.is_waiting(task.worker) else seconds
            if self._limit and task.age > self._limit:
                task.result = str(took_too_long(self._limit))
                self._busy.discard(task)
                self._workers -= 1
                self._start()

    def _leave_time(self) -> None:
        """Leave the time limit of the calling thread's image to the process that decodes it."""
        own = threading.current_thread()
        with self._news:
            for task in self._busy:
                if task.worker is own:
                    task.age = -LAST_RESORT

    def _work(self) -> None:
        own = threading.current_thread()
        while True:
            with self._news:
                while not self._todo and not self._stopped:
                    self._news.wait()
                if self._stopped:
                    return
                task = self._todo.popleft()
                task.worker = own
            result = self._made(task)
            with self._news:
                if task not in self._busy:  # abandoned
                    return
                self._busy.discard(task)
                task.result = result
                self._news.notify_all()

    def _made(self, task: _Task) -> Thumbnail:
        try:
            self._reader.wait(task.path)  # waiting for a fetch does not count
        except ImageError as error:
            return self._refused(task, str(error))
        with self._news:
            self._busy.add(task)
        try:
            return self._reader.thumbnail(task.path)
        except ImageError as error:
            return str(error)
        except Exception as error:  # costs one image, not the page
            return f"cannot be read: {type(error).__name__}"

    def _refused(self, task: _Task, why: str) -> str:
        with self._news:
            self._busy.add(task)
        return why
