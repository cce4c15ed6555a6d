"""Where the files of a tag run may be now: sorts note in its journal where they move them."""

from __future__ import annotations

import os
from collections.abc import Iterator

from mnv2cli.journals.tag_journal import ChangeEntry, TagState
from mnv2cli.tagging.run import is_within


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
        self._moves = state.moves
        self._moved: dict[str, list[str]] = {}
        for old, new in state.moved.items():
            self._moved.setdefault(without_links(old), []).extend(new)

    def of(self, entry: ChangeEntry) -> Iterator[str]:
        """Yield the absolute paths where the file of a change may be, the first one first."""
        parts = entry.path.split("/")
        first = os.path.join(self._root, *parts)
        yield first
        if not self._moved:
            return
        left = [without_links(os.path.join(start, *parts)) for start in self._starts]
        seen = {without_links(first), *left}
        while left:
            for new in self._moved.get(left.pop(0), ()):
                real = without_links(new)
                if real not in seen:
                    seen.add(real)
                    left.append(real)
                    if self._may_leave or is_within(real, self._real_root):
                        yield new

    def last(self, entry: ChangeEntry) -> str:
        """Return where sorts have put the file of a change, as far as they noted it."""
        first, *others = self.of(entry)
        place, keys = first, {without_links(each): each for each in others}
        starts = [
            without_links(os.path.join(start, *entry.path.split("/"))) for start in self._starts
        ]
        for old, new in self._moves if others else ():
            real = without_links(place)
            if without_links(old) in ({real, *starts} if place == first else {real}):
                place = keys.get(without_links(new), first)
        return place


def without_links(path: str) -> str:
    """Return a path whose folder has no links, and whose last name may be one."""
    folder, base = os.path.split(os.path.abspath(path))
    return os.path.join(os.path.realpath(folder), base)
