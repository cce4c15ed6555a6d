"""Ctrl-C between two rows, never within one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Lets a piece of work be done whole before Ctrl-C ends the run.

    A second Ctrl-C ends it at once: what is done may wait for somebody, such as a pipe's reader.
    """

    def __init__(self) -> None:
        self._holding = False
        self._pending = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Take over Ctrl-C, if it has its usual meaning of KeyboardInterrupt."""
        if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            yield
            return
        signal.signal(signal.SIGINT, self._handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Put off a Ctrl-C to the end of the block."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
        if self._pending:
            self._pending = False
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._pending or not self._holding:
            raise KeyboardInterrupt
        self._pending = True
