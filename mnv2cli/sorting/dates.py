"""Read when photos were taken, for folders named after a year or a month."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mnv2cli.images.options import ImageOptions

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

    if not options.isolate:
        yield taken_at
        return
    from mnv2cli.images.isolated import IsolatedDecoders

    decoders = IsolatedDecoders(0, options)  # dates need no image size
    try:
        yield decoders.taken_at
    finally:
        decoders.close()
