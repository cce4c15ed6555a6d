"""Carry out a plan, finish what was interrupted, and take it back; no file is ever lost.

Three rules hold everywhere. Nothing is overwritten: a file gets its name by a link or by an
exclusive creation, which fail where there is one. Nothing is removed before its content is known
to be somewhere else: same size, same SHA-256, on disk. And everything is in the journal first.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from mnv2cli.errors import InputError, JournalError, OutputError
from mnv2cli.sorting.journal import Entry, Journal, State, journals, line_of, read_journal
from mnv2cli.sorting.plan import OWN_FOLDER, Action, Plan, check_parents
from mnv2cli.sorting.transfer import (
    FileChangedError,
    are_two,
    complete,
    copy,
    drop,
    has,
    is_begun,
    move,
)
from mnv2cli.system.files import content_digest, read_unnoticed

BATCH, BATCH_BYTES = 1024, 256 << 20
"""Files and bytes that are announced, done and confirmed together."""

_HELD = 64 << 10  # bytes; smaller files are kept in memory between hashing and copying
_FULL = {errno.ENOSPC, errno.EDQUOT}  # it would hit every other file too

_CLEAR = (FileExistsError, FileNotFoundError)  # what says that an action did not happen

Tell = Callable[[int], None]
"""Called with how many more files are done."""

Hold = Callable[[], AbstractContextManager[None]]
"""Gives a block in which one file is dealt with as a whole, and Ctrl-C waits."""


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


# The destination


@contextmanager
def locked(dest: str) -> Iterator[None]:
    """Keep other runs out of a destination.

    Raises:
        InputError: Another run is at work in it.
        OutputError: Nothing can be written there.
    """
    from filelock import FileLock, Timeout

    path = os.path.join(dest, OWN_FOLDER, "lock")
    if os.path.islink(os.path.dirname(path)) or os.path.islink(path):
        raise InputError(f"{path!r} is a link, or in one", "Remove that: it is not of mnv2's.")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(
            f"another mnv2 is at work in {dest!r}", "Wait for its end, then run this again."
        ) from error
    except OSError as error:
        raise OutputError(f"nothing can be written in {dest!r}: {_reason(error)}") from error
    try:
        yield
    finally:
        lock.release()


def earlier_moves(dest: str) -> Callable[[str], str]:
    """Return what tells where an earlier run moved a source that is gone, or nothing."""
    moves: dict[str, str] | None = None

    def moved(source: str) -> str:
        nonlocal moves
        if moves is None:  # most runs never ask
            moves = {}
            for path in journals(dest):
                with suppress(JournalError):
                    state = read_journal(path)
                    for number, entry in state.entries.items():
                        if number in state.undone or number in state.void or entry.how != "move":
                            continue
                        moves[entry.source] = entry.target
        target = moves.get(source, "")
        return target if target and os.path.lexists(os.path.join(dest, target)) else ""

    return moved


def check_room(plan: Plan) -> None:
    """Check that the destination has room for all that a plan writes.

    Raises:
        OutputError: It has not.
    """
    nearest = plan.dest
    while not os.path.exists(nearest):
        nearest = os.path.dirname(nearest)
    device = os.stat(nearest).st_dev
    needed = 0
    for action in plan.work:
        if action.how == "copy" or (action.how == "move" and _device(action.source) != device):
            needed += -(-action.size // 4096) * 4096
    free = shutil.disk_usage(nearest).free
    if needed > free:
        raise OutputError(
            f"{plan.dest!r} has {free / 1e6:,.1f} MB free, but {needed / 1e6:,.1f} MB are needed",
            "Nothing was changed. Free some space, or use --move, --symlink or --hardlink on the "
            "same disk.",
        )


def _device(path: str) -> int:
    try:
        return os.stat(os.path.dirname(os.path.abspath(path))).st_dev
    except OSError:
        return -1


# Doing


def apply(
    plan: Plan,
    tell: Tell = lambda count: None,
    hold: Hold = nullcontext,
    *,
    end: bool = True,
) -> Outcome:
    """Carry out a plan, after finishing what an earlier run left unfinished.

    Args:
        plan: What to do.
        tell: Told how it goes.
        hold: Holds off interruptions while one file is dealt with.
        end: That is all; else more is to come that belongs to the same run.

    Returns:
        What was done; what failed stayed where it is.

    Raises:
        InputError: Another run is at work there, or an interrupted undo waits to be finished.
        OutputError: The destination cannot be written, or its disk is full. Nothing is lost, and
            running it again goes on.
    """
    dest = plan.dest
    if not plan.work and not is_unfinished(dest):
        return Outcome()
    header = _prepare(dest)
    with locked(dest):
        outcome = Outcome()
        journal, state = _open_journal(dest, header)
        try:
            run = _Run(dest, journal, state, outcome, tell, hold)
            settled = {entry.source for entry in run.settle(go_on=True)}
            outcome.finished = len(settled)
            work = [a for a in plan.work if os.path.abspath(a.source) not in settled]
            if work:
                journal.append([{"begin": time.time()}])
                try:
                    run.do(work)
                finally:
                    run.confirm()
            if end:
                journal.append([{"end": True}])
        finally:
            journal.close()
    return outcome


def finish(dest: str, hold: Hold = nullcontext) -> Outcome:
    """Finish what an interrupted run had announced in a destination, if there is any.

    The run stays open: what is sorted next belongs to it, and is taken back with it.

    Raises:
        InputError: Its journal was not written here, or another run is at work.
    """
    dest = os.path.abspath(dest)
    return apply(Plan(dest), hold=hold, end=False) if is_unfinished(dest) else Outcome()


def is_unfinished(dest: str) -> bool:
    """Tell whether the last run into a destination was interrupted."""
    known = journals(os.path.abspath(dest))
    if not known:
        return False
    state = read_journal(known[-1])
    return not (state.ended or state.undoing)


def _prepare(dest: str) -> dict[str, Any]:
    """Make the destination; return what a journal must know of it as it was before."""
    own = os.path.join(dest, OWN_FOLDER)
    made = []
    folder = dest
    while not os.path.lexists(folder):
        made.append(folder)
        folder = os.path.dirname(folder)
    times: dict[str, list[int]] = {}
    try:
        if not os.path.isdir(folder):
            raise InputError(f"{folder!r} is a file, not a folder")
        if os.path.islink(own) or (os.path.lexists(own) and not os.path.isdir(own)):
            raise InputError(f"{own!r} is not a folder, but is needed for the journal")
        if not os.path.isdir(own):
            status = os.stat(folder)
            times[folder] = [status.st_atime_ns, status.st_mtime_ns]
        elif not journals(dest) and os.listdir(dest) == [OWN_FOLDER]:
            made.append(dest)  # by a run that was killed before it could say so
        os.makedirs(own, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{dest!r} cannot be written: {_reason(error)}") from error
    return {"dest": dest, "made_dest": made, "dest_times": times}


def _open_journal(dest: str, header: dict[str, Any]) -> tuple[Journal, State]:
    """Take up the journal of an interrupted run, or begin a new one."""
    if known := journals(dest):
        state = read_journal(known[-1])
        if state.undoing and state.done - state.undone - set(state.kept):
            raise InputError(
                f"taking back an earlier run in {dest!r} was interrupted",
                f"Finish that first: mnv2 undo {dest}",
            )
        if not (state.ended or state.undoing):
            if not state.header["in_place"]:
                raise InputError(
                    f"an interrupted run in {dest!r} has a journal that was not written here",
                    f"If you know where it comes from, take it back: mnv2 undo {dest} --trust. "
                    f"Otherwise remove {known[-1]}.",
                )
            return Journal(known[-1]), state
    now = time.time_ns()
    name = time.strftime("%Y%m%d-%H%M%S", time.localtime(now // 10**9)) + f"-{now % 10**9:09}"
    if known:  # the newest one has the last name, and clocks may go back
        name = max(name, os.path.basename(known[-1]).removesuffix(".jsonl") + "+")
    name += ".jsonl"
    path = os.path.join(dest, OWN_FOLDER, name)
    journal = Journal(path, header)
    return journal, read_journal(path)


class _Run:
    """Works on one destination with one journal."""

    def __init__(
        self,
        dest: str,
        journal: Journal,
        state: State,
        outcome: Outcome,
        tell: Tell,
        hold: Hold,
    ) -> None:
        self._dest = dest
        self._journal = journal
        self._state = state
        self._outcome = outcome
        self._tell = tell
        self._hold = hold
        self._number = max(state.entries, default=0)
        self._folders: set[str] = set()  # whose making or times are in the journal
        self._there: set[str] = set()  # that were made, or were there
        self._stuck: set[str] = set()  # photos that failed, whose companions stay with them
        self._pending: list[dict[str, Any]] = []  # what the journal is still to be told
        self._held: dict[int, bytes] = {}  # contents of the small files of a batch
        self._timed: set[str] = set(state.times) | set(state.header.get("dest_times", ()))

    def target(self, entry: Entry) -> str:
        return os.path.join(self._dest, *entry.target.split("/"))

    # Doing

    def do(self, actions: list[Action]) -> None:
        batch: list[Entry] = []
        lines: list[dict[str, Any]] = []
        size = 0
        # Folder by folder, for the disk's sake.
        for action in sorted(actions, key=lambda action: action.folder):
            # A photo and its companions are announced together, so that an interruption does not
            # part them.
            if (len(batch) >= BATCH or size >= BATCH_BYTES) and not action.photo:
                self._do_batch(batch, lines)
                batch, lines, size = [], [], 0
            try:
                self._check_photo(os.path.abspath(action.photo) if action.photo else "")
                entry = self._entry(action)
                lines += self._folder_lines(entry)
            except (OSError, ValueError) as error:
                self._failed(action.source, error)
                continue
            lines.append(line_of(entry))
            batch.append(entry)
            size += entry.size
        self._do_batch(batch, lines)

    def _check_photo(self, photo: str) -> None:
        """Check that a companion's photo, if it is one's, has not failed; raises ValueError."""
        if photo and photo in self._stuck:
            raise ValueError("stays with its photo")

    def _entry(self, action: Action) -> Entry:
        self._number += 1
        source = os.path.abspath(action.source)
        target = os.path.join(self._dest, *action.target.split("/"))
        status, link, text = os.stat(source), "", ""
        if action.how == "symlink":
            text = _link_text(source, target)
        if action.how == "move" and os.path.islink(source):
            link, status = os.readlink(source), os.lstat(source)
            text = link if os.path.isabs(link) else _link_text(
                os.path.join(os.path.dirname(source), link), target
            )  # fmt: skip
            digest = hashlib.sha256(os.fsencode(link)).hexdigest()
        elif action.how == "copy" and status.st_size <= _HELD:
            content = read_unnoticed(source)
            digest = hashlib.sha256(content).hexdigest()
            self._held[self._number] = content  # read once, not twice
        else:
            digest = content_digest(source)
        return Entry(self._number, action.how, source, action.target, status.st_size, digest,
                     status.st_mtime_ns, status.st_atime_ns, link, text,
                     os.path.abspath(action.photo) if action.photo else "")  # fmt: skip

    def _folder_lines(self, entry: Entry) -> list[dict[str, Any]]:
        """Return what must be in the journal before folders are made or change their times."""
        lines: list[dict[str, Any]] = []
        touched = [os.path.dirname(entry.source)] if entry.how == "move" else []
        folder, part = self._dest, ""
        if (parent := os.path.dirname(entry.target)) not in self._folders:
            check_parents(self._dest, entry.target)
            touched.append(folder)
            for name in parent.split("/"):
                part = f"{part}/{name}" if part else name
                folder = os.path.join(folder, name)
                if not os.path.isdir(folder):
                    if part not in self._folders:
                        lines.append({"made": part})
                    self._timed.add(folder)
                touched.append(folder)
                self._folders.add(part)
        for path in touched:
            if path not in self._timed:
                self._timed.add(path)
                status = os.stat(path)
                lines.insert(
                    0, {"times": path, "atime": status.st_atime_ns, "mtime": status.st_mtime_ns}
                )
        return lines

    def confirm(self, also: list[dict[str, Any]] | None = None) -> None:
        """Write what was done since the last time, and what comes next, to disk at once."""
        lines = [*self._pending, *(also or [])]
        self._pending = []
        self._journal.append(lines)

    def _do_batch(self, batch: list[Entry], lines: list[dict[str, Any]]) -> None:
        self.confirm(lines)
        done: list[int] = []
        void: list[dict[str, Any]] = []
        try:
            for entry in batch:
                with self._hold():
                    try:
                        self._check_photo(entry.photo)
                        self._do_one(entry)
                        done.append(entry.number)
                    except (OSError, ValueError, FileChangedError) as error:
                        if isinstance(error, OSError) and error.errno in _FULL:
                            raise self._full(error) from error
                        void.append({"void": entry.number, "why": _reason(error)})
                        self._failed(entry.source, error)
                    self._tell(1)
        finally:
            self._outcome.done += len(done)
            self._pending = [{"done": done}, *void] if done else void

    def _full(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self._dest!r} cannot be written: {_reason(error)}",
            "Nothing is lost. Run the same command again when that is mended, or take back what "
            f"was done: mnv2 undo {self._dest}",
        )

    def _failed(self, path: str, error: Exception) -> None:
        self._stuck.add(os.path.abspath(path))
        self._outcome.failed.append((path, _reason(error)))

    def _do_one(self, entry: Entry) -> None:
        target = self.target(entry)
        folder = os.path.dirname(target)
        if folder not in self._there:
            os.makedirs(folder, exist_ok=True)
            self._there.add(folder)
        if entry.how == "symlink":
            os.symlink(entry.text, target)
        elif entry.how == "hardlink":
            os.link(os.path.realpath(entry.source), target)
        elif entry.link:
            os.symlink(entry.text, target)
            self._drop_link(entry, target)
        elif entry.how == "copy":
            copy(entry.source, target, entry, content=self._held.pop(entry.number, None))
        else:
            move(entry.source, target, entry)

    def _drop_link(self, entry: Entry, target: str) -> None:
        """Remove a symbolic link that was moved; if that cannot be, the new one."""
        try:
            if not _is_link(entry.source, entry.link) or _is_one(entry.source, target):
                raise FileChangedError
            os.unlink(entry.source)
        except (OSError, FileChangedError):
            os.unlink(target)
            raise

    # Finishing what was interrupted

    def settle(self, *, go_on: bool) -> list[Entry]:
        """See how far announced actions went, and say so in the journal.

        Args:
            go_on: Do those that have not begun.

        Returns:
            Those that happened.
        """
        finished = []
        for entry in self._state.open:
            try:
                check_parents(self._dest, entry.target)
                happened = self._finish(entry)
                if go_on and not happened:
                    self._check_photo(entry.photo)
                    self._do_one(entry)
                    happened = True
            except (OSError, ValueError, FileChangedError) as error:
                if isinstance(error, OSError) and error.errno in _FULL:
                    raise self._full(error) from error
                self._failed(entry.source, error)
                happened = False
                if isinstance(error, OSError) and not isinstance(error, _CLEAR):
                    continue  # it may be otherwise the next time
            if happened:
                finished.append(entry)
                self._state.done.add(entry.number)
                self._journal.append([{"done": [entry.number]}])
            else:
                self._state.void.add(entry.number)
                self._journal.append([{"void": entry.number, "why": "interrupted"}])
        return finished

    def _finish(self, entry: Entry) -> bool:
        """Return whether an action happened; a move that is between two names is finished."""
        source, target = entry.source, self.target(entry)
        if not os.path.lexists(target):
            return False
        if entry.text:  # a symbolic link, new or moved
            if not _is_link(target, entry.text):
                return False
            if entry.link and _is_link(source, entry.link) and not _is_one(source, target):
                self._drop_link(entry, target)
            return True
        if entry.how == "hardlink":
            return os.path.exists(source) and os.path.samefile(source, target)
        original = source if entry.how == "move" else os.path.realpath(source)
        if not has(target, entry):
            if is_begun(target, original, entry):
                drop(target, original)
                return False
            # With the original in its place, it is somebody else's file; without, it is ours, and
            # somebody has changed it since: undo will say so, and keep it.
            return not has(original, entry)
        if not (has(original, entry) and are_two(original, target)):
            return True
        complete(original, target, entry)
        if entry.how == "move":
            try:
                drop(source, target)
            except OSError:
                drop(target, source)
                raise
        return True

    # Taking back

    def undo(self) -> None:
        state = self._state
        self._journal.append([{"undoing": True}])
        left = [
            state.entries[n]
            for n in sorted(state.done, reverse=True)
            if n not in state.undone and n in state.entries
        ]
        for start in range(0, len(left), BATCH):
            batch = left[start : start + BATCH]
            self.confirm([{"undo": entry.number} for entry in batch])
            undone: list[int] = []
            kept: list[dict[str, Any]] = []
            try:
                for entry in batch:
                    with self._hold():
                        why = self._undo_one(entry)
                        if why:
                            kept.append({"kept": entry.number, "why": why})
                            state.kept[entry.number] = why
                            self._outcome.failed.append((self.target(entry), why))
                        else:
                            undone.append(entry.number)
                            state.undone.add(entry.number)
                            state.kept.pop(entry.number, None)
                        self._tell(1)
            finally:
                self._outcome.done += len(undone)
                self._pending = [{"undone": undone}, *kept] if undone else kept

    def _undo_one(self, entry: Entry) -> str:
        """Take one action back; return why that cannot be, or nothing."""
        target = self.target(entry)
        try:
            check_parents(self._dest, entry.target)
            if entry.how == "move":
                return self._move_back(entry, target)
            if not os.path.lexists(target):
                return ""  # the user removed it, or it was done before an interruption
            return self._remove(entry, target)
        except FileChangedError:
            return "has changed since"
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in _FULL:
                raise OutputError(
                    f"files cannot be put back: {_reason(error)}",
                    f"Nothing is lost. Run it again when that is mended: mnv2 undo {self._dest}",
                ) from error
            return _reason(error)

    def _remove(self, entry: Entry, target: str) -> str:
        """Remove a copy or a link, if what it is a copy of is still there."""
        if entry.how == "symlink":
            if not _is_link(target, entry.text):
                return "has changed since"
            os.unlink(target)
            return ""
        original = os.path.realpath(entry.source)
        if not has(target, entry):
            return "has changed since"
        if not (has(original, entry) and are_two(target, original)):
            return f"its original {entry.source} is gone or has changed: kept"
        drop(target, original)
        return ""

    def _move_back(self, entry: Entry, target: str) -> str:
        if entry.link:
            return self._move_link_back(entry, target)
        source = entry.source
        if not os.path.lexists(target):
            return "" if has(source, entry) else "is gone"
        if not has(target, entry):
            return "has changed since"
        if os.path.lexists(source):
            if not are_two(source, target):
                return f"its old place, {source}, is a link or leads here"
            if has(source, entry):  # interrupted between two names
                complete(target, source, entry)
                drop(target, source)
                return ""
            was_begun = entry.number in self._state.begun
            if not (was_begun and is_begun(source, target, entry)):
                return f"another file has taken its place, {source}"
            drop(source, target)
        os.makedirs(os.path.dirname(source), exist_ok=True)
        move(target, source, replace(entry, mtime=os.lstat(target).st_mtime_ns))
        os.utime(source, ns=(entry.atime, entry.mtime))
        return ""

    def _move_link_back(self, entry: Entry, target: str) -> str:
        if not os.path.lexists(target):
            return "" if _is_link(entry.source, entry.link) else "is gone"
        if not _is_link(target, entry.text):
            return "has changed since"
        if os.path.lexists(entry.source) and _is_one(entry.source, target):
            return f"its old place, {entry.source}, leads here"
        if not _is_link(entry.source, entry.link):
            if os.path.lexists(entry.source):
                return f"another file has taken its place, {entry.source}"
            os.makedirs(os.path.dirname(entry.source), exist_ok=True)
            os.symlink(entry.link, entry.source)
        if os.utime in os.supports_follow_symlinks:
            os.utime(entry.source, ns=(entry.atime, entry.mtime), follow_symlinks=False)
        os.unlink(target)
        return ""

    def tidy(self) -> None:
        """Remove the folders that were made, if they are empty, and restore the times of others."""
        for part in reversed(self._state.made):
            with suppress(OSError):
                os.rmdir(os.path.join(self._dest, *part.split("/")))
        for path, times in self._state.times.items():
            with suppress(OSError):
                os.utime(path, ns=times)


def _reason(error: Exception) -> str:
    if isinstance(error, FileChangedError):
        return "has changed meanwhile"
    if isinstance(error, FileExistsError):
        return "a file of its new name appeared meanwhile"
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return str(error)


def _is_one(path: str, other: str) -> bool:
    """Tell whether two paths are one and the same link."""
    try:
        first, second = os.lstat(path), os.lstat(other)
    except OSError:
        return False
    return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)


def _is_link(path: str, text: str) -> bool:
    try:
        return os.readlink(path) == text
    except OSError:
        return False


def _link_text(source: str, target: str) -> str:
    """Return what a symbolic link at the target has to say: a relative path where there is one."""
    try:
        # Through the real folder: above a linked folder ".." is another one.
        return os.path.relpath(source, os.path.realpath(os.path.dirname(target)))
    except ValueError:  # another drive
        return source


# Taking a run back


def find_journal(path: str) -> tuple[str, str]:
    """Return the destination and the journal that a user means by a folder or a journal.

    The journal is empty where an undo was killed after the last file was back.

    Raises:
        InputError: There is none.
    """
    if os.path.isdir(path):
        dest = os.path.abspath(path)
        known = journals(dest)
        if not known and os.path.isdir(os.path.join(dest, OWN_FOLDER)):
            return dest, ""
        if not known:
            raise InputError(
                f"{path!r} has no journal: nothing was sorted into it, or all is taken back"
            )
        # The last run that is not through; else what was kept of the last one, once more.
        for journal in reversed(known):
            state = read_journal(journal)
            if not (state.undoing and state.tidied):
                return dest, journal
        return dest, known[-1]
    journal = os.path.abspath(path)
    folder, name = os.path.split(journal)
    if not os.path.isfile(journal) or os.path.basename(folder) != OWN_FOLDER:
        raise InputError(f"{path!r} is neither a folder nor a journal in its {OWN_FOLDER}")
    if not name.endswith(".jsonl"):
        raise InputError(f"{path!r} is not a journal: those end in .jsonl")
    return os.path.dirname(folder), journal


def to_undo(path: str, *, trust: bool = False) -> tuple[str, str, State]:
    """Return destination, journal and its state, ready to be taken back.

    Raises:
        InputError: There is no journal, or it came from elsewhere and is not trusted.
        JournalError: It cannot be read.
    """
    dest, journal = find_journal(path)
    if not journal:
        return dest, "", State({"in_place": True, "made_dest": [dest]})
    state = read_journal(journal)
    if not (trust or state.header["in_place"]):
        raise InputError(
            f"the journal {journal} was not written here, but copied or unpacked",
            "Taking it back would put files wherever it says. If you know where it comes from, "
            "and have looked at it with --dry-run, add --trust.",
        )
    return dest, journal, state


def undo(
    path: str,
    tell: Tell = lambda count: None,
    *,
    trust: bool = False,
    hold: Hold = nullcontext,
) -> tuple[Outcome, State]:
    """Take the last run back, or the one of a journal; an interrupted undo is finished.

    Args:
        path: The destination, or a journal in it.
        tell: Told how it goes.
        trust: Follow a journal that was not written here.
        hold: Holds off interruptions while one file is dealt with.

    Returns:
        What was taken back and what was kept, and the state of the journal.

    Raises:
        InputError: There is no journal, or another run is at work there.
        JournalError: The journal cannot be read.
        OutputError: A disk is full or cannot be written; running it again goes on.
    """
    dest, name, state = to_undo(path, trust=trust)
    if not name:
        with locked(dest):
            _clean_up(dest, state)
        return Outcome(), state
    with locked(dest):
        state = read_journal(name)
        journal, outcome = Journal(name), Outcome()
        try:
            run = _Run(dest, journal, state, outcome, tell, hold)
            outcome.finished = len(run.settle(go_on=False))
            try:
                run.undo()
            finally:
                run.confirm()
            run.tidy()
            journal.append([{"tidied": True}])
        finally:
            journal.close()
        if not state.kept and not outcome.failed:
            _hand_on(dest, name, state)
            with suppress(OSError):
                os.unlink(name)
        _clean_up(dest, state)
    return outcome, state


def _hand_on(dest: str, name: str, state: State) -> None:
    """Tell another journal how the destination was before, where this one alone knows it."""
    known = {key: state.header.get(key) for key in ("made_dest", "dest_times")}
    others = [journal for journal in journals(dest) if journal != name]
    if others and any(known.values()):
        other = Journal(others[0])
        other.append([{"inherit": known}])
        other.close()


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _clean_up(dest: str, state: State) -> None:
    """Remove the folder of journals when it is empty, and the destination if it was made."""
    own = os.path.join(dest, OWN_FOLDER)
    if journals(dest):
        return
    for name in _names(own):
        if name == "lock" or name.endswith(".new"):
            with suppress(OSError):
                os.unlink(os.path.join(own, name))
    with suppress(OSError):
        os.rmdir(own)
        for folder in state.header.get("made_dest", ()):
            if dest == folder or dest.startswith(str(folder).rstrip(os.sep) + os.sep):
                os.rmdir(folder)
    for folder, times in state.header.get("dest_times", {}).items():
        if os.path.isdir(folder) and not os.path.lexists(own):
            with suppress(OSError, ValueError, TypeError):
                os.utime(folder, ns=(int(times[0]), int(times[1])))
