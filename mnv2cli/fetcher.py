"""Reads images wherever they are; those that are elsewhere are fetched ahead of their turn."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import IO, TYPE_CHECKING

from mnv2cli.decode import DecodeOptions, decode, decode_file
from mnv2cli.errors import ImageError, InputError
from mnv2cli.records import Source
from mnv2cli.urls import is_url

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AT_ONCE = 16
"""Files that are fetched at the same time."""

AHEAD = 64
"""Files that are fetched or were, and wait for being decoded."""


class _Job:
    __slots__ = ("beat", "done", "error", "file", "started")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.file: IO[bytes] | None = None
        self.error: ImageError | None = None
        self.started = False
        self.beat = time.monotonic()


class Fetcher(AbstractContextManager["Fetcher"]):
    """Decode images wherever they are; those that are elsewhere are fetched ahead.

    :meth:`submit` names images that :meth:`decode` will be asked for. They are fetched in that
    order by up to ``at_once`` threads, of which no more than ``ahead`` wait to be decoded. Both
    may be called by any thread; images on this machine pass through.

    Args:
        options: How images are decoded.
        ahead: Files that are fetched or were, and wait for being decoded.
        at_once: Files that are fetched at the same time; 0 to fetch none ahead.
        decoder: Decodes a file of this machine elsewhere, such as in another process.
    """

    def __init__(
        self,
        options: DecodeOptions,
        *,
        ahead: int | None = None,
        at_once: int | None = None,
        decoder: Callable[[str], NDArray[np.uint8]] | None = None,
    ) -> None:
        self._options = options
        self._decoder = decoder
        self._fetched = threading.local()
        self._ahead = AHEAD if ahead is None else ahead
        self._at_once = AT_ONCE if at_once is None else at_once
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._waiting: deque[tuple[str, _Job]] = deque()
        self._jobs: dict[str, deque[_Job]] = {}
        self._running = 0
        self._held = 0

    def ahead(self, sources: Iterable[Source]) -> Iterator[Source]:
        """Yield sources as they are, and have their images fetched meanwhile."""
        for source in sources:
            if not source.error:
                self.submit(source.path)
            yield source

    def submit(self, path: str) -> None:
        """Name an image that is to be decoded later; never waits."""
        if not self._at_once or not is_url(path):
            return
        from mnv2cli.remote import local_path

        if local_path(path) is not None:
            return
        job = _Job()
        with self._lock:
            self._jobs.setdefault(path, deque()).append(job)
            self._waiting.append((path, job))
            self._start()

    def wait(self, path: str) -> None:
        """Wait until an image is here: what this thread decodes next takes no time to fetch.

        Raises:
            ImageError: It cannot be fetched.
        """
        if "://" in path and self._local(path) is None:
            self._fetched.file = path, self._take(path)

    def decode(self, path: str) -> NDArray[np.uint8]:
        """Read an image as the network's input, uint8 [size, size, 3].

        Raises:
            ImageError: It cannot be fetched, or is no image.
        """
        local = self._local(path) if "://" in path else path
        if local is not None:
            return self._decoder(local) if self._decoder else decode(local, self._options)
        fetched, file = getattr(self._fetched, "file", ("", None))
        self._fetched.file = "", None
        with file if file is not None and fetched == path else self._take(path) as opened:
            if self._decoder is None:
                return decode_file(opened, self._options)
            with tempfile.NamedTemporaryFile(prefix="mnv2-") as named:
                shutil.copyfileobj(opened, named)
                named.flush()
                return self._decoder(named.name)

    def _local(self, path: str) -> str | None:
        if not is_url(path):
            return path
        from mnv2cli.remote import local_path

        try:
            return local_path(path)
        except InputError as error:
            raise ImageError("cannot be read", error.message) from error

    def close(self) -> None:
        """End all fetching; who waits in :meth:`decode` gets an ImageError."""
        self._stop.set()
        with self._lock:
            jobs = [job for jobs in self._jobs.values() for job in jobs]
            self._jobs.clear()
            self._waiting.clear()
            for job in jobs:
                if job.file is not None:
                    job.file.close()
                job.done.set()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self) -> None:
        """Start what may be; called with the lock."""
        while self._waiting and self._running < self._at_once and self._held < self._ahead:
            path, job = self._waiting.popleft()
            job.started = True
            self._running += 1
            self._held += 1
            # A thread each: one that hangs in a library holds up nothing, and dies with us.
            threading.Thread(
                target=self._run, args=(path, job), name="mnv2-fetch", daemon=True
            ).start()

    def _run(self, path: str, job: _Job) -> None:
        file, failed = None, None

        def beat() -> None:
            job.beat = time.monotonic()

        try:
            file = self._fetch(path, beat)
        except ImageError as error:
            failed = error
        with self._lock:
            if job.done.is_set():  # nobody waits any more
                if file is not None:
                    file.close()
                return
            job.file, job.error = file, failed
            self._running -= 1
            job.done.set()
            self._start()

    def _fetch(self, path: str, beat: Callable[[], None] = lambda: None) -> IO[bytes]:
        from mnv2cli.remote import StoreError, fetch

        try:
            return fetch(path, stop=self._stop, beat=beat)
        except StoreError as error:
            raise ImageError(error.reason, error.detail) from error
        except InputError as error:
            raise ImageError("cannot be read", error.message) from error
        except Exception as error:
            raise ImageError("cannot be read", type(error).__name__) from error

    def _take(self, path: str) -> IO[bytes]:
        """Return the fetched file, waiting for it if need be."""
        with self._lock:
            jobs = self._jobs.get(path)
            job = jobs.popleft() if jobs else None
            if not jobs:
                self._jobs.pop(path, None)
            if job is not None and not job.started:
                # Waiting for its turn could be for ever: the turn may wait for us.
                self._waiting.remove((path, job))
                job = None
        if job is None:
            return self._fetch(path)
        from mnv2cli.remote import patience

        hung = False
        # A library without a time limit of its own may hang: nobody waits for it for long.
        while not (job.done.wait(0.5) or self._stop.is_set() or hung):
            hung = time.monotonic() - job.beat > patience()
        with self._lock:
            self._held -= 1
            if not job.done.is_set():
                self._running -= 1
                job.done.set()
                job.error = ImageError("timed out" if hung else "not read")
            self._start()
        if job.file is None:
            raise job.error or ImageError("not read", "the run was stopped")
        return job.file
