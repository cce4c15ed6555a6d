"""When photos were taken, for folders named after a year or a month."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mnv2cli.images.options import ImageOptions

ReadDate = Callable[[str], str]
"""Returns when a photo was taken, as ``YYYY:MM:DD`` and perhaps more, or nothing."""


def no_date(path: str) -> str:
    """Return that the date is not known."""
    return ""


@contextmanager
def date_reader(options: ImageOptions) -> Iterator[ReadDate]:
    """Read the dates of photos, in a separate process if images are decoded in one.

    Args:
        options: How images are read.
    """
    from mnv2cli.images.exif import taken_at

    if not options.isolate:
        yield taken_at
        return
    from mnv2cli.images.isolated import IsolatedDecoders

    decoders = IsolatedDecoders(0, options)  # dates have no size
    try:
        yield decoders.taken_at
    finally:
        decoders.close()
