"""Read when photos were taken, for folders named after a year or a month."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mnv2cli.images import raw_reader
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.unsupported import RawPhotoError

ReadDate = Callable[[str], str]
"""Returns when a photo was taken, starting with ``YYYY:MM:DD``; empty if unknown."""


def no_date(path: str) -> str:
    """Return an empty date: unknown."""
    return ""


@contextmanager
def date_reader(options: ImageOptions) -> Iterator[ReadDate]:
    """Yield a function that reads dates, in a separate process if images are decoded in one.

    Args:
        options: How images are read.
    """
    from mnv2cli.images.exif import taken_at
    from mnv2cli.images.isolated import IsolatedDecoders

    decoders = IsolatedDecoders(0, options)  # dates need no image size

    def read(path: str) -> str:
        try:
            return taken_at(path)
        except RawPhotoError:  # a structure that a library reads, in a process that it may crash
            return decoders.taken_at(path) if raw_reader.is_available() else ""

    try:
        yield decoders.taken_at if options.isolate else read
    finally:
        decoders.close()
