"""Undo a run: put files back where they were, and restore folders and times."""

from __future__ import annotations

import os
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from typing import Any

from mnv2cli.errors import InputError, OutputError
from mnv2cli.journals.file import Journal, journals, kind_of
from mnv2cli.journals.folder import OWN_FOLDER, locked, undo_command
from mnv2cli.journals.last_run import last_run
from mnv2cli.journals.removal import clean_up, pass_on_state
from mnv2cli.journals.running import (
    CriticalSection,
    FileChangedError,
    Progress,
    ignore_progress,
    reason_of,
)
from mnv2cli.sorting.apply import BATCH
from mnv2cli.sorting.journal import JournalEntry, JournalState
from mnv2cli.sorting.journal_reader import read_journal
from mnv2cli.sorting.links import is_link, is_same_link
from mnv2cli.sorting.recover import settle
from mnv2cli.sorting.run import Outcome, SortRun
from mnv2cli.sorting.targets import check_parents
from mnv2cli.sorting.transfer import are_two, complete, drop, has, is_begun, move
from mnv2cli.system.files import NO_SPACE

_CHANGED = "has changed since the sort"
GONE = "is gone"
"""Why a file cannot be undone that the user moved or removed."""


def find_journal(path: str) -> tuple[str, str]:
    """Return the destination and the journal for a folder or a journal named by the user.

    The journal is empty if there is none: a sort was killed before its first photo, or an undo
    after it had put the last file back.

    Raises:
        InputError: There is nothing to undo.
    """
    if not os.path.lexists(path):
        raise InputError(
            f"nothing to undo in {path!r}: it does not exist",
            "An undo also removes the folder if the sort created it.",
        )
    if os.path.isdir(path):
        dest = os.path.abspath(path)
        known = journals(dest)
        if not known and os.path.isdir(os.path.join(dest, OWN_FOLDER)):
            return dest, ""
        if not known:
            raise InputError(
                f"nothing to undo in {path!r}: it has no journal",
                "No photo was sorted into it, or every sort into it was undone.",
            )
        found = last_run(known, read_journal)
        return dest, found[0] if found else ""
    journal = os.path.abspath(path)
    folder, name = os.path.split(journal)
    if not os.path.isfile(journal) or os.path.basename(folder) != OWN_FOLDER:
        raise InputError(f"{path!r} is neither a folder nor a journal in DEST/{OWN_FOLDER}")
    if kind_of(name) != "sort":
        raise InputError(f"{path!r} is not the journal of a sort, which ends in .jsonl")
    return os.path.dirname(folder), journal


@dataclass(frozen=True)
class RunToUndo:
    """A run that can be undone.

    Attributes:
        dest: Its destination.
        journal: Its journal; empty if there is none, as in :func:`find_journal`.
        state: The state that the journal describes.
    """

    dest: str
    journal: str
    state: JournalState

    @property
    def remaining(self) -> list[int]:
        """Numbers of the actions still to be undone."""
        state = self.state
        existing = [
            entry.number
            for entry in state.open
            if os.path.lexists(os.path.join(self.dest, entry.target))
        ]
        return [n for n in [*state.done, *existing] if n not in state.undone]


def find_run(path: str, *, trust: bool = False) -> RunToUndo:
    """Return the run to undo for a folder or a journal named by the user.

    Raises:
        InputError: There is nothing to undo, or the journal was not written here and is not
            trusted.
        JournalError: The journal cannot be read.
    """
    dest, journal = find_journal(path)
    if not journal:
        return RunToUndo(dest, "", JournalState({"in_place": True}))
    state = read_journal(journal)
    if not (trust or state.header["in_place"]):
        raise InputError(
            f"the journal {journal} was copied or unpacked, not written here",
            "Undoing it would put files where it says. If you know where it comes from, check "
            "it with --dry-run -v, then add --trust.",
        )
    return RunToUndo(dest, journal, state)


def undo(
    path: str,
    progress: Progress = ignore_progress,
    *,
    trust: bool = False,
    critical_section: CriticalSection = nullcontext,
) -> tuple[Outcome, JournalState]:
    """Undo the last run, or the run of a journal; finish an undo that was interrupted.

    Args:
        path: The destination, or a journal in it.
        progress: Called with the number of files processed since the last call.
        trust: Follow a journal that was not written here.
        critical_section: Defers interruptions while one file is processed.

    Returns:
        The outcome, and the state of the journal.

    Raises:
        InputError: There is nothing to undo, or another run uses the destination.
        JournalError: The journal cannot be read.
        OutputError: A disk is full or cannot be written; running the undo again resumes it.
    """
    found = find_run(path, trust=trust)
    dest, name, state = found.dest, found.journal, found.state
    if not name:
        with locked(dest):
            clean_up(dest, state.header)
        return Outcome(), state
    with locked(dest):
        state = read_journal(name)
        journal = Journal(name)
        run = SortRun(dest, journal, state, progress, critical_section)
        try:
            run.outcome.finished = len(settle(run, resume=False))
            try:
                _undo_all(run)
            finally:
                run.confirm()
            _restore_folders(run)
            journal.append([{"tidied": True}])
            if not state.kept and not run.outcome.failed:
                pass_on_state(dest, name, state.header)
                with suppress(OSError):
                    os.unlink(name)
            _clean_up(run)
        finally:
            run.close()
    return run.outcome, state


def _undo_all(run: SortRun) -> None:
    state = run.state
    run.journal.append([{"undoing": True}])
    left = [
        state.entries[n]
        for n in sorted(state.done, reverse=True)
        if n not in state.undone and n in state.entries
    ]
    for start in range(0, len(left), BATCH):
        batch = left[start : start + BATCH]
        run.tagged.note_back(batch)
        run.confirm([{"undo": entry.number} for entry in batch])
        undone: list[int] = []
        kept: list[dict[str, Any]] = []
        try:
            for entry in batch:
                with run.critical_section():
                    why = _undo_one(run, entry)
                    if why:
                        kept.append({"kept": entry.number, "why": why})
                        state.kept[entry.number] = why
                        run.outcome.failed.append((run.target(entry), why))
                    else:
                        undone.append(entry.number)
                        state.undone.add(entry.number)
                        run.outcome.companions += bool(entry.photo)
                        state.kept.pop(entry.number, None)
                    run.progress(1)
        finally:
            run.outcome.done += len(undone)
            run.tagged.confirm()  # before it is noted that these files need no undo any more
            run.confirm_later([{"undone": undone}, *kept] if undone else kept)


def _undo_one(run: SortRun, entry: JournalEntry) -> str:
    """Undo one action; return why it cannot be undone, or an empty string."""
    target = run.target(entry)
    try:
        check_parents(run.dest, entry.target)
        was_begun = entry.number in run.state.begun
        if entry.method == "move":
            why = _move_back(run, entry, target, was_begun=was_begun)
        elif not os.path.lexists(target):
            # An interrupted undo may have removed it; a finished one would have noted that.
            was_removed = was_begun and entry.number not in run.state.kept
            why = "" if was_removed or run.tagged.is_removed(entry, target) else GONE
        else:
            why = _remove(run, entry, target)
        if not why:
            run.tagged.after_undo(entry)
        return why
    except FileChangedError:
        return _CHANGED
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            raise OutputError(
                f"cannot put files back: {reason_of(error)}",
                f"No photo is lost. Free some space, then run: {undo_command(run.dest)}",
            ) from error
        return reason_of(error)


def _remove(run: SortRun, entry: JournalEntry, target: str) -> str:
    """Remove a copy or a link, if its original still exists, or a tag run made and removed it."""
    if entry.method == "symlink":
        if not is_link(target, entry.text):
            return _CHANGED
        os.unlink(target)
        return ""
    original = os.path.realpath(entry.source)
    if not (has(target, entry) or run.tagged.current(entry, target)):
        return _CHANGED
    if run.tagged.is_removed(entry, original):
        os.unlink(target)
        return ""
    is_there = has(original, entry) or run.tagged.current(entry, original)
    if not (is_there and are_two(target, original)):
        return f"its original {entry.source} is gone or has changed"
    drop(target, original)
    return ""


def _move_back(run: SortRun, entry: JournalEntry, target: str, *, was_begun: bool) -> str:
    if entry.link:
        return _move_link_back(entry, target)
    source = entry.source
    if not os.path.lexists(target):
        is_back = has(source, entry) or run.tagged.current(entry, source)
        return "" if is_back or run.tagged.is_removed(entry, source) else GONE
    if not has(target, entry):
        tagged = run.tagged.current(entry, target)
        if tagged is None:
            return _CHANGED
        entry = tagged
    if os.path.lexists(source):
        if not are_two(source, target):
            return f"its old path {source} leads to this file"
        if has(source, entry):  # interrupted between two names
            complete(target, source, entry)
            drop(target, source)
            return ""
        if not (was_begun and is_begun(source, target, entry)):
            return f"another file is at its old path {source}"
        drop(source, target)
    os.makedirs(os.path.dirname(source), exist_ok=True)
    move(target, source, replace(entry, mtime=os.lstat(target).st_mtime_ns))
    os.utime(source, ns=(entry.atime, entry.mtime))
    return ""


def _move_link_back(entry: JournalEntry, target: str) -> str:
    if not os.path.lexists(target):
        return "" if is_link(entry.source, entry.link) else GONE
    if not is_link(target, entry.text):
        return _CHANGED
    if os.path.lexists(entry.source) and is_same_link(entry.source, target):
        return f"its old path {entry.source} leads to this file"
    if not is_link(entry.source, entry.link):
        if os.path.lexists(entry.source):
            return f"another file is at its old path {entry.source}"
        os.makedirs(os.path.dirname(entry.source), exist_ok=True)
        os.symlink(entry.link, entry.source)
    if os.utime in os.supports_follow_symlinks:
        os.utime(entry.source, ns=(entry.atime, entry.mtime), follow_symlinks=False)
    os.unlink(target)
    return ""


def _restore_folders(run: SortRun) -> None:
    """Remove folders that the run created if they are empty; restore the times of other folders."""
    for part in reversed(run.state.made):
        with suppress(OSError):
            os.rmdir(os.path.join(run.dest, *part.split("/")))
    run.tagged.read_all()
    run.tagged.pass_on_folders()
    for path, times in run.state.times.items():
        run.tagged.restored(path, times)
        with suppress(OSError):
            os.utime(path, ns=times)


def _clean_up(run: SortRun) -> None:
    """Remove the journals' folder, and the destination if the run created it, if they are empty."""
    header = run.state.header
    for path, times in header.get("dest_times", {}).items():
        run.tagged.restored(path, times)
    clean_up(run.dest, header)
    if not os.path.lexists(run.journal.path):
        run.tagged.release()
