"""The photos that classes are learned from, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnv2cli.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST_PHOTOS = 2
"""A class needs this many groups of photos: one to learn from, one to be measured with."""

_NAMED = 5


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Photos with their features and classes.

    Attributes:
        paths: A path for each of n photos.
        features: Raw pooled features, float32 [n, d].
        classes: The class of each photo as an index of ``names``, int [n].
        names: The k classes, in the order of the columns of all scores.
        groups: Photos of one group, such as copies, are never split between learning and
            measuring, int [n].
        alike: The classes whose near copies are in several groups, because nearly all of their
            photos are near copies; their figures flatter.
    """

    paths: tuple[str, ...]
    features: NDArray[np.float32]
    classes: NDArray[np.int64]
    names: tuple[str, ...]
    groups: NDArray[np.int64]
    alike: tuple[int, ...] = ()

    def take(self, chosen: NDArray[np.int64]) -> TrainingSet:
        """Return the set of the chosen photos, int [m], with all classes kept."""
        return TrainingSet(
            tuple(self.paths[index] for index in chosen),
            self.features[chosen],
            self.classes[chosen],
            self.names,
            self.groups[chosen],
            self.alike,
        )


def check(training: TrainingSet) -> None:
    """Check that classes can be learned from a set.

    Raises:
        InputError: Lengths differ, features are not finite, a class is not in ``names``, there are
            fewer than two classes, or a class has fewer than two groups of photos. The message
            names the classes or photos.
    """
    import numpy as np

    count = len(training.paths)
    if training.features.ndim != 2:
        raise InputError(f"features must be an array [n, d], not {list(training.features.shape)}")
    if not len(training.features) == len(training.classes) == len(training.groups) == count:
        raise InputError(
            f"{count} paths, {len(training.features)} rows of features, {len(training.classes)} "
            f"classes and {len(training.groups)} groups must be equally many"
        )
    finite = np.isfinite(training.features).all(axis=1)
    if not finite.all():
        broken = [training.paths[index] for index in np.flatnonzero(~finite)]
        raise InputError(
            f"the features of {_listed(broken)} contain values that are not finite",
            "Embed these images again, or remove them.",
        )
    if count and not 0 <= training.classes.min() <= training.classes.max() < len(training.names):
        raise InputError(f"class numbers must be from 0 to {len(training.names) - 1}")
    if len(set(training.names)) < len(training.names):
        twice = sorted({name for name in training.names if training.names.count(name) > 1})
        raise InputError(f"two classes have the same name: {_listed(twice)}")
    if len(training.names) < 2:
        only = f"only one class: {training.names[0]!r}" if training.names else "no classes"
        raise InputError(
            f"there is {only}" if training.names else "there are no classes",
            "At least two are required: give a folder with a subfolder for each class.",
        )
    _check_class_sizes(training)


def _check_class_sizes(training: TrainingSet) -> None:
    import numpy as np

    photos = np.bincount(training.classes, minlength=len(training.names))
    empty = [training.names[index] for index in np.flatnonzero(photos == 0)]
    if empty:
        raise InputError(
            f"no readable photos in {_classes(empty)}", "Add photos, or remove the class."
        )
    single = [training.names[index] for index in np.flatnonzero(photos < FEWEST_PHOTOS)]
    if single:
        raise InputError(
            f"only one photo in {_classes(single)}",
            f"Each class needs at least {FEWEST_PHOTOS} different photos; 10 or more are better.",
        )
    pairs = np.unique(np.stack([training.classes, training.groups]), axis=1)
    groups = np.bincount(pairs[0], minlength=len(training.names))
    lone = [training.names[index] for index in np.flatnonzero(groups < FEWEST_PHOTOS)]
    if lone:
        raise InputError(
            f"all photos of {_classes(lone)} belong to one group, as copies or by --group-by",
            "Each class needs photos of at least two groups: one to learn from, one to measure.",
        )


def _classes(names: list[str]) -> str:
    return f"class{'es' * (len(names) > 1)} {_listed(names)}"


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:_NAMED]))
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"
