"""A batch of images in the pipeline, which its worker may lose to another."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from mnv2cli.records import Record, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Decoded(NamedTuple):
    """A decoded image.

    Attributes:
        pixels: The network's input, uint8 [size, size, 3].
        thumbnail: A small WebP, if requested.
    """

    pixels: NDArray[np.uint8]
    thumbnail: bytes | None = None


Result = Decoded | str | Record
"""A decoded image, why it cannot be decoded, or its record if nothing is left to compute."""


class Batch:
    """A batch that a worker is decoding, and the results so far.

    Attributes:
        number: Its position in the run.
        sources: The images.
        results: One for each source so far.
        worker: The thread that decodes it. A thread that finds another thread here was abandoned.
        age: Seconds spent so far on the next image.
        lock: Held while any of these changes.
    """

    def __init__(self, number: int, sources: list[Source]) -> None:
        self.number = number
        self.sources = sources
        self.results: list[Result] = []
        self.worker: threading.Thread | None = None
        self.age = 0.0
        self.lock = threading.Lock()

    def add(self, result: Result) -> bool:
        """Add the result of the next image; return False in a worker that was abandoned."""
        with self.lock:
            if self.worker is not threading.current_thread():
                return False
            self.results.append(result)
            self.age = 0.0
            return True

    def set_age(self, seconds: float) -> None:
        """Set the age, unless the calling worker was abandoned."""
        with self.lock:
            if self.worker is threading.current_thread():
                self.age = seconds
