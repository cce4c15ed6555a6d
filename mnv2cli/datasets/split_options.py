"""How photos are split, and what a split is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from mnv2cli.datasets.formats import LabelBy
from mnv2cli.datasets.split_sets import SETS, Shares
from mnv2cli.models.options import ModelOptions
from mnv2cli.sorting.actions import Method, Plan


@dataclass(frozen=True, slots=True)
class SplitOptions:
    """How photos are split.

    Attributes:
        val: The share for validation in [0, 1), or a number of photos from 1.
        test: The same for test; the others are for training.
        seed: Another number makes another split.
        group_by: Photos that belong together, such as those of one house, are in one set:
            ``parent`` for those of a folder, or a regular expression whose first group in the path
            is the same; empty for none. Exact copies are always in one set.
        near: Near copies are in one set too, as ``mnv2 learn`` finds them by the network.
        model: The network that finds them.
        cache: Use and fill the cache of features.
        label_by: For results, what the class of a photo is.
        base: For results, the folder where the photos are now; empty if they have not moved.
        method: What to do with each photo.
    """

    val: float = 0.1
    test: float = 0.1
    seed: int = 0
    group_by: str = ""
    near: bool = True
    model: ModelOptions = field(default_factory=ModelOptions)
    cache: bool = True
    label_by: LabelBy = "label"
    base: str = ""
    method: Method = "copy"

    @property
    def shares(self) -> Shares:
        """The shares for validation and test."""
        return Shares(self.val, self.test)


@dataclass(frozen=True, slots=True)
class SplitPhoto:
    """A photo of a split.

    Attributes:
        path: The photo.
        label: Its class.
        set: ``train``, ``val`` or ``test``; empty for a photo that is omitted.
        group: The number of its group: photos of one group are in one set.
        is_new: No earlier split into the destination had put it, or its content, there.
    """

    path: str
    label: str
    set: str
    group: int
    is_new: bool = True


@dataclass
class Split:
    """Which photo is in which set.

    Attributes:
        dest: The destination, as given.
        photos: The photos, in order, with those that earlier splits put into the destination.
        plan: What puts the photos there.
        skipped: The path of each file that is not used, and why.
        unreadable: The path of each photo that cannot be read, and why.
        conflicts: Of each content that is in several classes, the paths and the classes; these
            photos are omitted, because which class is right is unknown.
        torn: New photos that belong to photos of several sets; they are omitted.
        alike: The classes whose near copies may be in several sets, because nearly all of their
            photos are near copies.
        shares: The share of each set that was asked for.
        failed: Files that could not be put into the destination, and why, after applying the plan.
    """

    dest: str
    photos: list[SplitPhoto]
    plan: Plan
    skipped: list[tuple[str, str]] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    conflicts: list[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    alike: tuple[str, ...] = ()
    shares: dict[str, float] = field(default_factory=dict)
    failed: list[tuple[str, str]] = field(default_factory=list)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return by class the number of photos in each set."""
        found: dict[str, dict[str, int]] = {}
        for photo in self.photos:
            if photo.set:
                found.setdefault(photo.label, dict.fromkeys(SETS, 0))[photo.set] += 1
        return found

    def together(self) -> tuple[int, int]:
        """Return the number of photos that are in groups of several, and of these groups."""
        sizes = Counter(photo.group for photo in self.photos if photo.set)
        several = [size for size in sizes.values() if size > 1]
        return sum(several), len(several)

    def kept(self) -> int:
        """Return the number of photos that stay in the set of an earlier split."""
        return sum(not photo.is_new for photo in self.photos)

    def missing(self, name: str) -> list[str]:
        """Return the classes of which a set has no photo, though it should have a share."""
        if not self.shares.get(name):
            return []
        return [label for label, counts in self.counts().items() if not counts[name]]

    def paths(self, name: str) -> Sequence[SplitPhoto]:
        """Return the photos of a set."""
        return [photo for photo in self.photos if photo.set == name]
