"""One run in a destination: code shared by applying, recovering and undoing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from mnv2cli.errors import OutputError
from mnv2cli.journals.file import Journal
from mnv2cli.journals.folder import locked, prepare, undo_command
from mnv2cli.journals.opening import open_journal
from mnv2cli.journals.running import CriticalSection, Progress, ignore_progress, reason_of
from mnv2cli.sorting.journal import JournalEntry, JournalState
from mnv2cli.sorting.journal_reader import read_journal
from mnv2cli.sorting.links import drop_link
from mnv2cli.sorting.tagged import TaggedFiles
from mnv2cli.sorting.transfer import copy, move


@dataclass
class Outcome:
    """The outcome of applying a plan, or of undoing it.

    Attributes:
        done: Number of files that were sorted or put back.
        failed: Paths of the other files, and why.
        finished: Number of files of an interrupted run that this run finished.
        journal: The path of the journal; empty if nothing was written.
        companions: Number of companions among the files of ``done``.
    """

    done: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    finished: int = 0
    journal: str = ""
    companions: int = 0


class SortRun:
    """A run in one destination, with one journal.

    Args:
        dest: The destination.
        journal: Its journal, open for writing.
        state: The state that the journal describes so far.
        progress: Called with the number of files processed since the last call.
        critical_section: Defers interruptions while one file is processed.

    Attributes:
        outcome: The outcome so far.
        tagged: What tag runs did to the files.
    """

    def __init__(
        self,
        dest: str,
        journal: Journal,
        state: JournalState,
        progress: Progress = ignore_progress,
        critical_section: CriticalSection = nullcontext,
    ) -> None:
        self.dest = dest
        self.journal = journal
        self.state = state
        self.progress = progress
        self.critical_section = critical_section
        self.outcome = Outcome(journal=journal.path)
        self.tagged = TaggedFiles(dest, journal.path, state)
        self._pending: list[dict[str, Any]] = []  # lines that are not in the journal yet
        self._existing: set[str] = set()  # folders known to exist
        self._failed: set[str] = set()  # photos that failed; their companions stay too

    def target(self, entry: JournalEntry) -> str:
        """Return the absolute path of an entry's target."""
        return os.path.join(self.dest, *entry.target.split("/"))

    def confirm(self, also: list[dict[str, Any]] | None = None) -> None:
        """Write the actions done since the last call, and further lines, to disk now."""
        lines = [*self._pending, *(also or [])]
        self._pending = []
        self.journal.append(lines)

    def confirm_later(self, lines: list[dict[str, Any]]) -> None:
        """Keep lines about finished actions for the next :meth:`confirm`."""
        self._pending = lines

    def renew(self) -> None:
        """Prepare for further files after a while, in which others may have changed anything."""
        self.outcome = Outcome(journal=self.journal.path)
        self.tagged.close()
        self.tagged = TaggedFiles(self.dest, self.journal.path, self.state)
        self._existing.clear()
        self._failed.clear()

    def close(self) -> None:
        """Close the journal, and let other runs use the folders of tag runs."""
        self.tagged.close()
        self.journal.close()

    def fail(self, path: str, error: Exception) -> None:
        """Record that a file stays where it is."""
        self._failed.add(os.path.abspath(path))
        self.outcome.failed.append((path, reason_of(error)))

    def check_photo(self, photo: str) -> None:
        """Check that the photo of a companion has not failed; raises ValueError."""
        if photo and photo in self._failed:
            raise ValueError("stays with its photo")

    def disk_full(self, error: OSError) -> OutputError:
        """Return the error that ends a run whose disk is full."""
        return OutputError(
            f"cannot write to {self.dest!r}: {reason_of(error)}",
            "No photo is lost. Free some space, then run the same command again, or undo what was "
            f"done: {undo_command(self.dest)}",
        )

    def execute(self, entry: JournalEntry, content: bytes | None = None) -> None:
        """Carry out an announced action.

        Args:
            entry: The action.
            content: The content of the file to copy, if it has been read already.

        Raises:
            FileChangedError: The file has changed since the action was announced.
            OSError: The action failed; the file is where it was.
        """
        target = self.target(entry)
        folder = os.path.dirname(target)
        if folder not in self._existing:
            os.makedirs(folder, exist_ok=True)
            self._existing.add(folder)
        if entry.method == "symlink":
            os.symlink(entry.text, target)
        elif entry.method == "hardlink":
            os.link(os.path.realpath(entry.source), target)
        elif entry.link:
            os.symlink(entry.text, target)
            drop_link(entry, target)
        elif entry.method == "copy":
            copy(entry.source, target, entry, content=content)
        else:
            move(entry.source, target, entry)


@contextmanager
def open_run(
    dest: str, progress: Progress = ignore_progress, critical_section: CriticalSection = nullcontext
) -> Iterator[SortRun]:
    """Create and lock a destination, and resume its interrupted run or start a new run.

    Raises:
        InputError: Another run uses the destination, or an interrupted undo must be finished first.
        OutputError: The destination cannot be written.
    """
    header = prepare(dest)
    with locked(dest):
        journal, state = open_journal(dest, "sort", header, read_journal)
        run = SortRun(dest, journal, state, progress, critical_section)
        try:
            yield run
        finally:
            run.close()
