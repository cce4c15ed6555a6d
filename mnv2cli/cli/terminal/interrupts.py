"""Ctrl-C and SIGTERM between two rows, never within one."""

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


class Terminated(KeyboardInterrupt):
    """SIGTERM: the same as Ctrl-C, but for the exit code."""


def exit_code(error: KeyboardInterrupt) -> ExitCode:
    """Return the exit code of a run that was interrupted so."""
    return ExitCode.TERMINATED if isinstance(error, Terminated) else ExitCode.INTERRUPTED


def raise_interrupt(number: int, frame: FrameType | None = None) -> None:
    """Raise what stands for a signal; a handler of signals."""
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


class Interrupts:
    """Lets a piece of work be done whole before Ctrl-C or SIGTERM ends the run.

    A second one ends it at once: what is done may wait for somebody, such as a pipe's reader.

    Attributes:
        stop_requested: Set by the first signal in :meth:`graceful_stop`.
    """

    def __init__(self) -> None:
        self._deferring = False
        self._pending = 0
        self.stop_requested = Event()

    @contextmanager
    def handling(self) -> Iterator[None]:
        """Take over both signals, where they have their usual meaning; they end the block."""
        with _installed(self._handle):
            yield

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Put off a signal to the end of the block."""
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
        """Let the first signal only ask for an end, at which what is in hand is done.

        The block goes through, and ends with what stands for the signal.
        """
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
        # Python's own streams may be in the middle of a line; the system's are not.
        with suppress(OSError, ValueError):
            if sys.stderr.isatty():
                text = "\nFinishing what is in hand; Ctrl-C again stops at once.\n"
                os.write(sys.stderr.fileno(), text.encode())


@contextmanager
def _installed(handler: signal._HANDLER) -> Iterator[None]:
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        # Ignored signals, as of a job in the background, stay ignored.
        if signal.getsignal(number) in (*_USUAL, raise_interrupt):
            before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
