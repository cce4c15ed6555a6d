"""Keep routine messages of native libraries off standard error."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import RLock

_ROUTINE = re.compile(
    rb"INFO: Created TensorFlow Lite XNNPACK delegate"
    rb"|WARNING: All log messages before absl::InitializeLog\(\)"
    rb"|I\d{4} .*\b(?:port|cudart_stub|cpu_feature_guard|gpu_device)\.cc:\d+\]"
)
"""Starts of lines that TensorFlow and LiteRT write at any TF_CPP_MIN_LOG_LEVEL."""

_lock = RLock()


@contextmanager
def without_routine_messages() -> Iterator[None]:
    """Drop routine lines that TensorFlow and LiteRT write to file descriptor 2 in the block.

    Everything else written there, by any thread, appears at the end of the block, because the
    descriptor belongs to the process. Keep the block short: an import, or the first interpreter.
    Meanwhile the descriptor leads to a file, because a pipe could fill up and block its writer. If
    the process crashes in the block, what was written in it is lost.
    """
    import tempfile

    with ExitStack() as stack:
        stack.enter_context(_lock)
        try:
            real = os.dup(2)
            stack.callback(os.close, real)
            spool = stack.enter_context(tempfile.TemporaryFile())
        except OSError:  # stderr is closed, as by 2>&-, or the disk is full
            yield
            return
        os.dup2(spool.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(real, 2)
            spool.seek(0)
            for line in spool:
                if not _ROUTINE.match(line):
                    with suppress(OSError):
                        os.write(real, line)
