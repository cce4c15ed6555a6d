"""Which photos belong together in a split: copies, near copies, and those of one key."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mnv2cli.datasets.split_options import SplitOptions
from mnv2cli.learning.dataset import Example
from mnv2cli.learning.gather import Embedder
from mnv2cli.learning.groups import conflicts, group
from mnv2cli.learning.options import Running
from mnv2cli.learning.training import group_keys, open_network
from mnv2cli.system.files import content_digest
from mnv2cli.system.messages import reason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NO_NEAR = 2.0  # a cosine that no pair has


@dataclass
class Grouped:
    """Photos with their groups.

    Attributes:
        photos: The readable photos, in order.
        numbers: The group of each.
        unreadable: The path of each photo that cannot be read, and why.
        conflicts: Of each content that is in several classes, the positions of the photos.
        alike: The classes whose near copies are not kept together, as nearly all photos are.
    """

    photos: list[Example]
    numbers: list[int]
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    conflicts: list[tuple[int, ...]] = field(default_factory=list)
    alike: tuple[str, ...] = ()


def group_photos(photos: Sequence[Example], options: SplitOptions, running: Running) -> Grouped:
    """Return the groups of photos.

    Raises:
        InputError: ``options.group_by`` is not a regular expression, or matches no path.
    """
    import numpy as np

    keys = group_keys(photos, options.group_by)
    features: NDArray[np.float32]
    if options.near:
        classifier = open_network(options.model, running)
        with closing(Embedder(classifier, cache=options.cache, watch=running.watch)) as embedder:
            found = embedder.embed(photos)
        readable, features, digests = found.examples, found.features, found.digests
        unreadable = found.unreadable
    else:
        readable, digests, unreadable = _digests(photos)
        features = np.zeros((len(readable), 1), np.float32)
    names = sorted({photo.name for photo in readable})
    index = {name: number for number, name in enumerate(names)}
    classes = np.array([index[photo.name] for photo in readable], np.int64)
    if not readable:
        return Grouped([], [], unreadable)
    grouping = group(
        features,
        classes,
        digests,
        [keys.get(photo.path, "") for photo in readable],
        **({} if options.near else {"near": _NO_NEAR}),
    )
    return Grouped(
        readable,
        grouping.numbers.tolist(),
        unreadable,
        [each.photos for each in conflicts(digests, classes)],
        tuple(names[each] for each in grouping.alike) if options.near else (),
    )


def _digests(
    photos: Sequence[Example],
) -> tuple[list[Example], list[str], list[tuple[str, str]]]:
    """Return the readable photos, the SHA-256 of each, and the others with the reasons.

    Only files whose size occurs again are read; the digest of others is empty.
    """
    sizes: list[int] = []
    unreadable: dict[str, str] = {}
    for photo in photos:
        size = -1
        try:
            size = os.stat(photo.path).st_size
            if not size:
                unreadable[photo.path] = "not an image: an empty file"
        except (OSError, ValueError) as error:
            unreadable[photo.path] = _why(error)
        sizes.append(size)
    numbers = Counter(sizes)
    readable, digests = [], []
    for photo, size in zip(photos, sizes, strict=True):
        digest = ""
        if photo.path not in unreadable and numbers[size] > 1:
            try:
                digest = content_digest(photo.path)
            except OSError as error:
                unreadable[photo.path] = _why(error)
        if photo.path not in unreadable:
            readable.append(photo)
            digests.append(digest)
    return readable, digests, list(unreadable.items())


def _why(error: OSError | ValueError) -> str:
    return f"cannot be read: {reason(error) if isinstance(error, OSError) else error}"
