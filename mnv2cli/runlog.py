"""What a results file was made with, and how its runs ended: a small file beside it, and its lock.

``labels.csv.mnv2`` has a line of JSON for each event of ``labels.csv``: ``begin`` with the settings
that decide what rows say, ``resume``, and ``finished`` or ``stopped``. A run that was killed leaves
no such end. As long as a run lasts it holds a lock on the file, which goes with the process.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import IO, Any

from mnv2cli.errors import InputError, OutputError

SUFFIX = ".mnv2"
_LAYOUT = 1
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
        ending: The last event, ``finished`` or ``stopped``; empty if the last run was killed.

    Raises:
        InputError: Another run writes to these results now.
        OutputError: The log cannot be written.
    """

    def __init__(self, output: str) -> None:
        self.path = os.path.realpath(output) + SUFFIX
        self._output = output
        self._is_new = False
        self._file = self._open()
        events = _events(self._file)
        self.begun = _begin_of(events)
        self.ending = str(_end_of(events).get("event", ""))
        self.settings: Settings = self.begun.get("settings", {})

    def begin(self, settings: Settings, **more: Any) -> None:
        """Begin anew: what was in the log is gone, and this is on disk before any row is."""
        self._file.truncate(0)
        self.settings = settings
        self.begun = {"event": "begin", "layout": _LAYOUT, "settings": settings, **more}
        self.add(self.begun)

    def add(self, event: dict[str, Any]) -> None:
        """Add an event; it is on disk when this returns."""
        self._is_new = False
        line = json.dumps(event).encode() + b"\n"
        if self._file.seek(0, os.SEEK_END):
            self._file.seek(-1, os.SEEK_END)
            if self._file.read(1) != b"\n":
                line = b"\n" + line  # after a line that was cut short
        self._file.write(line)
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let go of the lock; a log in which nothing was written goes away."""
        if self._is_new:
            self._is_new = False
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

        flags = os.O_RDWR | os.O_CREAT
        for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_BINARY", "O_NONBLOCK"):
            flags |= getattr(os, name, 0)
        while True:
            try:
                existed = os.path.lexists(self.path)
                file = os.open(self.path, flags, 0o666)
            except OSError as error:
                raise OutputError(
                    f"{self.path!r}, which results need beside them, cannot be written: "
                    f"{(error.strerror or str(error)).lower()}"
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
                    self._is_new = not existed
                    return os.fdopen(file, "r+b", buffering=0)
            except FileNotFoundError:
                pass  # its owner removed it between our opening and locking it
            os.close(file)


def read_log(output: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return how the runs of a results file began, and how they ended, without locking anything.

    Returns:
        The events ``begin`` and ``finished`` or ``stopped``, each empty if there is none.

    Raises:
        InputError: There is no log, or it cannot be read.
    """
    path = os.path.realpath(output) + SUFFIX
    try:
        with open(path, "rb") as file:
            events = _events(file)
    except OSError as error:
        raise InputError(
            f"{output + SUFFIX!r} cannot be read: {(error.strerror or str(error)).lower()}",
            "mnv2 classify writes it beside the results: copy it along with them.",
        ) from error
    return _begin_of(events), _end_of(events)


def differences(
    old: Settings, new: Settings, words: str = "{name} was {old} and is now {new}"
) -> list[str]:
    """Name the settings that two runs have both and that differ, in plain words."""
    return [
        words.format(name=name.replace("_", " "), old=_said(old[name]), new=_said(new[name]))
        for name in new
        if name in old and old[name] != new[name]
    ]


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
    return events[-1] if events and events[-1].get("event") in ("finished", "stopped") else {}
