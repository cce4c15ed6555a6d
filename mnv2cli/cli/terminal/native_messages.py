"""Messages that native libraries write to stderr."""

from __future__ import annotations

import faulthandler
import os
import sys


def hide_native_messages() -> None:
    """Hide what native libraries write to stderr, for the rest of the process.

    TensorFlow prints lines whatever its log level is. File descriptor 2 is redirected to the null
    device; Python's ``sys.stderr`` writes to a copy of the real one.
    """
    try:
        is_real = sys.stderr.fileno() == 2
    except (AttributeError, OSError, ValueError):
        is_real = False  # replaced, as in tests
    if not is_real:
        return
    sys.stderr.flush()
    real = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    sys.stderr = open(  # noqa: SIM115
        real, "w", buffering=1, encoding=sys.stderr.encoding, errors="replace", closefd=False
    )
    faulthandler.enable(sys.stderr)  # a crash must still be visible
