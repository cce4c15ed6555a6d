"""Learn how unlike all classes a photo may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnv2cli.models.head import normalise
from mnv2cli.models.unknown import Unknown, measures, unlikeness

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_HELD_OUT = 1000


def learn_unknown(
    normalised: NDArray[np.float32],
    classes: NDArray[np.int64],
    folds: NDArray[np.int64],
    scores: NDArray[np.float32],
) -> Unknown:
    """Return the measure, with the unlikeness of each photo to the photos of other folds.

    Args:
        normalised: Features of length 1, float32 [n, d].
        classes: The class of each photo, int [n].
        folds: The fold of each photo, int [n].
        scores: Calibrated out-of-fold scores, float32 [n, k].
    """
    import numpy as np

    cosines = np.empty(len(normalised), dtype=np.float32)
    for fold in range(int(folds.max()) + 1):
        held_out = folds == fold
        means = _means(normalised[~held_out], classes[~held_out])
        cosines[held_out] = (normalised[held_out] @ means.T).max(axis=1)
    parts = measures(cosines, scores)
    centre = parts.mean(axis=0)
    spread = np.maximum(parts.std(axis=0), 0.01)
    held = np.sort(unlikeness(parts, centre, spread))
    if len(held) > MOST_HELD_OUT:
        held = np.quantile(held, np.linspace(0, 1, MOST_HELD_OUT))
    return Unknown(
        means=_means(normalised, classes),
        centre=centre.astype(np.float32),
        spread=spread.astype(np.float32),
        held_out=held.astype(np.float32),
    )


def _means(normalised: NDArray[np.float32], classes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the mean of each class that has photos, of length 1, float32 [k, d]."""
    import numpy as np

    means = [normalised[classes == each].mean(axis=0) for each in np.unique(classes)]
    return normalise(np.stack(means))
