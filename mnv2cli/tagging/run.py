"""One tag run in a folder: code shared by applying, recovering and undoing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

from mnv2cli.errors import InputError, OutputError
from mnv2cli.journals.file import Journal
from mnv2cli.journals.folder import OWN_FOLDER, prepare, undo_command
from mnv2cli.journals.opening import open_journal
from mnv2cli.journals.removal import clean_up, pass_on_state
from mnv2cli.journals.running import CriticalSection, Progress, ignore_progress, reason_of
from mnv2cli.journals.tag_journal import ChangeEntry, TagState, read_tag_journal
from mnv2cli.journals.tree import check_unused, locked_tree
from mnv2cli.system.files import is_within
from mnv2cli.tagging.originals import originals_path


@dataclass
class TagOutcome:
    """The outcome of applying a plan, or of undoing it.

    Attributes:
        done: Number of files that were written, created or removed.
        created: Number of new sidecars; of an undo, of removed ones that are back.
        changed: Number of files whose content was replaced.
        removed: Number of files that were removed.
        unchanged: Number of files with nothing to change.
        failed: Paths of the other files, and why.
        finished: Number of files of an interrupted run that turned out to be done.
        journal: The path of the journal; empty if nothing was written.
        kept_bytes: Bytes on disk that undoing this run requires.
    """

    done: int = 0
    created: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    finished: int = 0
    journal: str = ""
    kept_bytes: int = 0

    def count(self, entry: ChangeEntry, *, back: bool = False) -> None:
        """Count a change that was carried out, or undone."""
        self.done += 1
        self.created += entry.how == ("delete" if back else "create")
        self.removed += entry.how == ("create" if back else "delete")
        self.changed += entry.how == "replace"


class TagRun:
    """A run in one folder, with one journal.

    Args:
        root: The folder.
        journal: Its journal, open for writing.
        state: The state that the journal describes so far.
        progress: Called with the number of files processed since the last call.
        critical_section: Defers interruptions while one file is processed.

    Attributes:
        outcome: The outcome so far.
    """

    def __init__(
        self,
        root: str,
        journal: Journal,
        state: TagState,
        progress: Progress = ignore_progress,
        critical_section: CriticalSection = nullcontext,
    ) -> None:
        self.root = root
        self.real_root = os.path.realpath(root)
        self.journal = journal
        self.state = state
        self.progress = progress
        self.critical_section = critical_section
        self.outcome = TagOutcome(journal=journal.path)
        self._pending: list[dict[str, Any]] = []  # lines that are not in the journal yet
        self._inside: dict[str, bool] = {}  # by folder

    def path(self, below: str) -> str:
        """Return the absolute path of a path of the journal."""
        return os.path.join(self.root, *below.split("/"))

    def below(self, path: str) -> str:
        """Return the path for the journal of a path without links in the folder."""
        return path[len(self.real_root.rstrip(os.sep)) + 1 :].replace(os.sep, "/")

    def check_inside(self, path: str) -> None:
        """Check that the folder of a path is within the folder of the run; raises ValueError."""
        folder = os.path.dirname(path)
        if folder not in self._inside:
            self._inside[folder] = is_within(os.path.realpath(folder), self.real_root)
        if not self._inside[folder]:
            raise ValueError(f"its folder is a link that leads outside {self.root!r}")

    def confirm(self, also: Iterable[dict[str, Any]] = ()) -> None:
        """Write what was done since the last call, and further lines, to disk now."""
        lines = [*self._pending, *also]
        self._pending = []
        self.journal.append(lines)

    def confirm_later(self, lines: Iterable[dict[str, Any]]) -> None:
        """Keep lines about finished changes for the next :meth:`confirm`."""
        self._pending += lines

    def fail(self, path: str, error: Exception) -> None:
        """Record that a file was not changed."""
        self.outcome.failed.append((path, reason_of(error)))

    def time_lines(self, folders: Iterable[str]) -> list[dict[str, Any]]:
        """Return the lines to write before the times of folders change."""
        lines = []
        known = self.state.header.get("dest_times", {})
        for folder in folders:
            if folder not in self.state.times and folder not in known:
                status = os.stat(folder)
                times = (status.st_atime_ns, status.st_mtime_ns)
                self.state.times[folder] = times
                lines.append({"times": folder, "atime": times[0], "mtime": times[1]})
        return lines

    def disk_full(self, error: OSError) -> OutputError:
        """Return the error that ends a run whose disk is full."""
        return OutputError(
            f"cannot write to {self.root!r}: {reason_of(error)}",
            "No photo is lost. Free some space, then run the same command again, or undo what was "
            f"done: {undo_command(self.root)}",
        )


@contextmanager
def open_run(
    root: str,
    folders: Iterable[str],
    progress: Progress = ignore_progress,
    critical_section: CriticalSection = nullcontext,
) -> Iterator[TagRun]:
    """Lock a folder, and resume its interrupted tag run or start a new run.

    A run that announces no change leaves no journal.

    Raises:
        InputError: Another run uses the folder, or an interrupted undo must be finished first.
        OutputError: The folder cannot be written.
    """
    if not os.path.isdir(root):
        raise InputError(f"{root!r} is not a folder")
    folders = list(folders)
    check_unused(root, folders)  # before anything is written
    try:
        header = prepare(root)
    except OutputError as error:
        raise OutputError(
            error.message,
            f"Nothing was changed. Undo requires a journal in {os.path.join(root, OWN_FOLDER)!r}: "
            "change the permissions of the folder, or tag folders that you can write to.",
        ) from error
    with locked_tree(root, folders):
        try:
            journal, state = open_journal(root, "tag", header, read_tag_journal)
        except BaseException:
            clean_up(root, header)  # if there is no other journal
            raise
        try:
            yield TagRun(root, journal, state, progress, critical_section)
        finally:
            journal.close()
            if not (state.entries or _has_temps(root, state)):
                _remove_nothing_done(root, journal.path, state)


def _has_temps(root: str, state: TagState) -> bool:
    """Return whether temporary files of a run are left."""
    return any(os.path.lexists(os.path.join(root, *temp.split("/"))) for temp in state.temps)


def _remove_nothing_done(root: str, journal: str, state: TagState) -> None:
    """Remove the journal of a run that changed nothing, and restore the times of folders."""
    with suppress(OSError):
        remove_originals(journal)
        os.unlink(journal)
    for folder, times in state.times.items():
        if not os.path.islink(folder):
            with suppress(OSError):
                os.utime(folder, ns=times)
    clean_up(root, state.header)


def remove_run(root: str, journal: str, state: TagState) -> None:
    """Remove the journal and the originals of a run, and pass on what only the journal has."""
    remove_originals(journal)
    pass_on_state(root, journal, state.header)
    with suppress(OSError):
        os.unlink(journal)


def remove_originals(journal: str) -> int:
    """Remove the originals of a run, and return the bytes that this frees.

    Raises:
        OutputError: They cannot be removed.
    """
    freed = size_of(path := originals_path(journal))
    try:
        os.unlink(path)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise OutputError(f"cannot remove {path!r}: {reason_of(error)}") from error
    return freed


def size_of(path: str) -> int:
    """Return the size of a file; 0 if there is none."""
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0
