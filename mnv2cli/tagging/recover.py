"""Finish an interrupted tag run: determine how far its announced changes went."""

from __future__ import annotations

import os
from contextlib import nullcontext

from mnv2cli.journals.opening import is_unfinished
from mnv2cli.journals.running import CriticalSection, ignore_progress
from mnv2cli.journals.tag_journal import ChangeEntry, read_tag_journal
from mnv2cli.tagging.run import TagOutcome, TagRun, open_run
from mnv2cli.tagging.writing import has, remove_temps

NEITHER = "is neither what it was nor what it was to become when the run was interrupted"
"""Why a file of an interrupted run stays as it is."""


def finish(root: str, critical_section: CriticalSection = nullcontext) -> TagOutcome:
    """Settle the announced changes of an interrupted run in a folder, if there is one.

    The run stays open: files tagged next belong to it, and are undone with it.

    Args:
        root: The folder.
        critical_section: Defers interruptions while one file is processed.

    Raises:
        InputError: The journal was not written here, or another run uses the folder.
        OutputError: The journal cannot be written.
    """
    root = os.path.abspath(root)
    if not is_unfinished(root, "tag", read_tag_journal):
        return TagOutcome()
    with open_run(root, (), ignore_progress, critical_section) as run:
        run.outcome.finished = settle(run)
    return run.outcome


def settle(run: TagRun, *, resume: bool = True) -> int:
    """Write into the journal which announced changes happened, and remove temporary files.

    A change that did not happen is void: the next run makes it anew.

    Args:
        run: The run, whose journal announces them.
        resume: More is to be tagged; else it is to be undone, which checks files again.

    Returns:
        The number of those that happened.
    """
    done: list[int] = []
    void: list[int] = []
    for entry in run.state.open:
        path = run.path(entry.path)
        with run.critical_section():
            try:
                run.check_inside(path)
                happened = _happened(entry, path)
            except (OSError, ValueError) as error:
                run.fail(path, error)
                continue  # it may succeed the next time
            (void if happened is False else done).append(entry.number)
            if happened is None and resume:
                run.fail(path, ValueError(NEITHER))
    if done or void:
        run.confirm([{"done": done}] if done else ())
        run.confirm({"void": number, "why": "interrupted"} for number in void)
    run.state.done.update(done)
    run.state.void.update(void)
    remove_temps(_inside(run, run.state.temps))
    return len(done)


def _happened(entry: ChangeEntry, path: str) -> bool | None:
    """Return whether a change happened; None if the file is neither what it was nor became."""
    if has(path, entry.after):
        return True
    if has(path, entry.before):
        return False
    if entry.how == "create" and os.lstat(path).st_size == 0:
        # After a power cut the content may not have been on disk yet.
        os.unlink(path)
        return False
    return None  # ours, and changed since, or another file: the undo will keep it


def _inside(run: TagRun, paths: list[str]) -> list[str]:
    found = []
    for below in paths:
        path = run.path(below)
        try:
            run.check_inside(path)
        except ValueError:
            continue
        found.append(path)
    return found
