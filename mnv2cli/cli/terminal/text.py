"""Text for the terminal: what is of unknown origin made fit for it."""

from __future__ import annotations

import io
import os
import sys
from typing import IO, cast


def printable(text: str) -> str:
    """Return text that cannot steer a terminal: control and undecodable characters are escaped.

    Names of files may hold anything, escape sequences and line ends too.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


class PrintableStream(io.RawIOBase):
    """A terminal that results for programs go to: what could steer it is escaped.

    Each write is one line, or a part of one; a line end elsewhere than at its end is escaped too.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Write UTF-8 text."""
        text = data.decode("utf-8", "surrogateescape")
        body = text.removesuffix("\n")
        end = "\n" if len(body) < len(text) else ""
        self._stream.write((printable(body) + end).encode())
        return len(data)

    def flush(self) -> None:
        """Flush the terminal."""
        self._stream.flush()


def data_stream() -> IO[bytes]:
    """Return standard output for data: as it is into files and pipes, printable on a terminal."""
    stream = sys.stdout.buffer
    return cast(IO[bytes], PrintableStream(stream)) if sys.stdout.isatty() else stream


def print_path(path: str) -> None:
    """Print a path for programs and people: its very bytes, but printable on a terminal."""
    sys.stdout.flush()
    stream = data_stream()
    stream.write(os.fsencode(path) + b"\n")
    stream.flush()


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as os.fsdecode keeps it
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()


def size_text(size: int) -> str:
    """Return a number of bytes as people say it, in units of 1,000."""
    for factor, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= factor:
            return f"{size / factor:,.1f} {unit}"
    return f"{size} bytes"


def home_text(path: str) -> str:
    """Return text with ``~`` for the user's folder in its paths."""
    home = os.path.expanduser("~")
    return path.replace(home + os.sep, f"~{os.sep}")


def shorten(text: str, width: int) -> str:
    """Cut text to a width in terminal cells from the left: the end of a path tells most."""
    from rich.cells import cell_len

    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - 1:
        text = text[1:]
    return f"…{text}"
