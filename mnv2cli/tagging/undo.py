"""Undo a tag run: give files back what they were, byte for byte, with their times."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass
from typing import Any

from mnv2cli.errors import OutputError
from mnv2cli.journals.file import Journal
from mnv2cli.journals.folder import undo_command
from mnv2cli.journals.removal import clean_up
from mnv2cli.journals.running import (
    CriticalSection,
    FileChangedError,
    Progress,
    ignore_progress,
    reason_of,
)
from mnv2cli.journals.tag_journal import ChangeEntry, TagState
from mnv2cli.journals.tree import locked_tree
from mnv2cli.journals.unfinished import unfinished_targets
from mnv2cli.system.files import NO_SPACE, sync_folder
from mnv2cli.tagging.apply import BATCH, BATCH_BYTES, PHOTO_BATCH
from mnv2cli.tagging.find_run import find_run
from mnv2cli.tagging.originals import Originals
from mnv2cli.tagging.places import Places
from mnv2cli.tagging.recover import settle
from mnv2cli.tagging.run import TagOutcome, TagRun, remove_originals, remove_run
from mnv2cli.tagging.writing import (
    Seen,
    has,
    keep_attributes,
    name_new,
    remove_temps,
    see,
    sync_files,
    temp_path,
    token_of,
    write_temp,
)

CHANGED = "has changed since it was tagged; mnv2 tag --remove removes only mnv2's keywords"
"""Why a file is not put back that somebody changed."""

GONE = "is gone"
"""Why a file is not put back that the user moved or removed."""

FORGOTTEN = "what it was before is not kept any more"
"""Why a file is not put back whose original was removed."""


@dataclass
class _Step:
    """What to do to undo one change.

    Attributes:
        entry: The change.
        path: The file, where it is now.
        why: Why the change cannot be undone; may be empty.
        nothing: It is undone already.
        temp: The temporary file with the content before; empty to remove the file.
        seen: The file as it was checked; None if there is none.
    """

    entry: ChangeEntry
    path: str
    why: str = ""
    nothing: bool = False
    temp: str = ""
    seen: Seen | None = None


def undo(
    path: str,
    progress: Progress = ignore_progress,
    *,
    trust: bool = False,
    critical_section: CriticalSection = nullcontext,
) -> tuple[TagOutcome, TagState]:
    """Undo the last tag run, or the run of a journal; finish an undo that was interrupted.

    Args:
        path: The folder of the run, or a journal in it.
        progress: Called with the number of files processed since the last call.
        trust: Follow a journal that was not written here.
        critical_section: Defers interruptions while one file is processed.

    Returns:
        The outcome, and the state of the journal.

    Raises:
        InputError: There is nothing to undo, or another run uses the folder.
        JournalError: The journal cannot be read.
        OutputError: A disk is full or cannot be written; running the undo again resumes it.
    """
    found = find_run(path, trust=trust)
    root, name = found.root, found.journal
    folders = {
        os.path.dirname(os.path.join(root, *entry.path.split("/"))) for entry in found.remaining
    }
    with locked_tree(root, folders):
        state = found.read_again()
        journal = Journal(name)
        try:
            run = TagRun(root, journal, state, progress, critical_section)
            run.outcome.finished = settle(run, resume=False)
            _Undoer(run, trust=trust).do()
            for folder, times in state.times.items():
                if not os.path.islink(folder):
                    sync_folder(folder)  # before what was kept is removed
                    with suppress(OSError):
                        os.utime(folder, ns=times)
            journal.append([{"tidied": True}])
            state.tidied = True
        finally:
            journal.close()
        if not state.kept and not run.outcome.failed:
            if state.is_needed():  # the undo of a sort asks what this run changed
                remove_originals(name)
            else:
                remove_run(root, name, state)
        clean_up(root, state.header)
    return run.outcome, state


class _Undoer:
    def __init__(self, run: TagRun, *, trust: bool) -> None:
        self._run = run
        self._token = token_of(run.journal.path)
        self._places = Places(run.root, run.state, trust=trust)
        self._originals: Originals | None = None
        self._left: set[str] = set()  # temporary files that may exist
        self._is_full = False  # the disk was full once
        self._unfinished: set[str] | None = None  # targets of killed sorts; None: not read yet

    def do(self) -> None:
        run = self._run
        if run.state.tidied or not run.state.undoing:
            run.journal.append([{"undoing": True}])
        run.state.undoing, run.state.tidied = True, False
        with ExitStack() as stack:
            with suppress(OSError):
                self._originals = stack.enter_context(Originals(run.journal.path))
            try:
                for batch in self._batches():
                    self._do_batch(batch)
            finally:
                run.confirm()

    def _batches(self) -> Iterator[list[ChangeEntry]]:
        """Return the changes to undo, the last first; no batch has two of one file."""
        batch: list[ChangeEntry] = []
        paths: set[str] = set()
        size = 0
        for entry in list(self._run.state.remaining):
            limit = PHOTO_BATCH if entry.is_photo else BATCH
            if batch and (len(batch) >= limit or size >= BATCH_BYTES or entry.path in paths):
                yield batch
                batch, paths, size = [], set(), 0
            batch.append(entry)
            paths.add(entry.path)
            size += entry.before.size if entry.before else 0
        if batch:
            yield batch

    def _do_batch(self, batch: list[ChangeEntry]) -> None:
        run = self._run
        places = {entry.number: list(self._places.of(entry)) for entry in batch}
        found = [place for entry in batch for place in places[entry.number]]
        folders = dict.fromkeys(map(os.path.dirname, found))
        lines = run.time_lines(folder for folder in folders if os.path.isdir(folder))
        begun = set(run.state.begun)
        new = [entry.number for entry in batch if entry.number not in begun]
        run.confirm([*lines, *({"undo": number} for number in new)])
        temps = [
            temp_path(place, self._token, entry.number)
            for entry in batch
            if entry.number in begun
            for place in places[entry.number]
        ]
        remove_temps(temps)  # of an undo that was killed
        try:
            steps: list[_Step] = []
            for entry in batch:
                arguments = entry, places[entry.number], entry.number in begun
                try:
                    steps.append(self._step(*arguments))
                except OutputError:  # the disk is full
                    if not steps:
                        raise
                    remove_temps(self._left - {step.temp for step in steps})
                    self._carry_out(steps)  # which frees what these files use now
                    self._is_full = True
                    steps = [self._step(*arguments)]
                if self._is_full:  # one file at a time requires the least space
                    self._carry_out(steps)
                    steps = []
            self._carry_out(steps)
        finally:
            remove_temps(self._left)
            self._left.clear()

    def _step(self, entry: ChangeEntry, places: list[str], was_begun: bool) -> _Step:
        """Find the file of a change, check it, and write its content before beside it."""
        path = self._run.path(entry.path)
        with self._run.critical_section():
            try:
                self._run.check_inside(path)
                self._finish_moves(places)
                step = self._found(entry, places, was_begun)
                if not (step.why or step.nothing or entry.how == "create"):
                    self._write_before(step)
            except FileChangedError:
                return _Step(entry, path, CHANGED)
            except (OSError, ValueError) as error:
                self._stop_if_full(error)
                return _Step(entry, path, reason_of(error))
        return step

    def _finish_moves(self, places: list[str]) -> None:
        """Remove the second name of a file whose sort was killed between its two names.

        A name that the user gave to a file is kept: no unfinished move leads to it.
        """
        there = [place for place in reversed(places) if os.path.lexists(place)]
        while len(there) > 1 and _is_second_name(*there[:2]):
            if self._unfinished is None:
                sorts = self._run.state.sorts
                self._unfinished = {place for sort in sorts for place in unfinished_targets(sort)}
            if not self._places.is_one_of(there[0], self._unfinished):
                return
            os.unlink(there.pop(0))

    def _found(self, entry: ChangeEntry, places: list[str], was_begun: bool) -> _Step:
        """Return where the file of a change is now, and whether it is what the run made it."""
        path = places[0]
        if entry.how == "delete":
            path = self._places.last(entry)
            if not os.path.lexists(path):
                return _Step(entry, path)
            if has(path, entry.before):
                return _Step(entry, path, nothing=True)
            return _Step(entry, path, "another file took its name")
        there = [place for place in reversed(places) if os.path.lexists(place)]
        if len(there) > 1 and _is_second_name(*there[:2]):
            return _Step(entry, there[0], f"is also at {there[1]!r}; one of the two can be removed")
        # What they are is noted before they are read, so that a later change is noticed.
        existing = {place: _see(place) for place in there}
        for state, nothing in ((entry.after, False), (entry.before, True)):
            for place, seen in existing.items():
                if state is not None and seen is not None and has(place, state):
                    return _Step(entry, place, nothing=nothing, seen=seen)
        if not existing:
            # An interrupted undo may have removed it; a finished one would have noted that.
            is_undone = entry.how == "create" and was_begun
            if is_undone and entry.number not in self._run.state.kept:
                return _Step(entry, path, nothing=True)
            return _Step(entry, path, GONE)
        place, seen = next(iter(existing.items()))
        if entry.how == "create" and seen is not None and seen.size == 0:
            return _Step(entry, place, seen=seen)  # after a power cut; nothing of anybody's
        return _Step(entry, place, CHANGED)

    def _write_before(self, step: _Step) -> None:
        """Write the content before a change into a temporary file, and check it."""
        entry, before = step.entry, step.entry.before
        assert before and entry.kept
        if self._originals is None:
            raise ValueError(FORGOTTEN)
        os.makedirs(os.path.dirname(step.path), exist_ok=True)
        temp = temp_path(step.path, self._token, entry.number)
        self._left.add(temp)
        blocks = self._originals.restored(entry.kept, before.size, step.path)
        if write_temp(temp, blocks, 0o600) != before.sha256:
            raise ValueError("what was kept of it is damaged")
        times = (before.atime, before.mtime)
        keep_attributes(step.path if step.seen else temp, temp, before.mode, times)
        step.temp = temp

    def _carry_out(self, steps: list[_Step]) -> None:
        run, state = self._run, self._run.state
        errors = sync_files([step.temp for step in steps if step.temp])
        undone: list[int] = []
        kept: list[dict[str, Any]] = []
        try:
            for step in steps:
                number = step.entry.number
                with run.critical_section():
                    why = step.why or self._put_back(step, errors.get(step.temp))
                    if why:
                        kept.append({"kept": number, "why": why})
                        state.kept[number] = why
                        run.outcome.failed.append((step.path, why))
                    else:
                        undone.append(number)
                        self._left.discard(step.temp)
                        state.undone.add(number)
                        state.kept.pop(number, None)
                        run.outcome.count(step.entry, back=True)
                    run.progress(1)
        finally:
            run.confirm_later([{"undone": undone}, *kept] if undone else kept)

    def _put_back(self, step: _Step, error: OSError | None) -> str:
        """Undo one change; return why it cannot be undone, or an empty string."""
        try:
            if error is not None:
                raise error
            if step.nothing:
                return ""
            if step.seen is None:
                name_new(step.temp, step.path)
                return ""
            step.seen.check(step.path)
            if step.temp:
                os.replace(step.temp, step.path)
            else:
                os.unlink(step.path)
        except FileChangedError:
            return CHANGED
        except (OSError, ValueError) as caught:
            self._stop_if_full(caught)
            return reason_of(caught)
        return ""

    def _stop_if_full(self, error: Exception) -> None:
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            raise OutputError(
                f"cannot put files back: {reason_of(error)}",
                f"No file is lost. Free some space, then run: {undo_command(self._run.root)}",
            ) from error


def _see(path: str) -> Seen | None:
    """Return what a path is; None if it is not a regular file."""
    try:
        return see(path)
    except ValueError:
        return None


def _is_second_name(path: str, other: str) -> bool:
    """Return whether two paths are two names of one file, of which one can be removed."""
    one, two = os.lstat(path), os.lstat(other)
    is_one = stat.S_ISREG(one.st_mode) and (one.st_dev, one.st_ino) == (two.st_dev, two.st_ino)
    real = [os.path.realpath(os.path.dirname(each)) for each in (path, other)]
    names = [os.path.basename(each) for each in (path, other)]
    return is_one and one.st_nlink > 1 and (real[0], names[0]) != (real[1], names[1])
