"""What every run that changes files shares: its callbacks, and why a file was not changed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from mnv2cli.system.messages import reason

Progress = Callable[[int], None]
"""Called with the number of files processed since the last call."""

CriticalSection = Callable[[], AbstractContextManager[None]]
"""Returns a context in which one file is processed as a whole, and Ctrl-C waits."""


def ignore_progress(count: int) -> None:
    """Ignore progress."""


class FileChangedError(Exception):
    """A file has changed since its action was planned."""


def reason_of(error: Exception) -> str:
    """Return why a file was not processed, for messages."""
    if isinstance(error, FileChangedError):
        return "changed while mnv2 was running"
    if isinstance(error, FileExistsError):
        return "another file took its new name while mnv2 was running"
    if isinstance(error, OSError):
        return reason(error)
    return str(error)
