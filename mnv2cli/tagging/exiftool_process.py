"""A running ExifTool that executes one command after another.

PyExifTool (0.5.6) is not used: its calls have no time limit, so a photo that hangs ExifTool hangs
the run; and after ``kill -9`` of this process it leaves ExifTool behind.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from typing import IO, Any

# ExifTool polls for more arguments after its input was closed. So a shell waits for the end of a
# pipe that only this process holds, and ends ExifTool when this process is gone, however it went.
_KEEPER = """
pipe=$1 folder=$2
shift 2
exec 4<"/dev/fd/$pipe" 3<&0
"$@" <&3 3<&- 4<&- &
exec 0</dev/null 3<&- >/dev/null 2>&1
read -r line <&4
kill -9 $!
rm -rf -- "$folder"
"""


class EmbedError(ValueError):
    """Keywords cannot be embedded into a photo; the message is the reason, for one line."""


class RefusedError(EmbedError):
    """ExifTool answered with an error."""


class Process:
    """A running ExifTool, and its folder for packets.

    Args:
        command: The program and its arguments.

    Raises:
        EmbedError: It cannot be started.
    """

    def __init__(self, command: list[str]) -> None:
        self._folder = tempfile.mkdtemp(prefix="mnv2-exiftool-")
        self._numbers = itertools.count(random.randrange(10**8, 10**9))
        self._pipe: tuple[int, ...] = ()
        options: dict[str, Any] = {}
        if os.name == "posix":
            self._pipe = os.pipe()
            command = ["/bin/sh", "-c", _KEEPER, "sh", str(self._pipe[0]), self._folder, *command]
            # A separate group, so that Ctrl+C in the terminal does not end it amid a photo.
            options = {"pass_fds": self._pipe[:1], "start_new_session": True}
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                cwd=self._folder, env={**os.environ, "LC_ALL": "C", "PERL_UNICODE": ""}, **options,
            )  # fmt: skip
        except OSError as error:
            self._clean()
            raise EmbedError(f"ExifTool does not start: {error.strerror}") from error
        if self._pipe:
            os.close(self._pipe[0])
            self._pipe = self._pipe[1:]
        self._chunks: queue.SimpleQueue[tuple[int, bytes]] = queue.SimpleQueue()
        self._ended = threading.Event()
        streams = (self._process.stdout, self._process.stderr)
        self._threads = [
            threading.Thread(target=self._receive, args=item, daemon=True)
            for item in enumerate(streams)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def is_alive(self) -> bool:
        """ExifTool has not ended."""
        return not self._ended.is_set()

    def _receive(self, number: int, stream: IO[bytes]) -> None:
        while chunk := os.read(stream.fileno(), 1 << 20):
            self._chunks.put((number, chunk))
        self._ended.set()
        self._chunks.put((number, b""))

    def run(self, arguments: Sequence[str], photo: str, packet: bytes, seconds: float) -> bytearray:
        """Execute one command for one photo and return its output.

        Raises:
            EmbedError: ExifTool refused, died, or took longer than ``seconds``.
        """
        number = next(self._numbers)
        if packet:
            with open(os.path.join(self._folder, "packet"), "wb") as file:
                file.write(packet)
        lines = [*arguments, self._name(photo), "-echo4", f"{{status{number}}}${{status}}"]
        text = b"".join(os.fsencode(line) + b"\n" for line in [*lines, f"-execute{number}"])
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text)
            self._process.stdin.flush()
        except OSError as error:
            raise EmbedError("ExifTool ended") from error
        output, errors = bytearray(), bytearray()
        limit = time.monotonic() + seconds
        status = b"{status%d}" % number
        while not (output.endswith(b"{ready%d}\n" % number) and status in errors):
            try:
                which, chunk = self._chunks.get(timeout=max(0.0, limit - time.monotonic()))
            except queue.Empty:
                raise EmbedError(f"ExifTool took longer than {seconds:g} s") from None
            if not chunk:
                raise EmbedError("ExifTool ended")
            (output, errors)[which].extend(chunk)
        said, _, code = errors.decode(errors="replace").partition(status.decode())
        is_answer = code.strip() == "0" or output.startswith(b"[{")  # JSON tells errors itself
        if not is_answer or "Error:" in said:
            raise RefusedError(short(said) or "ExifTool failed")
        del output[output.rindex(b"{ready") :]  # in place: it may be as large as the photo
        return output

    def _name(self, photo: str) -> str:
        """Return a name of the photo that is one line: arguments are lines."""
        path = os.path.abspath(photo)
        if not any(sign in path for sign in "\r\n"):
            return path
        link = os.path.join(self._folder, "photo")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(link)
        os.symlink(path, link)
        return "photo"

    def end(self) -> None:
        """End ExifTool at once: it never writes files, so there is nothing to finish."""
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):  # what was not sent
                assert stream is not None
                stream.close()
        self._clean()

    def _clean(self) -> None:
        for descriptor in self._pipe:
            os.close(descriptor)
        shutil.rmtree(self._folder, ignore_errors=True)


def short(said: str) -> str:
    """Return the first error of what ExifTool said, without the name of the photo."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("Error")] or lines or [""]
    words = errors[0].partition(" - /")[0].removesuffix(" - photo").removeprefix("Error:")
    words = words.replace("[minor]", "").strip()[:120]
    other = re.search(r"looks more like an? (JPEG|PNG|TIFF)\)$", words)
    return f"{words}: rename it to .{other[1].lower()}" if other else words
