"""The images to calibrate int8 on: a sample of the inputs, or the first images of a list."""

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
from mnv2cli.sources.urls import is_url
from mnv2cli.system.urls import redact

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.images.reader import ImageReader
    from mnv2cli.sources.options import Filters

_SAMPLED_FROM = 50_000
"""Images to sample from; listing more would take seconds."""


def sample(paths: Iterable[str], filters: Filters) -> list[str]:
    """Return an even, reproducible sample of the images in files, folders and globs.

    Reservoir sampling with a fixed seed (Vitter 1985, algorithm R).
    """
    random = Random(0)
    chosen: list[str] = []
    for i, source in enumerate(islice(Finder(paths, filters), _SAMPLED_FROM)):
        place = i if i < CALIBRATION_IMAGES else random.randrange(i + 1)
        if place < CALIBRATION_IMAGES:
            chosen[place : place + 1] = [source.path]
    return chosen


def calibration_key(paths: Iterable[str], folder: str, images: str) -> str:
    """Return a key that identifies calibration images: 64 hexadecimal digits.

    A compiled int8 model is used only with the images it was calibrated on. Otherwise its scores
    would be worse and would depend on which folder was classified first.

    Args:
        paths: The images.
        folder: The folder that relative paths start from.
        images: The key of the options for decoding them.
    """
    key = sha256(images.encode())
    for path in paths:  # names, sizes and times only: this happens in every run
        if is_url(path):  # name only: a request per image would take long
            key.update(os.fsencode(f"{redact(path)}\0"))
            continue
        with suppress(OSError, ValueError):
            status = os.stat(path)
            name = os.path.relpath(path, folder)
            key.update(os.fsencode(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0"))
    return key.hexdigest()


def decode_all(paths: Iterable[str], reader: ImageReader, size: int) -> NDArray[np.uint8]:
    """Decode images, without the unreadable ones, to uint8 [n, size, size, 3]."""
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
    """Sources that can be read only once, with access to the first of them as a sample.

    Args:
        sources: The images.
        notice: Called before waiting for the sample.
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
        """Return the paths of the first images, already yielded or not; wait for them."""
        self._notice(
            f"Waiting for the first {CALIBRATION_IMAGES} images of the list to calibrate int8 on; "
            "to start at once, use --calibrate DIR."
        )
        with suppress(StopIteration):
            while len(self._first) < CALIBRATION_IMAGES:
                self._ahead.append(self._read())
        return self._first
