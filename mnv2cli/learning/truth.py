"""Combine the photos that were learned before with the user's corrections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnv2cli.errors import InputError
from mnv2cli.learning.dataset import Example
from mnv2cli.learning.gather import Photos, distinct
from mnv2cli.learning.training_set import FEWEST_PHOTOS
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.learning.corrections import SortedPhotos
    from mnv2cli.learning.earlier import EarlierPhotos


WITHOUT_FILE = "(learned earlier: "
"""How the path of a photo starts whose features are known, but not its file."""


@dataclass(frozen=True, eq=False)
class Truth:
    """The photos whose classes are certain, and those of the sorted folder that are not.

    Attributes:
        photos: The n photos to learn from, without copies.
        before: The class of each before the corrections, as an index; -1 for a new photo, int [n].
        names: The classes, without those whose photos were all dropped.
        new: The positions of new corrections and added photos.
        back: Those of ``new`` that the user moved back to where ``mnv2 sort`` had put them.
        dropped: The number of photos that were learned before and are no longer.
        corrected: The contents whose class the user chose in the sorted folder.
        answers: The contents whose class an earlier model chose.
        trusted: The number of photos that are learned although the user did not move them.
        others: The unmoved photos of the sorted folder that are not learned.
        copies: Paths of training photos with the content of another photo of their class.
        conflicts: Training photos with one content in several classes; none is learned.
    """

    photos: Photos
    before: NDArray[np.int64]
    names: tuple[str, ...]
    new: tuple[int, ...]
    back: frozenset[int]
    dropped: int
    corrected: frozenset[str]
    answers: frozenset[str]
    trusted: int
    others: Photos
    copies: tuple[str, ...]
    conflicts: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


class _Certain:
    """Photos by content; a later one replaces an earlier one."""

    def __init__(self) -> None:
        self.examples: dict[str, Example] = {}
        self.features: dict[str, NDArray[np.float32]] = {}

    def add(self, digest: str, example: Example, features: NDArray[np.float32]) -> bool:
        """Add a photo; return whether its class is new."""
        known = self.examples.get(digest)
        if known is not None and known.name == example.name:
            return False
        self.examples[digest] = example
        self.features[digest] = features
        return True

    def drop(self, digests: Iterable[str]) -> int:
        """Remove photos; return how many there were."""
        found = [digest for digest in digests if self.examples.pop(digest, None)]
        for digest in found:
            del self.features[digest]
        return len(found)

    def photos(self, width: int) -> Photos:
        import numpy as np

        rows = list(self.features.values())
        features = np.stack(rows) if rows else np.empty((0, width), dtype=np.float32)
        return Photos(list(self.examples.values()), features, list(self.examples))


def combine(
    photos: Photos,
    earlier: EarlierPhotos,
    there: SortedPhotos,
    names: Sequence[str],
    *,
    trust_all: bool,
) -> Truth:
    """Return what to learn from.

    Args:
        photos: The photos of ``earlier`` and ``there``, with their features.
        earlier: What was learned before.
        there: What the user did in the sorted folder; it counts more.
        names: The classes; those whose photos are all dropped are omitted.
        trust_all: Learn also from photos that the user did not move.
    """
    import numpy as np

    training = distinct(_of(photos, earlier.examples), tuple(names))
    certain = _Certain()
    for digest, name in earlier.cached.items():
        example = Example(f"{WITHOUT_FILE}{digest[:12]})", name)
        certain.add(digest, example, earlier.features[digest])
    _add_all(certain, training.photos)
    unmoved = _of(photos, there.unmoved)
    restored = [
        position for position, each in enumerate(unmoved.digests) if each in earlier.corrected
    ]
    unnamed = {unmoved.digests[each] for each in restored if not unmoved.examples[each].name}
    dropped = certain.drop(there.unlearned | (there.outside & earlier.corrected) | unnamed)
    before = {digest: each.name for digest, each in certain.examples.items()}
    moved = _of(photos, [*there.corrected, *there.added])
    back = set(
        _add_all(certain, unmoved.take([each for each in restored if unmoved.examples[each].name]))
    )
    new = back | set(_add_all(certain, moved))
    trusted: list[str] = []
    if trust_all:
        sure = [
            position
            for position, (example, digest) in enumerate(
                zip(unmoved.examples, unmoved.digests, strict=True)
            )
            if example.name and digest not in certain.examples
        ]
        trusted = _add_all(certain, unmoved.take(sure))
    others = [
        position
        for position, digest in enumerate(unmoved.digests)
        if digest not in certain.examples
    ]
    made = certain.photos(photos.features.shape[1])
    used = {each.name for each in made.examples}
    kept = tuple(name for name in names if name in used or not dropped)
    index = {name: each for each, name in enumerate(kept)}
    is_there = frozenset(made.digests)
    return Truth(
        made,
        np.array([index.get(before.get(each, ""), -1) for each in made.digests], dtype=np.int64),
        kept,
        tuple(position for position, digest in enumerate(made.digests) if digest in new),
        frozenset(position for position, digest in enumerate(made.digests) if digest in back),
        dropped,
        (is_there & earlier.corrected | frozenset(moved.digests)) - back,
        (is_there & earlier.answers | frozenset(trusted)) - new,
        len(trusted),
        unmoved.take(others),
        tuple(training.copies),
        tuple(training.conflicts),
    )


def check_left(truth: Truth, dest: str) -> None:
    """Check that each class keeps enough photos, where some are dropped; raises InputError."""
    for name, photos in Counter(each.name for each in truth.photos.examples).items():
        if truth.dropped and photos < FEWEST_PHOTOS:
            raise InputError(
                f"the class {name!r} would have {count(photos, 'photo')} left",
                f"Move more photos to its folder in {dest}, or also move that one out of it.",
            )


def _of(photos: Photos, examples: Sequence[Example]) -> Photos:
    """Return the photos that come from some examples; unreadable ones are not among them."""
    wanted = set(map(id, examples))
    return photos.take(
        [position for position, each in enumerate(photos.examples) if id(each) in wanted]
    )


def _add_all(certain: _Certain, photos: Photos) -> list[str]:
    """Add photos; return the contents whose class is new."""
    return [
        digest
        for example, digest, features in zip(
            photos.examples, photos.digests, photos.features, strict=True
        )
        if certain.add(digest, example, features)
    ]
