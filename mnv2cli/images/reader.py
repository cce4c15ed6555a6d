"""Read images wherever they are; remote ones are fetched ahead of their turn."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import IO, TYPE_CHECKING, Protocol, TypeVar

from mnv2cli.errors import ImageError, InputError, Mnv2Error
from mnv2cli.images import raw_reader
from mnv2cli.images.decode import decode_as, decode_file
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.renditions import (
    Both,
    InputAndThumbnail,
    NetworkInput,
    Rendition,
    Thumbnail,
)
from mnv2cli.images.unsupported import RawPhotoError
from mnv2cli.records import Source
from mnv2cli.sources.urls import is_url
from mnv2cli.system.messages import reason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.images.isolated import IsolatedDecoders

T = TypeVar("T")

AT_ONCE = 16
"""Files fetched at the same time."""

AHEAD = 64
"""Files being fetched or waiting to be decoded."""

MAX_BUFFERED_BYTES = 1 << 30
"""Bytes of files waiting to be decoded; beyond this, no more files are fetched ahead."""

_STEP = 0.5  # seconds


class _Job:
    """A file to fetch: once ``done`` is set, it has content or an error."""

    __slots__ = ("beat", "done", "error", "file", "size", "started")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.file: IO[bytes] | None = None
        self.error: ImageError | None = None
        self.started = False
        self.size = 0
        self.beat = time.monotonic()


class Decoder(Protocol):
    """Decodes files on this machine, as :class:`mnv2cli.images.isolated.IsolatedDecoders` does."""

    def decode_as(self, path: str, rendition: Rendition[T]) -> T:
        """Decode a file, and return what is made of it; raises ImageError."""
        ...


class ImageReader(AbstractContextManager["ImageReader"]):
    """Decode images wherever they are; remote ones are fetched ahead.

    :meth:`submit` names images that :meth:`decode` will be called with. They are fetched in that
    order, ``at_once`` at a time, and at most ``ahead`` of them wait to be decoded. Both methods
    may be called from any thread. Images on this machine are not fetched.

    Args:
        size: Side of the decoded images in pixels.
        options: How images are decoded.
        ahead: Files being fetched or waiting to be decoded.
        at_once: Files fetched at the same time; 0 to fetch none ahead.
        decoder: Decodes files on this machine, in other processes. Without it, raw photos alone
            are decoded in other processes, which start at the first one.

    Attributes:
        before_process: Called in the thread that is about to decode a raw photo in another
            process, which has its own time limit.
    """

    def __init__(
        self,
        size: int,
        options: ImageOptions,
        *,
        ahead: int | None = None,
        at_once: int | None = None,
        decoder: Decoder | None = None,
    ) -> None:
        self._size = size
        self._input = NetworkInput(size, options)
        self._options = options
        self._decoder = decoder
        self.before_process: Callable[[], None] = lambda: None
        self._raw_decoders: IsolatedDecoders | None = None
        self._fetched = threading.local()
        self._ahead = AHEAD if ahead is None else ahead
        self._at_once = AT_ONCE if at_once is None else at_once
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._waiting: deque[tuple[str, _Job]] = deque()
        self._jobs: dict[str, deque[_Job]] = {}
        self._running = 0
        self._held = 0
        self._bytes = 0

    def ahead(self, sources: Iterable[Source]) -> Iterator[Source]:
        """Yield the sources unchanged, and start to fetch their images."""
        for source in sources:
            if not source.error:
                self.submit(source.path)
            yield source

    def submit(self, path: str) -> None:
        """Name an image that will be decoded later; return without waiting."""
        if not self._at_once or not is_url(path):
            return
        from mnv2cli.sources.remote.fetch import local_path

        if local_path(path) is not None:
            return
        job = _Job()
        with self._lock:
            self._jobs.setdefault(path, deque()).append(job)
            self._waiting.append((path, job))
            self._start()

    def wait(self, path: str) -> None:
        """Wait until an image is fetched, if it is remote; this thread decodes it next.

        Raises:
            ImageError: It cannot be fetched.
        """
        if "://" in path and self._local(path) is None:
            self._fetched.file = path, self._take(path)

    def decode(self, path: str) -> NDArray[np.uint8]:
        """Read an image as the network's input: uint8 [size, size, 3], RGB.

        Raises:
            ImageError: It cannot be fetched or is unreadable.
        """
        return self._decode_as(path, self._input)

    def thumbnail(self, path: str) -> bytes:
        """Read an image as a thumbnail: a WebP; raises ImageError as :meth:`decode` does."""
        return self._decode_as(path, Thumbnail())

    def decode_both(self, path: str) -> Both:
        """Read an image once, for the network's input and a thumbnail; raises ImageError."""
        return self._decode_as(path, InputAndThumbnail(self._input))

    def _decode_as(self, path: str, rendition: Rendition[T]) -> T:
        local = self._local(path) if "://" in path else path
        if local is not None:
            if self._decoder is not None:
                return self._decoder.decode_as(local, rendition)
            try:
                return decode_as(local, rendition, self._options)
            except RawPhotoError as error:
                return self._raw_decoder(error).decode_as(local, rendition)
        fetched, file = getattr(self._fetched, "file", ("", None))
        self._fetched.file = "", None
        with file if file is not None and fetched == path else self._take(path) as opened:
            decoder = self._decoder
            if decoder is None:
                try:
                    return decode_file(opened, rendition, self._options)
                except RawPhotoError as error:
                    decoder = self._raw_decoder(error)
                    opened.seek(0)
            with _named(opened) as path_here:
                return decoder.decode_as(path_here, rendition)

    def _raw_decoder(self, found: RawPhotoError) -> Decoder:
        """Return what decodes a raw photo: another process, which it may crash."""
        if not raw_reader.is_available():
            raise found
        from mnv2cli.images.isolated import IsolatedDecoders

        with self._lock:
            if self._stop.is_set():
                raise ImageError("not decoded", "the run has ended")
            if self._raw_decoders is None:
                self._raw_decoders = IsolatedDecoders(self._size, self._options)
            decoders = self._raw_decoders
        return _RawDecoder(decoders, self.before_process)

    def _local(self, path: str) -> str | None:
        """Return the path on this machine; None for an image that must be fetched."""
        if not is_url(path):
            return path
        from mnv2cli.sources.remote.fetch import local_path

        try:
            return local_path(path)
        except InputError as error:
            raise ImageError("cannot be read", error.message) from error

    def close(self) -> None:
        """Stop all fetching and processes; a thread in :meth:`decode` may get an ImageError."""
        self._stop.set()
        with self._lock:
            decoders = self._raw_decoders
            jobs = [job for jobs in self._jobs.values() for job in jobs]
            self._jobs.clear()
            self._waiting.clear()
            for job in jobs:
                if job.file is not None:
                    job.file.close()
                job.done.set()
        if decoders is not None:
            decoders.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self) -> None:
        """Start as many jobs as the limits allow; called with the lock held."""
        while (
            self._waiting
            and self._running < self._at_once
            and self._held < self._ahead
            and self._bytes < MAX_BUFFERED_BYTES
        ):
            self._launch(*self._waiting.popleft())

    def _launch(self, path: str, job: _Job) -> None:
        """Start a job; called with the lock held."""
        job.started = True
        job.beat = time.monotonic()
        self._running += 1
        self._held += 1
        # One thread per file: a thread that hangs in a library delays neither other files nor the
        # exit.
        threading.Thread(target=self._run, args=(path, job), name="mnv2-fetch", daemon=True).start()

    def _run(self, path: str, job: _Job) -> None:
        """Run a job; the target of its thread."""
        file, failed = None, None

        def beat() -> None:
            job.beat = time.monotonic()

        size = 0
        try:
            file = self._fetch(path, beat)
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
        except ImageError as error:
            failed = error
        with self._lock:
            if job.done.is_set():  # nobody is waiting for it
                if file is not None:
                    file.close()
                return
            job.file, job.error, job.size = file, failed, size
            self._running -= 1
            self._bytes += size
            job.done.set()
            self._start()

    def _fetch(self, path: str, beat: Callable[[], None] = lambda: None) -> IO[bytes]:
        from mnv2cli.sources.remote.errors import StoreError
        from mnv2cli.sources.remote.fetch import fetch

        try:
            return fetch(path, stop=self._stop, beat=beat)
        except StoreError as error:
            raise ImageError(error.reason, error.detail) from error
        except InputError as error:
            raise ImageError("cannot be read", error.message) from error
        except Exception as error:
            raise ImageError("cannot be read", type(error).__name__) from error

    def _take(self, path: str) -> IO[bytes]:
        """Return the fetched file; wait for it if necessary."""
        with self._lock:
            jobs = self._jobs.get(path)
            job = jobs.popleft() if jobs else _Job()
            if not jobs:
                self._jobs.pop(path, None)
            if not job.started:  # its turn may depend on this image being decoded: do not wait
                with suppress(ValueError):
                    self._waiting.remove((path, job))
                self._launch(path, job)
        from mnv2cli.sources.remote.fetch import patience

        # A library without a time limit may hang, so the wait is limited. Steps are counted because
        # the clock keeps running while the process is stopped.
        silent, beat = 0.0, job.beat
        while not (job.done.wait(_STEP) or self._stop.is_set() or silent > patience()):
            silent = silent + _STEP if job.beat == beat else 0.0
            beat = job.beat
        with self._lock:
            self._held -= 1
            self._bytes -= job.size
            if not job.done.is_set():
                self._running -= 1
                job.done.set()
                job.error = ImageError("not read" if self._stop.is_set() else "timed out")
            self._start()
        if job.file is None:
            raise job.error or ImageError("not read", "the run was stopped")
        return job.file


@dataclass(frozen=True, slots=True)
class _RawDecoder:
    """Decodes raw photos in other processes.

    Attributes:
        decoders: The processes.
        before: Called before a photo is decoded there.
    """

    decoders: IsolatedDecoders
    before: Callable[[], None]

    def decode_as(self, path: str, rendition: Rendition[T]) -> T:
        self.before()
        try:
            return self.decoders.decode_as(path, rendition)
        except Mnv2Error as error:  # the other images need no process
            raise ImageError("not decoded", error.message) from error


@contextmanager
def _named(content: IO[bytes]) -> Iterator[str]:
    """Yield the path of a temporary file with the content, for another process to open.

    Raises:
        ImageError: It cannot be written.
    """
    by_number = os.path.isdir("/proc/self/fd")  # leaves no file behind
    make = tempfile.TemporaryFile if by_number else tempfile.NamedTemporaryFile
    try:
        with make() as file:
            shutil.copyfileobj(content, file)
            file.flush()
            yield f"/proc/{os.getpid()}/fd/{file.fileno()}" if by_number else file.name
    except OSError as error:
        raise ImageError("cannot be read", reason(error)) from error
