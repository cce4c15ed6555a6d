"""How far scores are the share of right predictions, before and after a temperature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnv2cli.learning.folds import divide
from mnv2cli.learning.metrics import ECE_BINS, calibration_error, fit_temperature, softmax

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST_PHOTOS = 20
"""With fewer photos no temperature is fitted."""

_MOST_FITTED = 5000  # photos; more change the temperature little
_SMALLEST = 1e-12
_BLOCK = 4096  # rows


@dataclass(frozen=True)
class Bin:
    """The photos whose best score is in one range.

    Attributes:
        low: The lowest score.
        high: The highest score.
        photos: Their number.
        score: Their mean best score.
        right: The share of right predictions.
    """

    low: float
    high: float
    photos: int
    score: float
    right: float


@dataclass(frozen=True)
class Calibration:
    """How scores would be calibrated.

    Attributes:
        temperature: What logits are divided by, fitted on all photos.
        error: The expected calibration error when each half of the photos has the temperature that
            was fitted on the other half, which does not flatter.
        bins: The ranges of these scores.
    """

    temperature: float
    error: float
    bins: tuple[Bin, ...]


def reliability(best: NDArray[np.float32], right: NDArray[np.bool_]) -> tuple[Bin, ...]:
    """Return the ranges of scores that have photos.

    Args:
        best: The best score of each photo, float32 [n].
        right: Whether its class is the true one, bool [n].
    """
    import numpy as np

    numbers = np.clip(np.ceil(best.astype(np.float64) * ECE_BINS).astype(int) - 1, 0, ECE_BINS - 1)
    bins = []
    for number in np.unique(numbers).tolist():
        mine = numbers == number
        score, share = float(best[mine].mean()), float(right[mine].mean())
        low, high = number / ECE_BINS, (number + 1) / ECE_BINS
        bins.append(Bin(low, high, int(mine.sum()), score, share))
    return tuple(bins)


def error_of(best: NDArray[np.float32], right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error of best scores, float32 [n], right or wrong [n]."""
    import numpy as np

    scores = np.stack([best, np.zeros_like(best)], axis=1)
    return calibration_error(scores, np.where(right, 0, 1))


def calibrate_scores(
    scores: NDArray[np.float32], classes: NDArray[np.int64], right: NDArray[np.bool_]
) -> Calibration | None:
    """Return how scores would be calibrated; None for too few photos.

    Args:
        scores: Softmax scores, float32 [n, k].
        classes: The true class of each photo, int [n].
        right: Whether the best score is that of a true class, bool [n].
    """
    import numpy as np

    if len(scores) < FEWEST_PHOTOS:
        return None
    halves = divide(classes, np.arange(len(classes)), 2)
    best = np.empty(len(scores), np.float32)
    for half in (0, 1):
        mine = np.flatnonzero(halves == half)
        temperature = _fitted(scores, classes, np.flatnonzero(halves != half))
        for start in range(0, len(mine), _BLOCK):
            rows = mine[start : start + _BLOCK]
            best[rows] = softmax(_logits(scores[rows]) / temperature).max(axis=1)
    temperature = _fitted(scores, classes, np.arange(len(scores)))
    return Calibration(temperature, error_of(best, right), reliability(best, right))


def _fitted(
    scores: NDArray[np.float32], classes: NDArray[np.int64], rows: NDArray[np.int64]
) -> float:
    if len(rows) > _MOST_FITTED:
        import numpy as np

        rows = rows[np.linspace(0, len(rows) - 1, _MOST_FITTED).astype(int)]
    return fit_temperature(_logits(scores[rows]), classes[rows])


def _logits(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    logits: NDArray[np.float32] = np.log(np.maximum(scores, _SMALLEST))
    return logits
