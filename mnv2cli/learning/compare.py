"""Compare two models on photos that neither saw, and where they put photos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnv2cli.labels.thresholds import OWN_THRESHOLD
from mnv2cli.learning.solver import Space, Task, solve
from mnv2cli.models.head import UNKNOWN, Head, normalise
from mnv2cli.sorting.options import FolderOptions
from mnv2cli.sorting.placement import UNSURE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.learning.fit import Fitted
    from mnv2cli.learning.training_set import TrainingSet


def predicted_without(
    training: TrainingSet, known: NDArray[np.int64], fitted: Fitted
) -> NDArray[np.int64]:
    """Return the class that each photo gets, held out, from heads without the corrections, int [n].

    The folds are those of ``fitted``, so that its ``out_of_fold`` can be compared.

    Args:
        training: All photos.
        known: The class of each before the corrections; -1 for photos that were not learned.
        fitted: The fit with the corrections.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    found = np.full(len(known), -1, dtype=np.int64)
    with threadpool_limits(1):
        space = Space(normalise(training.features))
        for fold in range(int(fitted.folds.max()) + 1):
            held_out = fitted.folds == fold
            learned = ~held_out & (known >= 0)
            if learned.any():
                task = Task(space.points[learned], known[learned], len(training.names))
                logits = solve(task, fitted.strength).logits(space.points[held_out])
                found[held_out] = logits.argmax(axis=1)
    return found


def folders_for(
    head: Head,
    names: tuple[str, ...],
    features: NDArray[np.float32],
) -> list[str]:
    """Return where ``mnv2 sort`` would put photos: a class, ``unsure`` or ``unknown``.

    Args:
        head: From features to scores.
        names: The classes.
        features: Raw features, float32 [n, d].
    """
    if not len(features):
        return []
    labels = (*names, UNKNOWN) if head.unknown is not None else names
    options = FolderOptions("{label}", thresholds=dict.fromkeys(names, OWN_THRESHOLD))
    scores = head.scores(features, unknown=head.unknown is not None)
    best = scores.argmax(axis=1)
    return [
        labels[each] if row[each] >= options.lowest_for(labels[each]) else UNSURE
        for each, row in zip(best, scores, strict=True)
    ]
