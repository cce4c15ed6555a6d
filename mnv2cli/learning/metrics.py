"""Figures of scores against true classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mnv2cli.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ECE_BINS = 15
"""The bins of Guo et al., On Calibration of Modern Neural Networks, 2017."""

TOP = 5
Z_95 = 1.959964
"""The 97.5 % quantile of the normal distribution."""
SMALLEST_SCORE = 1e-7


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
        import numpy as np

        wrong = self.matrix * (1 - np.eye(len(self.matrix), dtype=np.int64))
        order = np.argsort(-wrong, axis=None, kind="stable")[:limit]
        pairs = [divmod(int(position), len(wrong)) for position in order]
        return [
            Confusion(
                self.classes[true].name, self.classes[predicted].name, int(wrong[true, predicted])
            )
            for true, predicted in pairs
            if wrong[true, predicted]
        ]


def measure(
    scores: NDArray[np.float32],
    classes: NDArray[np.int64],
    names: tuple[str, ...],
    groups: NDArray[np.int64] | None = None,
    worth: float | None = None,
) -> Metrics:
    """Return the figures of scores, float32 [n, k], against true classes, int [n].

    Args:
        scores: A row of scores for each photo; the columns are ``names``.
        classes: The true class of each photo.
        names: The classes.
        groups: Photos of one group are not independent, which widens the interval; None if all are.
        worth: So many independent photos they are worth at most, because of copies; None for all.

    Raises:
        InputError: There are no photos.
    """
    import numpy as np

    if not len(classes):
        raise InputError("there are no photos to measure", "Give photos with known classes.")
    count = len(names)
    predicted = scores.argmax(axis=1)
    matrix = np.zeros((count, count), dtype=np.int64)
    np.add.at(matrix, (classes, predicted), 1)
    figures = _class_figures(matrix, names)
    true_scores = scores[np.arange(len(classes)), classes]
    better = (scores > true_scores[:, None]).sum(axis=1)
    correct = predicted == classes
    return Metrics(
        photos=len(classes),
        top1=float(correct.mean()),
        top5=float((better < TOP).mean()),
        interval=accuracy_interval(correct, groups, worth),
        macro_f1=float(np.mean([figure.f1 for figure in figures if figure.photos])),
        calibration_error=calibration_error(scores, classes),
        log_loss=float(log_losses(scores, classes).mean()),
        classes=figures,
        matrix=matrix,
    )


def _class_figures(matrix: NDArray[np.int64], names: tuple[str, ...]) -> tuple[ClassFigures, ...]:
    figures = []
    for index, name in enumerate(names):
        right = int(matrix[index, index])
        photos, predicted = int(matrix[index].sum()), int(matrix[:, index].sum())
        figures.append(
            ClassFigures(
                name=name,
                photos=photos,
                predicted=predicted,
                precision=right / predicted if predicted else 0.0,
                recall=right / photos if photos else 0.0,
                f1=2 * right / (photos + predicted) if right else 0.0,
            )
        )
    return tuple(figures)


def log_losses(scores: NDArray[np.float32], classes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the negative logarithm of the score of each photo's class, of at least 1e-7, [n]."""
    import numpy as np

    true_scores = scores[np.arange(len(classes)), classes].astype(np.float64)
    losses: NDArray[np.float64] = -np.log(np.maximum(true_scores, SMALLEST_SCORE))
    return losses


def accuracy_interval(
    correct: NDArray[np.bool_],
    groups: NDArray[np.int64] | None = None,
    worth: float | None = None,
) -> tuple[float, float]:
    """Return the 95 % confidence interval of the share of true values, bool [n].

    It is Wilson's, which is sound near 0 and 1, where a bootstrap of few errors is not. With groups
    it counts n / D photos, where D is the design effect, estimated from the spread between groups
    (Korn and Graubard 1998; Dean and Pagano 2015). If all photos are right, or all wrong, nothing
    can be estimated, and photos of a group count as one. It never counts more than ``worth``.
    """
    import numpy as np

    total = len(correct)
    share = float(correct.mean())
    effective = float(total)
    if groups is not None:
        sizes, errors = _group_sums(correct.astype(np.float64) - share, groups)
        # What photos of a group that are always right or wrong together are worth.
        least = total**2 / float((sizes**2).sum())
        spread = float((errors**2).sum()) * len(sizes) / max(len(sizes) - 1, 1)
        binomial = total * share * (1 - share)
        estimated = total * binomial / spread if spread > 0 else least
        effective = min(max(estimated, least), float(total))
    effective = min(effective, worth or effective)
    z = Z_95
    middle = (share + z * z / (2 * effective)) / (1 + z * z / effective)
    half = np.sqrt(share * (1 - share) / effective + z * z / (4 * effective**2))
    half *= z / (1 + z * z / effective)
    low, high = max(0.0, float(middle - half)), min(1.0, float(middle + half))
    return 0.0 if share == 0 else low, 1.0 if share == 1 else high  # not 0.9999999999999999


def _group_sums(
    values: NDArray[np.float64], groups: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the size of each group and the sum of its values."""
    import numpy as np

    _, numbers = np.unique(groups, return_inverse=True)
    sizes = np.bincount(numbers).astype(np.float64)
    return sizes, np.bincount(numbers, weights=values).astype(np.float64)


def calibration_error(
    scores: NDArray[np.float32], classes: NDArray[np.int64], bins: int = ECE_BINS
) -> float:
    """Return the expected calibration error with bins of equal width (Guo et al., 2017)."""
    import numpy as np

    best = scores.max(axis=1).astype(np.float64)
    correct = scores.argmax(axis=1) == classes
    numbers = np.clip(np.ceil(best * bins).astype(np.int64) - 1, 0, bins - 1)
    gaps = np.bincount(numbers, weights=correct - best, minlength=bins)
    return float(np.abs(gaps).sum() / len(classes))


def fit_temperature(logits: NDArray[np.float32], classes: NDArray[np.int64]) -> float:
    """Return the temperature, by which logits [n, k] are divided, of the lowest log loss.

    One photo more is assumed to be wrong (Platt 1999), else a few photos that are all right would
    give scores of 1 to everything. The result is from 1/20 to 20; logits may be -inf where a class
    could not be predicted.
    """
    import numpy as np
    from scipy.optimize import minimize_scalar

    wide = logits.astype(np.float64)
    photos = np.arange(len(classes))
    doubt = 1 / (len(classes) + 2)

    def loss(log_temperature: float) -> float:
        losses = -np.log(np.maximum(softmax(wide / np.exp(log_temperature)), SMALLEST_SCORE))
        true = losses[photos, classes]
        others = (losses.sum(axis=1) - true) / max(wide.shape[1] - 1, 1)
        return float(((1 - doubt) * true + doubt * others).mean())

    found = minimize_scalar(
        loss, bounds=(-np.log(20), np.log(20)), method="bounded", options={"xatol": 1e-3}
    )
    return float(np.exp(found.x))


def softmax(logits: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return the scores of logits [n, k], float32."""
    import numpy as np

    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return scores.astype(np.float32)
