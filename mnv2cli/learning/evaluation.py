"""The figures of a model on photos whose classes are known."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mnv2cli.errors import ExitCode, InputError
from mnv2cli.learning.metrics import TOP, Metrics, measure
from mnv2cli.learning.reliability import (
    Bin,
    Calibration,
    calibrate_scores,
    error_of,
    reliability,
)
from mnv2cli.learning.summary import percent
from mnv2cli.learning.targets import Target
from mnv2cli.records import Record
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Scored:
    """Photos with their true classes and their scores.

    Attributes:
        paths: A path for each of n photos.
        truth: The true class of each photo as an index of ``targets``, int [n].
        scores: float32 [n, c]; 0 where a score is not known.
        class_names: The c classes of the model, each name once.
        targets: The true classes, and which of the model's classes are right for each.
        ranks: How many of the best scores of each photo are known; c for all.
        groups: Photos of one group are not independent, int [n]; None if all are.
        worth: So many independent photos they are worth at most, because of copies; None for all.
    """

    paths: tuple[str, ...]
    truth: NDArray[np.int64]
    scores: NDArray[np.float32]
    class_names: tuple[str, ...]
    targets: tuple[Target, ...]
    ranks: int
    groups: NDArray[np.int64] | None = None
    worth: float | None = None

    @cached_property
    def members(self) -> NDArray[np.bool_]:
        """Which classes are right for each target, bool [targets, c]."""
        import numpy as np

        members = np.zeros((len(self.targets), self.scores.shape[1]), bool)
        for number, target in enumerate(self.targets):
            members[number, list(target.classes)] = True
        return members

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Whether the best class of each photo is one of those of its target, bool [n]."""
        found: NDArray[np.bool_] = self.members[self.truth, self.scores.argmax(axis=1)]
        return found


@dataclass(frozen=True, slots=True)
class Judged:
    """A photo whose class is known.

    Attributes:
        record: Its best labels, or why it cannot be read.
        truth: Its class, as the evaluation names it.
        right: Whether its best label is right; None for an unreadable photo.
    """

    record: Record
    truth: str
    right: bool | None


@dataclass(frozen=True)
class Mistake:
    """A photo that was predicted to be of another class.

    Attributes:
        path: The photo.
        true: Its class.
        predicted: The predicted class.
        score: Its score.
    """

    path: str
    true: str
    predicted: str
    score: float


@dataclass(frozen=True)
class Omitted:
    """Photos that the figures do not include.

    Attributes:
        unreadable: Path and error of each unreadable photo.
        folders: The number of photos in each folder that the model has no class for.
        unlabelled: Paths of photos without a class.
        missing: Paths of photos that the results do not have.
        foreign: Paths in the results that are not photos with a class.
        skipped: Path of each photo that its keywords give no class, and the reason.
    """

    unreadable: tuple[tuple[str, str], ...] = ()
    folders: dict[str, int] | None = None
    unlabelled: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The figures of a model on photos whose classes are known.

    Attributes:
        model: The name of the model.
        metrics: Accuracy, the figures of each class, and the confusion matrix. Classes without
            photos are those that photos were predicted to be.
        top5: The share of photos with their class among the five best; None if the results have
            fewer.
        error: The expected calibration error.
        bins: The reliability of the scores.
        calibration: How a temperature would change them; None if that is not known.
        matched: How the names of folders were matched with classes, such as ``4 labels``.
        mistakes: The photos that were predicted wrongly, the highest score first.
        omitted: Photos that the figures do not include.
        learned: The number of photos that the model learned from: it knows them too well.
        copies: The number of photos with the content of another; the interval does not count them.
        photos: All photos with a class, in order, also the unreadable ones.
    """

    model: str
    metrics: Metrics
    top5: float | None
    error: float
    bins: tuple[Bin, ...]
    calibration: Calibration | None
    matched: str
    mistakes: tuple[Mistake, ...]
    omitted: Omitted = Omitted()
    learned: int = 0
    copies: int = 0
    photos: tuple[Judged, ...] = ()

    @property
    def top1(self) -> float:
        """The share of photos whose best score is that of their class."""
        return self.metrics.top1

    @property
    def return_code(self) -> ExitCode:
        """The exit code: whether all photos could be read."""
        return ExitCode.SOME_UNREADABLE if self.omitted.unreadable else ExitCode.DONE

    def summary(self) -> str:
        """Return the main figures as one line of text."""
        low, high = self.metrics.interval
        classes = sum(figures.photos > 0 for figures in self.metrics.classes)
        return (
            f"{count(self.metrics.photos, 'photo')} of {count(classes, 'class', 'classes')}: "
            f"{percent(self.top1)} right (95 % confidence: {percent(low)} to {percent(high)}), "
            f"macro F1 {percent(self.metrics.macro_f1)}"
        )

    def as_object(self) -> dict[str, Any]:
        """Return all figures as objects that JSON can represent."""
        metrics, omitted, calibration = self.metrics, self.omitted, self.calibration
        return {
            "model": self.model,
            "photos": metrics.photos,
            "top1": metrics.top1,
            "top1_interval": list(metrics.interval),
            "top5": self.top5,
            "macro_f1": metrics.macro_f1,
            "calibration_error": self.error,
            "temperature": calibration and calibration.temperature,
            "calibration_error_with_temperature": calibration and calibration.error,
            "matched": self.matched,
            "learned_from": self.learned,
            "copies": self.copies,
            "classes": [asdict(figures) for figures in metrics.classes],
            "confusion_matrix": metrics.matrix.tolist(),
            "reliability": [asdict(each) for each in self.bins],
            "mistakes": [asdict(mistake) for mistake in self.mistakes],
            "unreadable": [{"path": path, "error": error} for path, error in omitted.unreadable],
            "skipped_folders": dict(omitted.folders or {}),
            "unlabelled": list(omitted.unlabelled),
            "skipped": [{"path": path, "reason": why} for path, why in omitted.skipped],
            "missing_in_results": list(omitted.missing),
            "foreign_in_results": list(omitted.foreign),
        }


def assess(scored: Scored, model: str, matched: str, omitted: Omitted) -> Evaluation:
    """Return the figures of scored photos.

    A prediction is right if the best class is one of those of the photo's target. Other best
    classes count for the target that has them, the narrowest if several do, else for themselves.

    Raises:
        InputError: There are no photos.
    """
    import numpy as np

    if not scored.paths:
        raise InputError(
            "no photo with a known class could be read", "See the reasons with --verbose."
        )
    truth, scores = scored.truth, scored.scores
    rows = np.arange(len(truth))
    best = scores.argmax(axis=1)
    members, right = scored.members, scored.right
    names, columns = _columns(scored, best)
    predicted = np.where(right, truth, columns[best])
    confidence = scores[rows, best]
    true_class = np.empty(len(truth), np.int64)
    for number in np.unique(truth).tolist():
        mine, own = truth == number, np.flatnonzero(members[number])
        true_class[mine] = own[scores[np.ix_(mine, own)].argmax(axis=1)]
    true_score = scores[rows, true_class]
    # One column for each row of the matrix, so that the figures are those of the targets.
    seen = np.zeros((len(truth), len(names)), np.float32)
    seen[rows, truth] = np.where(right, confidence, np.minimum(true_score, confidence * 0.999))
    seen[rows, predicted] = np.maximum(confidence, np.finfo(np.float32).tiny)
    metrics = measure(seen, truth, names, scored.groups, scored.worth)
    better = (scores > true_score[:, None]).sum(axis=1)
    top5 = float(((better < TOP) & (true_score > 0)).mean()) if _has_top5(scored) else None
    complete = scored.ranks >= scores.shape[1]
    wrong = np.flatnonzero(~right)
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")]
    return Evaluation(
        model,
        replace(metrics, top5=metrics.top1 if top5 is None else top5),
        top5,
        error_of(confidence, right),
        reliability(confidence, right),
        calibrate_scores(scores, true_class, right) if complete else None,
        matched,
        tuple(
            Mistake(
                scored.paths[i],
                names[truth[i]],
                scored.class_names[best[i]],
                round(float(confidence[i]), 7),
            )
            for i in wrong.tolist()
        ),
        omitted,
    )


def _has_top5(scored: Scored) -> bool:
    return bool(scored.ranks >= min(TOP, scored.scores.shape[1]))


def _columns(scored: Scored, best: NDArray[np.int64]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the names of targets and further predicted classes, and the one of each class."""
    import numpy as np

    columns = np.full(len(scored.class_names), -1, np.int64)
    narrowest_last = sorted(
        range(len(scored.targets)), key=lambda number: -len(scored.targets[number].classes)
    )
    for number in narrowest_last:
        columns[list(scored.targets[number].classes)] = number
    names = [target.title for target in scored.targets]
    taken = Counter(names)
    for index in np.unique(best).tolist():
        if columns[index] < 0:
            columns[index] = len(names)
            name = scored.class_names[index]
            names.append(f"{name} (other)" if name in taken else name)
    return tuple(names), columns
