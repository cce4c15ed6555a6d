"""The images that int8 is calibrated on: an even sample of the inputs, or the first of a list."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

from mnv2cli.engines.calibration import CALIBRATION_IMAGES
from mnv2cli.errors import ImageError
from mnv2cli.events import Notice
from mnv2cli.records import Source
from mnv2cli.sources.finder import Finder
from mnv2cli.sources.urls import is_url, redact

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.images.reader import ImageReader
    from mnv2cli.sources.options import Filters

_SAMPLED_FROM = 50_000
"""A sample is taken from so many images at most: naming more takes seconds."""


def sample(paths: Iterable[str], filters: Filters) -> list[str]:
    """Return an even sample of the images of files, folders and globs, the same each time."""
    random = Random(0)
    chosen: list[str] = []
    for i, source in enumerate(islice(Finder(paths, filters), _SAMPLED_FROM)):
        place = i if i < CALIBRATION_IMAGES else random.randrange(i + 1)
        if place < CALIBRATION_IMAGES:
            chosen[place : place + 1] = [source.path]
    return chosen


def calibration_key(paths: Iterable[str], folder: str, images: str) -> str:
    """Return what identifies these calibration images: 64 hexadecimal digits.

    A model is keyed by the very photos: one calibrated on others would score these worse, and
    results would depend on which folder happened to come first.

    Args:
        paths: The images.
        folder: What their names are relative to.
        images: How they are decoded.
    """
    key = sha256(images.encode())
    for path in paths:  # cheap, for it is done in every run
        if is_url(path):  # asking each store would take long: the name must do
            key.update(os.fsencode(f"{redact(path)}\0"))
            continue
        with suppress(OSError, ValueError):
            status = os.stat(path)
            name = os.path.relpath(path, folder)
            key.update(os.fsencode(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0"))
    return key.hexdigest()


def decode_all(paths: Iterable[str], reader: ImageReader, size: int) -> NDArray[np.uint8]:
    """Decode those of some images that can be, uint8 [n, size, size, 3]."""
    import numpy as np

    decoded = [np.empty((0, size, size, 3), np.uint8)]
    paths = list(paths)
    for path in paths:
        reader.submit(path)
    for path in paths:
        with suppress(ImageError):
            decoded.append(reader.decode(path)[None])
    return np.concatenate(decoded)


class ReadAhead(Iterator[Source]):
    """Sources that can be read only once, and the first of them for a sample.

    Args:
        sources: The images.
        notice: Called when the sample is waited for.
    """

    def __init__(self, sources: Iterator[Source], notice: Notice) -> None:
        self._sources = sources
        self._notice = notice
        self._ahead: deque[Source] = deque()
        self._first: list[str] = []

    def __next__(self) -> Source:
        return self._ahead.popleft() if self._ahead else self._read()

    def _read(self) -> Source:
        source = next(self._sources)
        if len(self._first) < CALIBRATION_IMAGES:
            self._first.append(source.path)
        return source

    def paths(self) -> list[str]:
        """Return the paths of the first images, whoever does them; no more are read for it."""
        self._notice(
            f"int8: reading the list for up to {CALIBRATION_IMAGES} images to calibrate on; "
            "--calibrate DIR does not wait."
        )
        with suppress(StopIteration):
            while len(self._first) < CALIBRATION_IMAGES:
                self._ahead.append(self._read())
        return self._first
