"""Which photos belong together: copies are never measured by models that saw them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnv2cli.errors import InputError
from mnv2cli.models.head import normalise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEAR_DUPLICATE = 0.88
"""Photos whose features have at least this cosine are near duplicates. Photos of rooms in 50 houses
have at most 0.84 with each other; copies at half the size 0.89 or more, at JPEG quality 50 0.95."""

PARENT = "parent"
"""Group photos by their folder."""

_STEPS = (0.88, 0.92, 0.95, 0.97, 0.98, 0.99, 0.995)
_ENOUGH_GROUPS = 5
_NEARLY_ALL = 0.9
_BLOCK = 1024


@dataclass(frozen=True)
class Conflict:
    """Photos with the same content in different classes.

    Attributes:
        photos: Positions of the photos, ascending.
        classes: Their classes, ascending, each once.
    """

    photos: tuple[int, ...]
    classes: tuple[int, ...]


def keys_of_paths(paths: Sequence[str], group_by: str) -> list[str]:
    """Return what each path is grouped by; "" for a path that belongs to no group.

    Args:
        paths: The paths of the photos.
        group_by: ``parent`` for the parent folder; else a regular expression, searched in the path
            with ``/`` between folders: its first group, or all it matches if it has none.

    Raises:
        InputError: The regular expression is invalid, or matches no path.
    """
    if group_by == PARENT:
        return [os.path.dirname(path) for path in paths]
    try:
        pattern = re.compile(group_by)
    except re.error as error:
        raise InputError(f"{group_by!r} is not a regular expression: {error}") from None
    matches = [pattern.search(path.replace(os.sep, "/")) for path in paths]
    if paths and not any(matches):
        raise InputError(
            f"the expression {group_by!r} matches no path, such as {paths[0]!r}",
            "Its first group is what photos are grouped by; for example '([^/]+)_[^/]*$'.",
        )
    return [(match[1] if pattern.groups else match[0]) or "" if match else "" for match in matches]


@dataclass(frozen=True, eq=False)
class Grouping:
    """Which photos belong together.

    Attributes:
        numbers: The group of each photo, int [n].
        alike: The classes, ascending, whose near duplicates are not kept together, because all, or
            nearly all, of their photos would be one group. Their figures flatter.
    """

    numbers: NDArray[np.int64]
    alike: tuple[int, ...]


def join(
    features: NDArray[np.float32],
    classes: NDArray[np.int64],
    digests: Sequence[str],
    keys: Sequence[str] = (),
    near: float = NEAR_DUPLICATE,
) -> NDArray[np.int64]:
    """Return a group number for each photo, int [n]; see :func:`group`."""
    return group(features, classes, digests, keys, near).numbers


def group(
    features: NDArray[np.float32],
    classes: NDArray[np.int64],
    digests: Sequence[str],
    keys: Sequence[str] = (),
    near: float = NEAR_DUPLICATE,
) -> Grouping:
    """Return the group of each photo.

    Photos are joined, directly or through others, if they have the same content, the same key, or
    features whose cosine is at least ``near``. Only of a class that could not be measured so,
    because more than nine tenths of its photos are one group, as in a burst of one object, does the
    cosine of its pairs rise, until it has five groups; other classes stay as they are.

    Args:
        features: Raw features, float32 [n, d].
        classes: The class of each photo, int [n].
        digests: The digest of each photo's content; "" if unknown.
        keys: What each photo is grouped by, as from ``keys_of_paths``; "" for none.
        near: The cosine of near duplicates; above 1 for none.
    """
    import numpy as np

    sure = _Union(len(features))
    for names in (digests, keys):
        first: dict[str, int] = {}
        for photo, name in enumerate(names):
            if name:
                sure.join(first.setdefault(name, photo), photo)
    possible = _groups_per_class(classes, sure.numbers())
    splittable = ~_is_one(classes, sure.numbers())
    enough = np.minimum(possible, _ENOUGH_GROUPS)
    pairs, cosines = _near_pairs(normalise(features), near)
    levels = np.array([near, *(step for step in _STEPS if step > near), np.inf])
    level = np.zeros(len(possible), dtype=np.int64)  # of each class
    while True:
        union = _Union(len(features), sure)
        # A pair needs the higher cosine of its two classes.
        for left, right in pairs[cosines >= levels[level[classes[pairs]].max(axis=1)]]:
            union.join(int(left), int(right))
        joined = union.numbers()
        lacking = _is_one(classes, joined)
        lacking |= (level > 0) & (_groups_per_class(classes, joined) < enough)
        lacking &= splittable & (level < len(levels) - 1)
        if not lacking.any():
            return Grouping(joined, tuple(np.flatnonzero(level).tolist()))
        level[lacking] += 1


class _Union:
    """Photos joined into groups; the first photo of each is its root."""

    def __init__(self, count: int, start: _Union | None = None) -> None:
        self._parents: list[int] = [*start._parents] if start else [*range(count)]

    def join(self, left: int, right: int) -> None:
        low, high = sorted((self._root(left), self._root(right)))
        self._parents[high] = low

    def _root(self, photo: int) -> int:
        while self._parents[photo] != photo:
            self._parents[photo] = self._parents[self._parents[photo]]
            photo = self._parents[photo]
        return photo

    def numbers(self) -> NDArray[np.int64]:
        import numpy as np

        roots = [self._root(photo) for photo in range(len(self._parents))]
        return np.unique(roots, return_inverse=True)[1].astype(np.int64)


def _groups_per_class(
    classes: NDArray[np.int64], groups: NDArray[np.int64]
) -> NDArray[np.signedinteger]:
    import numpy as np

    pairs = np.unique(np.stack([classes, groups]), axis=1)
    return np.bincount(pairs[0])


def _is_one(classes: NDArray[np.int64], groups: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return for each class whether all of its photos, or nearly all, are one group."""
    import numpy as np

    pairs, sizes = np.unique(np.stack([classes, groups]), axis=1, return_counts=True)
    photos = np.bincount(classes)
    largest = np.zeros(len(photos), dtype=np.int64)
    np.maximum.at(largest, pairs[0], sizes)
    return np.asarray(largest > _NEARLY_ALL * photos)


def _near_pairs(
    normalised: NDArray[np.float32], near: float
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the pairs of photos [p, 2] with at least this cosine, and their cosines [p].

    Cosines are computed in blocks of photos, so that memory grows with n, not with its square.
    """
    import numpy as np

    pairs, cosines = [np.empty((0, 2), dtype=np.int64)], [np.empty(0, dtype=np.float32)]
    if near > 1:
        return pairs[0], cosines[0]
    for start in range(0, len(normalised), _BLOCK):
        block = normalised[start : start + _BLOCK] @ normalised[start:].T
        left, right = np.nonzero(np.triu(block >= near, 1))
        pairs.append(np.stack([left, right], axis=1) + start)
        cosines.append(block[left, right])
    return np.concatenate(pairs), np.concatenate(cosines)


def conflicts(digests: Sequence[str], classes: NDArray[np.int64]) -> list[Conflict]:
    """Return the photos with the same content in different classes; no one can learn these.

    Skip all of them, with a warning: which class is right is not known.
    """
    photos: dict[str, list[int]] = {}
    for photo, digest in enumerate(digests):
        if digest:
            photos.setdefault(digest, []).append(photo)
    found = []
    for same in photos.values():
        present = sorted({int(classes[photo]) for photo in same})
        if len(present) > 1:
            found.append(Conflict(tuple(same), tuple(present)))
    return found
