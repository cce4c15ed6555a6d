"""Where the files of a tag run may be now: sorts note in its journal where they move them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from mnv2cli.journals.moves import Moves, PathKeys
from mnv2cli.journals.tag_journal import ChangeEntry, TagState
from mnv2cli.system.files import is_within


class Places:
    """The places of files.

    Args:
        root: The folder of the run.
        state: The state that its journal describes.
        trust: Follow a journal to places outside the folder even if it was not written here.
    """

    def __init__(self, root: str, state: TagState, *, trust: bool = False) -> None:
        self._root = root
        self._real_root = os.path.realpath(root)
        self._starts = list(dict.fromkeys([root, str(state.header.get("dest") or root)]))
        self._may_leave = trust or bool(state.header.get("in_place"))
        self._key = (keys := PathKeys()).key
        self._moves = Moves(keys, state.moves)
        self._noted = {keys.key(new): new for _, new in state.moves}  # as sorts wrote it

    def of(self, entry: ChangeEntry) -> Iterator[str]:
        """Yield the absolute paths where the file of a change may be, the first one first."""
        parts = entry.path.split("/")
        first = os.path.join(self._root, *parts)
        yield first
        if not self._moves:
            return
        left = self._origins(entry)
        seen = set(left)
        while left:
            for new in self._moves.next_places(left.pop(0)):
                if new not in seen:
                    seen.add(new)
                    left.append(new)
                    if self._may_leave or is_within(new, self._real_root):
                        yield self._noted[new]

    def last(self, entry: ChangeEntry) -> str:
        """Return where sorts have put the file of a change, as far as they noted it."""
        first, *others = self.of(entry)
        known = {self._key(other): other for other in others}
        place, number = "", -1
        while move := self._moves.first_after([place] if place else self._origins(entry), number):
            number, new = move
            place = new if new in known else ""
        return known.get(place, first)

    def is_one_of(self, path: str, places: Iterable[str]) -> bool:
        """Return whether a path is one of some places, whichever links lead to their folders."""
        return self._key(path) in map(self._key, places)

    def _origins(self, entry: ChangeEntry) -> list[str]:
        """Return the keys of where a file was at first; the folder of the run may be renamed."""
        parts = entry.path.split("/")
        return list(dict.fromkeys(self._key(os.path.join(at, *parts)) for at in self._starts))
