"""What a results file was made with, and how its runs ended: a small file beside it, and its lock.

``labels.csv.mnv2`` has a line of JSON for each event of ``labels.csv``: ``begin`` with the settings
that decide what rows say, ``resume``, and at the end ``finished``, ``stopped`` by the user, or
``failed`` for want of room. A run that was killed leaves no such end. As long as a run lasts it
holds a lock on the file, which goes with the process.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from contextlib import suppress
from typing import IO, Any

from mnv2cli.errors import InputError, OutputError
from mnv2cli.results.check import LOG_SUFFIX
from mnv2cli.system.files import sync_folder
from mnv2cli.system.messages import reason

_LAYOUT = 1
_ENDINGS = ("finished", "stopped", "failed")
_HEAD = b'{"event": "begin"'
_LARGEST = 4 << 20  # bytes; a thousand resumed runs have a tenth of this

Settings = dict[str, Any]


class RunLog:
    """The log of one results file; holds its lock from the beginning to :meth:`close`.

    Args:
        output: The results file. It need not be there yet.

    Attributes:
        path: The log's own path.
        settings: Those of the run that began the results; empty if there is none.
        begun: All that was said when it began: settings, folder, versions of libraries.
        died_early: The last run was killed before its first row.
        ending: The last event, such as ``finished``; empty if the last run was killed.

    Raises:
        InputError: Another run writes to these results now.
        OutputError: The log cannot be written.
    """

    def __init__(self, output: str) -> None:
        self.path = os.path.realpath(output) + LOG_SUFFIX
        self._output = output
        self._is_new = self.died_early = False
        self._file = self._open()
        events = _events(self._file)
        self.begun = _begin_of(events)
        if not (self._is_new or self.begun or self._is_cut()):
            self._file.close()
            raise InputError(
                f"{self.path!r} is in the way: mnv2 would keep its own notes there",
                "Move it, or name another file for the results.",
            )
        self.ending = str(_end_of(events).get("event", ""))
        self.settings: Settings = self.begun.get("settings", {})

    def begin(self, settings: Settings, **more: Any) -> None:
        """Begin anew: what was in the log is gone, and this is on disk before any row is."""
        self.forget()
        self.settings = settings
        self.begun = {"event": "begin", "layout": _LAYOUT, "settings": settings, **more}
        self.add(self.begun)

    def forget(self) -> None:
        """Forget what was: results that are there do not belong to it any more.

        A log in which nothing is written after that goes away.
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
                line = b"\n" + line  # after a line that was cut short
        while line:  # a disk that gets full takes a part of it
            written = self._file.write(line)
            if not written:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            line = line[written:]
        os.fsync(self._file.fileno())

    def _is_cut(self) -> bool:
        """Return whether a power cut left but the beginning of a log."""
        self._file.seek(0)
        head = self._file.read(32)
        return _HEAD.startswith(head[: len(_HEAD)]) or not head.strip(b"\0")

    def close(self) -> None:
        """Let go of the lock; a log in which nothing was written goes away."""
        is_new, self._is_new = self._is_new, False
        if os.name == "nt":  # where no open file is removed, and another run may be quicker
            self._file.close()
        if is_new:
            with suppress(OSError):
                os.unlink(self.path)
        self._file.close()

    def copy_to(self, path: str) -> None:
        """Write what is in the log to another file."""
        self._file.seek(0)
        with open(path, "wb") as file:
            file.write(self._file.read(_LARGEST))

    def _open(self) -> IO[bytes]:
        from filelock import lock_descriptor

        while True:
            existed = os.path.lexists(self.path)
            try:
                file = _open_regular(self.path, os.O_RDWR | os.O_CREAT)
            except OSError as error:
                raise OutputError(
                    f"{self.path!r}, which results need beside them, cannot be written: "
                    f"{reason(error)}"
                ) from error
            try:
                free = lock_descriptor(file, blocking=False)
            except OSError:
                free = True  # a file system without locks: the user's own care
            if not free:
                os.close(file)
                raise InputError(
                    f"another mnv2 writes to {self._output!r}", "Wait for its end, or name another."
                )
            try:
                if os.path.samestat(os.fstat(file), os.stat(self.path)):
                    self._is_new = os.fstat(file).st_size == 0
                    self.died_early = self._is_new and existed
                    sync_folder(os.path.dirname(self.path))
                    return os.fdopen(file, "r+b", buffering=0)
            except FileNotFoundError:
                pass  # its owner removed it between our opening and locking it
            os.close(file)


def read_log(output: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return how the runs of a results file began, and how they ended, without locking anything.

    Returns:
        The event ``begin``, and the last one if it is an end; each empty if there is none.

    Raises:
        InputError: There is no log, or it cannot be read.
    """
    path = os.path.realpath(output) + LOG_SUFFIX
    try:
        with os.fdopen(_open_regular(path, os.O_RDONLY), "rb", buffering=0) as file:
            events = _events(file)
    except OSError as error:
        raise InputError(
            f"{path!r} cannot be read: {reason(error)}",
            "mnv2 classify writes it beside the results: copy it along with them.",
        ) from error
    return _begin_of(events), _end_of(events)


_HASHES = {
    "weights": "the weights are others",
    "categories": "the categories are others",
    "calibration": "int8 was calibrated on other photos (--calibrate DIR keeps to the same)",
}
_NAMES = {"threshold": "min_score"}
"""Settings whose option has another name than their key in logs."""


def differences(
    old: Settings, new: Settings, words: str = "{name} was {old} and is now {new}"
) -> list[str]:
    """Name the settings that two runs have both and that differ, in plain words."""
    return [
        _HASHES[name]
        if name in _HASHES and old[name] and new[name]
        else words.format(
            name=_NAMES.get(name, name).replace("_", " "),
            old=_said(old[name]),
            new=_said(new[name]),
        )
        for name in new
        if name in old and old[name] != new[name]
    ]


def _open_regular(path: str, flags: int) -> int:
    """Open a file that is one: no link, and nothing that waits for somebody; raises OSError."""
    for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_BINARY", "O_NONBLOCK"):
        flags |= getattr(os, name, 0)
    file = os.open(path, flags, 0o666)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "Not a regular file")
    return file


def _said(value: Any) -> str:
    if value is None or value == "":
        return "not given"
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _events(file: IO[bytes]) -> list[dict[str, Any]]:
    events = []
    for line in file.read(_LARGEST).split(b"\n"):
        with suppress(ValueError, RecursionError):  # cut short by a power cut
            event = json.loads(line)
            if isinstance(event, dict) and isinstance(event.get("settings", {}), dict):
                events.append(event)
    return events


def _begin_of(events: list[dict[str, Any]]) -> dict[str, Any]:
    return next((event for event in events if event.get("event") == "begin"), {})


def _end_of(events: list[dict[str, Any]]) -> dict[str, Any]:
    return events[-1] if events and events[-1].get("event") in _ENDINGS else {}
