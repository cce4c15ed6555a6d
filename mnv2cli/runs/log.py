"""The log of a results file: its settings, how its runs ended, and its lock.

The log of ``labels.csv`` is the hidden file ``.labels.csv.mnv2`` beside it, one line of JSON for
each event: ``begin`` with the settings that determine the rows, ``resume``, and at the end
``finished``, ``stopped`` by the user, or ``failed`` because the disk is full. A killed run records
no end. The process of a run holds a lock on the log, which the system releases when it ends.

The log stays after the run has finished. ``--resume`` uses it to add new images and to refuse
different options, which would mix two kinds of rows in a file; ``mnv2 merge`` uses it to check that
shards belong together and are complete; and other runs use it to recognise ``labels.csv`` as
results, not an image. It can be deleted when none of these is needed any more.

Earlier versions named it ``labels.csv.mnv2``. A log with that name is moved to the new place,
unless a run of an earlier version holds its lock.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import stat
from contextlib import suppress
from typing import IO, Any

from mnv2cli.errors import InputError, OutputError
from mnv2cli.results.check import earlier_log_path, log_path
from mnv2cli.runs.differences import Settings
from mnv2cli.system.files import sync_folder
from mnv2cli.system.messages import reason

_LAYOUT = 1
_ENDINGS = ("finished", "stopped", "failed")
_HEAD = b'{"event": "begin"'
_MAX_ATTEMPTS = 10
"""How often another run may remove the log while it is opened.

After that, the file system is assumed to give an open file and its path different numbers, as some
network and FUSE mounts do.
"""

_MAX_SIZE = 4 << 20  # bytes; ten times the size after a thousand resumed runs


class RunLog:
    """The log of one results file; holds its lock until :meth:`close`.

    Args:
        output: The results file. It need not exist yet.

    Attributes:
        path: The path of the log.
        settings: The settings of the run that began the results; empty if there are no results.
        begun: The whole event ``begin``: settings, folder, versions of libraries.
        died_early: The last run was killed before its first row.
        ending: The last event, such as ``finished``; empty if the last run was killed.

    Raises:
        InputError: Another run writes to these results.
        OutputError: The log cannot be written.
    """

    def __init__(self, output: str) -> None:
        self.path = log_path(output)
        self._output = output
        self._is_new = self.died_early = False
        self._file = self._open()
        try:
            self._adopt_earlier(earlier_log_path(output))
        except BaseException:
            self.close()
            raise
        events = _events(self._file)
        self.begun = _begin_of(events)
        if not (self._is_new or self.begun or self._is_cut()):
            self._file.close()
            raise InputError(
                f"cannot write the run log {self.path!r}: another file has this name",
                "Move it, or name another file for the results.",
            )
        self.ending = str(_end_of(events).get("event", ""))
        self.settings: Settings = self.begun.get("settings", {})

    def begin(self, settings: Settings, **more: Any) -> None:
        """Start the log of a new run in place of the old log; it is on disk before any row is."""
        self.forget()
        self.settings = settings
        self.begun = {"event": "begin", "layout": _LAYOUT, "settings": settings, **more}
        self.add(self.begun)

    def forget(self) -> None:
        """Empty the log, because it no longer describes the existing results.

        If nothing is added after that, :meth:`close` removes the file.
        """
        self._is_new = True
        self._file.truncate(0)
        os.fsync(self._file.fileno())

    def add(self, event: dict[str, Any]) -> None:
        """Add an event; it is on disk when this returns."""
        self._is_new = False
        line = json.dumps(event).encode() + b"\n"
        if self._file.seek(0, os.SEEK_END):
            self._file.seek(-1, os.SEEK_END)
            if self._file.read(1) != b"\n":
                line = b"\n" + line  # after a truncated line
        self._write(line)

    def _write(self, data: bytes) -> None:
        while data:  # a full disk stores only a part
            written = self._file.write(data)
            if not written:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            data = data[written:]
        os.fsync(self._file.fileno())

    def _is_cut(self) -> bool:
        """Return whether the file is the beginning of a log, as after a power failure."""
        self._file.seek(0)
        head = self._file.read(32)
        return _HEAD.startswith(head[: len(_HEAD)]) or not head.strip(b"\0")

    def close(self) -> None:
        """Release the lock; an empty log is removed."""
        is_new, self._is_new = self._is_new, False
        if os.name == "nt":  # an open file cannot be removed there
            self._file.close()
        if is_new:
            with suppress(OSError):
                os.unlink(self.path)
        self._file.close()

    def copy_to(self, path: str) -> None:
        """Write the content of the log to another file."""
        self._file.seek(0)
        with open(path, "wb") as file:
            file.write(self._file.read(_MAX_SIZE))

    def _open(self) -> IO[bytes]:
        attempts = itertools.count(1)
        while True:
            existed = os.path.lexists(self.path)
            try:
                file = _open_regular(self.path, os.O_RDWR | os.O_CREAT)
            except OSError as error:
                raise self._failed(error) from error
            self._lock(file)
            try:
                is_same = os.path.samestat(os.fstat(file), os.stat(self.path))
            except FileNotFoundError:
                is_same = False  # another run removed it between the open and the lock
            if is_same or (next(attempts) > _MAX_ATTEMPTS and os.path.lexists(self.path)):
                self._is_new = os.fstat(file).st_size == 0
                self.died_early = self._is_new and existed
                sync_folder(os.path.dirname(self.path))
                return os.fdopen(file, "r+b", buffering=0)
            os.close(file)

    def _lock(self, file: int) -> None:
        """Lock an open file; if another run holds the lock, close the file and raise InputError."""
        from filelock import lock_descriptor

        try:
            is_locked = lock_descriptor(file, blocking=False)
        except OSError:
            return  # the file system does not support locks
        if not is_locked:
            os.close(file)
            raise InputError(
                f"another run of mnv2 is writing to {self._output!r}",
                "Wait for it to finish, or name another file.",
            )

    def _adopt_earlier(self, path: str) -> None:
        """Move a log from the place that earlier versions used; the lock on the new log is held.

        A log at that place is newer than a log at the new place, because this version leaves none
        there. It is copied before it is removed, so a kill in between loses nothing.
        """
        if not os.path.lexists(path):
            return
        try:
            file = _open_regular(path, os.O_RDWR)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ELOOP):
                return  # a link or a device is not a log
            raise self._failed(error, path) from error
        self._lock(file)
        with os.fdopen(file, "rb", buffering=0) as earlier:
            content = earlier.read(_MAX_SIZE)
            is_empty = not content.strip(b"\0") or _HEAD.startswith(content)
            if not (is_empty or content.startswith(_HEAD)):
                return  # some other file
            try:
                if is_empty:
                    self.died_early = self.died_early or self._is_new
                else:
                    self._file.truncate(0)
                    self._file.seek(0)
                    self._write(content)
                    self._is_new = self.died_early = False
                if os.name == "nt":  # an open file cannot be removed there
                    earlier.close()
                os.unlink(path)
                sync_folder(os.path.dirname(path))
            except OSError as error:
                raise self._failed(error, path) from error
        self._file.seek(0)

    def _failed(self, error: OSError, path: str = "") -> OutputError:
        return OutputError(
            f"cannot write the run log {path or self.path!r}: {reason(error)}",
            "Write the results to a file in a writable folder.",
        )


def read_log(output: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the beginning and the end recorded in the log of a results file.

    Reading does not lock the log. A log at the place that earlier versions used is moved if its
    folder is writable and no run uses it.

    Returns:
        The event ``begin``, and the last event if it is an end; each is empty if missing.

    Raises:
        InputError: There is no log, or it cannot be read.
    """
    path, earlier = log_path(output), earlier_log_path(output)
    if is_log(earlier):
        with suppress(InputError, OutputError):
            RunLog(output).close()
        path = earlier if os.path.lexists(earlier) else path
    try:
        with os.fdopen(_open_regular(path, os.O_RDONLY), "rb", buffering=0) as file:
            events = _events(file)
    except OSError as error:
        raise InputError(
            f"cannot read {path!r}, the run log of {output!r}: {reason(error)}",
            "Copy the run log to the folder of the results.",
        ) from error
    return _begin_of(events), _end_of(events)


def is_log(path: str) -> bool:
    """Return whether a file is the log of a run, not only named like one."""
    try:
        with os.fdopen(_open_regular(path, os.O_RDONLY), "rb", buffering=0) as file:
            return file.read(len(_HEAD)) == _HEAD
    except (OSError, ValueError):  # ValueError: the path contains a NUL byte
        return False


def _open_regular(path: str, flags: int) -> int:
    """Open a regular file, neither a link nor anything that could block; raises OSError."""
    for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_BINARY", "O_NONBLOCK"):
        flags |= getattr(os, name, 0)
    file = os.open(path, flags, 0o666)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "Not a regular file")
    return file


def _events(file: IO[bytes]) -> list[dict[str, Any]]:
    file.seek(0)
    events = []
    for line in file.read(_MAX_SIZE).split(b"\n"):
        with suppress(ValueError, RecursionError):  # truncated by a power failure
            event = json.loads(line)
            if isinstance(event, dict) and isinstance(event.get("settings", {}), dict):
                events.append(event)
    return events


def _begin_of(events: list[dict[str, Any]]) -> dict[str, Any]:
    return next((event for event in events if event.get("event") == "begin"), {})


def _end_of(events: list[dict[str, Any]]) -> dict[str, Any]:
    return events[-1] if events and events[-1].get("event") in _ENDINGS else {}
