"""One run in a destination: what carrying out, recovering and undoing share."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from mnv2cli.errors import OutputError
from mnv2cli.sorting.destination import locked, open_journal, prepare
from mnv2cli.sorting.journal import Journal, JournalEntry, JournalState
from mnv2cli.sorting.links import drop_link
from mnv2cli.sorting.transfer import copy, move, reason_of

DISK_FULL = {errno.ENOSPC, errno.EDQUOT}  # it would hit every other file too

Progress = Callable[[int], None]
"""Called with how many more files are done."""

CriticalSection = Callable[[], AbstractContextManager[None]]
"""Returns a block in which one file is dealt with as a whole, and Ctrl-C waits."""


def ignore_progress(count: int) -> None:
    """Ignore progress."""


@dataclass
class Outcome:
    """What came of carrying out a plan, or of taking it back.

    Attributes:
        done: Files for which it was done.
        failed: Paths for which it was not, and why.
        finished: Files of an interrupted run that turned out to be done.
    """

    done: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    finished: int = 0


class SortRun:
    """A run in one destination, with one journal.

    Args:
        dest: The destination.
        journal: Its journal, open for writing.
        state: What the journal says so far.
        progress: Called with each file.
        critical_section: Puts off interruptions while one file is dealt with.

    Attributes:
        outcome: What came of it so far.
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
        self.outcome = Outcome()
        self._pending: list[dict[str, Any]] = []  # lines that the journal still lacks
        self._existing: set[str] = set()  # folders that were made, or were there
        self._failed: set[str] = set()  # photos that failed, whose companions stay with them

    def target(self, entry: JournalEntry) -> str:
        """Return the absolute path of an entry's target."""
        return os.path.join(self.dest, *entry.target.split("/"))

    def confirm(self, also: list[dict[str, Any]] | None = None) -> None:
        """Write what was done since the last time, and what comes next, to disk at once."""
        lines = [*self._pending, *(also or [])]
        self._pending = []
        self.journal.append(lines)

    def confirm_later(self, lines: list[dict[str, Any]]) -> None:
        """Keep what was done for the next :meth:`confirm`."""
        self._pending = lines

    def fail(self, path: str, error: Exception) -> None:
        """Note that a file stays where it is."""
        self._failed.add(os.path.abspath(path))
        self.outcome.failed.append((path, reason_of(error)))

    def check_photo(self, photo: str) -> None:
        """Check that a companion's photo, if it is one's, has not failed; raises ValueError."""
        if photo and photo in self._failed:
            raise ValueError("stays with its photo")

    def disk_full(self, error: OSError) -> OutputError:
        """Return the error that ends a run whose disk is full."""
        return OutputError(
            f"{self.dest!r} cannot be written: {reason_of(error)}",
            "Nothing is lost. Run the same command again when that is mended, or take back what "
            f"was done: mnv2 undo {self.dest}",
        )

    def execute(self, entry: JournalEntry, content: bytes | None = None) -> None:
        """Do what an entry has announced.

        Args:
            entry: The entry.
            content: What a file to copy holds, where that has been read.

        Raises:
            FileChangedError: The file has changed since the entry was made.
            OSError: It cannot be done; the file is where it was.
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
    """Make a destination, keep other runs out of it, and take up its interrupted run or begin one.

    Raises:
        InputError: Another run is at work there, or an interrupted undo waits to be finished.
        OutputError: The destination cannot be written.
    """
    header = prepare(dest)
    with locked(dest):
        journal, state = open_journal(dest, header)
        try:
            yield SortRun(dest, journal, state, progress, critical_section)
        finally:
            journal.close()
