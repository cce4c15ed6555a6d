"""Solve a multinomial logistic regression, in as few dimensions as the photos span."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ITERATIONS = 300
TOLERANCE = 4e-3
"""The solution is accepted if no element of the gradient is larger than this divided by the number
of classes, as the gradient is too; with a tenth of it the accuracy is the same."""

_ABSENT = float("-inf")


class Space:
    """The space that n photos span, if n is well below the number of features d.

    The kernel of a regression with an L2 penalty is a weighted sum of the photos (the representer
    theorem), so solving there is exact, for all subsets of the photos too.

    Attributes:
        points: The photos in the space, float32 [n, r].
    """

    def __init__(self, features: NDArray[np.float32]) -> None:
        import numpy as np

        self._basis: NDArray[np.float32] | None = None
        self.points = features
        if len(features) * 2 <= features.shape[1]:
            values, vectors = np.linalg.eigh(features.astype(np.float64) @ features.T)
            kept = values > values[-1] * 1e-10
            lengths = np.sqrt(values[kept])
            self._basis = (features.T @ (vectors[:, kept] / lengths)).astype(np.float32)
            self.points = (vectors[:, kept] * lengths).astype(np.float32)

    def outward(self, kernel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the kernel [r, k] of the space as one of features, [d, k]."""
        return kernel if self._basis is None else self._basis @ kernel

    def inward(self, kernel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the kernel [d, k] of features as one of the space, [r, k]."""
        return kernel if self._basis is None else self._basis.T @ kernel


@dataclass(frozen=True, eq=False)
class Task:
    """What to solve: points float32 [n, r], their classes int [n], and the number of classes."""

    points: NDArray[np.float32]
    classes: NDArray[np.int64]
    count: int


@dataclass(frozen=True, eq=False)
class Weights:
    """A solution: kernel float32 [r, k], bias float32 [k]; -inf for a class without photos."""

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the logits of points [n, r], float32 [n, k]."""
        return points @ self.kernel + self.bias


def solve(task: Task, strength: float, start: Weights | None = None) -> Weights:
    """Return the weights of the lowest penalised log loss, classes weighing equally.

    Args:
        task: The photos; those of at least two classes.
        strength: C, the inverse strength of the L2 penalty.
        start: Where to start; None for zeros.
    """
    import numpy as np
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    present = np.unique(task.classes)
    kernel = np.zeros((task.points.shape[1], task.count), dtype=np.float32)
    bias = np.full(task.count, _ABSENT, dtype=np.float32)
    if len(present) == 1:
        bias[present] = 0
        return Weights(kernel, bias)
    model: Any = LogisticRegression(
        C=strength,
        class_weight="balanced",
        max_iter=ITERATIONS,
        tol=TOLERANCE / len(present),
        warm_start=start is not None,
    )
    if start is not None:
        first = start.kernel[:, present].T.astype(np.float32)
        offset = start.bias[present].astype(np.float32)
        if len(present) == 2:  # scikit-learn has one logit for two classes
            first, offset = first[1:] - first[:1], offset[1:] - offset[:1]
        model.coef_, model.intercept_ = np.ascontiguousarray(first), offset
        model.classes_ = present
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        # Many classes of one or two photos are not a regression.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        model.fit(task.points, task.classes)
    rows, biases = model.coef_, model.intercept_
    if len(present) == 2:
        rows, biases = np.concatenate([-rows, rows]) / 2, np.concatenate([-biases, biases]) / 2
    kernel[:, present] = rows.T
    bias[present] = biases
    return Weights(kernel, bias)
