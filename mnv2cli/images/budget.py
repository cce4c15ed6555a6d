"""The memory for decoding: large images take turns, small ones never wait.

Each worker decodes one image at a time, so a run over photos of 200 megapixels would need as many
gigabytes as there are workers, or more. Here an image waits until its estimate fits into what the
others leave free. One that is larger than the whole budget is decoded alone. More workers than
cores decode no faster, so no more large images than cores are decoded at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING

from mnv2cli.system.hardware import memory, usable_cores

if TYPE_CHECKING:
    from PIL.Image import Image

    from mnv2cli.images.formats import ImageFormat

SMALL = 64 << 20
"""Estimates below this, in bytes, are not counted: 8 megapixels in most formats."""

LEAST_TOTAL = 1 << 30
SHARE = 8
"""The budget is this fraction of the memory of the machine, but at least :data:`LEAST_TOTAL`."""

_STEP = 0.5  # seconds

Hold = Callable[[int, float], AbstractContextManager[None]]
"""Reserves bytes while its block runs; see :meth:`MemoryBudget.hold`."""


_MODES = {"I": 24, "F": 24, "I;16": 16, "LAB": 12, "CMYK": 12, "P": 12, "PA": 16, "LA": 12}
"""Bytes per pixel at most, by Pillow's mode, where conversion takes more than decoding."""

COEFFICIENT_BYTES = 2
"""Bytes of each colour of each pixel of a JPEG in several scans, such as a progressive one: all its
coefficients are in memory at full size."""

_TRANSPARENT = 13
"""Bytes per pixel at most where one colour is transparent: the image becomes RGBA."""

BYTES_PER_PIXEL = "bytes per pixel"
"""The key in ``image.info`` of what a decoder takes at most, if that depends on the image."""


def memory_for(image: Image, image_format: ImageFormat, pixels: int) -> int:
    """Return the bytes that decoding and converting an image take at most, as measured.

    Args:
        image: Not yet loaded; a draft has the size that it will be decoded at.
        image_format: Its format.
        pixels: Width times height at full size.
    """
    width, height = image.size
    each: int = max(
        image_format.memory,
        _MODES.get(image.mode, 0),
        _TRANSPARENT * ("transparency" in image.info),
        image.info.get(BYTES_PER_PIXEL, 0),
    )
    coefficients = COEFFICIENT_BYTES * len(image.getbands()) * ("progressive" in image.info)
    return width * height * each + pixels * coefficients


@dataclass(eq=False)
class _Share:
    """Memory of an image that is being decoded, until ``end`` at the latest."""

    size: int
    end: float


class MemoryBudget:
    """Memory that threads share, first come, first served.

    Args:
        total: Bytes; None for a share of the machine's memory.
        at_once: Images at once; None for the number of cores.
    """

    def __init__(self, total: int | None = None, at_once: int | None = None) -> None:
        self._given = total
        self._given_at_once = at_once
        self._changed = threading.Condition()
        self._waiting: deque[threading.Thread] = deque()
        self._shares: set[_Share] = set()

    @cached_property
    def total(self) -> int:
        """The budget in bytes."""
        return self._given or max(LEAST_TOTAL, memory() // SHARE)

    @cached_property
    def at_once(self) -> int:
        """How many images may hold memory at the same time."""
        return self._given_at_once or max(2, usable_cores())

    @contextmanager
    def hold(self, size: int, limit: float = 0.0) -> Iterator[None]:
        """Wait until ``size`` bytes are free, and reserve them while the block runs.

        Args:
            size: Bytes; below :data:`SMALL` nothing is reserved.
            limit: Seconds after which the memory counts as free again; 0 for no limit. A thread
                that exceeds the limit of seconds for an image is abandoned, and may never end.
        """
        if size < SMALL:
            yield
            return
        share = self._reserve(size, limit)
        try:
            yield
        finally:
            with self._changed:
                self._shares.discard(share)
                self._changed.notify_all()

    def is_waiting(self, thread: threading.Thread | None) -> bool:
        """Return whether a thread is waiting for memory."""
        return thread in self._waiting

    def _reserve(self, size: int, limit: float) -> _Share:
        own = threading.current_thread()
        with self._changed:
            self._waiting.append(own)
            try:
                while not (self._waiting[0] is own and self._fits(size)):
                    self._changed.wait(_STEP)
            finally:
                self._waiting.remove(own)
                self._changed.notify_all()
            share = _Share(size, monotonic() + limit if limit else float("inf"))
            self._shares.add(share)
        return share

    def _fits(self, size: int) -> bool:
        now = monotonic()
        others = [share.size for share in self._shares if share.end > now]
        return not others or (len(others) < self.at_once and sum(others) + size <= self.total)


DECODING = MemoryBudget()
"""The budget of this process and its isolated decoders."""
