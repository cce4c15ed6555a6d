"""Text for the terminal: untrusted text is escaped, long text is shortened."""

from __future__ import annotations

import io
import os
import sys
from typing import IO, cast


def printable(text: str) -> str:
    """Return text with control and undecodable characters escaped.

    File names may contain anything, including escape sequences that would control the terminal.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


class PrintableStream(io.RawIOBase):
    """A binary stream to a terminal that escapes everything that could control the terminal.

    Each write consists of whole rows. A line feed inside double quotes belongs to a CSV cell and is
    escaped; any other ends a row. JSON never contains raw line feeds.

    Args:
        stream: The terminal.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Write UTF-8 text."""
        text = data.decode("utf-8", "surrogateescape")
        body = text.removesuffix("\n")
        end = text[len(body) :]
        self._stream.write(("\n".join(map(printable, _rows(body))) + end).encode())
        return len(data)

    def flush(self) -> None:
        """Flush the terminal; do nothing once it is closed, as when the program ends."""
        if not self._stream.closed:
            self._stream.flush()


def _rows(text: str) -> list[str]:
    """Split text at the line feeds that are not inside double quotes."""
    rows: list[str] = []
    quoted = False
    for line in text.split("\n"):
        if quoted:
            rows[-1] += f"\n{line}"
        else:
            rows.append(line)
        quoted ^= line.count('"') % 2 == 1
    return rows


def data_stream() -> IO[bytes]:
    """Return standard output for data: unchanged for files and pipes, printable on a terminal."""
    stream = sys.stdout.buffer
    return cast(IO[bytes], PrintableStream(stream)) if sys.stdout.isatty() else stream


def stream_for(path: str | None) -> IO[bytes] | None:
    """Return standard output for data if there is no file to write to; else None."""
    return data_stream() if path is None else None


def print_path(path: str) -> None:
    """Print a path: its exact bytes for a program, printable on a terminal."""
    sys.stdout.flush()
    data = printable(path).encode() if sys.stdout.isatty() else os.fsencode(path)
    sys.stdout.buffer.write(data + b"\n")
    sys.stdout.buffer.flush()


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as decoded by os.fsdecode
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()


def size_text(size: int) -> str:
    """Return a size in bytes for people, such as ``2.3 GB``; units are powers of 1,000."""
    for factor, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= factor:
            return f"{size / factor:,.1f} {unit}"
    return f"{size} bytes"


def seconds_text(seconds: float) -> str:
    """Return a duration for people, such as ``0.31 s`` or ``12.5 s``."""
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:,.1f} s"


def home_text(path: str) -> str:
    """Return text with the home folder in its paths replaced by ``~``."""
    home = os.path.expanduser("~")
    return path.replace(home + os.sep, f"~{os.sep}")


def shorten(text: str, width: int) -> str:
    """Cut text on the left to a width in terminal cells: the end of a path identifies it."""
    from rich.cells import cell_len

    kept = text[-4 * max(width, 1) :]  # a path of a million characters takes no time
    if len(kept) == len(text) and cell_len(text) <= width:
        return text
    while kept and cell_len(kept) > width - 1:
        kept = kept[1:]
    return f"…{kept}"
