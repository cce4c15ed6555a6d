"""Choose a set for each photo: stratified by class, with groups of photos kept whole.

Groups are placed one after another, the largest first, each into the set that lacks most of its
classes. Equally large groups come in an order that the seed and the names of their photos decide,
so the order in which photos are found has no influence.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mnv2cli.errors import InputError

TRAIN, VAL, TEST = "train", "val", "test"
SETS = (TRAIN, VAL, TEST)
"""The names of the sets."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How many photos are for validation and for test; the others are for training.

    Attributes:
        val: A share in [0, 1), or a number of photos from 1.
        test: Likewise.
    """

    val: float = 0.1
    test: float = 0.1

    def of(self, photos: int) -> dict[str, float]:
        """Return the share of each set among a number of photos.

        Raises:
            InputError: A value is invalid, or nothing is left for training.
        """
        shares = {}
        for name, value in ((VAL, self.val), (TEST, self.test)):
            if not 0 <= value < float("inf") or (value > 1 and value != int(value)):
                raise InputError(
                    f"{value:g} is neither a share nor a number of photos for {name}",
                    "Give a share such as 0.1, or a number of photos such as 100.",
                )
            shares[name] = value if value < 1 else value / max(photos, 1)
        left = 1 - sum(shares.values())
        if left <= 1e-9:
            given = f"{self.val:g} for val and {self.test:g} for test"
            raise InputError(
                f"{given} leave none of {photos:,} photos for train", "Give smaller shares."
            )
        return {TRAIN: left, **shares}


@dataclass(frozen=True, slots=True)
class Member:
    """A photo to choose a set for.

    Attributes:
        name: Its name, unique; with the seed, it decides the order of equally large groups.
        label: Its class.
        group: Its group.
        fixed: The set that it is in already; empty for none.
    """

    name: str
    label: str
    group: int
    fixed: str = ""


def choose_sets(members: Sequence[Member], shares: Mapping[str, float], seed: int = 0) -> list[str]:
    """Return the set of each photo.

    A photo that is in a set already stays there, and its group joins it. If a group is in several
    sets already, its other photos get none, because they would be in two sets.

    Args:
        members: The photos.
        shares: The share of each set, as from :meth:`Shares.of`.
        seed: Changes the order of equally large groups.

    Returns:
        The name of a set for each photo; empty for none.
    """
    groups: dict[int, list[Member]] = defaultdict(list)
    for member in members:
        groups[member.group].append(member)
    totals = Counter(member.label for member in members)
    lacking = _Lacking(totals, shares, seed)
    sets: dict[int, str] = {}
    for number, group in groups.items():
        fixed = {member.fixed for member in group if member.fixed}
        for member in group:
            if member.fixed:
                lacking.take(member.fixed, Counter([member.label]))
        if len(fixed) == 1:
            (sets[number],) = fixed
            new = Counter(member.label for member in group if not member.fixed)
            lacking.take(sets[number], new)
        elif fixed:
            sets[number] = ""
    rest = [(number, group) for number, group in groups.items() if number not in sets]
    rest.sort(key=lambda each: (-len(each[1]), _rank(each[1], seed)))
    for number, group in rest:
        labels = Counter(member.label for member in group)
        sets[number] = lacking.most(labels)
        lacking.take(sets[number], labels)
    return [member.fixed or sets[member.group] for member in members]


class _Lacking:
    """How many photos of each class each set still lacks.

    Args:
        totals: The number of photos of each class.
        shares: The share of each set.
        seed: Decides which of equal classes lacks a photo more.
    """

    def __init__(self, totals: Mapping[str, int], shares: Mapping[str, float], seed: int) -> None:
        self._totals = totals
        self._shares = shares
        # Whole photos, so that validation and test get their shares of all photos even if most
        # classes are too small for them; each class keeps one for training.
        room = {label: total - 1 for label, total in totals.items()}
        self._lacks = {}
        for name in (VAL, TEST):
            wanted = {label: total * shares[name] for label, total in totals.items()}
            self._lacks[name] = _whole(wanted, room, seed)
            room = {label: left - self._lacks[name][label] for label, left in room.items()}
        self._lacks[TRAIN] = {label: left + 1 for label, left in room.items()}

    def take(self, name: str, labels: Mapping[str, int]) -> None:
        """Count photos that a set gets."""
        if name in self._lacks:
            for label, number in labels.items():
                self._lacks[name][label] -= number

    def most(self, labels: Mapping[str, int]) -> str:
        """Return the set that lacks most of some classes, each relative to its size.

        Of equal sets, it is the one that lacks more relative to its share, then more photos of all
        classes. Rounding hides differences that are not there.
        """

        def need(name: str) -> tuple[float, float, float]:
            lacks = self._lacks[name]
            wanted = sum(n * lacks[label] / self._totals[label] for label, n in labels.items())
            own = wanted / self._shares[name]
            return round(wanted, 9), round(own, 9), round(sum(lacks.values()), 9)

        return max((name for name, share in self._shares.items() if share > 0), key=need)


def _whole(numbers: Mapping[str, float], room: Mapping[str, int], seed: int) -> dict[str, int]:
    """Round numbers so that their sum stays: the largest remainders are rounded up.

    Source: the method of Hamilton.

    Args:
        numbers: A number of photos for each class.
        room: The largest number for each class.
        seed: Decides between equal remainders.
    """
    whole = {label: min(int(number + 1e-9), room[label]) for label, number in numbers.items()}
    rest = round(sum(numbers.values())) - sum(whole.values())

    def place(label: str) -> tuple[bool, float, bytes]:
        return whole[label] == room[label], whole[label] - numbers[label], _digest(label, seed)

    for label in sorted(numbers, key=place)[:rest]:
        whole[label] += whole[label] < room[label]
    return whole


def _rank(group: Sequence[Member], seed: int) -> bytes:
    return _digest(min(member.name for member in group), seed)


def _digest(text: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{text}".encode("utf-8", "surrogateescape")).digest()
