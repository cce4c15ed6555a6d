"""Figures of scores against true classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ECE_BINS = 15
"""The bins of Guo et al., On Calibration of Modern Neural Networks, 2017."""


@dataclass(frozen=True)
class ClassFigures:
    """Figures of one class; 0 where nothing can be divided.

    Attributes:
        name: The class.
        photos: The number of photos that are of the class.
        predicted: The number of photos that were predicted to be.
        precision: The share of the predicted photos that are of the class.
        recall: The share of the photos of the class that were predicted to be.
        f1: The harmonic mean of both.
    """

    name: str
    photos: int
    predicted: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Confusion:
    """Photos of one class predicted as another.

    Attributes:
        true: The class of the photos.
        predicted: The class that was predicted.
        photos: Their number.
    """

    true: str
    predicted: str
    photos: int


@dataclass(frozen=True, eq=False)
class Metrics:
    """All figures of n scored photos.

    Attributes:
        photos: The number of photos.
        top1: The share of photos whose best score is that of their class.
        top5: The share whose class is among the five best scores.
        interval: The 95 % confidence interval of ``top1``.
        macro_f1: The mean of ``f1`` over the classes that have photos.
        calibration_error: The expected calibration error.
        log_loss: The mean negative logarithm of the score of the true class.
        classes: The figures of each class, in the order of the names.
        matrix: int [k, k]; rows are true, columns predicted classes.
    """

    photos: int
    top1: float
    top5: float
    interval: tuple[float, float]
    macro_f1: float
    calibration_error: float
    log_loss: float
    classes: tuple[ClassFigures, ...]
    matrix: NDArray[np.int64]

    def confusions(self, limit: int = 5) -> list[Confusion]:
        """Return the most frequent confusions, most photos first."""
        raise NotImplementedError


def measure(
    scores: NDArray[np.float32],
    classes: NDArray[np.int64],
    names: tuple[str, ...],
    groups: NDArray[np.int64] | None = None,
) -> Metrics:
    """Return the figures of scores, float32 [n, k], against true classes, int [n].

    Args:
        scores: A row of scores for each photo; the columns are ``names``.
        classes: The true class of each photo.
        names: The classes.
        groups: Photos of one group are not independent, which widens the interval; None if all are.
    """
    raise NotImplementedError


def accuracy_interval(
    correct: NDArray[np.bool_], groups: NDArray[np.int64] | None = None
) -> tuple[float, float]:
    """Return the 95 % confidence interval of the share of true values, bool [n]."""
    raise NotImplementedError


def calibration_error(
    scores: NDArray[np.float32], classes: NDArray[np.int64], bins: int = ECE_BINS
) -> float:
    """Return the expected calibration error with bins of equal width (Guo et al., 2017)."""
    raise NotImplementedError


def fit_temperature(logits: NDArray[np.float32], classes: NDArray[np.int64]) -> float:
    """Return the temperature, by which logits [n, k] are divided, of the lowest log loss."""
    raise NotImplementedError
