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
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from mnv2cli.errors import InputError, JournalError, OutputError
from mnv2cli.files import content_digest, open_unnoticed, read_unnoticed
from mnv2cli.journal import Entry, Journal, State, journals, line_of, read_journal
from mnv2cli.plan import OWN_FOLDER, Action, Plan, check_parents

BATCH, BATCH_BYTES = 1024, 256 << 20
"""Files and bytes that are announced, done and confirmed together."""

_BLOCK = 1 << 20
_HELD = 64 << 10  # bytes; smaller files are kept in memory between hashing and copying
_FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}  # it would hit every other file too
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS,
             errno.EACCES}  # fmt: skip

Tell = Callable[[int], None]
"""Called with how many more files are done."""


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


class FileChangedError(Exception):
    """A file is not what it was when it was looked at."""


# The destination


@contextmanager
def locked(dest: str) -> Iterator[None]:
    """Keep other runs out of a destination.

    Raises:
        InputError: Another run is at work in it.
        OutputError: Nothing can be written there.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(os.path.join(dest, OWN_FOLDER, "lock"))
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


def apply(plan: Plan, tell: Tell = lambda count: None) -> Outcome:
    """Carry out a plan, after finishing what an earlier run left unfinished.

    Args:
        plan: What to do.
        tell: Told how it goes.

    Returns:
        What was done; what failed stayed where it is.

    Raises:
        InputError: Another run is at work there, or an interrupted undo waits to be finished.
        OutputError: The destination cannot be written, or its disk is full. Nothing is lost, and
            running it again goes on.
    """
    dest = plan.dest
    if not plan.work and not _is_unfinished(dest):
        return Outcome()
    header = _prepare(dest)
    with locked(dest):
        outcome = Outcome()
        journal, state = _open_journal(dest, header)
        try:
            run = _Run(dest, journal, state, outcome, tell)
            settled = {entry.source for entry in run.settle(go_on=True)}
            outcome.finished = len(settled)
            work = [a for a in plan.work if os.path.abspath(a.source) not in settled]
            if work:
                journal.append([{"begin": time.time()}])
                try:
                    run.do(work)
                finally:
                    run.confirm()
            journal.append([{"end": True}])
        finally:
            journal.close()
    return outcome


def _is_unfinished(dest: str) -> bool:
    known = journals(dest)
    return bool(known) and not read_journal(known[-1]).ended


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
        if state.undoing and len(state.undone) + len(state.kept) < len(state.done):
            raise InputError(
                f"taking back an earlier run in {dest!r} was interrupted",
                f"Finish that first: mnv2 undo {dest}",
            )
        if not state.ended and state.header["in_place"]:
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
        self, dest: str, journal: Journal, state: State, outcome: Outcome, tell: Tell
    ) -> None:
        self._dest = dest
        self._journal = journal
        self._state = state
        self._outcome = outcome
        self._tell = tell
        self._number = max(state.entries, default=0)
        self._folders: set[str] = set()  # whose making or times are in the journal
        self._there: set[str] = set()  # that were made, or were there
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
            if (len(batch) >= BATCH or size >= BATCH_BYTES) and not action.companion:
                self._do_batch(batch, lines)
                batch, lines, size = [], [], 0
            try:
                entry = self._entry(action)
                lines += self._folder_lines(entry)
            except (OSError, ValueError) as error:
                self._failed(action.source, error)
                continue
            lines.append(line_of(entry))
            batch.append(entry)
            size += entry.size
        self._do_batch(batch, lines)

    def _entry(self, action: Action) -> Entry:
        self._number += 1
        source = os.path.abspath(action.source)
        status, link = os.stat(source), ""
        if action.how == "move" and os.path.islink(source):
            link, status = os.readlink(source), os.lstat(source)
            digest = hashlib.sha256(os.fsencode(link)).hexdigest()
        elif action.how == "copy" and status.st_size <= _HELD:
            content = read_unnoticed(source)
            digest = hashlib.sha256(content).hexdigest()
            self._held[self._number] = content  # read once, not twice
        else:
            digest = content_digest(source)
        return Entry(self._number, action.how, source, action.target, status.st_size, digest,
                     status.st_mtime_ns, status.st_atime_ns, link)  # fmt: skip

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
                try:
                    self._do_one(entry)
                    done.append(entry.number)
                except (OSError, ValueError, FileChangedError) as error:
                    if isinstance(error, OSError) and error.errno in _FATAL:
                        raise OutputError(
                            f"{self._dest!r} cannot be written: {_reason(error)}",
                            "Nothing is lost. Run the same command again when that is mended, or "
                            f"take back what was done: mnv2 undo {self._dest}",
                        ) from error
                    void.append({"void": entry.number, "why": _reason(error)})
                    self._failed(entry.source, error)
                self._tell(1)
        finally:
            self._outcome.done += len(done)
            self._pending = [{"done": done}, *void] if done else void

    def _failed(self, path: str, error: Exception) -> None:
        self._outcome.failed.append((path, _reason(error)))

    def _do_one(self, entry: Entry) -> None:
        target = self.target(entry)
        folder = os.path.dirname(target)
        if folder not in self._there:
            os.makedirs(folder, exist_ok=True)
            self._there.add(folder)
        if entry.how == "symlink":
            os.symlink(_link_text(entry.source, target), target)
        elif entry.how == "hardlink":
            os.link(os.path.realpath(entry.source), target)
        elif entry.link:
            self._move_link(entry, target)
        elif entry.how == "copy":
            _copy(entry.source, target, entry, content=self._held.pop(entry.number, None))
        else:
            self._move(entry, entry.source, target)

    def _move_link(self, entry: Entry, target: str) -> None:
        os.symlink(_moved_text(entry, target), target)
        if os.readlink(entry.source) != entry.link:
            os.unlink(target)
            raise FileChangedError
        os.unlink(entry.source)

    def _move(self, entry: Entry, source: str, target: str) -> None:
        """Move a file that has the content of the entry."""
        status = os.lstat(source)
        if (status.st_size, status.st_mtime_ns) != (entry.size, entry.mtime):
            raise FileChangedError
        try:
            try:
                os.link(source, target, follow_symlinks=False)
            except OSError as error:
                if error.errno == errno.EXDEV or error.errno not in _NO_LINKS:
                    raise
                _rename(source, target)
                return
            os.unlink(source)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(source, target, entry, durable=True)
            if content_digest(target) != entry.sha256:
                os.unlink(target)
                raise FileChangedError from error
            os.unlink(source)

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
            happened = self._finish(entry)
            if go_on and not happened:
                try:
                    check_parents(self._dest, entry.target)
                    self._do_one(entry)
                    happened = True
                except (OSError, ValueError, FileChangedError):
                    pass
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
        target = self.target(entry)
        if not os.path.lexists(target):
            return False
        if entry.link:
            if not _is_link(target, _moved_text(entry, target)):
                return False
            if _is_link(entry.source, entry.link):
                os.unlink(entry.source)
            return True
        if entry.how == "symlink":
            return _is_link(target, _link_text(entry.source, target))
        if entry.how == "hardlink":
            return os.path.exists(entry.source) and os.path.samefile(entry.source, target)
        if not _has(target, entry):
            if _is_begun(target, entry.source, entry):
                os.unlink(target)
            return False
        if os.path.lexists(entry.source) and _has(entry.source, entry):
            _complete(entry.source, target, entry)
            if entry.how == "move":
                os.unlink(entry.source)
        elif entry.how == "move" and os.path.lexists(entry.source):
            return False  # somebody put another file there
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
            if isinstance(error, OSError) and error.errno in _FATAL:
                raise OutputError(
                    f"files cannot be put back: {_reason(error)}",
                    f"Nothing is lost. Run it again when that is mended: mnv2 undo {self._dest}",
                ) from error
            return _reason(error)

    def _remove(self, entry: Entry, target: str) -> str:
        """Remove a copy or a link, if what it is a copy of is still there."""
        if entry.how == "symlink":
            if not _is_link(target, _link_text(entry.source, target)):
                return "has changed since"
        elif entry.how == "hardlink":
            if not os.path.exists(entry.source) or not os.path.samefile(entry.source, target):
                return "is no longer a link to its original: kept"
        else:
            if not _has(target, entry):
                return "has changed since"
            if not _has(entry.source, entry):
                return f"its original {entry.source} is gone or has changed: kept"
        os.unlink(target)
        return ""

    def _move_back(self, entry: Entry, target: str) -> str:
        if entry.link:
            return self._move_link_back(entry, target)
        is_there, is_back = os.path.lexists(target), os.path.lexists(entry.source)
        if not is_there:
            return "" if is_back and _has(entry.source, entry) else "is gone"
        if not _has(target, entry):
            return "has changed since"
        if is_back:
            if _has(entry.source, entry):  # interrupted between two names
                _complete(target, entry.source, entry)
                os.unlink(target)
                return ""
            if not _is_begun(entry.source, target, entry):
                return f"another file has taken its place, {entry.source}"
            os.unlink(entry.source)
        os.makedirs(os.path.dirname(entry.source), exist_ok=True)
        self._move_to(entry, target, entry.source)
        os.utime(entry.source, ns=(entry.atime, entry.mtime))
        return ""

    def _move_to(self, entry: Entry, target: str, source: str) -> None:
        """Move a file from the destination to where it came from."""
        try:
            try:
                os.link(target, source)
            except OSError as error:
                if error.errno == errno.EXDEV or error.errno not in _NO_LINKS:
                    raise
                _rename(target, source)
                return
            os.unlink(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(target, source, entry, durable=True)
            if content_digest(source) != entry.sha256:
                os.unlink(source)
                raise FileChangedError from error
            os.unlink(target)

    def _move_link_back(self, entry: Entry, target: str) -> str:
        if not os.path.lexists(target):
            return "" if _is_link(entry.source, entry.link) else "is gone"
        if not _is_link(target, _moved_text(entry, target)):
            return "has changed since"
        if not _is_link(entry.source, entry.link):
            if os.path.lexists(entry.source):
                return f"another file has taken its place, {entry.source}"
            os.symlink(entry.link, entry.source)
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


def _copy(
    source: str, target: str, entry: Entry, *, durable: bool = False, content: bytes | None = None
) -> None:
    """Write a copy with times, permissions and attributes; fails where there is a file.

    A process that is killed leaves a beginning of the file, which is told by ``_is_begun``.

    Args:
        source: The file that has, or had when it was announced, the content of the entry.
        target: Its copy.
        entry: What the content has to be.
        durable: Return when it is on disk.
        content: What was read when the entry was announced, to be read no second time.
    """
    status = os.stat(source)
    if content is not None and (status.st_size, status.st_mtime_ns) != (entry.size, entry.mtime):
        raise FileChangedError
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    writer = os.open(target, flags, 0o600)
    try:
        if content is not None:
            _write(writer, content)
        elif _stream(source, writer) != entry.sha256:
            raise FileChangedError
        _copy_attributes(source, target)
        os.chmod(target, stat.S_IMODE(status.st_mode))
        os.utime(target, ns=(entry.atime, entry.mtime))
        if durable:
            os.fsync(writer)
    except BaseException:
        _discard(target)
        raise
    finally:
        os.close(writer)


def _stream(source: str, writer: int) -> str:
    """Copy the content of a file, and return its SHA-256."""
    digest = hashlib.sha256()
    with open(source, "rb", buffering=0, opener=open_unnoticed) as reader:
        while block := reader.read(_BLOCK):
            digest.update(block)
            _write(writer, block)
    return digest.hexdigest()


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _copy_attributes(source: str, target: str) -> None:
    """Copy extended attributes, such as tags, as far as the file system has them."""
    if not hasattr(os, "listxattr"):
        shutil.copystat(source, target)  # it knows what macOS and Windows have
        return
    with suppress(OSError):
        for name in os.listxattr(source):
            with suppress(OSError):
                os.setxattr(target, name, os.getxattr(source, name))


def _is_begun(path: str, whole: str, entry: Entry) -> bool:
    """Tell whether a file is but a beginning of another one that has the content of the entry.

    That is what a killed process leaves. Removing it loses nothing: all of it is in the other.
    """
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode) or os.path.getsize(path) >= entry.size:
            return False
        with open(path, "rb") as begun, open(whole, "rb") as other:
            while block := begun.read(_BLOCK):
                if other.read(len(block)) != block:
                    return False
        return _has(whole, entry)
    except OSError:
        return False


def _rename(source: str, target: str) -> None:
    """Rename without replacing anything, where the file system has no links.

    An empty file takes the name first, which fails if there is one; then it is replaced.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    try:
        os.replace(source, target)
    except BaseException:
        os.unlink(target)
        raise


def _discard(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)


def _has(path: str, entry: Entry) -> bool:
    """Tell whether a path is a regular file with the content of an entry."""
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode):
            # A symbolic link to the source that was copied has its content.
            status = os.stat(path)
        is_file = stat.S_ISREG(status.st_mode) and status.st_size == entry.size
        return is_file and content_digest(path) == entry.sha256
    except OSError:
        return False


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


def _moved_text(entry: Entry, target: str) -> str:
    """Return what a moved symbolic link has to say to lead to the same file."""
    if os.path.isabs(entry.link):
        return entry.link
    return _link_text(os.path.join(os.path.dirname(entry.source), entry.link), target)


def _complete(source: str, copy: str, entry: Entry) -> None:
    """Give a copy what a killed process had no time for, and have it on disk."""
    if os.path.samefile(source, copy):
        return
    os.chmod(copy, stat.S_IMODE(os.stat(source).st_mode))
    os.utime(copy, ns=(entry.atime, entry.mtime))
    descriptor = os.open(copy, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
    path: str, tell: Tell = lambda count: None, *, trust: bool = False
) -> tuple[Outcome, State]:
    """Take the last run back, or the one of a journal; an interrupted undo is finished.

    Args:
        path: The destination, or a journal in it.
        tell: Told how it goes.
        trust: Follow a journal that was not written here.

    Returns:
        What was taken back and what was kept, and the state of the journal.

    Raises:
        InputError: There is no journal, or another run is at work there.
        JournalError: The journal cannot be read.
        OutputError: A disk is full or cannot be written; running it again goes on.
    """
    dest, name, state = to_undo(path, trust=trust)
    if not name:
        _clean_up(dest, state)
        return Outcome(), state
    with locked(dest):
        state = read_journal(name)
        journal, outcome = Journal(name), Outcome()
        try:
            run = _Run(dest, journal, state, outcome, tell)
            outcome.finished = len(run.settle(go_on=False))
            try:
                run.undo()
            finally:
                run.confirm()
            run.tidy()
        finally:
            journal.close()
        if not state.kept and not outcome.failed:
            _discard(name)
    _clean_up(dest, state)
    return outcome, state


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
            _discard(os.path.join(own, name))
    with suppress(OSError):
        os.rmdir(own)
        for folder in state.header.get("made_dest", ()):
            if dest == folder or dest.startswith(str(folder).rstrip(os.sep) + os.sep):
                os.rmdir(folder)
    for folder, times in state.header.get("dest_times", {}).items():
        if os.path.isdir(folder) and not os.path.lexists(own):
            with suppress(OSError, ValueError, TypeError):
                os.utime(folder, ns=(int(times[0]), int(times[1])))
