"""Messages that C libraries write to stderr."""

from __future__ import annotations

import faulthandler
import os
import sys


def hide_native_messages() -> None:
    """Keep what C libraries write to stderr off the terminal.

    TensorFlow prints lines that no setting of its own holds back. File descriptor 2 goes to the
    null device, and Python's stderr to a copy of the real one.
    """
    try:
        is_real = sys.stderr.fileno() == 2
    except (AttributeError, OSError, ValueError):
        is_real = False  # replaced by somebody, such as a test
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
    faulthandler.enable(sys.stderr)  # a crash of a decoder is still told
