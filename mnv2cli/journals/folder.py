"""The own folder of runs, ``.mnv2``: its name, its lock, and its creation."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mnv2cli.errors import InputError, OutputError
from mnv2cli.journals.running import reason_of

OWN_FOLDER = ".mnv2"
"""The folder beside the files of runs that holds their journals."""


def undo_command(dest: str) -> str:
    """Return the command line that undoes the last run into a destination."""
    end_of_options = ["--"] if dest.startswith("-") else []
    return shlex.join(["mnv2", "undo", *end_of_options, dest])


def names_in(folder: str) -> list[str]:
    """Return the sorted names in a folder; empty if it cannot be listed."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


@contextmanager
def locked(dest: str) -> Iterator[None]:
    """Keep other runs out of a destination.

    Raises:
        InputError: Another run is using it.
        OutputError: It cannot be written.
    """
    from filelock import FileLock, Timeout

    path = os.path.join(dest, OWN_FOLDER, "lock")
    if os.path.islink(os.path.dirname(path)) or os.path.islink(path):
        raise InputError(
            f"{path!r} is a symbolic link, or in a linked folder",
            "mnv2 never creates such a link: remove it.",
        )
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0.1, poll_interval=0.05)  # others may look whether it is used
    except Timeout as error:
        raise InputError(
            f"another mnv2 process is using {dest!r}", "Wait until it ends, then try again."
        ) from error
    except OSError as error:
        raise OutputError(f"cannot write to {dest!r}: {reason_of(error)}") from error
    try:
        yield
    finally:
        lock.release()


def prepare(dest: str) -> dict[str, Any]:
    """Create the destination; return its state before that, for the header of a journal."""
    own = os.path.join(dest, OWN_FOLDER)
    made = []
    folder = dest
    while not os.path.lexists(folder):
        made.append(folder)
        folder = os.path.dirname(folder)
    times: dict[str, list[int]] = {}
    try:
        if not os.path.isdir(folder):
            raise InputError(f"{folder!r} is a file, not a folder")
        if os.path.islink(own) or (os.path.lexists(own) and not os.path.isdir(own)):
            raise InputError(f"cannot keep the journal in {own!r}: it is not a folder")
        if not os.path.isdir(own):
            status = os.stat(folder)
            times[folder] = [status.st_atime_ns, status.st_mtime_ns]
        os.makedirs(own, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot write to {dest!r}: {reason_of(error)}",
            "Change its permissions, or name another destination with --into.",
        ) from error
    return {"dest": dest, "made_dest": made, "dest_times": times}
