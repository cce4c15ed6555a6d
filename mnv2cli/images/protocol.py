"""The messages between a process and its isolated decoders.

The options are on the child's command line. The child reads requests from its standard input and
writes answers to its standard output. Both are messages: one byte for the kind, the length as
little-endian uint32, the content. The content of a request is the path in bytes. The content of an
answer is a rendition (pixels, a thumbnail, or both) or UTF-8 text; an error has its reason and
detail, separated by a NUL byte. Before a child decodes a large image, it asks for memory, a number
of bytes as text, and waits for one byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import IO

from mnv2cli.images.options import ImageOptions

TAKEN_AT = b"t"
"""The kind of a request for a date. Those for images are in :mod:`mnv2cli.images.renditions`."""

READY, PIXELS, TEXT, ERROR, MEMORY = b"r", b"p", b"t", b"e", b"m"
"""Kinds of answers; a child sends ``READY`` once it has started, and ``MEMORY`` to ask for that."""

GRANTED = b"g"
"""The byte that a child waits for after it asked for memory."""

LONGEST_TEXT = 10_000
"""Limit in bytes for an answer other than a rendition."""

HEADER_BYTES = 5


def message(kind: bytes, content: bytes) -> bytes:
    """Return a message of the given kind."""
    return kind + len(content).to_bytes(4, "little") + content


def read_header(file: IO[bytes]) -> tuple[bytes, int]:
    """Read the kind and the length of the next message.

    Raises:
        EOFError: The input has ended.
    """
    header = read_exactly(file, HEADER_BYTES)
    return header[:1], int.from_bytes(header[1:], "little")


def read_exactly(file: IO[bytes], count: int) -> bytes:
    """Read exactly ``count`` bytes.

    Raises:
        EOFError: The input ends before that.
    """
    data = file.read(count)
    if len(data) < count:
        raise EOFError
    return data


def to_arguments(size: int, options: ImageOptions) -> list[str]:
    """Return the options as arguments for a child's command line."""
    return [f"{name}={value}" for name, value in {"size": size, **asdict(options)}.items()]


def from_arguments(arguments: Sequence[str]) -> tuple[int, ImageOptions]:
    """Return the size and the options from a child's command line."""
    given = dict(argument.split("=", 1) for argument in arguments)
    return int(given["size"]), ImageOptions(
        fit=given["fit"],  # type: ignore[arg-type]  # checked when made
        interpolation=given["interpolation"],  # type: ignore[arg-type]
        max_pixels=int(given["max_pixels"]),
        allow_truncated=given["allow_truncated"] == "True",
        isolate=given["isolate"] == "True",
        timeout=float(given["timeout"]),
        crop_ratio=float(given["crop_ratio"]),
    )
