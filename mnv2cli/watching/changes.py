"""Changes in a folder as the system reports them, or as they are found by looking."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from queue import Empty, SimpleQueue
from types import TracebackType

_STEP, _LONGEST = 100, 400
"""Milliseconds: how long to collect changes that follow one another, and the longest such time."""

_TICK = 200
"""Milliseconds after which the thread says that it watches, even without changes."""

_POLL = 1000
"""Milliseconds between two looks at the folder."""

_START = 10.0
"""Seconds for which to wait until the system has begun to report changes."""


class Changes(AbstractContextManager["Changes"]):
    """Watches a folder in a thread.

    Args:
        path: The folder.
        recursive: Watch subfolders too.
        poll: Look for changes instead of waiting for the system to report them.

    Attributes:
        error: Why changes are no longer reported, as when the system allows no more watches; empty
            while they are.
        can_start: The error is the name of a file, which is not UTF-8: changes are reported again
            after :meth:`start`.
    """

    def __init__(self, path: str, *, recursive: bool = True, poll: bool = False) -> None:
        self.error = ""
        self.can_start = False
        self._path = path
        self._recursive = recursive
        self._poll = poll
        self._queue: SimpleQueue[list[str]] = SimpleQueue()
        self._stop = threading.Event()
        self._is_ready = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Changes:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start watching, also again after the folder was replaced; later changes are reported."""
        self.stop()
        self.error, self.can_start, self._stop = "", False, threading.Event()
        self._is_ready.clear()
        self._thread = threading.Thread(
            target=self._watch, args=(self._stop,), daemon=True, name="mnv2-watch"
        )
        self._thread.start()
        self._is_ready.wait(_START)

    def stop(self) -> None:
        """Stop watching."""
        self._stop.set()
        if self._thread:
            self._thread.join(5)
            self._thread = None

    def take(self, seconds: float) -> list[str]:
        """Return the paths that changed since the last call.

        Args:
            seconds: How long to wait for the first of them.
        """
        found: list[str] = []
        try:
            found += self._queue.get(timeout=seconds) if seconds > 0 else self._queue.get_nowait()
            while True:
                found += self._queue.get_nowait()
        except Empty:
            return found

    def _watch(self, stop: threading.Event) -> None:
        from watchfiles import watch

        try:
            for changes in watch(
                self._path,
                watch_filter=None,
                debounce=_LONGEST,
                step=_STEP,
                rust_timeout=_TICK,
                yield_on_timeout=True,
                stop_event=stop,
                raise_interrupt=False,
                force_polling=self._poll or None,
                poll_delay_ms=_POLL,
                recursive=self._recursive,
                ignore_permission_denied=True,
            ):
                self._is_ready.set()
                if changes:
                    self._queue.put([path for _, path in changes])
        except (OSError, RuntimeError, ValueError) as error:
            self.can_start = "decode path" in str(error)
            self.error = str(error) or type(error).__name__
            self._is_ready.set()
