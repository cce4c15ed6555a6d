"""The lowest score of each class at which predictions are right often enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALWAYS_UNSURE = 1.01
"""A threshold that no score reaches."""

FEWEST_PREDICTED = 5
"""A threshold that keeps fewer photos than this is not trusted."""


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

    It is the lowest at which the precision of the given photos is at least the wanted one, with at
    least five photos kept. If all predictions together are precise enough, it is 0.

    Args:
        scores: Calibrated scores of held-out photos, float32 [n, k].
        classes: Their true classes, int [n].
        names: The classes.
        precision: The wanted precision of each class, in (0, 1].
    """
    import numpy as np

    best = scores.argmax(axis=1)
    found = []
    for index, name in enumerate(names):
        mine = best == index
        right = classes[mine] == index
        found.append(_threshold(name, scores[mine, index], np.asarray(right), precision))
    return found


def _threshold(
    name: str, scores: NDArray[np.float32], right: NDArray[np.bool_], precision: float
) -> Threshold:
    """Return the threshold for the scores of the photos predicted as a class, float32 [m]."""
    import numpy as np

    predicted = len(scores)
    if predicted < FEWEST_PREDICTED:
        note = f"only {predicted} photos were predicted; at least {FEWEST_PREDICTED} are required"
        share = float(right.mean()) if predicted else 0.0
        return Threshold(name, ALWAYS_UNSURE, share, 0, predicted, note)
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    kept = np.arange(1, predicted + 1)
    shares = np.cumsum(right[order]) / kept
    last = np.append(ordered[1:] < ordered[:-1], True)  # photos of one score stay together
    eligible = last & (kept >= FEWEST_PREDICTED)
    precise = np.flatnonzero(eligible & (shares >= precision))
    if not len(precise):
        highest = float(shares[eligible].max())
        note = f"its precision is {highest:.1%} at best; more or better photos are required"
        return Threshold(name, ALWAYS_UNSURE, highest, 0, predicted, note)
    chosen = int(precise[-1])
    # Halfway between the last score that is kept and the next, or 0 if all are kept.
    edges = np.append((ordered[:-1] + ordered[1:]) / 2, 0.0)
    return Threshold(name, float(edges[chosen]), float(shares[chosen]), chosen + 1, predicted)
