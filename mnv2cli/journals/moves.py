"""Follow files through the moves that sorts noted, whichever links lead to their folders."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator


class PathKeys:
    """Compare paths, whichever links lead to their folders; each folder is looked up once."""

    def __init__(self) -> None:
        self._real: dict[str, str] = {}

    def key(self, path: str) -> str:
        """Return a path whose folder has no links, and whose last name may be one."""
        folder, name = os.path.split(os.path.abspath(path))
        return os.path.join(self.folder(folder), name)

    def folder(self, folder: str) -> str:
        """Return the path of a folder without links."""
        if folder not in self._real:
            self._real[folder] = os.path.realpath(folder)
        return self._real[folder]


class Moves:
    """Moves of files by where they were, in the order in which they were noted.

    Args:
        keys: Compares paths.
        pairs: Absolute paths before and after each move.
    """

    def __init__(self, keys: PathKeys, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._keys = keys
        self._count = 0
        self._from: dict[str, list[tuple[int, str]]] = {}
        for old, new in pairs:
            self.add(old, new)

    def __bool__(self) -> bool:
        return bool(self._count)

    def add(self, old: str, new: str) -> tuple[str, str]:
        """Add the last move; return its keys."""
        before, after = self._keys.key(old), self._keys.key(new)
        self._from.setdefault(before, []).append((self._count, after))
        self._count += 1
        return before, after

    def next_places(self, key: str) -> Iterator[str]:
        """Yield the keys of the places to which files were moved from a place."""
        for _, after in self._from.get(key, ()):
            yield after

    def first_after(self, keys: Collection[str], number: int) -> tuple[int, str] | None:
        """Return the first move from one of some places that follows another move.

        Args:
            keys: The places.
            number: The number of the other move; -1 for all.

        Returns:
            The number of the move, and the key of the place after it; None if there is none.
        """
        found = []
        for key in keys:
            moves = self._from.get(key, [])
            at = bisect_right(moves, number, key=lambda move: move[0])
            found += moves[at : at + 1]
        return min(found, default=None)

    def last_place(self, key: str) -> str:
        """Return the key of the place where the moves from a place end."""
        number = -1
        while move := self.first_after([key], number):
            number, key = move
        return key
