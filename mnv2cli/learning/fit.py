"""Fit a head on the features of a training set, and measure it on photos it did not see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.learning.training_set import TrainingSet
    from mnv2cli.models.unknown import Unknown


@dataclass(frozen=True, eq=False)
class FitOptions:
    """How to fit.

    Attributes:
        folds: The largest number of folds; fewer if a class has fewer groups.
        seed: The seed of the folds.
        strength: C, the inverse strength of the L2 penalty; None to choose it by cross-validation.
        start: Kernel and bias of an earlier fit of the same classes and features, to start at.
    """

    folds: int = 5
    seed: int = 0
    strength: float | None = None
    start: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted head, and how it did on photos it did not see.

    Attributes:
        kernel: float32 [d, k]; the temperature is folded in.
        bias: float32 [k]; the temperature is folded in.
        unknown: The measure of what is unlike all classes.
        strength: C; give it to ``FitOptions`` to relearn faster.
        temperature: What the logits were divided by.
        folds: The fold in which each photo was held out, int [n].
        out_of_fold: The calibrated scores of each photo by the model that did not see its fold,
            float32 [n, k].
        uncalibrated: The same before the temperature, float32 [n, k].
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    unknown: Unknown
    strength: float
    temperature: float
    folds: NDArray[np.int64]
    out_of_fold: NDArray[np.float32]
    uncalibrated: NDArray[np.float32]


def fit(training: TrainingSet, options: FitOptions | None = None) -> Fitted:
    """Fit a head; the same set and options give the same result.

    Give ``out_of_fold`` to ``metrics.measure`` for the figures.

    Raises:
        InputError: The set cannot be learned from; see ``training_set.check``.
    """
    raise NotImplementedError
