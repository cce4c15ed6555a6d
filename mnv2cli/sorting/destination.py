"""The destination of a sort: its lock, its journals and its free space."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress

from mnv2cli.errors import JournalError, OutputError
from mnv2cli.journals.file import journals
from mnv2cli.journals.folder import OWN_FOLDER
from mnv2cli.journals.history import History
from mnv2cli.sorting.actions import Plan
from mnv2cli.sorting.contents import Contents
from mnv2cli.sorting.journal import JournalEntry
from mnv2cli.sorting.journal_reader import read_journal
from mnv2cli.system.files import content_digest


class EarlierRuns:
    """Where earlier runs put files; their journals are read when this is first asked.

    Args:
        dest: The destination.
    """

    def __init__(self, dest: str) -> None:
        self._dest = dest
        self._moves: dict[str, str] = {}  # targets, by source
        self._targets: dict[str, JournalEntry] = {}  # what was done last, by source
        self._equals: dict[tuple[str, int], list[str]] = {}  # targets, by name and size
        self._sizes: dict[int, list[str]] | None = None  # files of the destination, by size
        self._placed: dict[str, str] = {}  # SHA-256, by target
        self._is_read = False
        self._history = History()

    def last(self, source: str) -> JournalEntry | None:
        """Return what runs did last with a source; None if they never had it, or it was undone."""
        self._read()
        return self._targets.get(source)

    def note(self, entry: JournalEntry) -> None:
        """Add an action of a run that is not complete."""
        self._read()
        self._add(entry, entry.source)

    def renew(self) -> None:
        """Forget what may have changed since: the files of the destination, and tag runs."""
        self._equals, self._sizes = {}, None
        self._history = History()

    def moved(self, source: str) -> str:
        """Return where a run moved a source that is gone; empty for nowhere."""
        self._read()
        return self._if_there(self._moves.get(source, ""))

    def target(self, source: str) -> str:
        """Return where runs last put a source, by any method; empty for nowhere."""
        self._read()
        return self._if_there(self._last_target(source))

    def is_same_tagged(self, source: str, path: str) -> bool:
        """Return whether runs put a source at a path, and only tags of the two differ since."""
        self._read()
        entry = self._targets.get(source)
        if entry is None or entry.link:
            return False
        target = os.path.join(self._dest, *entry.target.split("/"))
        if os.path.normpath(target) != os.path.normpath(path):
            return False
        places = [source, target, entry.source]
        if next(self._history.changes(places), None) is None:
            return False
        try:
            digests = [content_digest(each) for each in (source, path)]
        except OSError:
            return False
        return all(self._history.explains(places, entry.sha256, digest) for digest in digests)

    def similar(self, source: str, size: int) -> list[str]:
        """Return where runs put sources that have the name and the size of one."""
        self._read()
        if not self._equals:  # most runs never ask
            for other, entry in self._targets.items():
                key = os.path.basename(other), entry.size
                self._equals.setdefault(key, []).append(entry.target)
        return list(filter(self._if_there, self._equals.get((os.path.basename(source), size), ())))

    def dragged(self, source: str, size: int, contents: Contents) -> str:
        """Return where the user moved a photo that a run put elsewhere; empty if unknown.

        Only if the place of that run is empty, the other folders of the destination are searched:
        for a file with the content of the source that no run put where it is. Files of
        another size are not read.

        Args:
            source: The absolute path of the photo.
            size: Its size.
            contents: Compares files.
        """
        self._read()
        entry = self._targets.get(source)
        if entry is None or entry.link or self._if_there(entry.target):
            return ""
        tagged = self._history.versions([source, os.path.join(self._dest, "x")], entry.sha256)
        if entry.size != size and size not in tagged.values():
            return ""
        if self._sizes is None:
            self._sizes = _by_size(self._dest)
        real = os.path.realpath(source)
        for its_size in dict.fromkeys([size, entry.size, *tagged.values()]):
            same_size = self._sizes.get(its_size, [])
            for target in same_size:
                path = os.path.join(self._dest, *target.split("/"))
                is_source = not os.path.islink(path) and os.path.realpath(path) == real
                has_stayed = os.path.dirname(target) == os.path.dirname(entry.target)  # renamed
                if is_source or has_stayed or self._placed.get(target) == entry.sha256:
                    continue
                versions = {entry.sha256, *tagged}
                if contents.are_same(source, size, path) or (
                    tagged and contents.are_among(versions, source, path)
                ):
                    same_size.remove(target)  # it stands for one photo
                    return target
        return ""

    def _last_target(self, source: str) -> str:
        entry = self._targets.get(source)
        return entry.target if entry else ""

    def _if_there(self, target: str) -> str:
        return target if target and os.path.lexists(os.path.join(self._dest, target)) else ""

    def _read(self) -> None:
        if self._is_read:
            return
        self._is_read = True
        origins: dict[str, str] = {}  # the first source of each target
        for path in journals(self._dest):
            with suppress(JournalError):
                state = read_journal(path)
                for number, entry in state.entries.items():
                    if number in state.undone or number in state.void:
                        continue
                    # A later run may have moved the file on within the destination.
                    origin = origins.pop(state.target_of(entry.source), entry.source)
                    origins[entry.target] = origin
                    self._add(entry, origin)

    def _add(self, entry: JournalEntry, origin: str) -> None:
        self._targets[origin] = entry
        self._placed[entry.target] = entry.sha256
        if entry.method == "move":
            self._moves[entry.source] = entry.target
            if origin in self._moves:
                self._moves[origin] = entry.target


def _by_size(dest: str) -> dict[int, list[str]]:
    """Return the files in the folders of a destination by size, as paths relative to it."""
    found: dict[int, list[str]] = {}
    for folder, folders, names in os.walk(dest):
        folders.sort()
        if folder == dest:
            folders[:] = [each for each in folders if each != OWN_FOLDER]
            continue
        below = os.path.relpath(folder, dest).replace(os.sep, "/")
        for name in sorted(names):
            with suppress(OSError, ValueError):
                status = os.stat(os.path.join(folder, name))
                if stat.S_ISREG(status.st_mode) and status.st_size:
                    found.setdefault(status.st_size, []).append(f"{below}/{name}")
    return found


def check_free_space(plan: Plan) -> None:
    """Check that the destination has room for the files of a plan.

    Raises:
        OutputError: It does not.
    """
    nearest = plan.dest
    while not os.path.exists(nearest):
        nearest = os.path.dirname(nearest)
    device = os.stat(nearest).st_dev
    needed = 0
    for action in plan.work:
        if action.method == "copy" or (
            action.method == "move" and _device(action.source) != device
        ):
            needed += -(-action.size // 4096) * 4096
    free = shutil.disk_usage(nearest).free
    if needed > free:
        raise OutputError(
            f"{plan.dest!r} has {free / 1e6:,.1f} MB free, the plan needs {needed / 1e6:,.1f} MB",
            "Nothing was changed. Free some space, or use --symlink, or --move or --hardlink on "
            "the same disk.",
        )


def _device(path: str) -> int:
    try:
        return os.stat(os.path.dirname(os.path.abspath(path))).st_dev
    except OSError:
        return -1
