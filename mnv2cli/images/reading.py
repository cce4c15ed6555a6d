"""What those who decode in threads need of a reader of images."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from mnv2cli.images.renditions import Both

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Reader(Protocol):
    """Reads images, as :class:`mnv2cli.images.reader.ImageReader` does; called by all workers.

    Attributes:
        before_process: Called before an image is decoded in a process with its own time limit.
    """

    before_process: Callable[[], None]

    def submit(self, path: str) -> None:
        """Name an image that will be read later; raises InputError if it cannot be."""
        ...

    def wait(self, path: str) -> None:
        """Wait until an image can be decoded; raises ImageError."""
        ...

    def decode(self, path: str) -> NDArray[np.uint8]:
        """Return the network's input, uint8 [size, size, 3]; raises ImageError."""
        ...

    def decode_both(self, path: str) -> Both:
        """Return the network's input and a thumbnail of one decoding; raises ImageError."""
        ...

    def thumbnail(self, path: str) -> bytes:
        """Return the thumbnail of an image; raises ImageError."""
        ...

    def close(self) -> None:
        """Stop everything that workers are waiting for."""
        ...
