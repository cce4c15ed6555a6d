"""Find a free name in the destination for each photo and its companions."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from mnv2cli.sorting.actions import Action, Method
from mnv2cli.sorting.companions import Companions
from mnv2cli.sorting.destination import EarlierMoves, EarlierTargets
from mnv2cli.sorting.placement import UNSURE, Placement
from mnv2cli.sorting.targets import LONGEST_NAME, names_in
from mnv2cli.system.files import content_digest
from mnv2cli.system.messages import reason


class ActionPlanner:
    """Plan the actions of one photo after another, and remember which names are taken.

    Args:
        dest: The destination.
        method: What to do with each photo.
        moved: Returns where an earlier run moved a source that is gone.
        kept: Returns where earlier runs put a source. Photos that belong in ``unsure`` stay there,
            so they are not sorted twice; None to put them in ``unsure`` as well.
    """

    def __init__(
        self, dest: str, method: Method, moved: EarlierMoves, kept: EarlierTargets | None = None
    ) -> None:
        self._dest = dest
        self._method = method
        self._moved = moved
        self._kept = kept
        # By folder: names in lower case, each with the path of the file that has or will have it.
        self._taken: dict[str, dict[str, str]] = {}
        self._companions = Companions()
        # By folder and name of a photo: the files with that name, with (2), and so on.
        self._series: dict[tuple[str, str], list[str]] = {}
        self._contents = _Contents()

    def actions(self, path: str, placement: Placement) -> Iterator[Action]:
        if not placement.folder:
            yield Action(path, "leave", "", "", placement.reason)
            return
        try:
            status = os.stat(path)
        except (OSError, ValueError) as error:
            target = self._moved(os.path.abspath(path))
            if target:
                yield Action(path, "skip", placement.folder, "", f"already sorted: {target}")
            else:
                why = reason(error) if isinstance(error, OSError) else str(error)
                yield Action(path, "leave", "", "", f"cannot be read: {why}")
            return
        if not stat.S_ISREG(status.st_mode):
            yield Action(path, "leave", "", "", "not a regular file")
            return
        if self._kept and placement.folder.casefold() == UNSURE:
            old = self._kept(os.path.abspath(path))
            if old and self._contents.are_same(path, status.st_size, os.path.join(self._dest, old)):
                folder, name = os.path.split(old)
                if not folder or name != os.path.basename(path):
                    yield Action(path, "skip", folder, "", f"already sorted: {old}", status.st_size)
                    return
                placement = Placement(folder, "")  # new companions join it
        group = [(path, status.st_size)]
        for companion in self._companions.of(path):
            try:
                companion_status = os.stat(companion)
            except OSError:
                continue
            if stat.S_ISREG(companion_status.st_mode):
                group.append((companion, companion_status.st_size))
        yield from self._named(group, placement)

    def _named(self, group: list[tuple[str, int]], placement: Placement) -> Iterator[Action]:
        """Yield the actions of a photo and its companions, under the first number free for all."""
        taken = self._names(placement.folder)
        base = os.path.basename(group[0][0])
        stem = os.path.splitext(base)[0]
        # Many photos may be named IMG_1.jpg: the numbers in use are remembered, not tried again.
        series = self._series.setdefault((placement.folder, base.casefold()), [])
        while (known := taken.get(_numbered(base, stem, len(series) + 1).casefold())) is not None:
            series.append(known)
        # The number under which this photo and its companions already are; else one under which
        # the companions fit beside the photo; else the next free number.
        numbers = [n for n, old in enumerate(series, 1) if self._contents.are_same(*group[0], old)]
        fits = [(n, *self._fit(group, stem, n, taken)) for n in numbers]
        whole = [fit for fit in fits if all(fit[2])] or [fit for fit in fits if fit[1]]
        number, _, same = whole[0] if whole else (len(series), False, [])
        is_free = bool(whole)
        while not is_free:
            number += 1
            is_free, same = self._fit(group, stem, number, taken)
        names = [_numbered(os.path.basename(path), stem, number) for path, _ in group]
        for i, ((path, size), name) in enumerate(zip(group, names, strict=True)):
            target, photo = f"{placement.folder}/{name}", group[0][0] if i else ""
            if same[i]:
                why = "already there" if i == 0 else "companion, already there"
                yield Action(path, "skip", placement.folder, "", why, size, photo)
                continue
            taken[name.casefold()] = path  # the file with its future content
            why = placement.reason if i == 0 else f"goes with {base}"
            if number > 1 and i == 0:
                why = "; ".join(filter(None, [why, "another photo has its name"]))
            yield Action(path, self._method, placement.folder, target, why, size, photo)

    def _fit(
        self, group: list[tuple[str, int]], stem: str, number: int, taken: dict[str, str]
    ) -> tuple[bool, list[bool]]:
        """Return whether a group fits under a number, and which of its files are already there."""
        names = [_numbered(os.path.basename(path), stem, number) for path, _ in group]
        there = [taken.get(name.casefold()) for name in names]
        same = [
            old is not None and self._contents.are_same(path, size, old)
            for (path, size), old in zip(group, there, strict=True)
        ]
        return all(a or old is None for a, old in zip(same, there, strict=True)), same

    def _names(self, folder: str) -> dict[str, str]:
        if folder not in self._taken:
            path = os.path.join(self._dest, folder)
            self._taken[folder] = {n.casefold(): os.path.join(path, n) for n in names_in(path)}
        return self._taken[folder]


class _Contents:
    """Compare files, and remember their statuses and digests."""

    def __init__(self) -> None:
        # Device, inode and size of regular files.
        self._statuses: dict[str, tuple[int, int, int] | None] = {}
        self._digests: dict[str, str] = {}

    def are_same(self, path: str, size: int, other: str) -> bool:
        """Return whether two paths are the same file, or have the same content."""
        one, two = self._status(path), self._status(other)
        if one is None or two is None:  # a broken link, or just removed
            return False
        if one[1] and one[:2] == two[:2]:  # 0 is not a number: some network drives have no other
            return True
        return two[2] == size and self._digest(path) == self._digest(other) != ""

    def _status(self, path: str) -> tuple[int, int, int] | None:
        """Return device, inode and size of a regular file; remembered."""
        if path not in self._statuses:
            try:
                status = os.stat(path)
                is_file = stat.S_ISREG(status.st_mode)
                found = (status.st_dev, status.st_ino, status.st_size) if is_file else None
            except (OSError, ValueError):
                found = None
            self._statuses[path] = found
        return self._statuses[path]

    def _digest(self, path: str) -> str:
        """Return the SHA-256 of a file, empty if it cannot be read; remembered."""
        if path not in self._digests:
            try:
                self._digests[path] = content_digest(path)
            except OSError:
                self._digests[path] = ""
        return self._digests[path]


def _numbered(name: str, stem: str, number: int) -> str:
    """Return ``a (2).jpg`` for ``a.jpg``; with companions, all of a stem get the same number."""
    if number == 1:
        return name
    own = name[: len(stem)] if name.casefold().startswith(stem.casefold()) else ""
    head, tail = (own, name[len(own) :]) if own else os.path.splitext(name)
    mark = f" ({number})"
    while head and len(os.fsencode(f"{head}{mark}{tail}")) > LONGEST_NAME:
        head = head[:-1]
    return f"{head}{mark}{tail}"
