"""Which photos of a folder have arrived, and which of them are complete."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mnv2cli.watching.options import WatchOptions
from mnv2cli.watching.shots import DropFolder, Shot, is_temporary
from mnv2cli.watching.writers import is_being_written

_LONG_AGO = 60.0
"""Seconds. What has not changed for so long has settled before this process looked, even if the
clock of a file server is somewhat wrong."""


@dataclass(slots=True)
class _Waiting:
    """A photo that is not known to be complete.

    Attributes:
        shot: Its files as they were last seen.
        since: Since when they stand still.
        again: When to look at them.
        grown: When they were first seen, or last became larger than ever.
        largest: The largest size they have had together.
        late: Why the photo is not complete though it had the patience of the options.
    """

    shot: Shot
    since: float
    again: float
    grown: float
    largest: int
    late: str = ""


class Arrivals:
    """The photos of a folder that are to be processed, each once it is complete.

    Args:
        folder: The folder.
        options: When a photo is complete.
        is_done: Returns whether an earlier run processed a photo.
        clock: Returns seconds that never run backwards.
    """

    def __init__(
        self,
        folder: DropFolder,
        options: WatchOptions,
        is_done: Callable[[Shot], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._options = options
        self._is_done = is_done
        self._clock = clock
        self._waiting: dict[str, _Waiting] = {}
        self._given_up: set[str] = set()
        self._done: dict[str, int] = {}  # a hash of the files of each photo that was processed

    @property
    def is_waiting(self) -> bool:
        """Whether there is a photo that has not been processed."""
        return bool(self._waiting)

    def scan(self) -> None:
        """Look at the whole folder."""
        seen: set[str] = set()
        for folder in self._folder.walk():
            for shot in self._folder.shots(folder):
                seen.add(shot.path)
                self._see(shot)
        for known in (self._waiting, self._done):
            for path in [path for path in known if path not in seen]:
                del known[path]

    def changed(self, paths: Iterable[str]) -> None:
        """Look at files and folders that changed."""
        names: dict[str, set[str]] = {}
        for path in paths:
            folder, name = os.path.split(path)
            if os.path.isdir(path) and not os.path.islink(path):
                if self._folder.is_watched(path):
                    for each in self._folder.walk(path):
                        for shot in self._folder.shots(each):
                            self._see(shot)
            elif not is_temporary(name):
                names.setdefault(folder, set()).add(name)
        for folder, changed in names.items():
            if not self._folder.is_watched(folder):
                continue
            for shot in self._folder.shots(folder, frozenset(changed)):
                self._see(shot)
            for name in changed:
                path = os.path.join(folder, name)
                if not os.path.exists(path):
                    self._waiting.pop(path, None)
                    self._done.pop(path, None)

    def _see(self, shot: Shot) -> None:
        if self._done.get(shot.path) == hash(shot.files) or shot.path in self._given_up:
            return
        known = self._waiting.get(shot.path)
        if known and known.shot.files == shot.files:
            return
        now = self._clock()
        age = _age(shot) if known is None and shot.path not in self._done else 0.0
        since = now - age if age > _LONG_AGO else now
        self._done.pop(shot.path, None)
        self._wait(shot, since, now)

    def _wait(self, shot: Shot, since: float, now: float) -> None:
        """Wait for a photo that is new, or has changed."""
        known = self._waiting.get(shot.path)
        size = sum(file.size for file in shot.files)
        waiting = _Waiting(shot, since, since + self._options.settle, now, size)
        if known and size <= known.largest:  # replaced, not a transfer that takes long
            waiting.grown, waiting.largest = known.grown, known.largest
            if now >= known.grown + self._options.patience:
                waiting.late = "still changing"
        self._waiting[shot.path] = waiting

    def seconds(self) -> float:
        """Return the seconds until the next photo may be complete; infinity if there is none."""
        soonest = min((each.again for each in self._waiting.values()), default=float("inf"))
        return max(soonest - self._clock(), 0.0)

    def complete(self, most: int) -> list[Shot]:
        """Return photos that are complete and were not processed, at most a given number.

        Each is returned again, some time later, until it is marked as done or unreadable.
        """
        found: list[Shot] = []
        for path, waiting in list(self._waiting.items()):
            if len(found) == most:
                break
            now = self._clock()
            if waiting.again > now:
                continue
            current = waiting.shot.now()
            if current is None:
                del self._waiting[path]
            elif current.files != waiting.shot.files:
                self._wait(current, now, now)
            elif self._is_done(current):
                self.done(current)
            elif current.is_empty and now < waiting.since + self._options.patience:
                waiting.again = waiting.since + self._options.patience
            elif held := [file.path for file in current.files if is_being_written(file.path)]:
                waiting.again = now + self._options.settle
                if now >= max(waiting.since, waiting.grown) + self._options.patience:
                    what = "it" if path in held else os.path.basename(held[0])
                    waiting.late = f"another program has {what} open for writing"
            else:
                waiting.again = now + self._options.settle
                found.append(current)
        return found

    def give_up(self) -> list[tuple[Shot, str]]:
        """Return photos that do not become complete, and why; they are ignored from now on."""
        late = [(each.shot, each.late) for each in self._waiting.values() if each.late]
        for shot, _ in late:
            del self._waiting[shot.path]
            self._given_up.add(shot.path)
        return late

    def done(self, shot: Shot) -> None:
        """Mark a photo as processed, unless it changes."""
        self._waiting.pop(shot.path, None)
        self._done[shot.path] = hash(shot.files)

    def look_again(self, shot: Shot) -> None:
        """Look at a photo that was processed: it may have changed, or be gone."""
        folder, name = os.path.split(shot.path)
        if not os.path.lexists(shot.path):
            self._done.pop(shot.path, None)
        for now in self._folder.shots(folder, frozenset((name,))):
            self._see(now)

    def unreadable(self, shot: Shot) -> bool:
        """Note that a photo that seemed complete cannot be read; it is tried again.

        Returns:
            Whether it has stood still for so long that it is now done, unless it changes.
        """
        waiting = self._waiting.get(shot.path)
        now = self._clock()
        if waiting is None:
            return False
        end = waiting.since + self._options.patience
        if now >= end:
            self.done(shot)
            return True
        waiting.again = min(end, now + max(now - waiting.since, self._options.settle))
        return False


def _age(shot: Shot) -> float:
    """Return for how many seconds none of the files has changed, by the clock of the system."""
    try:
        newest = max(
            max(status.st_mtime, status.st_ctime)
            for status in (os.stat(file.path) for file in shot.files)
        )
    except OSError:
        return 0.0
    return time.time() - newest
