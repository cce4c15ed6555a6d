"""What a user can do for better classes: relabel photos, add photos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.learning.fit import Fitted
    from mnv2cli.learning.training_set import TrainingSet


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
    """

    points: tuple[CurvePoint, ...]
    more: int
    gain: float
    few: tuple[tuple[str, int], ...]


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

    Args:
        training: The photos.
        scores: Their out-of-fold scores, float32 [n, k].
    """
    raise NotImplementedError


def advice(training: TrainingSet, fitted: Fitted) -> Advice:
    """Return the learning curve from sub-samples, and what more photos would bring."""
    raise NotImplementedError


def changes(before: NDArray[np.float32], after: NDArray[np.float32]) -> list[Change]:
    """Return the photos whose best class differs between two scores of theirs, [n, k] each."""
    raise NotImplementedError
