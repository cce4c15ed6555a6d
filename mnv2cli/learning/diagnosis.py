"""What a user can do for better classes: relabel photos, add photos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnv2cli.learning.metrics import Z_95
from mnv2cli.learning.solver import Space, Task, solve
from mnv2cli.models.head import normalise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.learning.fit import Fitted
    from mnv2cli.learning.training_set import TrainingSet

LOW_SCORE = 0.1
"""The given class of a mislabelled photo has at most this score."""
HIGH_SCORE = 0.5
"""Its probable class has at least this score."""
FEW_PHOTOS = 10
"""With fewer photos, classes are learned noticeably worse."""
FEWEST_FOR_CURVE = 8
MOST_FOR_CURVE = 50
"""With more classes, the curve would take longer than the fit itself is worth."""
PARTS = (0.25, 0.5, 0.75, 1.0)
SMALL_GAIN = 0.02
"""Twice as many photos that raise the accuracy by less are not worth taking."""
SURE = 1.645
"""The 95 % quantile of the normal distribution, for a one-sided sign test."""


@dataclass(frozen=True)
class Suspect:
    """A photo whose class is probably wrong.

    Attributes:
        path: The photo.
        given: Its class.
        probable: The class that it probably is.
        score: The out-of-fold score of the probable class, in [0, 1].
        given_score: That of the given class.
    """

    path: str
    given: str
    probable: str
    score: float
    given_score: float


@dataclass(frozen=True)
class CurvePoint:
    """The accuracy with a part of the photos.

    Attributes:
        photos: The mean number of photos per class that were learned from.
        accuracy: The share of held-out photos that were right.
    """

    photos: float
    accuracy: float


@dataclass(frozen=True)
class Advice:
    """What more photos would bring.

    Attributes:
        points: The learning curve, fewest photos first; empty if there are too few photos.
        more: About as many more photos per class would help; 0 if the curve does not rise.
        gain: By about so much accuracy, in [0, 1]; 0 if the curve does not rise.
        few: The classes with too few photos, and their number of photos.
        level: Whether the photos are enough to tell that twice as many raised the accuracy by less
            than two points; else it is not known whether more would help.
    """

    points: tuple[CurvePoint, ...]
    more: int
    gain: float
    few: tuple[tuple[str, int], ...]
    level: bool = False


@dataclass(frozen=True)
class Change:
    """A photo that another model puts into another class.

    Attributes:
        photo: Its position in the scores.
        before: Its best class before, as an index.
        after: Its best class after.
    """

    photo: int
    before: int
    after: int


def suspects(training: TrainingSet, scores: NDArray[np.float32]) -> list[Suspect]:
    """Return the photos that are probably mislabelled, most certain first.

    The score of another class must be high, and that of the given class low. Of 5 % of labels that
    were changed in photos of rooms, this found nine of ten. The thresholds of confident learning
    (Northcutt, Jiang and Chuang 2021), the mean score of each class, found eight.

    Args:
        training: The photos.
        scores: Their out-of-fold scores, float32 [n, k].
    """
    import numpy as np

    classes, names = training.classes, training.names
    given = scores[np.arange(len(classes)), classes]
    best = scores.argmax(axis=1)
    highest = scores.max(axis=1)
    wrong = (highest >= HIGH_SCORE) & (given <= LOW_SCORE)
    found = np.flatnonzero(wrong)
    return [
        Suspect(
            path=training.paths[photo],
            given=names[classes[photo]],
            probable=names[best[photo]],
            score=float(highest[photo]),
            given_score=float(given[photo]),
        )
        for photo in found[np.argsort(given[found] - highest[found], kind="stable")]
    ]


def advice(training: TrainingSet, fitted: Fitted) -> Advice:
    """Return the learning curve from sub-samples, and what more photos would bring.

    For each fold, heads learn from 25, 50, 75 and 100 % of the other photos of each class; a
    smaller sample is part of the larger. More photos are recommended only if the curve still
    rises: from half of the photos to all, the photos that became right are more than those that
    became wrong, by a sign test. Each doubling is then assumed to bring half of the last gain, and
    at most half of the errors that remain.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    counts = np.bincount(training.classes, minlength=len(training.names))
    few = tuple(
        (name, int(count))
        for name, count in zip(training.names, counts, strict=True)
        if count < FEW_PHOTOS
    )
    if counts.min() < FEWEST_FOR_CURVE or len(training.names) > MOST_FOR_CURVE:
        return Advice((), 0, 0.0, few)
    with threadpool_limits(1):
        right = _right_by_part(training, fitted)
    learned = counts.mean() * (1 - 1 / (int(fitted.folds.max()) + 1))
    points = tuple(
        CurvePoint(float(learned * part), float(rights.mean()))
        for part, rights in zip(PARTS, right, strict=True)
    )
    half, full = right[PARTS.index(0.5)], right[-1]
    gained, lost = int((full & ~half).sum()), int((half & ~full).sum())
    if gained - lost < SURE * np.sqrt(gained + lost) or gained == lost:
        level = _highest_gain(gained, lost, len(full)) < SMALL_GAIN
        return Advice(points, 0, 0.0, few, level)
    gain = min((points[-1].accuracy - points[1].accuracy) / 2, (1 - points[-1].accuracy) / 2)
    return Advice(points, round(float(counts.mean())), float(gain), few)


def _highest_gain(gained: int, lost: int, photos: int) -> float:
    """Return the upper end of the 95 % interval of a gain in accuracy, of paired photos.

    Half a photo is added to both (Agresti and Min 2005): without changes, few photos show little.
    """
    gain = (gained - lost) / (photos + 2)
    changed = (gained + lost + 1) / (photos + 2)
    return float(gain + Z_95 * ((changed - gain**2) / (photos + 2)) ** 0.5)


def _right_by_part(training: TrainingSet, fitted: Fitted) -> list[NDArray[np.bool_]]:
    """Return for each part of the photos which held-out photos were right, bool [n] each."""
    import numpy as np

    classes, count = training.classes, len(training.names)
    space = Space(normalise(training.features))
    ranks = _ranks(classes, fitted.folds)
    right = []
    for part in PARTS[:-1]:
        correct = np.zeros(len(classes), dtype=bool)
        for fold in range(int(fitted.folds.max()) + 1):
            held_out = fitted.folds == fold
            learned = ~held_out & (ranks[fold] < part)
            task = Task(space.points[learned], classes[learned], count)
            logits = solve(task, fitted.strength).logits(space.points[held_out])
            correct[held_out] = logits.argmax(axis=1) == classes[held_out]
        right.append(correct)
    right.append(fitted.out_of_fold.argmax(axis=1) == classes)
    return right


def _ranks(classes: NDArray[np.int64], folds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return for each fold a random rank in [0, 1) of each other photo within its class."""
    import numpy as np

    order = np.random.default_rng(0).permutation(len(classes))
    ranks = np.zeros((int(folds.max()) + 1, len(classes)))
    for fold in range(len(ranks)):
        for each in np.unique(classes):
            members = order[(classes[order] == each) & (folds[order] != fold)]
            ranks[fold, members] = np.arange(len(members)) / max(len(members), 1)
    return ranks


def changes(before: NDArray[np.float32], after: NDArray[np.float32]) -> list[Change]:
    """Return the photos whose best class differs between two scores of theirs, [n, k] each."""
    import numpy as np

    old, new = before.argmax(axis=1), after.argmax(axis=1)
    moved = np.flatnonzero(old != new)
    return [Change(int(each), int(old[each]), int(new[each])) for each in moved]
