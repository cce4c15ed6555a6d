"""The program of an isolated decoder: answer the requests of the parent process until it ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from mnv2cli.errors import ImageError
from mnv2cli.images import raw_reader
from mnv2cli.images.budget import SMALL, Hold
from mnv2cli.images.decode import decode_as, set_process_limit
from mnv2cli.images.exif import taken_at
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.protocol import (
    ERROR,
    LONGEST_TEXT,
    MEMORY,
    PIXELS,
    READY,
    TEXT,
    from_arguments,
    message,
    read_exactly,
    read_header,
)
from mnv2cli.images.renditions import InputAndThumbnail, NetworkInput, Rendition, Thumbnail
from mnv2cli.images.unreadable import NO_MEMORY
from mnv2cli.images.unsupported import RawPhotoError

BYTES_PER_PIXEL = 32
"""Bytes of address space for each pixel of the limit; a float TIFF uses 21, a float JPEG XL
53: the largest of these are too large."""

BASE_BYTES = 1 << 30
"""Address space for the interpreter and the libraries."""

THREAD_BYTES = 16 << 20
"""Address space for each core, as some decoders start a thread per core."""

_ORPHAN_SECONDS = 5.0


def main() -> None:
    """Answer the requests on standard input until it ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the parent decides
    size, options = from_arguments(sys.argv[1:])
    # Output of C libraries must not mix with the answers.
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    import numpy as np  # noqa: F401  # before memory is limited

    set_process_limit(options.max_pixels)
    limit_memory(options.max_pixels)
    serve(requests, answers, size, options)


def limit_memory(max_pixels: int) -> None:
    """Limit the address space of this process to what images of ``max_pixels`` need.

    Beyond the limit an allocation fails, which costs one image. Core dumps are turned off.
    Windows has no such limit, and macOS does not enforce it.
    """
    if sys.platform == "win32":
        return
    import resource

    limit = BASE_BYTES + THREAD_BYTES * (os.cpu_count() or 1) + BYTES_PER_PIXEL * max_pixels
    for what, value in ((resource.RLIMIT_AS, limit), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(what)
        if hard == resource.RLIM_INFINITY or value < hard:
            with suppress(OSError, ValueError, OverflowError):
                resource.setrlimit(what, (value, value))


def serve(requests: IO[bytes], answers: IO[bytes], size: int, options: ImageOptions) -> None:
    """Answer requests until they end."""
    import faulthandler

    def send(kind: bytes, content: bytes) -> None:
        answers.write(message(kind, content))
        answers.flush()

    def watch() -> None:
        """End this process if the parent, which watches the time, is gone."""
        if options.timeout:
            faulthandler.dump_traceback_later(
                2 * options.timeout + _ORPHAN_SECONDS, exit=True, file=nowhere
            )

    @contextmanager
    def hold(needed: int, limit: float) -> Iterator[None]:
        """Ask the parent for memory; it takes it back with the next message."""
        if needed >= SMALL:
            faulthandler.cancel_dump_traceback_later()  # waiting does not count
            send(MEMORY, str(needed).encode())
            read_exactly(requests, 1)
            watch()
        yield

    with suppress(BrokenPipeError, EOFError), open(os.devnull, "w") as nowhere:
        send(READY, b"")
        while True:
            kind, length = read_header(requests)
            path = os.fsdecode(requests.read(length))
            watch()
            try:
                answer = _answer(kind, path, size, options, hold)
            finally:
                faulthandler.cancel_dump_traceback_later()
            send(*answer)


def _answer(
    kind: bytes, path: str, size: int, options: ImageOptions, hold: Hold
) -> tuple[bytes, bytes]:
    """Return the kind and the content of the answer to a request."""
    try:
        if kind in (made := _renditions(size, options)):
            return PIXELS, _made(path, made[kind], options, hold)
        return TEXT, _date(path).encode()
    except ImageError as error:
        text = f"{error.reason}\0{error.detail}"[: LONGEST_TEXT // 4]
        return ERROR, text.encode("utf-8", "replace")
    except MemoryError:
        return ERROR, NO_MEMORY.encode()
    except Exception as error:  # such as a file deleted while its date is read
        return ERROR, f"cannot be read\0{type(error).__name__}".encode()


def _renditions(size: int, options: ImageOptions) -> dict[bytes, Rendition[Any]]:
    """Return what can be made of an image, by the kind of the request."""
    pixels = NetworkInput(size, options)
    both: list[Rendition[Any]] = [pixels, Thumbnail(), InputAndThumbnail(pixels)]
    return {each.kind: each for each in both}


def _made(path: str, rendition: Rendition[Any], options: ImageOptions, hold: Hold) -> bytes:
    try:
        made = decode_as(path, rendition, options, hold)
    except RawPhotoError as error:
        made = raw_reader.decode_raw_as(path, rendition, options, error, hold)
    return rendition.to_bytes(made)


def _date(path: str) -> str:
    try:
        return taken_at(path)
    except RawPhotoError as error:
        return raw_reader.date_of_preview(path, error)
