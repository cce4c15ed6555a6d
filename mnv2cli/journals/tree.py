"""Keep other runs out of a folder, and out of the folders above and below it.

Two runs can work on the same files with their journals in different folders, one below the other.
Each takes its lock first and then looks at the others, so of two runs that start
at the same time at least one sees the other.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from mnv2cli.errors import InputError
from mnv2cli.journals.folder import OWN_FOLDER, locked

_LOOK = 0.1  # seconds; to look takes less than a millisecond


@contextmanager
def locked_tree(root: str, folders: Iterable[str]) -> Iterator[None]:
    """Keep other runs out of a folder.

    Args:
        root: The folder, which has an own folder for its journals.
        folders: Folders below it whose files the run changes.

    Raises:
        InputError: Another run is using it, a folder above it, or one of the folders below it.
        OutputError: It cannot be written.
    """
    with locked(root):
        check_unused(root, folders)
        yield


def check_unused(root: str, folders: Iterable[str] = ()) -> None:
    """Check that no run uses a folder above another, or a folder of its files below it.

    Args:
        root: The folder; whether a run uses it is not checked.
        folders: Folders below it whose files a run changes.

    Raises:
        InputError: A run uses one of them.
    """
    real = os.path.realpath(root)
    seen = {real}
    for start in (os.path.dirname(real), *map(os.path.realpath, sorted(set(folders)))):
        folder = start
        while folder not in seen:
            seen.add(folder)
            if _is_used(folder):
                raise InputError(
                    f"another mnv2 process is using {folder!r}",
                    "Wait until it ends, then try again.",
                )
            folder = os.path.dirname(folder)


def _is_used(folder: str) -> bool:
    """Return whether a run holds the lock of a folder; False if that cannot be determined."""
    path = os.path.join(folder, OWN_FOLDER, "lock")
    if not os.path.isfile(path) or os.path.islink(path):
        return False
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        # Another run that only looks, as this one, holds it for a moment.
        lock.acquire(timeout=_LOOK, poll_interval=_LOOK / 2)
    except Timeout:
        return True
    except OSError:  # it belongs to somebody else
        return False
    lock.release()
    return False
