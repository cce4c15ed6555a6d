"""The lowest score of each class at which predictions are right often enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALWAYS_UNSURE = 1.01
"""A threshold that no score reaches."""


@dataclass(frozen=True)
class Threshold:
    """The threshold of one class.

    Attributes:
        name: The class.
        threshold: The lowest sure score, in [0, 1]; ``ALWAYS_UNSURE`` if none is precise enough.
        precision: The precision at the threshold, or the best found if none is precise enough.
        kept: The number of predicted photos at or above the threshold.
        predicted: The number of predicted photos.
        note: Why no score is precise enough, for the user; else empty.
    """

    name: str
    threshold: float
    precision: float
    kept: int
    predicted: int
    note: str = ""


def class_thresholds(
    scores: NDArray[np.float32],
    classes: NDArray[np.int64],
    names: tuple[str, ...],
    precision: float,
) -> list[Threshold]:
    """Return the threshold of each class, in the order of the names.

    Args:
        scores: Calibrated scores of held-out photos, float32 [n, k].
        classes: Their true classes, int [n].
        names: The classes.
        precision: The wanted precision of each class, in (0, 1].
    """
    raise NotImplementedError
