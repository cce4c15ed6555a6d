"""What an interrupted run had announced: see how far that went, and finish it."""

from __future__ import annotations

import os

from mnv2cli.sorting.destination import is_unfinished
from mnv2cli.sorting.journal import JournalEntry
from mnv2cli.sorting.links import drop_link, is_link, is_same_link
from mnv2cli.sorting.run import DISK_FULL, Outcome, SortRun, open_run
from mnv2cli.sorting.targets import check_parents
from mnv2cli.sorting.transfer import FileChangedError, are_two, complete, drop, has, is_begun

_DID_NOT_HAPPEN = (FileExistsError, FileNotFoundError)


def finish(dest: str) -> Outcome:
    """Finish what an interrupted run had announced in a destination, if there is any.

    The run stays open: what is sorted next belongs to it, and is taken back with it.

    Raises:
        InputError: Its journal was not written here, or another run is at work.
    """
    dest = os.path.abspath(dest)
    if not is_unfinished(dest):
        return Outcome()
    with open_run(dest) as run:
        run.outcome.finished = len({entry.source for entry in settle(run, resume=True)})
    return run.outcome


def settle(run: SortRun, *, resume: bool) -> list[JournalEntry]:
    """See how far announced actions went, and write that into the journal.

    Args:
        run: The run, whose journal has them.
        resume: Do those that have not begun.

    Returns:
        Those that happened.
    """
    finished = []
    for entry in run.state.open:
        try:
            check_parents(run.dest, entry.target)
            happened = _finish(entry, run.target(entry))
            if resume and not happened:
                run.check_photo(entry.photo)
                run.execute(entry)
                happened = True
        except (OSError, ValueError, FileChangedError) as error:
            if isinstance(error, OSError) and error.errno in DISK_FULL:
                raise run.disk_full(error) from error
            run.fail(entry.source, error)
            happened = False
            if isinstance(error, OSError) and not isinstance(error, _DID_NOT_HAPPEN):
                continue  # it may be otherwise the next time
        if happened:
            finished.append(entry)
            run.state.done.add(entry.number)
            run.journal.append([{"done": [entry.number]}])
        else:
            run.state.void.add(entry.number)
            run.journal.append([{"void": entry.number, "why": "interrupted"}])
    return finished


def _finish(entry: JournalEntry, target: str) -> bool:
    """Return whether an action happened; a move that is between two names is finished."""
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
        # With the original in its place, it is somebody else's file; without, it is ours, and
        # somebody has changed it since: undo will say so, and keep it.
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
