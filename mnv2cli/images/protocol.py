"""What a process and its isolated decoders say to each other.

The options are on the child's command line. Then requests come through its standard input and
answers through its standard output. Both are messages: a byte for the kind, uint32 little-endian
length, content. The content of a request is the path's bytes; that of an answer is pixels or UTF-8
text, and of an error its reason and detail with a NUL between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import IO

from mnv2cli.images.options import ImageOptions

DECODE, TAKEN_AT = b"d", b"t"
"""Kinds of requests."""

READY, PIXELS, TEXT, ERROR = b"r", b"p", b"t", b"e"
"""Kinds of answers; the first one is ``READY``, when a child has started."""

LONGEST_TEXT = 10_000
"""Bytes of an answer that is no pixels."""

HEADER_BYTES = 5


def message(kind: bytes, content: bytes) -> bytes:
    """Return a message of some kind."""
    return kind + len(content).to_bytes(4, "little") + content


def read_header(file: IO[bytes]) -> tuple[bytes, int]:
    """Read the kind and the length of the next message.

    Raises:
        EOFError: There is none.
    """
    header = read_exactly(file, HEADER_BYTES)
    return header[:1], int.from_bytes(header[1:], "little")


def read_exactly(file: IO[bytes], count: int) -> bytes:
    """Read some bytes.

    Raises:
        EOFError: There are not so many.
    """
    data = file.read(count)
    if len(data) < count:
        raise EOFError
    return data


def to_arguments(size: int, options: ImageOptions) -> list[str]:
    """Return what a child's command line says of the options."""
    return [f"{name}={value}" for name, value in {"size": size, **asdict(options)}.items()]


def from_arguments(arguments: Sequence[str]) -> tuple[int, ImageOptions]:
    """Return the size and the options that a child's command line says."""
    given = dict(argument.split("=", 1) for argument in arguments)
    return int(given["size"]), ImageOptions(
        fit=given["fit"],  # type: ignore[arg-type]  # checked when made
        interpolation=given["interpolation"],  # type: ignore[arg-type]
        max_pixels=int(given["max_pixels"]),
        allow_truncated=given["allow_truncated"] == "True",
        isolate=given["isolate"] == "True",
        timeout=float(given["timeout"]),
    )
