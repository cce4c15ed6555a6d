"""Rank the scores of an image into its top-k labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mnv2cli.errors import ImageError
from mnv2cli.labels.imagenet import Label
from mnv2cli.records import Prediction, lead

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def rank(
    scores: NDArray[np.float32],
    labels: Sequence[Label],
    top: int,
    threshold: float = 0.0,
    min_margin: float = 0.0,
) -> tuple[Prediction, ...]:
    """Return the ``top`` best classes of one image with a score of at least ``threshold``.

    Args:
        scores: float32 [classes], softmax probabilities in [0, 1].
        labels: One label for each score.
        top: The maximum number of classes.
        threshold: The lowest score to keep, in [0, 1].
        min_margin: The lead of the best class over the next that is necessary to keep any class, in
            [0, 1]. Also counted are classes that ``top`` and ``threshold`` omit.

    Returns:
        Predictions, best first; none if the lead is too small. Of equal scores the lower class
        index comes first, so the order never depends on the sorting algorithm.

    Raises:
        ImageError: A score is not finite, as with broken weights.
    """
    import numpy as np

    if not np.isfinite(scores).all():
        raise ImageError("no usable scores", "the model's output is not a number")
    if min_margin and _margin(scores) < min_margin:
        return ()
    if top < len(scores):  # four times as fast as sorting all scores
        threshold = max(threshold, float(np.partition(scores, -top)[-top]))
    reaching = np.flatnonzero(scores >= threshold)
    best = reaching[np.argsort(-scores[reaching], kind="stable")][:top]
    return tuple(
        Prediction(labels[i].wnid, labels[i].name, _shortest(scores[i])) for i in best.tolist()
    )


def _margin(scores: NDArray[np.float32]) -> float:
    """Return the lead of the best score over the next."""
    import numpy as np

    if len(scores) == 1:
        return float(scores[0])
    second, best = np.partition(scores, -2)[-2:].tolist()
    return lead(best, second)


def _shortest(score: np.float32) -> float:
    """Return the float with the shortest decimal form that identifies this float32."""
    return float(str(score))
