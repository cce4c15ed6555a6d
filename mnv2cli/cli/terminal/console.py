"""The terminal: rich's console, and other programs that use the terminal."""

from __future__ import annotations

import os
import stat
import sys

from rich.console import Console


class PlainConsole(Console):
    """A console that raises BrokenPipeError for a closed pipe; rich would exit the process."""

    def on_broken_pipe(self) -> None:
        """Leave the decision to the command line."""
        raise BrokenPipeError


def is_stdout_stored() -> bool:
    """Return whether standard output is a regular file or the null device: nothing appears."""
    try:
        status = os.fstat(sys.stdout.fileno())
        if stat.S_ISREG(status.st_mode):
            return True
        null = os.stat(os.devnull)
        return stat.S_ISCHR(status.st_mode) and status.st_rdev == null.st_rdev
    except (AttributeError, OSError, ValueError):  # closed, or replaced as in tests
        return False


def has_pager() -> bool:
    """Return whether a pager such as ``less`` controls the terminal of standard error.

    A pager reads single keys, so it switches the terminal out of its line mode.
    """
    try:
        import termios
    except ImportError:  # Windows
        return False
    try:
        modes: int = termios.tcgetattr(sys.stderr.fileno())[3]
    except (AttributeError, OSError, ValueError, termios.error):  # not a terminal
        return False
    return not modes & termios.ICANON
