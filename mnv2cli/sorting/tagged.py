"""Files whose tags changed before or after a sort: noted when moved, accepted by its undo."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from mnv2cli.errors import JournalError
from mnv2cli.journals.file import all_journals, journals
from mnv2cli.journals.history import History, TagRun
from mnv2cli.journals.removal import inherit
from mnv2cli.journals.tag_journal import ChangeEntry
from mnv2cli.sorting.journal import JournalEntry, JournalState
from mnv2cli.sorting.journal_reader import read_journal
from mnv2cli.sorting.transfer import are_two, drop, move
from mnv2cli.system.files import content_digest

_SIDECAR = ".xmp"


class TaggedFiles:
    """What the tag runs above the files of one sort did, before it and since.

    Args:
        dest: The destination of the sort, which the caller has locked.
        journal: The path of its journal.
        state: The state that the journal describes.
    """

    def __init__(self, dest: str, journal: str, state: JournalState) -> None:
        self._dest = dest
        self._journal = journal
        self._state = state
        self._history = History(dest, lock=True)
        self._origins: dict[str, str] | None = None
        self._targets: set[str] | None = None

    def close(self) -> None:
        """Let other runs use the folders of tag runs again."""
        self._history.close()

    def read(self, entries: Iterable[JournalEntry]) -> None:
        """Read the journals of the tag runs above some files, and keep other runs out of them.

        Raises:
            InputError: Another run uses the folder of such a journal.
        """
        paths = [path for entry in entries for path in self._places(entry)]
        self._history.runs_above({os.path.dirname(path): path for path in paths}.values())

    def note(self, entries: Iterable[JournalEntry]) -> None:
        """Note in the tag journals of some files that they are about to be sorted.

        Raises:
            InputError: Another run uses the folder of such a journal.
            OutputError: A journal cannot be written.
        """
        found: dict[str, tuple[TagRun, list[tuple[str, str]]]] = {}
        for entry in entries:
            if entry.link or entry.method == "symlink":
                continue  # the file stays, and a link has no content
            for run, _ in self._history.changes(self._places(entry)[1:]):
                pairs = found.setdefault(run.path, (run, []))[1]
                if entry.method == "move":
                    pairs.append((entry.source, self._target(entry)))
        for run, pairs in found.values():
            run.note(self._journal, dict.fromkeys(pairs))

    def note_back(self, entries: Iterable[JournalEntry]) -> None:
        """Note in the tag journals of some files that they are about to be moved back.

        Raises:
            InputError: Another run uses the folder of such a journal.
            OutputError: A journal cannot be written.
        """
        found: dict[str, tuple[TagRun, list[tuple[str, str]]]] = {}
        for entry in entries:
            if entry.link or entry.method != "move":
                continue
            pairs = [(run, self._target(entry), entry.source) for run, _ in self._changes(entry)]
            pairs += [(run, old, new) for run, _, old, new in self._sidecars(entry)]
            for run, old, new in pairs:
                found.setdefault(run.path, (run, []))[1].append((old, new))
        for run, both in found.values():
            folders = dict.fromkeys(os.path.dirname(new) for _, new in both)
            known = set(run.state.times) | set(run.state.header.get("dest_times", ()))
            lines = []
            for folder in folders:
                times = self._state.times.get(folder)
                if times and folder not in known:
                    lines.append({"times": folder, "atime": times[0], "mtime": times[1]})
            run.append(lines)
            run.note(self._journal, dict.fromkeys(both))

    def current(self, entry: JournalEntry, path: str) -> JournalEntry | None:
        """Return an entry with the content and times that its file has now at a path.

        None if anything but tags changed the file, or if it is not a file.
        """
        if os.path.islink(path) or not os.path.isfile(path):
            return None
        places = [*self._places(entry), path]
        if next(self._history.changes(places), None) is None:  # most files: not read
            return None
        before = os.lstat(path)
        digest = content_digest(path)
        if not self._history.explains(places, entry.sha256, digest):
            return None
        return replace(
            entry,
            size=before.st_size,
            sha256=digest,
            mtime=before.st_mtime_ns,
            atime=before.st_atime_ns,
        )

    def is_removed(self, entry: JournalEntry, path: str) -> bool:
        """Return whether a file is not at a path because a tag run, or its undo, removed it."""
        if os.path.lexists(path):
            return False
        return self._history.explains([*self._places(entry), path], entry.sha256, None)

    def after_undo(self, entry: JournalEntry) -> None:
        """Follow a file that was put back or removed: with its sidecar, and in tag journals."""
        target = self._target(entry)
        if entry.method == "move":
            if not entry.link:
                for run, change, old, new in self._sidecars(entry):
                    self._move_sidecar(run, change, old, new)
            return
        for run, change, old, _ in self._sidecars(entry):
            if not os.path.lexists(old):  # perhaps an undo removed it that was killed
                self._forget(run, [change], old)
            elif self._is_unchanged(run, change, old):
                os.unlink(old)
                self._forget(run, [change], old)
        for run in self._history.runs_above([target]):
            self._forget(run, run.changes(target), target)

    def _forget(self, run: TagRun, changes: Iterable[ChangeEntry], path: str) -> None:
        """Note that changes of a file need no undo any more, because the file is removed."""
        gone = [each.number for each in changes if run.is_at(each, path)]
        gone = [number for number in gone if number not in run.state.undone]
        run.append_later([{"undone": gone}] if gone else [])

    def confirm(self) -> None:
        """Write what :meth:`after_undo` noted in tag journals to disk.

        Raises:
            OutputError: A disk is full.
        """
        for run in self._history.runs:
            run.append([])

    def restored(self, folder: str, times: tuple[int, int]) -> None:
        """Let later tag runs restore the times of a folder that its undo has restored now."""
        began = float(self._state.header.get("time", 0))
        line = {"times": folder, "atime": times[0], "mtime": times[1], "restored": True}
        for run in self._history.runs:
            header = run.state.header
            known = {*run.state.times, *header.get("dest_times", ())}
            if folder in known and float(header["time"]) > began:
                run.append([line])

    def pass_on_folders(self) -> None:
        """Let tag runs in folders that the sort made remove these, when they are undone last."""
        made = [os.path.join(self._dest, *part.split("/")) for part in self._state.made]
        header = self._state.header
        times = {**self._state.times, **header.get("dest_times", {})}
        for folder in made:
            if not (os.path.isdir(folder) and all_journals(folder)):
                continue
            inside = folder + os.sep
            own = [each for each in made if inside.startswith(each + os.sep)]
            chain = [*sorted(own, key=len, reverse=True), *header.get("made_dest", ())]
            parents = {os.path.dirname(each) for each in chain}
            inherit(
                all_journals(folder)[0],
                {
                    "made_dest": chain,
                    "dest_times": {each: list(times[each]) for each in parents if each in times},
                },
            )

    def read_all(self) -> None:
        """Read the journals of the tag runs above all files of the sort."""
        self.read(self._state.entries.values())

    def release(self) -> None:
        """Remove the journals of undone tag runs that were kept for this sort."""
        self._history.release(self._journal)

    def _changes(self, entry: JournalEntry) -> list[tuple[TagRun, ChangeEntry]]:
        return list(self._history.changes(self._places(entry)))

    def _target(self, entry: JournalEntry) -> str:
        return os.path.join(self._dest, *entry.target.split("/"))

    def _places(self, entry: JournalEntry) -> list[str]:
        """Return where the file of an entry is or was: target, source, and where it came from."""
        places = [self._target(entry), entry.source]
        if os.path.islink(entry.source):
            places.append(os.path.realpath(entry.source))
        if inside := self._state.target_of(entry.source):
            if self._origins is None:
                self._origins = _origins(self._dest)
            if origin := self._origins.get(inside):
                places.append(origin)
        return places

    def _sidecars(self, entry: JournalEntry) -> list[tuple[TagRun, ChangeEntry, str, str]]:
        """Return the sidecars that tag runs created beside a sorted photo.

        Of a moved photo only those that exist. Each with its path, and the path that it gets with
        its photo.
        """
        target = self._target(entry)
        runs = self._history.runs_above([target])
        if not runs or entry.target.lower().endswith(_SIDECAR):
            return []
        if self._targets is None:
            done = self._state.done
            self._targets = {
                os.path.realpath(self._target(each))
                for each in self._state.entries.values()
                if each.number in done
            }
        folder, name = os.path.split(target)
        source_folder, source_name = os.path.split(entry.source)
        names = {name: source_name, _stem(name): _stem(source_name)}
        found = []
        for run in runs:
            for one, its_new in names.items():
                for place, change in run.created(folder, one + _SIDECAR):
                    other = os.path.basename(place)
                    old = os.path.join(folder, other)
                    new = os.path.join(source_folder, its_new + other[len(one) :])
                    is_known = entry.method != "move" or os.path.lexists(old)
                    if place not in self._targets and is_known:
                        found.append((run, change, old, new))
        return found

    def _is_unchanged(self, run: TagRun, change: ChangeEntry, path: str) -> bool:
        """Return whether a created sidecar is as tag runs made it."""
        if os.path.islink(path) or change.after is None:
            return False
        with suppress(OSError):
            digest = content_digest(path)
            return self._history.explains([path], change.after.sha256, digest)
        return False

    def _move_sidecar(self, run: TagRun, change: ChangeEntry, old: str, new: str) -> None:
        """Move a created sidecar with its photo, if a person has not changed it."""
        if not self._is_unchanged(run, change, old):
            return
        if os.path.lexists(new):
            if are_two(old, new) and os.path.samefile(old, new):  # interrupted between two names
                drop(old, new)
            return
        status = os.lstat(old)
        digest = content_digest(old)
        move(
            old,
            new,
            JournalEntry(
                0, "move", old, "", status.st_size, digest, status.st_mtime_ns, status.st_atime_ns
            ),
        )


def _stem(name: str) -> str:
    return os.path.splitext(name)[0]


def _origins(dest: str) -> dict[str, str]:
    """Return the first source of each file that sorts moved to or within a destination."""
    found: dict[str, str] = {}
    for path in journals(dest):
        with suppress(JournalError):
            state = read_journal(path)
            for number, entry in state.entries.items():
                if number not in state.void:
                    first = found.get(state.target_of(entry.source))
                    found[entry.target] = first or entry.source
    return found
