"""The times of folders in a run whose folder was renamed since: another may have its old name."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

from mnv2cli.system.files import is_within

Times = dict[str, tuple[int, int]]


class HasTimes(Protocol):
    """The state that a journal describes, with times (atime, mtime) of folders by their paths."""

    header: dict[str, Any]
    times: Times


def follow_rename(journal: str, state: HasTimes) -> None:
    """Let the times in a state be of the folders where they are now.

    Those of folders in the folder of the run are found under its new name. Those of folders above
    it at its old place are dropped: which folders these are now is not known.

    Args:
        journal: The path of the journal.
        state: What it describes; changed in place.
    """
    now = path_now(journal, state.header)
    if now is None:
        return
    state.times = {now(folder): times for folder, times in state.times.items()}
    old, root = str(state.header["dest"]), _root_of(journal)
    state.header["dest_times"] = {
        now(folder): times
        for folder, times in state.header.get("dest_times", {}).items()
        if is_within(folder, old) or is_within(folder, root)
    }


def path_now(journal: str, header: dict[str, Any]) -> Callable[[str], str] | None:
    """Return what turns the old paths of folders in a run into new ones; None if they are the same.

    Args:
        journal: The path of the journal.
        header: Its first line.
    """
    root = _root_of(journal)
    old = str(header.get("dest") or root)
    if root == old:
        return None
    try:
        if os.path.samefile(root, old):
            return None
    except OSError:
        pass  # nothing has the old name

    def now(path: str) -> str:
        if not is_within(path, old) or is_within(path, root):
            return path
        return os.path.join(root, path[len(old.rstrip(os.sep)) + 1 :]).rstrip(os.sep)

    return now


def _root_of(journal: str) -> str:
    return os.path.dirname(os.path.dirname(os.path.abspath(journal)))
