"""What tag runs did to files, as sorts need it.

The tag journals that matter for a file are those in the own folders of the folders above it. A sort
notes in them where it is about to put files that they changed, so that tags can be removed from a
file wherever it is; and its undo asks whether a file that differs from what was sorted differs only
by tags that were written or removed since.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

from mnv2cli.errors import JournalError, OutputError
from mnv2cli.journals.file import PAIRS_A_LINE, Journal, journals
from mnv2cli.journals.folder import OWN_FOLDER, locked
from mnv2cli.journals.removal import clean_up, pass_on_state
from mnv2cli.journals.tag_journal import ChangeEntry, TagState, apply_line, read_tag_journal


class TagRun:
    """A tag run whose journal was written here, by this user.

    Attributes:
        path: Its journal.
        root: The folder of the run.
        state: The state that the journal describes.
    """

    def __init__(self, path: str, places: _Places, *, can_write: bool) -> None:
        self.path = path
        self.root = os.path.dirname(os.path.dirname(path))
        self.state: TagState = read_tag_journal(path)
        self._places = places
        self._can_write = can_write
        self._index: dict[str, list[ChangeEntry]] | None = None

    def changes(self, path: str) -> list[ChangeEntry]:
        """Return the changes of a file that is, or was, at a path; without those that failed."""
        return self._by_place().get(self._places.key(path), [])

    def created_in(self, folder: str) -> Iterator[tuple[str, ChangeEntry]]:
        """Yield the paths in a folder where sidecars are or were that this run created."""
        inside = self._places.key(os.path.join(folder, "x"))[:-1]
        for place, entries in self._by_place().items():
            if place.startswith(inside) and os.sep not in place[len(inside) :]:
                for entry in entries:
                    if entry.how == "create" and entry.number not in self.state.undone:
                        yield place, entry

    def is_at(self, entry: ChangeEntry, path: str) -> bool:
        """Return whether a changed file is at a path, as far as sorts noted where they put it."""
        key = self._places.key
        place = key(self._first_place(entry))
        for old, new in self.state.moves:
            if key(old) == place:
                place = key(new)
        return place == key(path)

    def append(self, lines: list[dict[str, Any]]) -> None:
        """Write lines; return when they are on disk. Nothing is written to a read-only journal.

        Raises:
            OutputError: The disk is full.
        """
        if not (lines and self._can_write):
            return
        journal = Journal(self.path)
        try:
            journal.append(lines)
        finally:
            journal.close()
        for line in lines:
            apply_line(line, self.state)
            if line.get("moved"):
                self._index = None

    def note(self, sort: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Note that a sort is about to move files; no pairs: it is about to copy some.

        Args:
            sort: The journal of the sort.
            pairs: Absolute paths before and after.

        Raises:
            OutputError: The disk is full.
        """
        known = self.state.sorts.get(sort)
        new = [pair for pair in pairs if pair not in (known or ())]
        if new or known is None:
            starts = range(0, len(new), PAIRS_A_LINE) or [0]
            parts = [list(map(list, new[at : at + PAIRS_A_LINE])) for at in starts]
            self.append([{"moved": part, "sort": sort} for part in parts])

    def _first_place(self, entry: ChangeEntry) -> str:
        return os.path.join(self.root, *entry.path.split("/"))

    def _by_place(self) -> dict[str, list[ChangeEntry]]:
        if self._index is None:
            self._index = {}
            key = self._places.key
            moved: dict[str, list[str]] = {}
            for old, new in self.state.moves:
                moved.setdefault(key(old), []).append(key(new))
            for number, entry in self.state.entries.items():
                if number in self.state.void:
                    continue
                waiting, seen = [key(self._first_place(entry))], set[str]()
                while waiting:
                    if (place := waiting.pop()) not in seen:
                        seen.add(place)
                        self._index.setdefault(place, []).append(entry)
                        waiting += moved.get(place, ())
        return self._index


class _Places:
    """Compare paths, whichever links lead to their folders; each folder is looked up once."""

    def __init__(self) -> None:
        self._real: dict[str, str] = {}

    def key(self, path: str) -> str:
        folder, name = os.path.split(path)
        if folder not in self._real:
            self._real[folder] = os.path.realpath(folder)
        return os.path.join(self._real[folder], name)


class History:
    """What tag runs did to some files; their journals are read when they are first asked for.

    Args:
        held: A folder whose lock the caller holds.
        lock: Keep other runs out of the folders of tag runs until :meth:`close`.
    """

    def __init__(self, held: str = "", *, lock: bool = False) -> None:
        self._held = os.path.realpath(held) if held else ""
        self._lock = lock
        self._locks = ExitStack()
        self._places = _Places()
        self._in_folder: dict[str, list[TagRun]] = {}  # by folder: the runs of it and all above
        self._own: dict[str, list[TagRun]] = {}  # by real folder: the runs in it

    def close(self) -> None:
        """Let other runs use the folders of tag runs again."""
        self._locks.close()

    @property
    def runs(self) -> list[TagRun]:
        """The runs that were asked for so far, each once."""
        return [run for runs in self._own.values() for run in runs]

    def runs_above(self, paths: Iterable[str]) -> list[TagRun]:
        """Return the tag runs whose journals are in folders above some files.

        Raises:
            InputError: Another run uses one of the folders.
        """
        found: dict[str, TagRun] = {}
        for path in paths:
            for run in self._above(os.path.dirname(path)):
                found[run.path] = run
        return list(found.values())

    def _above(self, folder: str) -> list[TagRun]:
        if folder not in self._in_folder:
            parent = os.path.dirname(folder)
            above = self._above(parent) if parent != folder else []
            self._in_folder[folder] = [*self._runs_in(folder), *above]
        return self._in_folder[folder]

    def _runs_in(self, folder: str) -> list[TagRun]:
        own = os.path.join(folder, OWN_FOLDER)
        if not _is_own(own, stat.S_ISDIR):
            return []
        real = os.path.realpath(folder)
        if real not in self._own:
            self._own[real] = []
            found = [path for path in journals(folder, "tag") if _is_own(path, stat.S_ISREG)]
            can_write = bool(found) and self._acquire(folder, real)
            for path in found:
                with suppress(JournalError):
                    run = TagRun(path, self._places, can_write=can_write)
                    if run.state.header["in_place"]:
                        self._own[real].append(run)
        return self._own[real]

    def _acquire(self, folder: str, real: str) -> bool:
        """Lock a folder; return whether its journals can be written."""
        if not self._lock or real == self._held:
            return self._lock
        try:
            self._locks.enter_context(locked(folder))
        except OutputError:  # read-only: its runs are known, and nothing of them is changed
            return False
        return True

    def changes(self, paths: Collection[str]) -> Iterator[tuple[TagRun, ChangeEntry]]:
        """Yield the changes of a file that is, or was, at some paths."""
        for run in self.runs_above(paths):
            for path in paths:
                for entry in run.changes(path):
                    yield run, entry

    def explains(self, paths: Collection[str], expected: str, now: str | None) -> bool:
        """Return whether only tags, written or removed, make a file differ from what it was.

        Args:
            paths: Where the file is or was; absolute.
            expected: The SHA-256 of its content before.
            now: The SHA-256 of its content now; None if there is no file.
        """
        if now == expected:
            return True
        changes = list(self.changes(paths))
        if not changes:
            return False
        reached = _reached(expected, (entry for _, entry in changes))
        if now is not None:
            return now in reached
        return any(_is_gone(run.state, entry, reached) for run, entry in changes)

    def versions(self, paths: Collection[str], digest: str) -> dict[str, int]:
        """Return the contents that tags made of a content, with their sizes; without itself.

        Args:
            paths: The tag runs above these files are asked, whatever files they changed.
            digest: The SHA-256 of the content.
        """
        runs = self.runs_above(paths)
        entries = [entry for run in runs for entry in run.state.entries.values()]
        if not entries:
            return {}
        sizes = {
            state.sha256: state.size
            for entry in entries
            for state in (entry.before, entry.after)
            if state
        }
        return {each: sizes[each] for each in _reached(digest, entries) if each != digest}

    def release(self, sort: str) -> None:
        """Remove the journals of tag runs that are undone, and were only kept for a sort.

        Args:
            sort: The journal of the sort, whose undo is complete.
        """
        for run in self.runs:
            state = run.state
            if sort in state.sorts and state.is_settled and not state.is_needed(without=sort):
                for folder, times in state.times.items():
                    if folder not in state.undo_times and not state.forgotten:
                        with suppress(OSError):
                            os.utime(folder, ns=times)
                pass_on_state(run.root, run.path, state.header)
                with suppress(OSError):
                    os.unlink(run.path)
                clean_up(run.root, state.header)


def _is_own(path: str, is_kind: Any) -> bool:
    """Return whether a path is a file or folder, no link, that only this user writes."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return is_kind(status.st_mode) and (not hasattr(os, "geteuid") or status.st_uid == os.geteuid())


def _reached(digest: str, entries: Iterable[ChangeEntry]) -> set[str]:
    """Return the contents that changes, in either direction, lead to; "no file" leads nowhere."""
    graph: dict[str, set[str]] = {}
    for entry in entries:
        if entry.before and entry.after:
            graph.setdefault(entry.before.sha256, set()).add(entry.after.sha256)
            graph.setdefault(entry.after.sha256, set()).add(entry.before.sha256)
    waiting, seen = [digest], set[str]()
    while waiting:
        if (each := waiting.pop()) not in seen:
            seen.add(each)
            waiting += graph.get(each, ())
    return seen


def _is_gone(state: TagState, entry: ChangeEntry, reached: set[str]) -> bool:
    """Return whether a run removed a file of one of some contents."""
    if entry.how == "create":
        is_undone = entry.number in state.undone or entry.number in state.begun
        return entry.after is not None and entry.after.sha256 in reached and is_undone
    is_deleted = entry.how == "delete" and entry.number not in state.undone
    return entry.before is not None and entry.before.sha256 in reached and is_deleted
