"""Remove what runs left in a folder once they are undone: journals, and folders they created."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from mnv2cli.journals.file import Journal, all_journals
from mnv2cli.journals.folder import OWN_FOLDER, names_in
from mnv2cli.system.files import is_within


def pass_on_state(folder: str, name: str, header: dict[str, Any]) -> None:
    """Copy the state before the first run to another journal, if only this journal has it.

    Args:
        folder: The folder of the runs.
        name: The journal that is about to be removed.
        header: Its first line.
    """
    known = {
        "made_dest": header.get("made_dest", []),
        "dest_times": header.get("dest_times", {}),
    }
    others = [journal for journal in all_journals(folder) if journal != name]
    if others and any(known.values()):
        inherit(others[0], known)


def inherit(journal: str, known: dict[str, Any]) -> None:
    """Let a journal know what was before the first run, for the one that is undone last.

    Raises:
        OutputError: The journal cannot be written.
    """
    other = Journal(journal)
    try:
        other.append([{"inherit": known}])
    finally:
        other.close()


def clean_up(folder: str, header: dict[str, Any]) -> None:
    """Remove the own folder if it has no journal, and the folders that the first run created.

    Args:
        folder: The folder of the runs.
        header: The first line of the journal that was removed last.
    """
    own = os.path.join(folder, OWN_FOLDER)
    if all_journals(folder):
        return
    for name in names_in(own):
        if name == "lock" or name.endswith((".new", ".originals")):
            with suppress(OSError):
                os.unlink(os.path.join(own, name))
    with suppress(OSError):
        os.rmdir(own)
        for made in header.get("made_dest", ()):
            if is_within(folder, str(made)):
                os.rmdir(made)
    for path, times in header.get("dest_times", {}).items():
        if os.path.isdir(path) and not os.path.lexists(own):
            with suppress(OSError, ValueError, TypeError):
                os.utime(path, ns=(int(times[0]), int(times[1])))
