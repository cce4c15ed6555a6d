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
from mnv2cli.journals.moves import Moves, PathKeys
from mnv2cli.journals.removal import clean_up, pass_on_state
from mnv2cli.journals.tag_journal import ChangeEntry, TagState, apply_line, read_tag_journal


class TagRun:
    """A tag run whose journal was written here, by this user.

    Attributes:
        path: Its journal.
        root: The folder of the run.
        state: The state that the journal describes.
    """

    def __init__(self, path: str, keys: PathKeys, *, can_write: bool) -> None:
        self.path = path
        self.root = os.path.dirname(os.path.dirname(path))
        self.state: TagState = read_tag_journal(path)
        self._keys = keys
        self._can_write = can_write
        self._journal: Journal | None = None  # opened by the first line
        self._waiting: list[dict[str, Any]] = []  # lines that are not in the journal yet
        self._moves: Moves | None = None  # None: nothing is indexed yet
        self._index: dict[str, dict[int, ChangeEntry]] = {}  # changes by place
        self._created: dict[tuple[str, str], dict[str, None]] = {}  # places of new sidecars

    def close(self) -> None:
        """Close the journal, if lines were written."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def changes(self, path: str) -> list[ChangeEntry]:
        """Return the changes of a file that is, or was, at a path; without those that failed."""
        return list(self._by_place().get(self._keys.key(path), {}).values())

    def created(self, folder: str, name: str) -> Iterator[tuple[str, ChangeEntry]]:
        """Yield the paths in a folder where sidecars are or were that this run created.

        Args:
            folder: The folder.
            name: The name of the sidecars, in whatever case.
        """
        self._by_place()
        where = self._keys.key(os.path.join(folder, "x"))[:-1]
        for place in self._created.get((where, name.lower()), ()):
            for entry in self._index[place].values():
                if entry.how == "create" and entry.number not in self.state.undone:
                    yield place, entry

    def is_at(self, entry: ChangeEntry, path: str) -> bool:
        """Return whether a changed file is at a path, as far as sorts noted where they put it."""
        self._by_place()
        assert self._moves is not None
        key = self._keys.key
        return self._moves.last_place(key(self._first_place(entry))) == key(path)

    def append(self, lines: list[dict[str, Any]]) -> None:
        """Write lines; return when they are on disk. Nothing is written to a read-only journal.

        Raises:
            OutputError: The disk is full.
        """
        if not self._can_write:
            return
        if waiting := [*self._waiting, *lines]:
            if self._journal is None:
                self._journal = Journal(self.path)
            self._journal.append(waiting)
            self._waiting = []
        self._apply(lines)

    def append_later(self, lines: list[dict[str, Any]]) -> None:
        """Keep lines for the next :meth:`append`, which may be one without lines."""
        if self._can_write:
            self._waiting += lines
            self._apply(lines)

    def _apply(self, lines: list[dict[str, Any]]) -> None:
        known = len(self.state.moves)
        for line in lines:
            apply_line(line, self.state)
        if self._moves is not None:
            self._follow(self._moves, self.state.moves[known:])

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

    def _by_place(self) -> dict[str, dict[int, ChangeEntry]]:
        if self._moves is None:
            self._moves = Moves(self._keys, self.state.moves)
            for number, entry in self.state.entries.items():
                if number not in self.state.void:
                    self._reach(self._moves, entry, self._keys.key(self._first_place(entry)))
        return self._index

    def _follow(self, moves: Moves, pairs: Iterable[tuple[str, str]]) -> None:
        """Add moves to the index."""
        for old, new in pairs:
            before, after = moves.add(old, new)
            for entry in list(self._index.get(before, {}).values()):
                self._reach(moves, entry, after)

    def _reach(self, moves: Moves, entry: ChangeEntry, place: str) -> None:
        """Add a change to the index at a place, and wherever files were moved from there."""
        waiting = [place]
        while waiting:
            place = waiting.pop()
            known = self._index.setdefault(place, {})
            if entry.number in known:
                continue
            known[entry.number] = entry
            if entry.how == "create":
                name = os.path.basename(place)
                where = place[: len(place) - len(name)], name.lower()
                self._created.setdefault(where, {})[place] = None
            waiting += moves.next_places(place)


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
        self._keys = PathKeys()
        self._in_folder: dict[str, list[TagRun]] = {}  # by folder: the runs of it and all above
        self._own: dict[str, list[TagRun]] = {}  # by real folder: the runs in it
        self._contents: dict[tuple[str, ...], _Contents] = {}  # by the journals of runs

    def close(self) -> None:
        """Close the journals, and let other runs use the folders of tag runs again."""
        for run in self.runs:
            run.close()
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
        new = []
        place = folder
        while place not in self._in_folder:
            new.append(place)
            parent = os.path.dirname(place)
            if parent == place:
                break
            place = parent
        above = self._in_folder.get(place, [])
        for each in reversed(new):
            above = self._in_folder[each] = [*self._runs_in(each), *above]
        return above

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
                    run = TagRun(path, self._keys, can_write=can_write)
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
        reached = _Contents(entry for _, entry in changes).reached(expected)
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
        key = tuple(run.path for run in runs)
        if key not in self._contents:  # once for all photos: runs have many changes
            self._contents[key] = _Contents(
                [entry for run in runs for entry in run.state.entries.values()]
            )
        contents = self._contents[key]
        reached = contents.reached(digest)
        return {each: contents.sizes[each] for each in reached if each != digest}

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
                run.close()
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


class _Contents:
    """The contents that changes lead to, in either direction; "no file" leads nowhere."""

    def __init__(self, entries: Iterable[ChangeEntry]) -> None:
        self.sizes: dict[str, int] = {}
        self._near: dict[str, set[str]] = {}
        for entry in entries:
            self.sizes.update(
                (each.sha256, each.size) for each in (entry.before, entry.after) if each
            )
            if entry.before and entry.after:
                self._near.setdefault(entry.before.sha256, set()).add(entry.after.sha256)
                self._near.setdefault(entry.after.sha256, set()).add(entry.before.sha256)

    def reached(self, digest: str) -> set[str]:
        """Return the contents that changes of a content lead to, and itself."""
        waiting, seen = [digest], set[str]()
        while waiting:
            if (each := waiting.pop()) not in seen:
                seen.add(each)
                waiting += self._near.get(each, ())
        return seen


def _is_gone(state: TagState, entry: ChangeEntry, reached: set[str]) -> bool:
    """Return whether a run removed a file of one of some contents."""
    if entry.how == "create":
        is_undone = entry.number in state.undone or entry.number in state.begun
        return entry.after is not None and entry.after.sha256 in reached and is_undone
    is_deleted = entry.how == "delete" and entry.number not in state.undone
    return entry.before is not None and entry.before.sha256 in reached and is_deleted
