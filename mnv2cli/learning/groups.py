"""Which photos belong together: copies are never measured by models that saw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEAR_DUPLICATE = 0.93
"""Photos whose features have at least this cosine are near duplicates."""


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
    raise NotImplementedError


def join(
    features: NDArray[np.float32],
    digests: Sequence[str],
    keys: Sequence[str] = (),
    near: float = NEAR_DUPLICATE,
) -> NDArray[np.int64]:
    """Return a group number for each photo, int [n].

    Photos are joined, directly or through others, if they have the same content, the same key, or
    features whose cosine is at least ``near``.

    Args:
        features: Raw features, float32 [n, d].
        digests: The digest of each photo's content; "" if unknown.
        keys: What each photo is grouped by, as from ``keys_of_paths``; "" for none.
        near: The cosine of near duplicates; above 1 for none.
    """
    raise NotImplementedError


def conflicts(digests: Sequence[str], classes: NDArray[np.int64]) -> list[Conflict]:
    """Return the photos with the same content in different classes; no one can learn these.

    Skip all of them, with a warning: which class is right is not known.
    """
    raise NotImplementedError
