"""Apply a plan; no file is ever lost.

Three rules hold everywhere. Nothing is overwritten: a file gets its name by a link or an exclusive
creation, and both fail if the name is taken. Nothing is removed before its content is known to be
elsewhere: same size, same SHA-256, on disk. Every action is in the journal before it happens.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import Any

from mnv2cli.journals.opening import is_unfinished
from mnv2cli.journals.running import (
    CriticalSection,
    FileChangedError,
    Progress,
    ignore_progress,
    reason_of,
)
from mnv2cli.sorting.actions import Action, Plan
from mnv2cli.sorting.journal import JournalEntry, line_of
from mnv2cli.sorting.journal_reader import read_journal
from mnv2cli.sorting.links import link_text
from mnv2cli.sorting.recover import settle
from mnv2cli.sorting.run import Outcome, SortRun, open_run
from mnv2cli.sorting.targets import check_parents
from mnv2cli.system.files import NO_SPACE, content_digest, read_unnoticed

BATCH, BATCH_BYTES = 1024, 256 << 20
"""Number and bytes of the files that are announced, processed and confirmed together."""

_KEPT_IN_MEMORY = 64 << 10  # bytes; smaller files stay in memory after hashing, for the copy


def apply(
    plan: Plan,
    progress: Progress = ignore_progress,
    critical_section: CriticalSection = nullcontext,
) -> Outcome:
    """Apply a plan, after finishing an interrupted run.

    Args:
        plan: The plan.
        progress: Called with the number of files processed since the last call.
        critical_section: Defers interruptions while one file is processed.

    Returns:
        The outcome; files that failed stayed where they were.

    Raises:
        InputError: Another run uses the destination, or an interrupted undo must be finished first.
        OutputError: The destination cannot be written, or its disk is full. No photo is lost, and
            another run resumes this one.
    """
    if not plan.work and not is_unfinished(plan.dest, "sort", read_journal):
        return Outcome()
    with open_run(plan.dest, progress, critical_section) as run:
        settled = {entry.source for entry in settle(run, resume=True)}
        run.outcome.finished = len(settled)
        work = [a for a in plan.work if os.path.abspath(a.source) not in settled]
        if work:
            run.journal.append([{"begin": time.time()}])
            try:
                Applier(run).do(work)
            finally:
                run.confirm()
        run.journal.append([{"end": True}])
    return run.outcome


class Applier:
    """Announce the actions of a plan in batches, and carry them out.

    Args:
        run: The run that they belong to.
        on_done: Called with each action that happened.
    """

    def __init__(
        self, run: SortRun, on_done: Callable[[JournalEntry], object] | None = None
    ) -> None:
        self._run = run
        self._on_done = on_done
        state = run.state
        self._number = max(state.entries, default=0)
        self._announced: set[str] = set()  # folders whose creation or times are in the journal
        self._timed: set[str] = set(state.times) | set(state.header.get("dest_times", ()))
        self._contents: dict[int, bytes] = {}  # of the small files of a batch

    def renew(self) -> None:
        """Prepare for further actions after a while, in which folders may have been removed."""
        self._announced.clear()

    def do(self, actions: list[Action]) -> None:
        """Carry out actions.

        Raises:
            OutputError: The disk is full, or the journal cannot be written.
        """
        batch: list[JournalEntry] = []
        lines: list[dict[str, Any]] = []
        size = 0
        # Folder by folder: faster on disks.
        for shot in _shots(sorted(actions, key=lambda action: action.folder)):
            # A photo and its companions are announced together, so an interruption cannot
            # separate them.
            if len(batch) >= BATCH or size >= BATCH_BYTES:
                self._do_batch(batch, lines)
                batch, lines, size = [], [], 0
            for entry in self._entries(shot):
                try:
                    self._run.check_photo(entry.photo)
                    lines += self._folder_lines(entry)
                except (OSError, ValueError) as error:
                    self._run.fail(entry.source, error)
                    continue
                lines.append(line_of(entry))
                batch.append(entry)
                size += entry.size
        self._do_batch(batch, lines)

    def _entries(self, shot: list[Action]) -> list[JournalEntry]:
        """Return the entries of a shot; none if a file of it cannot be read: it stays whole."""
        entries = []
        for action in shot:
            try:
                self._run.check_photo(os.path.abspath(action.photo) if action.photo else "")
                entries.append(self._entry(action))
            except (OSError, ValueError) as error:
                self._run.fail(action.source, error)
                if isinstance(error, FileNotFoundError) and action.photo:
                    continue  # a companion is gone: nothing to wait for
                for entry in entries:
                    self._contents.pop(entry.number, None)
                name = "its photo" if not action.photo else os.path.basename(action.source)
                for other in shot:
                    if other is not action:
                        self._run.fail(other.source, ValueError(f"stays with {name}"))
                return []
        return entries

    def _entry(self, action: Action) -> JournalEntry:
        self._number += 1
        source = os.path.abspath(action.source)
        target = os.path.join(self._run.dest, *action.target.split("/"))
        status, link, text = os.stat(source), "", ""
        if action.method == "symlink":
            text = link_text(source, target)
        if action.method == "move" and os.path.islink(source):
            link, status = os.readlink(source), os.lstat(source)
            text = link if os.path.isabs(link) else link_text(
                os.path.join(os.path.dirname(source), link), target
            )  # fmt: skip
            digest = hashlib.sha256(os.fsencode(link)).hexdigest()
        elif action.method == "copy" and status.st_size <= _KEPT_IN_MEMORY:
            content = read_unnoticed(source)
            digest = hashlib.sha256(content).hexdigest()
            self._contents[self._number] = content  # read once, not twice
        else:
            digest = content_digest(source)
        return JournalEntry(
            number=self._number,
            method=action.method,
            source=source,
            target=action.target,
            size=status.st_size,
            sha256=digest,
            mtime=status.st_mtime_ns,
            atime=status.st_atime_ns,
            link=link,
            text=text,
            photo=os.path.abspath(action.photo) if action.photo else "",
        )

    def _folder_lines(self, entry: JournalEntry) -> list[dict[str, Any]]:
        """Return the lines to write before folders are created or their times change."""
        lines: list[dict[str, Any]] = []
        touched = [os.path.dirname(entry.source)] if entry.method == "move" else []
        folder, part = self._run.dest, ""
        if (parent := os.path.dirname(entry.target)) not in self._announced:
            check_parents(self._run.dest, entry.target)
            touched.append(folder)
            for name in parent.split("/"):
                part = f"{part}/{name}" if part else name
                folder = os.path.join(folder, name)
                if not os.path.isdir(folder):
                    if part not in self._announced:
                        lines.append({"made": part})
                    self._timed.add(folder)
                touched.append(folder)
                self._announced.add(part)
        for path in touched:
            if path not in self._timed:
                self._timed.add(path)
                status = os.stat(path)
                lines.insert(
                    0, {"times": path, "atime": status.st_atime_ns, "mtime": status.st_mtime_ns}
                )
        return lines

    def _do_batch(self, batch: list[JournalEntry], lines: list[dict[str, Any]]) -> None:
        run = self._run
        run.tagged.read(batch)
        run.confirm(lines)
        run.tagged.note(batch)
        done: list[int] = []
        void: list[dict[str, Any]] = []
        try:
            for entry in batch:
                with run.critical_section():
                    try:
                        run.check_photo(entry.photo)
                        run.execute(entry, self._contents.pop(entry.number, None))
                        done.append(entry.number)
                        if self._on_done:
                            self._on_done(entry)
                        run.outcome.companions += bool(entry.photo)
                    except (OSError, ValueError, FileChangedError) as error:
                        if isinstance(error, OSError) and error.errno in NO_SPACE:
                            raise run.disk_full(error) from error
                        void.append({"void": entry.number, "why": reason_of(error)})
                        run.fail(entry.source, error)
                    run.progress(1)
        finally:
            run.outcome.done += len(done)
            run.confirm_later([{"done": done}, *void] if done else void)


def _shots(actions: Iterable[Action]) -> Iterator[list[Action]]:
    """Return the actions of each photo with those of its companions that follow it."""
    shot: list[Action] = []
    for action in actions:
        if shot and not (action.photo and action.photo in (shot[0].source, shot[0].photo)):
            yield shot
            shot = []
        shot.append(action)
    if shot:
        yield shot
