"""Finish an interrupted run: determine how far its announced actions went, and complete them."""

from __future__ import annotations

import os
from contextlib import nullcontext

from mnv2cli.journals.opening import is_unfinished
from mnv2cli.journals.running import CriticalSection, FileChangedError
from mnv2cli.sorting.journal import JournalEntry
from mnv2cli.sorting.journal_reader import read_journal
from mnv2cli.sorting.links import drop_link, is_link, is_same_link
from mnv2cli.sorting.run import Outcome, SortRun, open_run
from mnv2cli.sorting.targets import check_parents
from mnv2cli.sorting.transfer import are_two, complete, drop, has, is_begun, is_empty_copy
from mnv2cli.system.files import NO_SPACE

_DID_NOT_HAPPEN = (FileExistsError, FileNotFoundError)


def finish(dest: str, critical_section: CriticalSection = nullcontext) -> Outcome:
    """Finish the announced actions of an interrupted run in a destination, if there is one.

    The run stays open: files sorted next belong to it, and are undone with it.

    Args:
        dest: The destination.
        critical_section: Defers interruptions while one file is processed.

    Raises:
        InputError: The journal was not written here, or another run uses the destination.
    """
    dest = os.path.abspath(dest)
    if not is_unfinished(dest, "sort", read_journal):
        return Outcome()
    with open_run(dest, critical_section=critical_section) as run:
        run.outcome.finished = len({entry.source for entry in settle(run, resume=True)})
    return run.outcome


def settle(run: SortRun, *, resume: bool) -> list[JournalEntry]:
    """Determine how far announced actions went, and write that into the journal.

    Args:
        run: The run, whose journal announces them.
        resume: Carry out actions that have not begun.

    Returns:
        The actions that happened.
    """
    finished = []
    if resume:
        run.tagged.note(run.state.open)
    for entry in run.state.open:
        with run.critical_section():
            if _settle_one(run, entry, resume=resume):
                finished.append(entry)
    return finished


def _settle_one(run: SortRun, entry: JournalEntry, *, resume: bool) -> bool:
    """Determine whether an announced action happened, and write that into the journal."""
    try:
        check_parents(run.dest, entry.target)
        happened = _finish(entry, run.target(entry))
        if resume and not happened:
            run.check_photo(entry.photo)
            run.execute(entry)
            happened = True
    except (OSError, ValueError, FileChangedError) as error:
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            raise run.disk_full(error) from error
        run.fail(entry.source, error)
        happened = False
        if isinstance(error, OSError) and not isinstance(error, _DID_NOT_HAPPEN):
            return False  # it may succeed the next time
    if happened:
        run.state.done.add(entry.number)
        run.journal.append([{"done": [entry.number]}])
    else:
        run.state.void.add(entry.number)
        run.journal.append([{"void": entry.number, "why": "interrupted"}])
    return happened


def _finish(entry: JournalEntry, target: str) -> bool:
    """Return whether an action happened; complete a move that stopped between two names."""
    source = entry.source
    if not os.path.lexists(target):
        return False
    if entry.text:  # a symbolic link, new or moved
        if not is_link(target, entry.text):
            return False
        if entry.link and is_link(source, entry.link) and not is_same_link(source, target):
            drop_link(entry, target)
        return True
    if entry.method == "hardlink":
        return os.path.exists(source) and os.path.samefile(source, target)
    original = source if entry.method == "move" else os.path.realpath(source)
    if not has(target, entry):
        if is_begun(target, original, entry):
            drop(target, original)
            return False
        if entry.method == "copy" and is_empty_copy(target, entry):
            os.unlink(target)  # whatever happened to the original since
            return False
        # If the original is in place, the target is not ours. If not, it is ours, and the user has
        # changed it since: undo reports and keeps it.
        return not has(original, entry)
    if not (has(original, entry) and are_two(original, target)):
        return True
    complete(original, target, entry)
    if entry.method == "move":
        try:
            drop(source, target)
        except OSError:
            drop(target, source)
            raise
    return True
