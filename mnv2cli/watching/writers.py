"""Find out whether a file is being written, where the system can tell cheaply."""

from __future__ import annotations

import errno
import os
import signal
import sys

_F_SETSIG = 10  # Linux; Python's fcntl module has no name for it


def is_being_written(path: str) -> bool:
    """Return whether a process has a file open for writing.

    On Linux, a read lease of the file is refused as long as there is a writer. It can be asked for
    by the owner of the file only, and not on every file system.

    Returns:
        False also if that is unknown.
    """
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        # A writer that comes while the lease is held makes the system send a signal: not SIGIO,
        # which would end this process, but one that is ignored unless it is handled.
        fcntl.fcntl(descriptor, _F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EWOULDBLOCK)
    finally:
        os.close(descriptor)
    return False
