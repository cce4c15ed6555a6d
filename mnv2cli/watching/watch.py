"""Watch a folder: process each photo once it is complete, until asked to stop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from mnv2cli.events import RunEvents
from mnv2cli.records import Record, Source
from mnv2cli.watching.arrivals import Arrivals
from mnv2cli.watching.changes import Changes
from mnv2cli.watching.job import Arrived, Job
from mnv2cli.watching.options import WatchOptions
from mnv2cli.watching.shots import DropFolder, Shot

BATCH = 32
"""The largest number of photos that are classified, then processed, together."""

_RESTARTS, _RESTART_PAUSE = 5, 1.0
"""How often in a minute to start the reports of changes again, and the seconds between."""

_SHORT_RESCAN = 1.0
"""Seconds between two looks at the whole folder if its changes cannot be reported for long."""

_LONGEST_WAIT = 0.5
"""Seconds after which a request to stop is seen."""


class Classify(Protocol):
    """Yields one record per source, in order; ``Classifier.run`` is one."""

    def __call__(self, sources: Iterator[Source], *, stop_requested: Event) -> Iterator[Record]: ...


@dataclass(frozen=True)
class Watched:
    """What is watched, and what becomes of it.

    Attributes:
        drop: The folder.
        job: What is done with complete photos.
        classify: Labels photos.
        options: How the folder is watched.
        events: Receives notices and warnings.
        begun: Called once the folder is watched.
    """

    drop: str
    job: Job
    classify: Classify
    options: WatchOptions
    events: RunEvents
    begun: Callable[[], object] = lambda: None


class Watcher:
    """Yields each photo of a folder once it was processed.

    Args:
        watched: What is watched, and what becomes of it.
        stop_requested: Once set, current photos are finished, and no more are started.

    Attributes:
        is_complete: With ``once``: the watch has ended, and no photo is left to process.
    """

    def __init__(self, watched: Watched, stop_requested: Event) -> None:
        self._drop = watched.drop
        self._job = watched.job
        self._watched = watched
        self._options = watched.options
        self._stop = stop_requested
        self.is_complete = False
        folder = DropFolder(watched.drop, watched.options, watched.job.ignored)
        self._arrivals = Arrivals(folder, watched.options, watched.job.is_done)
        self._roots = [os.path.abspath(watched.drop), os.path.realpath(watched.drop)]
        self._identity = _identity(watched.drop)
        self._is_gone = False
        self._error = ""  # of the changes, as shown
        self._restarts: list[float] = []  # when reports of changes were started again
        self._rescan = watched.options.rescan
        self._next_scan = 0.0

    def run(self) -> Iterator[Arrived]:
        """Yield the outcome for each photo.

        Raises:
            InputError: Another run uses the destination, or a record lacks a field of a template.
            OutputError: Nothing more can be written.
        """
        options = self._options
        with (
            self._job,
            Changes(
                os.path.realpath(self._drop), recursive=options.recursive, poll=options.poll
            ) as changes,
        ):
            for note in self._job.notes:
                self._watched.events.notice(note)
            for warning in self._job.warnings:
                self._watched.events.warning(warning)
            self._scan()
            self._watched.begun()
            while not self._stop.is_set():
                shots = self._arrivals.complete(BATCH)
                if options.once:
                    for shot, why in self._arrivals.give_up():
                        yield Arrived(Record(shot.path, error=why), "incomplete", reason=why)
                if shots:
                    yield from self._process(shots)
                elif options.once and self._are_all_done():
                    self.is_complete = True
                    return
                pause = min(self._arrivals.seconds(), max(self._next_scan - time.monotonic(), 0.0))
                paths = changes.take(0 if len(shots) == BATCH else min(pause, _LONGEST_WAIT))
                self._arrivals.changed(map(self._as_given, paths))
                self._check(changes)
                if time.monotonic() >= self._next_scan:
                    self._scan()
            self.is_complete = options.once and self._are_all_done()

    def _scan(self) -> None:
        """Look at the whole folder, unless it is gone."""
        if not self._is_gone:
            self._arrivals.scan()
        self._next_scan = time.monotonic() + self._rescan

    def _are_all_done(self) -> bool:
        """Return whether no photo waits, nor one that came in the meantime."""
        if _identity(self._drop) is None:
            return False
        if not self._arrivals.is_waiting:
            self._arrivals.scan()
        return not self._arrivals.is_waiting

    def _process(self, shots: Sequence[Shot]) -> Iterator[Arrived]:
        """Classify complete photos, and process those that can be read and did not change."""
        by_path = {shot.path: shot for shot in shots}
        readable: list[Record] = []
        sources = iter([Source(shot.path) for shot in shots])
        records = self._watched.classify(sources, stop_requested=self._stop)
        with closing(records):  # type: ignore[type-var]
            for record in records:
                shot = by_path[record.path]
                if not self._is_same(shot):
                    continue
                if not record.error:
                    readable.append(record)
                elif self._arrivals.unreadable(shot):
                    yield Arrived(record, "unreadable", reason=record.error)
        readable = [record for record in readable if self._is_same(by_path[record.path])]
        if not readable:
            return
        for arrived in self._job.process(readable):
            shot = by_path[arrived.path]
            self._arrivals.done(shot)
            self._arrivals.look_again(shot)
            yield arrived

    def _is_same(self, shot: Shot) -> bool:
        """Return whether a photo is as it was; one that is not was not complete after all."""
        if shot.now() == shot:
            return True
        self._arrivals.look_again(shot)
        return False

    def _as_given(self, path: str) -> str:
        """Return the path of a change, below the folder as it was given."""
        for root in self._roots:
            if path == root:
                return self._drop
            if path.startswith(root.rstrip(os.sep) + os.sep):
                return os.path.join(self._drop, os.path.relpath(path, root))
        return path

    def _check(self, changes: Changes) -> None:
        """Notice if the folder is gone or back, or if its changes are no longer reported."""
        events, now = self._watched.events, _identity(self._drop)
        if now is None:
            if not self._is_gone:
                events.warning(f"{self._drop} is gone: waiting until it is back")
            self._is_gone, self._identity = True, None
            return
        if now != self._identity:
            if self._is_gone:
                events.notice(f"{self._drop} is back")
            self._is_gone, self._identity, self._error = False, now, ""
            changes.start()
            self._scan()
        if changes.error and changes.error != self._error and not self._may_restart(changes):
            self._error = changes.error
            events.warning(
                f"changes in {self._drop} are not reported ({self._error}): looking every "
                f"{self._rescan:g} s"
            )

    def _may_restart(self, changes: Changes) -> bool:
        """Start reports of changes again, now or soon, if that helps and is not needed too often.

        Returns:
            False if changes are not reported from now on.
        """
        if not changes.can_start:
            return False
        now = time.monotonic()
        self._restarts = [each for each in self._restarts if each > now - 60]
        if len(self._restarts) == _RESTARTS:
            self._rescan = min(self._rescan, _SHORT_RESCAN)
            self._scan()
            return False
        if not self._restarts or now >= self._restarts[-1] + _RESTART_PAUSE:
            self._restarts.append(now)
            changes.start()
            self._scan()
        return True


def _identity(path: str) -> tuple[int, int] | None:
    """Return what tells a folder from another of its path; None if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if os.path.isdir(path) else None
