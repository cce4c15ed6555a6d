"""Find a free name in the destination for each photo and its companions."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from mnv2cli.journals.folder import names_in
from mnv2cli.sorting.actions import DIFFERS, Action, Method
from mnv2cli.sorting.companions import Companions
from mnv2cli.sorting.contents import Contents
from mnv2cli.sorting.destination import EarlierRuns
from mnv2cli.sorting.placement import ROOT, UNSURE, Placement
from mnv2cli.sorting.targets import LONGEST_NAME
from mnv2cli.sources.names import IMAGE_SUFFIXES, name_key, suffix_of
from mnv2cli.sources.pairs import COMPANION_SUFFIXES, stem_key
from mnv2cli.system.messages import reason

_TAKEN = frozenset((*IMAGE_SUFFIXES, ".raw", ".thm", ".wav", ".mov", ".mp4"))
"""Suffixes of what a camera takes; it is equal in no two shots."""


class ActionPlanner:
    """Plan the actions of one photo after another, and remember which names are taken.

    Args:
        dest: The destination.
        method: What to do with each photo.
        companions: Finds the companions of each photo.
        earlier: Finds where earlier runs put photos.
        keep: Photos that belong in ``unsure`` stay where earlier runs put them, so they are not
            sorted twice; else they are put in ``unsure`` as well.
    """

    def __init__(
        self,
        dest: str,
        method: Method,
        companions: Companions,
        earlier: EarlierRuns,
        keep: bool = False,
    ) -> None:
        self._dest = dest
        self._method = method
        self._earlier = earlier
        self._keep = keep
        # By folder: names in lower case, each with the path of the file that has or will have it.
        self._taken: dict[str, dict[str, str]] = {}
        # By folder: by stem, the source of the files that have it.
        self._stems: dict[str, dict[str, _Stem]] = {}
        self._companions = companions
        # By folder and name of a photo: the files with that name, with (2), and so on.
        self._series: dict[tuple[str, str], list[str]] = {}
        self._contents = Contents()

    def actions(self, path: str, placement: Placement) -> Iterator[Action]:
        if not placement.folder:
            yield Action(path, "leave", "", "", placement.reason)
            return
        try:
            status = os.stat(path)
        except (OSError, ValueError) as error:
            target = self._earlier.moved(os.path.abspath(path))
            if target:
                yield Action(path, "skip", placement.folder, "", f"already sorted: {target}")
            else:
                why = reason(error) if isinstance(error, OSError) else str(error)
                yield Action(path, "leave", "", "", f"cannot be read: {why}")
            return
        if not stat.S_ISREG(status.st_mode):
            yield Action(path, "leave", "", "", "not a regular file")
            return
        group = self._group(path, status.st_size)
        if dragged := self._earlier.dragged(os.path.abspath(path), status.st_size, self._contents):
            yield from self._dragged(group, dragged)
            return
        kept = self._kept(*group[0]) if placement.folder.casefold() == UNSURE else ""
        if not kept:
            yield from self._named(group, placement)
            return
        folder, name = os.path.split(kept)
        number = _number_of(name, [os.path.basename(other) for other, _ in _apart(group)[0]])
        if folder and number:
            yield from self._named(group, Placement(folder, ""), number)  # new companions join it
        else:
            yield Action(path, "skip", folder, "", f"already sorted: {kept}", status.st_size)

    def _dragged(self, group: list[tuple[str, int]], target: str) -> Iterator[Action]:
        """Yield the actions of a photo that the user moved since it was sorted; nothing is done."""
        (path, size), *others = group
        folder = target.rpartition("/")[0]
        yield Action(path, "skip", folder, "", f"already sorted, moved by you: {target}", size)
        for other, its_size in others:
            source = os.path.abspath(other)
            known = self._earlier.target(source)
            known = known or self._earlier.dragged(source, its_size, self._contents)
            if known:
                folder, why = known.rpartition("/")[0], f"already sorted: {known}"
                yield Action(other, "skip", folder, "", why, its_size, path)
            else:
                why = f"stays: you moved its photo to {target}"
                yield Action(other, "leave", "", "", why, its_size, path)

    def _are_same(self, path: str, size: int, other: str) -> bool:
        """Return whether a file is another or has its content, but for tags since the sort."""
        if self._contents.are_same(path, size, other):
            return True
        return self._earlier.is_same_tagged(os.path.abspath(path), other)

    def _kept(self, path: str, size: int) -> str:
        """Return where an earlier run put a photo that would be unsure now; empty for nowhere.

        An equal photo of its name counts too: of those, only the first was sorted.
        """
        if not self._keep:
            return ""
        source = os.path.abspath(path)
        own = self._earlier.target(source)
        for old in [own] if own else self._earlier.similar(source, size):
            if self._are_same(path, size, os.path.join(self._dest, old)):
                return old
        return ""

    def _group(self, path: str, size: int) -> list[tuple[str, int]]:
        """Return a photo and its companions, with their sizes."""
        group = [(path, size)]
        for companion in self._companions.of(path):
            try:
                status = os.stat(companion)
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode):
                group.append((companion, status.st_size))
        return group

    def _named(
        self, group: list[tuple[str, int]], placement: Placement, number: int = 0
    ) -> Iterator[Action]:
        """Yield the actions of a photo and its companions, under the first number free for all.

        Companions whose names differ only in case get different numbers: some systems treat
        such names as one. If a number is given, an earlier run put the photo there with it.
        """
        photo = group[0][0]
        has_companions = len(group) > 1 or suffix_of(photo) in COMPANION_SUFFIXES
        for part in _apart(group):
            yield from self._part(part, placement, _Stem(photo, has_companions), number)
            number = 0

    def _part(
        self, group: list[tuple[str, int]], placement: Placement, source: _Stem, there: int
    ) -> Iterator[Action]:
        """Yield the actions of files that get one number.

        Args:
            group: The photo and its companions, or companions whose names the others have.
            placement: Where they belong.
            source: Their shot.
            there: The number with which an earlier run put the photo there; 0 if unknown.
        """
        taken = self._names(placement.folder)
        shot = [os.path.basename(path) for path, _ in group]
        photo, base = source.source, shot[0]
        # Many photos may be named IMG_1.jpg: the numbers in use are remembered, not tried again.
        series = self._series.setdefault((placement.folder, base.casefold()), [])
        while known := taken.get(_numbered(shot, len(series) + 1)[0].casefold()):
            series.append(known)
        # The number under which this photo and its companions already are; else one under which
        # the companions fit beside the photo; else the next free number.
        numbers = [n for n, old in enumerate(series, 1) if self._are_same(*group[0], old)]
        fits = [(n, *self._fit(group, _numbered(shot, n), taken)) for n in numbers]
        whole = [fit for fit in fits if all(fit[2])] or [fit for fit in fits if fit[1]]
        if not there and not whole:
            there = self._known(group, numbers, placement.folder)
        if there:
            whole = [(there, *self._fit(group, _numbered(shot, there), taken))]
        number, _, same = whole[0] if whole else (len(series), False, [])
        is_free = bool(whole)
        stems = self._stems[placement.folder]
        while not is_free:
            number += 1
            names = _numbered(shot, number)
            is_free, same = self._fit(group, names, taken)
            is_free = is_free and (
                source.may_share(stems.get(stem_key(names[0])))
                or self._is_of_shot(group, names, same, placement.folder)
            )
        names = _numbered(shot, number)
        key = stem_key(names[0])
        stems[key] = source.joined(stems.get(key))
        for (path, size), name, is_there in zip(group, names, same, strict=True):
            is_photo = path == photo
            target, leader = _joined(placement.folder, name), "" if is_photo else photo
            if is_there:
                why = "already there" if is_photo else "companion, already there"
                yield Action(path, "skip", placement.folder, "", why, size, leader)
                continue
            if there and name.casefold() in taken:
                yield Action(path, "leave", "", "", f"{DIFFERS} {target}", size, leader)
                continue
            taken[name.casefold()] = path  # the file with its future content
            why = placement.reason if is_photo else f"goes with {os.path.basename(photo)}"
            if number > 1 and path == group[0][0]:
                taker = "another photo has its name" if is_photo else "another file has its name"
                why = "; ".join(filter(None, [why, taker]))
            yield Action(path, self._method, placement.folder, target, why, size, leader)

    def _known(self, group: list[tuple[str, int]], numbers: list[int], folder: str) -> int:
        """Return under which of some numbers an earlier run put a photo from here; 0 for none."""
        old = self._earlier.target(os.path.abspath(group[0][0])) if numbers else ""
        names = [os.path.basename(path) for path, _ in group]
        return next((n for n in numbers if old == _joined(folder, _numbered(names, n)[0])), 0)

    def _fit(
        self, group: list[tuple[str, int]], names: list[str], taken: dict[str, str]
    ) -> tuple[bool, list[bool]]:
        """Return whether a group fits under some names, and which files are already there."""
        there = [taken.get(name.casefold()) for name in names]
        same = [
            old is not None and self._are_same(path, size, old)
            for (path, size), old in zip(group, there, strict=True)
        ]
        return all(a or old is None for a, old in zip(same, there, strict=True)), same

    def _is_of_shot(
        self, group: list[tuple[str, int]], names: list[str], same: list[bool], folder: str
    ) -> bool:
        """Return whether one of the files that are already there shows that it is the same shot.

        What the camera took does. Metadata and edits of two shots may be equal, so an earlier run
        must have put them there from here.
        """
        return any(
            (size and suffix_of(name) in _TAKEN)
            or self._earlier.target(os.path.abspath(path)) == _joined(folder, name)
            for (path, size), name, is_there in zip(group, names, same, strict=True)
            if is_there
        )

    def _names(self, folder: str) -> dict[str, str]:
        if folder not in self._taken:
            path = os.path.normpath(os.path.join(self._dest, folder))
            names = names_in(path)
            self._taken[folder] = {name.casefold(): os.path.join(path, name) for name in names}
            stems = self._stems.setdefault(folder, {})
            for name in names:
                stem = _Stem("", suffix_of(name) in COMPANION_SUFFIXES)
                key = stem_key(name)
                stems[key] = stem.joined(stems.get(key))
        return self._taken[folder]


class _Stem(NamedTuple):
    """The files of one stem in a class folder.

    Attributes:
        source: The photo of their shot; empty if unknown, or if they are of several shots.
        has_companions: Some of them may be companions.
    """

    source: str
    has_companions: bool

    def may_share(self, other: _Stem | None) -> bool:
        """Return whether files may join others of their stem without becoming companions."""
        if other is None or not (self.has_companions or other.has_companions):
            return True
        return self._is_of_shot(other)

    def joined(self, other: _Stem | None) -> _Stem:
        """Return the stem of the files of both."""
        if other is None:
            return self
        source = self.source if self._is_of_shot(other) else ""
        return _Stem(source, self.has_companions or other.has_companions)

    def _is_of_shot(self, other: _Stem) -> bool:
        if not (self.source and other.source):
            return False
        one, two = map(os.path.split, (self.source, other.source))
        is_one_stem = stem_key(one[1]) == stem_key(two[1])
        return is_one_stem and os.path.abspath(one[0]) == os.path.abspath(two[0])


def _joined(folder: str, name: str) -> str:
    """Return the path of a file relative to the destination."""
    return name if folder == ROOT else f"{folder}/{name}"


def _apart(group: list[tuple[str, int]]) -> list[list[tuple[str, int]]]:
    """Split a photo and its companions into parts without names that differ only in case."""
    if len(group) == 1:
        return [group]
    parts: list[list[tuple[str, int]]] = []
    count: Counter[str] = Counter()
    for path, size in group:
        key = os.path.basename(path).casefold()
        if count[key] == len(parts):
            parts.append([])
        parts[count[key]].append((path, size))
        count[key] += 1
    return parts


def _numbered(names: list[str], number: int) -> list[str]:
    """Return the names of a photo and its companions under a number: ``a (2).jpg`` for ``a.jpg``.

    They keep one stem, which is shortened if a name would be too long.
    """
    if number == 1:
        return names
    key, mark = stem_key(names[0]), f" ({number})"
    parts = [_split(name, key) for name in names]
    longest = max(len(os.fsencode(mark + tail)) for _, tail in parts)
    numbered = []
    for head, tail in parts:
        end = len(head)
        while end and len(os.fsencode(head[:end])) + longest > LONGEST_NAME:
            end -= 1
        numbered.append(f"{head[:end]}{mark}{tail}")
    return numbered


def _number_of(name: str, names: list[str]) -> int:
    """Return the number under which the first of some names is a name; 0 for none."""
    if name == names[0]:
        return 1
    for mark in re.finditer(r" \(([1-9][0-9]{0,8})\)", name):
        if _numbered(names, number := int(mark[1]))[0] == name:
            return number
    return 0


def _split(name: str, key: str) -> tuple[str, str]:
    """Split a name after the stem that has a key; else before the suffix."""
    end = len(name)
    while end > 0:
        if name_key(name[:end]) == key:
            return name[:end], name[end:]
        end = name.rfind(".", 0, end)
    return os.path.splitext(name)
