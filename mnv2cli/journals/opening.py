"""Open the journal of a run: that of an interrupted run, or a new one."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from mnv2cli.errors import InputError
from mnv2cli.journals.file import Journal, Kind, journals, new_journal
from mnv2cli.journals.folder import undo_command
from mnv2cli.journals.run_state import RunState

State = TypeVar("State", bound=RunState)


def open_journal(
    folder: str, kind: Kind, header: dict[str, Any], read: Callable[[str], State]
) -> tuple[Journal, State]:
    """Open the journal of an interrupted run, or start a new journal.

    Args:
        folder: The folder of the run.
        kind: What the journal is of.
        header: The fields of the first line of a new journal.
        read: Returns the state that a journal describes.

    Raises:
        InputError: An interrupted undo must be finished first, or the journal of an interrupted
            run was not written here.
        JournalError: The last journal cannot be read.
        OutputError: A new journal cannot be written.
    """
    if known := journals(folder, kind):
        state = read(known[-1])
        if state.is_half_undone:
            raise InputError(
                f"undoing an earlier run in {folder!r} was interrupted",
                f"Finish that first: {undo_command(folder)}",
            )
        if state.is_unfinished:
            if not state.header["in_place"]:
                raise InputError(
                    f"an interrupted run in {folder!r} left a journal that was not written here",
                    f"If you know where it comes from, undo it: {undo_command(folder)} --trust. "
                    f"Otherwise remove {known[-1]}.",
                )
            return Journal(known[-1]), state
    path = new_journal(folder, kind)
    journal = Journal(path, header)
    return journal, read(path)


def is_unfinished(folder: str, kind: Kind, read: Callable[[str], RunState]) -> bool:
    """Return whether the last run of a kind in a folder was interrupted."""
    known = journals(os.path.abspath(folder), kind)
    return bool(known) and read(known[-1]).is_unfinished
