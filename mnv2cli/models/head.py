"""The head of a learned model: from the features of a network to scores of the user's classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnv2cli.models.unknown import LEAST_LIKE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.models.unknown import Unknown

UNKNOWN = "unknown"
"""The label of images that are unlike all classes."""

_SHORTEST = 1e-12  # as Keras's UnitNormalization


@dataclass(frozen=True)
class Head:
    """A softmax regression on L2-normalised features; Keras's Dense layer gives the same scores.

    Attributes:
        kernel: float32 [features, classes].
        bias: float32 [classes].
        unknown: Measures how unlike the classes an image is; None if that was not learned.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    unknown: Unknown | None = None

    def scores(
        self, features: NDArray[np.float32], *, unknown: bool = False
    ) -> NDArray[np.float32]:
        """Return softmax scores, float32 [n, classes], of raw features, float32 [n, features].

        Args:
            features: As the network computes them.
            unknown: Add a last column, the score of ``unknown``. For an image whose p value is
                below ``LEAST_LIKE`` it is 1 minus the p value, and its other scores are multiplied
                by the p value; for others it is 0.
        """
        import numpy as np

        inputs = normalise(features)
        logits = inputs @ self.kernel + self.bias
        logits -= logits.max(axis=1, keepdims=True)
        scores: NDArray[np.float32] = np.exp(logits)
        scores /= scores.sum(axis=1, keepdims=True)
        if not unknown or self.unknown is None:
            return scores
        p_values = self.unknown.p_values(inputs, scores)
        factor = np.where(p_values < LEAST_LIKE, p_values, np.float32(1)).astype(np.float32)
        return np.concatenate([scores * factor[:, None], 1 - factor[:, None]], axis=1)


def normalise(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return features of length 1, float32 [n, features]; zeros stay zeros."""
    import numpy as np

    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(lengths, _SHORTEST), np.float32)
