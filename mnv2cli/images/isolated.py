"""Decoding in processes of their own: a file that crashes a decoder costs its row, not the run.

The parent hands a path to a child through a pipe and gets pixels or a reason back. Requests are
an operation byte, uint32 little-endian length, and the path's bytes; answers are a kind byte,
uint32 length, and pixels or UTF-8 text.

A child that dies, takes too long or answers nonsense is ended, and the next file gets a new one.
Time is watched from the parent, which also ends a decoder that holds the interpreter's lock or
has stopped; memory is limited by the system, as a limit on the child's address space.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mnv2cli.errors import ImageError, Mnv2Error
from mnv2cli.images.decode import DecodeOptions, decode, set_process_limit, taken_at

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BYTES_PER_PIXEL = 32
"""Address space for each pixel that is allowed; a float TIFF, the worst, takes 21."""

BASE_BYTES = 1 << 30
"""Address space for all else: interpreter and libraries."""

THREAD_BYTES = 16 << 20
"""Address space for each core, as some decoders start a thread for each."""

_DECODE, _TAKEN_AT = b"d", b"t"
_READY, _PIXELS, _TEXT, _ERROR = b"r", b"p", b"t", b"e"
_LONGEST_TEXT = 10_000
_START_SECONDS = 60.0  # a machine that is busy needs seconds to start a process
_END_SECONDS = 5.0
_ORPHAN_SECONDS = 5.0

# Address space is scarce: numpy's threads and the allocator's arenas would take much of it.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}

_NO_MEMORY = "not enough memory"

# A child looks for modules where its parent does, and never in the current folder, where whoever
# packed the photos may have put a numpy.py.
_PROGRAM = (
    f"import sys; sys.path[:] = sys.argv.pop(1).split({os.pathsep!r}); "
    "from mnv2cli.images.isolated import main; main()"
)


def default_command() -> list[str]:
    """Return the command that starts a child, without the options of decoding."""
    if not sys.executable:
        raise Mnv2Error("there is no Python to start for decoding", "Decode without isolation.")
    root = str(Path(__file__).resolve().parents[2])
    folders = [os.path.abspath(path) for path in sys.path if path]
    if root not in folders:
        folders.append(root)
    return [sys.executable, "-I", "-W", "ignore", "-c", _PROGRAM, os.pathsep.join(folders)]


class IsolatedDecoders:
    """Decodes in child processes, one for each thread that asks at the same time.

    Children are started when they are first needed, and end with :meth:`close` or with this
    process, however that ends. Relative paths are seen from the folder that is current now.

    Args:
        options: How to decode.
        limit: Seconds for one image, 0 for no limit. Time during which this process is stopped
            (Ctrl-Z) does not count.
        command: Starts a child instead of :func:`default_command`; the options are appended.
    """

    def __init__(
        self, options: DecodeOptions, *, limit: float = 0.0, command: Sequence[str] | None = None
    ) -> None:
        self._options = options
        self._limit = limit
        self._command = [
            *(command if command is not None else default_command()),
            *(f"{name}={value}" for name, value in asdict(options).items()),
            f"limit={limit}",
        ]
        self._folder = os.getcwd()
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._children: set[_Child] = set()
        self._closed = threading.Event()
        self._watcher: threading.Thread | None = None

    def __call__(self, path: str) -> NDArray[np.uint8]:
        """Decode a file: uint8 [size, size, 3]; as :func:`mnv2cli.images.decode.decode`.

        Raises:
            ImageError: The file is no image, crashed the decoder, or took too long.
            Mnv2Error: No child can be started.
        """
        import numpy as np

        pixels: NDArray[np.uint8] = np.frombuffer(self._ask(_DECODE, path), np.uint8)
        return pixels.reshape(self._options.size, self._options.size, 3)

    def taken_at(self, path: str) -> str:
        """Return when a photo was taken; as :func:`mnv2cli.images.decode.taken_at`."""
        return self._ask(_TAKEN_AT, path).decode("ascii", "replace")

    def close(self) -> None:
        """End all children, those that are busy too."""
        self._closed.set()
        with self._lock:
            children, self._idle = list(self._children), []
        for child in children:
            child.end()
        if self._watcher is not None:
            self._watcher.join()

    def _ask(self, operation: bytes, path: str) -> bytes:
        """Have a child answer; one that others may have damaged gets a fresh one's help."""
        request = os.fsencode(path)
        child = self._borrow()
        while True:
            was_used = child.used
            try:
                answer = child.ask(operation, request, self._longest(operation))
            except ImageError as error:
                if child.killed or child.process.poll() is not None:
                    self._retire(child)
                elif error.reason == _NO_MEMORY:
                    self._retire(child)  # earlier files may have left holes in its memory
                else:
                    self._give_back(child)
                    raise
                if not was_used or child.killed or self._closed.is_set():
                    raise
                child = self._start()
                continue
            except BaseException:  # Ctrl-C, with an answer under way that is nobody's
                self._retire(child)
                raise
            self._give_back(child)
            return answer

    def _longest(self, operation: bytes) -> int:
        """Return the length of pixels in bytes, or 0 where text is the answer."""
        return 3 * self._options.size**2 if operation == _DECODE else 0

    def _borrow(self) -> _Child:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._start()

    def _give_back(self, child: _Child) -> None:
        if child.killed:  # just when it had answered
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
        # Steps are counted, not the clock, which goes on while the machine sleeps.
        step = min(0.25, self._limit / 4)
        while not self._closed.wait(step):
            with self._lock:
                children = list(self._children)
            for child in children:
                child.grow_older(step)


class _Child:
    """A process that decodes one file after the other."""

    def __init__(self, command: list[str], folder: str) -> None:
        own_group: dict[str, Any]  # Ctrl-C is for the parent
        if sys.platform == "win32":
            own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        else:
            own_group = {"start_new_session": True}
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # what decoders print may quote the file
                cwd=folder,
                env={**os.environ, **_ENVIRONMENT},
                **own_group,
            )
        except OSError as error:
            reason = error.strerror or error
            raise Mnv2Error(f"a process for decoding cannot be started: {reason}") from error
        _widen(_stream(self.process.stdout))
        self.used = False  # for an earlier file
        self.killed = False  # by us, for the time it took
        self.limit = 0.0
        self._busy = False
        self._age = 0.0
        self._lock = threading.Lock()
        self._ending = threading.Lock()

    def wait_until_ready(self, limit: float) -> None:
        self.limit = limit
        try:
            self._start_clock()
            kind, _ = self._answer(_LONGEST_TEXT)
        except (EOFError, OSError):
            kind = b""
        finally:
            self._stop_clock()
        if kind != _READY:
            raise Mnv2Error(
                "a process for decoding does not start",
                f"It ended with code {self.end()}. Decode without isolation, or make room for it.",
            )

    def ask(self, operation: bytes, request: bytes, pixels: int) -> bytes:
        """Return the answer to a request; ``pixels`` is the length it has if it is an image."""
        try:
            self._start_clock()
            stdin = _stream(self.process.stdin)
            stdin.write(operation + len(request).to_bytes(4, "little") + request)
            stdin.flush()
            kind, answer = self._answer(max(pixels, _LONGEST_TEXT))
        except (EOFError, OSError, ValueError):  # ValueError: closed by end()
            kind, answer = b"", b""
        finally:
            self._stop_clock()
        self.used = True
        if kind == _ERROR:
            reason, _, detail = answer.decode("utf-8", "replace").partition("\0")
            raise ImageError(reason, detail)
        if (kind == _PIXELS and len(answer) == pixels) or (kind == _TEXT and not pixels):
            return answer
        code = self.end()
        if self.killed:
            raise ImageError("took too long", f"over {self.limit:g} seconds")
        raise ImageError("crashed the decoder", _death(code) if not kind else "a senseless answer")

    def end(self) -> int:
        """End the process, if it has not ended, and return its exit code."""
        with self._ending:
            if self.process.returncode is None:
                self.process.kill()  # it holds nothing that would need an orderly end
                try:
                    self.process.wait(_END_SECONDS)
                except subprocess.TimeoutExpired:  # it sits in the system, on a dead drive
                    return 1
        for stream in (self.process.stdin, self.process.stdout):
            with suppress(OSError, ValueError):
                _stream(stream).close()
        return self.process.returncode

    def grow_older(self, seconds: float) -> None:
        """Count time; too much of it for one file ends the process."""
        with self._lock:
            self._age += seconds
            if self._busy and self.limit and self._age > self.limit:
                self.killed = True
                self.process.kill()  # who waits for the answer, sees it end

    def _start_clock(self) -> None:
        with self._lock:
            self._busy, self._age = True, 0.0

    def _stop_clock(self) -> None:
        with self._lock:
            self._busy = False

    def _answer(self, longest: int) -> tuple[bytes, bytes]:
        stdout = _stream(self.process.stdout)
        head = _read(stdout, 5)
        length = int.from_bytes(head[1:], "little")
        if length > longest:
            return b"?", b""
        return head[:1], _read(stdout, length)


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


def _read(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _widen(pipe: IO[bytes]) -> None:
    """Let a pipe hold an image, so that a child need not wait while it writes one."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError, AttributeError):  # the system's limits; Python 3.10 on old systems
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 18)


def _death(code: int) -> str:
    if code >= 0:
        return f"exit code {code if code < 256 else hex(code)}"
    with suppress(ValueError):
        return f"signal {-code}, {signal.Signals(-code).name}"
    return f"signal {-code}"


# The child


def main() -> None:
    """Decode what standard input asks for, until it ends: the program of a child."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the parent decides
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    limit = float(given.pop("limit"))
    options = DecodeOptions(
        size=int(given["size"]),
        fit=given["fit"],  # type: ignore[arg-type]  # checked when made
        interpolation=given["interpolation"],  # type: ignore[arg-type]
        max_pixels=int(given["max_pixels"]),
        allow_truncated=given["allow_truncated"] == "True",
    )
    # What C libraries print must not get between the answers.
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    import numpy as np  # noqa: F401  # before memory is scarce

    set_process_limit(options.max_pixels)
    limit_memory(options.max_pixels)
    serve(requests, answers, options, limit)


def limit_memory(max_pixels: int) -> None:
    """Limit this process's address space to what images of so many pixels need.

    Beyond it there is no memory, which is an error of that file; no core is dumped either.
    Windows knows no such limit, and macOS does not enforce it.
    """
    if sys.platform == "win32":
        return
    import resource

    most = BASE_BYTES + THREAD_BYTES * (os.cpu_count() or 1) + BYTES_PER_PIXEL * max_pixels
    for what, value in ((resource.RLIMIT_AS, most), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(what)
        if hard == resource.RLIM_INFINITY or value < hard:
            with suppress(OSError, ValueError, OverflowError):
                resource.setrlimit(what, (value, value))


def serve(
    requests: IO[bytes], answers: IO[bytes], options: DecodeOptions, limit: float = 0.0
) -> None:
    """Answer requests until they end."""
    import faulthandler

    def send(kind: bytes, data: bytes) -> None:
        answers.write(kind + len(data).to_bytes(4, "little") + data)
        answers.flush()

    with suppress(BrokenPipeError), open(os.devnull, "w") as nowhere:
        send(_READY, b"")
        while len(head := requests.read(5)) == 5:
            path = os.fsdecode(requests.read(int.from_bytes(head[1:], "little")))
            if limit:
                # The parent watches the time; this ends a child whose parent is no more.
                faulthandler.dump_traceback_later(
                    2 * limit + _ORPHAN_SECONDS, exit=True, file=nowhere
                )
            try:
                kind, data = _PIXELS, b""
                if head[:1] == _DECODE:
                    data = decode(path, options).tobytes()
                else:
                    kind, data = _TEXT, taken_at(path).encode()
            except ImageError as error:
                text = f"{error.reason}\0{error.detail}"[: _LONGEST_TEXT // 4]
                kind, data = _ERROR, text.encode("utf-8", "replace")
            except MemoryError:
                kind, data = _ERROR, _NO_MEMORY.encode()
            except Exception as error:  # the file of a date is gone, or whatever else
                kind, data = _ERROR, f"cannot be read\0{type(error).__name__}".encode()
            finally:
                if limit:
                    faulthandler.cancel_dump_traceback_later()
            send(kind, data)
