"""Ctrl-C and SIGTERM take effect between two rows, never within one."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event
from types import FrameType

from mnv2cli.errors import ExitCode

_USUAL = (signal.default_int_handler, signal.SIG_DFL)
_STOPPING = "Finishing current images; press Ctrl-C again to stop now."
_CLEAR_LINE = "\r\x1b[K"  # the terminal has echoed ^C after the bar, or on the next line


class Terminated(KeyboardInterrupt):
    """SIGTERM: like Ctrl-C, with another exit code."""


def exit_code(error: KeyboardInterrupt) -> ExitCode:
    """Return the exit code for an interrupt."""
    return ExitCode.TERMINATED if isinstance(error, Terminated) else ExitCode.INTERRUPTED


def raise_interrupt(number: int, frame: FrameType | None = None) -> None:
    """Raise the exception for a signal; usable as a signal handler."""
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


class Interrupts:
    """Delay Ctrl-C and SIGTERM until a unit of work is complete.

    A second signal interrupts immediately, because the work may be blocked, for example by the
    reader of a pipe.

    Attributes:
        stop_requested: Set by the first signal within :meth:`graceful_stop`.
    """

    def __init__(self) -> None:
        self._deferring = False
        self._pending = 0
        self.stop_requested = Event()

    @contextmanager
    def handling(self) -> Iterator[None]:
        """Handle both signals in the block, unless other handlers are installed."""
        with _installed(self._handle):
            yield

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Defer a signal to the end of the block."""
        self._deferring = True
        try:
            yield
        finally:
            self._deferring = False
        if self._pending:
            number, self._pending = self._pending, 0
            raise_interrupt(number)

    @contextmanager
    def graceful_stop(self) -> Iterator[None]:
        """Set :attr:`stop_requested` at the first signal, and raise it at the end of the block."""
        with _installed(self._ask):
            yield
            if self.stop_requested.is_set():
                raise_interrupt(self._pending)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._pending or not self._deferring:
            raise_interrupt(number)
        self._pending = number

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.stop_requested.is_set():
            raise_interrupt(number)
        self._pending = number
        self.stop_requested.set()
        # A handler may run while sys.stderr writes a line; the file descriptor is always usable.
        with suppress(OSError, ValueError):
            if sys.stderr.isatty():
                os.write(sys.stderr.fileno(), f"{_CLEAR_LINE}{_STOPPING}\n".encode())


@contextmanager
def _installed(handler: signal._HANDLER) -> Iterator[None]:
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        # Leave ignored signals alone, such as those of a background job.
        if signal.getsignal(number) in (*_USUAL, raise_interrupt):
            before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
