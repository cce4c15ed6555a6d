"""Decoding in separate processes: an image that crashes a decoder is lost, not the run.

A child that dies, takes too long or gives an invalid answer is killed, and the next image gets a
new one. The parent watches the time, so it can also end a decoder that holds the interpreter lock
or is stopped. The system limits memory, as the child's address space.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from mnv2cli.errors import ImageError, Mnv2Error
from mnv2cli.images.budget import DECODING
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.protocol import (
    ERROR,
    GRANTED,
    LONGEST_TEXT,
    MEMORY,
    PIXELS,
    READY,
    TAKEN_AT,
    TEXT,
    message,
    read_exactly,
    read_header,
    to_arguments,
)
from mnv2cli.images.renditions import NetworkInput, Rendition
from mnv2cli.images.unreadable import NO_MEMORY, took_too_long
from mnv2cli.system import messages

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")

LAST_RESORT = 60.0
"""Seconds past the timeout of an image decoded in another process before its worker is abandoned.

Killing the process normally ends the image earlier; a dead network drive may block even that. The
seconds include the start of a new process.
"""

_START_SECONDS = 60.0  # a busy machine needs seconds to start a process
_END_SECONDS = 5.0

# Address space is limited, and numpy's threads and the allocator's arenas would use much. Up to
# 32 MB, the most that glibc allows, memory of one image is kept for the next: returning it to the
# system costs raw photos a tenth of their time.
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(32 << 20),
}

# A child finds modules where its parent does, but never in the current folder, where the author of
# the photos may have put a numpy.py.
_PROGRAM = (
    f"import sys; sys.path[:] = sys.argv.pop(1).split({os.pathsep!r}); "
    "from mnv2cli.images.child import main; main()"
)


def worker_limit(timeout: float, *, isolate: bool) -> float:
    """Return the seconds after which the thread of an image is abandoned; 0 for never.

    Args:
        timeout: The limit of an image, in seconds; 0 for none.
        isolate: Another process decodes it, which has the limit itself.
    """
    return timeout and timeout + (LAST_RESORT if isolate else 0.0)


def default_command() -> list[str]:
    """Return the command that starts a child, without the options of decoding."""
    if not sys.executable:
        raise Mnv2Error(
            "cannot start a decoding process: the Python interpreter is unknown",
            "Run again without --isolate.",
        )
    root = str(Path(__file__).resolve().parents[2])
    folders = [os.path.abspath(path) for path in sys.path if path]
    if root not in folders:
        folders.append(root)
    return [sys.executable, "-I", "-W", "ignore", "-c", _PROGRAM, os.pathsep.join(folders)]


class IsolatedDecoders:
    """Decode in child processes, one for each thread that decodes at the same time.

    Children start when they are first needed, and end with :meth:`close` or with this process,
    however it ends. Relative paths are relative to the folder that is current at construction.

    Args:
        size: Side of the decoded images in pixels; unused if only dates are read.
        options: How images are decoded. Time while this process is stopped (Ctrl-Z) does not count
            towards ``timeout``.
        command: Replaces :func:`default_command`; the options are appended.
    """

    def __init__(
        self, size: int, options: ImageOptions, *, command: Sequence[str] | None = None
    ) -> None:
        self._input = NetworkInput(size, options)
        self._limit = options.timeout
        self._command = [
            *(command if command is not None else default_command()),
            *to_arguments(size, options),
        ]
        self._folder = _current_folder()
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._children: set[_Child] = set()
        self._closed = threading.Event()
        self._watcher: threading.Thread | None = None

    def __call__(self, path: str) -> NDArray[np.uint8]:
        """Decode a file: uint8 [size, size, 3]; as :func:`mnv2cli.images.decode.decode`.

        Raises:
            ImageError: The file is unreadable, crashed the decoder or took too long.
            Mnv2Error: A child cannot be started.
        """
        return self.decode_as(path, self._input)

    def decode_as(self, path: str, rendition: Rendition[T]) -> T:
        """Decode a file, and return what is made of it; errors as for pixels."""
        made = rendition.from_bytes(self._ask(rendition.kind, path, rendition))
        assert made is not None  # it was checked
        return made

    def taken_at(self, path: str) -> str:
        """Return when a photo was taken; as :func:`mnv2cli.images.exif.taken_at`."""
        return self._ask(TAKEN_AT, path).decode("ascii", "replace")

    def close(self) -> None:
        """End all children, including busy ones."""
        self._closed.set()
        with self._lock:
            children, self._idle = list(self._children), []
        for child in children:
            child.end()
        if self._watcher is not None:
            self._watcher.join()

    def _ask(self, operation: bytes, path: str, rendition: Rendition[Any] | None = None) -> bytes:
        """Return the answer of a child; ask a fresh one if earlier files may be to blame."""
        request = os.fsencode(path)
        child = self._borrow()
        while True:
            was_used = child.used
            try:
                answer = child.ask(operation, request, rendition)
            except ImageError as error:
                if child.killed or child.process.poll() is not None:
                    self._retire(child)
                elif error.reason == NO_MEMORY:
                    self._retire(child)  # earlier files may have fragmented its memory
                else:
                    self._give_back(child)
                    raise
                if not was_used or child.killed or self._closed.is_set():
                    raise
                child = self._start()
                continue
            except BaseException:  # Ctrl-C, with an answer pending that nobody will read
                self._retire(child)
                raise
            self._give_back(child)
            return answer

    def _borrow(self) -> _Child:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._start()

    def _give_back(self, child: _Child) -> None:
        if child.killed:  # right after it answered
            self._retire(child)
            return
        with self._lock:
            if not self._closed.is_set():
                self._idle.append(child)

    def _retire(self, child: _Child) -> None:
        child.end()
        with self._lock:
            self._children.discard(child)

    def _start(self) -> _Child:
        child = _Child(self._command, self._folder)
        with self._lock:
            self._children.add(child)
            if self._watcher is None and self._limit:
                self._watcher = threading.Thread(target=self._watch, daemon=True, name="mnv2-watch")
                self._watcher.start()
        if self._closed.is_set():
            self._retire(child)
            raise ImageError("not decoded", "the run has ended")
        try:
            child.wait_until_ready(max(self._limit, _START_SECONDS))
        except BaseException:
            self._retire(child)
            raise
        child.limit = self._limit
        return child

    def _watch(self) -> None:
        # Steps are counted because the clock keeps running while the machine sleeps.
        step = min(0.25, self._limit / 4)
        while not self._closed.wait(step):
            with self._lock:
                children = list(self._children)
            for child in children:
                child.grow_older(step)


class _Child:
    """A process that decodes one file after another."""

    def __init__(self, command: list[str], folder: str | None) -> None:
        own_group: dict[str, Any]  # the parent alone handles Ctrl-C
        if sys.platform == "win32":
            own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        else:
            own_group = {"start_new_session": True}
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # output of decoders may quote the file
                cwd=folder,
                env={**os.environ, **_ENVIRONMENT},
                **own_group,
            )
        except OSError as error:
            why = messages.reason(error, lower=False)
            raise Mnv2Error(f"cannot start a decoding process: {why}") from error
        _widen(_stream(self.process.stdout))
        self.used = False  # for an earlier file
        self.killed = False  # by the watcher, for taking too long
        self.limit = 0.0
        self._busy = False
        self._age = 0.0
        self._lock = threading.Lock()
        self._ending = threading.Lock()

    def wait_until_ready(self, limit: float) -> None:
        self.limit = limit
        try:
            self._start_clock()
            kind, _ = self._answer(LONGEST_TEXT)
        except (EOFError, OSError):
            kind = b""
        finally:
            self._stop_clock()
        if kind != READY:
            raise Mnv2Error(
                f"cannot start a decoding process: {_death(self.end())}",
                "Free some memory, or run again without --isolate.",
            )

    def ask(self, operation: bytes, request: bytes, rendition: Rendition[Any] | None) -> bytes:
        """Return the answer to a request: the bytes of a rendition; of a text, if it is None."""
        longest = max(rendition.max_bytes if rendition else 0, LONGEST_TEXT)
        try:
            self._start_clock()
            self._send(message(operation, request))
            kind, answer = self._answer(longest)
            for _ in range(2):  # a preview of a raw photo, then its sensor data
                if kind != MEMORY:
                    break
                self._stop_clock()
                with DECODING.hold(int(answer), self.limit):
                    self._start_clock()
                    self._send(GRANTED)
                    kind, answer = self._answer(longest)
        except (EOFError, OSError, ValueError):  # ValueError: closed by end()
            kind, answer = b"", b""
        finally:
            self._stop_clock()
        self.used = True
        if kind == ERROR:
            reason, _, detail = answer.decode("utf-8", "replace").partition("\0")
            raise ImageError(reason, detail)
        if rendition is None and kind == TEXT:
            return answer
        if rendition is not None and kind == PIXELS and rendition.from_bytes(answer) is not None:
            return answer
        code = self.end()
        if self.killed:
            raise took_too_long(self.limit)
        raise ImageError("crashed the decoder", _death(code) if not kind else "invalid answer")

    def end(self) -> int:
        """End the process if it is still running, and return its exit code."""
        with self._ending:
            if self.process.returncode is None:
                self.process.kill()  # it holds nothing that needs an orderly end
                try:
                    self.process.wait(_END_SECONDS)
                except subprocess.TimeoutExpired:  # stuck in the kernel, on a dead drive
                    return 1
        for stream in (self.process.stdin, self.process.stdout):
            with suppress(OSError, ValueError):
                _stream(stream).close()
        return self.process.returncode

    def grow_older(self, seconds: float) -> None:
        """Count time; end the process once a file exceeds the limit."""
        with self._lock:
            self._age += seconds
            if self._busy and self.limit and self._age > self.limit:
                self.killed = True
                self.process.kill()  # the thread waiting for the answer sees it end

    def _start_clock(self) -> None:
        with self._lock:
            self._busy, self._age = True, 0.0

    def _stop_clock(self) -> None:
        with self._lock:
            self._busy = False

    def _send(self, data: bytes) -> None:
        stdin = _stream(self.process.stdin)
        stdin.write(data)
        stdin.flush()

    def _answer(self, longest: int) -> tuple[bytes, bytes]:
        stdout = _stream(self.process.stdout)
        kind, length = read_header(stdout)
        if length > longest:
            return b"?", b""
        return kind, read_exactly(stdout, length)


def _current_folder() -> str | None:
    """Return the current folder; None if it was removed."""
    try:
        return os.getcwd()
    except OSError:
        return None


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


def _widen(pipe: IO[bytes]) -> None:
    """Let a pipe hold a whole image, so that a child never waits while writing one."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError, AttributeError):  # system limits; Python 3.10 on old systems
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 18)


def _death(code: int) -> str:
    if code >= 0:
        return f"exit code {code if code < 256 else hex(code)}"
    with suppress(ValueError):
        return f"signal {-code}, {signal.Signals(-code).name}"
    return f"signal {-code}"
