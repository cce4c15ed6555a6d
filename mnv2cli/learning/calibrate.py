"""Calibrate a learned model: what its scores are worth, and which of them are sure."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mnv2cli.errors import ExitCode, InputError
from mnv2cli.inference.classifier import Classifier
from mnv2cli.learning.evaluate import EvaluationSet, used_names
from mnv2cli.learning.folds import divide
from mnv2cli.learning.gather import Embedder, Photos, distinct
from mnv2cli.learning.groups import join
from mnv2cli.learning.metrics import (
    accuracy_interval,
    calibration_error,
    fit_temperature,
    log_losses,
    softmax,
)
from mnv2cli.learning.model_file import check_model_output
from mnv2cli.learning.options import Running
from mnv2cli.learning.summary import percent
from mnv2cli.learning.targets import match
from mnv2cli.learning.thresholds import FEWEST_PREDICTED, Threshold, class_thresholds
from mnv2cli.models.head import Head, normalise
from mnv2cli.models.learned import LearnedModel
from mnv2cli.models.learned_rewrite import rewrite_learned
from mnv2cli.models.options import ModelOptions
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST_PHOTOS = 20
"""With fewer photos nothing can be said of scores."""

PRECISION = 0.98

_FOLDS = 5


@dataclass(frozen=True)
class CalibrateOptions:
    """How to calibrate.

    Attributes:
        precision: The share of sure photos that should be right in each class, in (0, 1].
        output: The file to write; None to change the model itself.
        force: Overwrite the file if it exists.
        cache: Use and fill the cache of features.

    Raises:
        InputError: The precision is out of range.
    """

    precision: float = PRECISION
    output: str | None = None
    force: bool = False
    cache: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.precision <= 1:
            raise InputError(f"precision must be above 0 and at most 1, not {self.precision}")


@dataclass(frozen=True)
class ClassThreshold:
    """From which score on photos of a class are sure.

    Attributes:
        name: The class.
        photos: The number of photos that are of the class.
        threshold: The lowest sure score; above 1 if none is sure; None if there is too little
            evidence, so that the usual threshold of ``mnv2 sort`` applies.
        sure: The number of photos that are predicted to be of the class and sure, where each photo
            was measured with the thresholds of others.
        right: The number of these that are of the class.
        note: Why there is no threshold, or none is sure; else empty.
        unproven: Whether no photo at or above the threshold was wrong, but they are too few to
            promise the wanted precision.
    """

    name: str
    photos: int
    threshold: float | None
    sure: int
    right: int
    note: str = ""
    unproven: bool = False


@dataclass(frozen=True)
class Calibrated:
    """A calibrated model, and what it is worth.

    All figures are of photos that were not used to compute what they were measured with: a fifth of
    them at a time.

    Attributes:
        path: The file of the model.
        photos: The number of photos.
        temperature: What the logits were divided by.
        before: The expected calibration error before.
        after: The expected calibration error after.
        precision: The wanted precision.
        reached: The share of the sure photos that are right; None if none is sure.
        interval: Its 95 % confidence interval; None if none is sure.
        sure: The share of photos that are sure.
        classes: The threshold of each class.
        learned: The number of photos that the model learned from, which were not used.
        knows_training: Whether the model says what it learned from.
        copies: The number of copies, which were not used.
        unused: Paths of photos whose copy is in another class.
        folders: The number of photos in each folder that is not a class of the model.
        unreadable: Path and error of each unreadable photo.
        unchanged: Whether the temperature is 1, because no other lowers the log loss of photos that
            it was not computed from.
    """

    path: str
    photos: int
    temperature: float
    before: float
    after: float
    precision: float
    reached: float | None
    interval: tuple[float, float] | None
    sure: float
    classes: tuple[ClassThreshold, ...]
    learned: int = 0
    knows_training: bool = True
    copies: int = 0
    unused: tuple[str, ...] = ()
    folders: Mapping[str, int] = field(default_factory=dict)
    unreadable: tuple[tuple[str, str], ...] = ()
    unchanged: bool = False

    @property
    def return_code(self) -> ExitCode:
        """The exit code: whether all photos could be read."""
        return ExitCode.SOME_UNREADABLE if self.unreadable else ExitCode.DONE

    def summary(self) -> str:
        """Return the main figures as one line of text."""
        right = "" if self.reached is None else f", {percent(self.reached)} of them right"
        return (
            f"{count(self.photos, 'photo')}: scores off by {percent(self.after)} instead of "
            f"{percent(self.before)}; {percent(self.sure)} of the photos are sure{right}"
        )

    def as_object(self) -> dict[str, Any]:
        """Return all figures as objects that JSON can represent."""
        found = asdict(self)
        found["unreadable"] = [{"path": path, "error": why} for path, why in self.unreadable]
        return found


def calibrate(
    photos: EvaluationSet,
    model: str | ModelOptions,
    options: CalibrateOptions | None = None,
    running: Running | None = None,
) -> Calibrated:
    """Calibrate a model that ``mnv2 learn`` wrote, on photos that it did not learn from.

    The temperature becomes part of its kernel and bias, so that Keras alone gives the calibrated
    scores; the thresholds are those of ``mnv2 sort``. A model that is replaced stays unchanged if
    anything fails.

    Args:
        photos: The photos, with their classes.
        model: The path of the model.
        options: How to calibrate.
        running: The engine, filters, and callbacks.

    Raises:
        InputError: The model cannot be calibrated, or the photos are too few, or all were learned.
        NoImagesError: No photo has a class.
        OutputError: The model cannot be written.
    """
    options, running = options or CalibrateOptions(), running or Running()
    made = ModelOptions(model) if isinstance(model, str) else model
    classifier = Classifier(
        model=made, engine=running.engine, images=running.images, events=running.events
    )
    network = classifier.network
    if not isinstance(network, LearnedModel):
        raise InputError(
            f"cannot calibrate {network.model}: only models of mnv2 learn store thresholds",
            "Give one with --model mine.keras. For other models, use mnv2 sort --threshold SCORE.",
        )
    output = network.weights if options.output is None else options.output
    in_place = os.path.realpath(output) == os.path.realpath(network.weights)
    check_model_output(output, force=options.force or in_place)
    found = photos.read()
    targets = match(used_names(found), network.class_names)
    chosen = [each for each in found.photos if each.name in targets.matched]
    with closing(Embedder(classifier, cache=options.cache, watch=running.watch)) as embedder:
        embedded = embedder.embed(chosen)
    titles = {name: target.title for name, target in targets.matched.items()}
    examples = [replace(each, name=titles[each.name]) for each in embedded.examples]
    unique = distinct(replace(embedded, examples=examples), network.class_names)
    contents = network.content.training.get("contents")
    known = contents if isinstance(contents, dict) else {}
    new = [i for i, digest in enumerate(unique.photos.digests) if digest not in known]
    learned = len(unique.photos.digests) - len(new)
    usable = unique.photos.take(new)
    _check_enough(usable, learned)
    result, head = _calibrated(usable, network, options.precision)
    numbers = Counter(each.name for each in found.photos)
    result = replace(
        result,
        path=output,
        learned=learned,
        knows_training=bool(known),
        copies=len(unique.copies),
        unused=tuple(path for paths, _ in unique.conflicts for path in paths),
        folders={name: numbers[name] for name in targets.unmatched},
        unreadable=tuple(embedded.unreadable),
    )
    content = replace(
        network.content,
        head=head,
        thresholds={
            each.name: each.threshold for each in result.classes if each.threshold is not None
        },
        training={**network.content.training, "calibration": _about(result)},
    )
    rewrite_learned(network.weights, output, content)
    return result


def _check_enough(photos: Photos, learned: int) -> None:
    total = len(photos.examples)
    if not total and learned:
        raise InputError(
            f"the model learned from all {count(learned, 'photo')}, so they would flatter it",
            "Give other photos whose classes are known.",
        )
    if total < FEWEST_PHOTOS:
        also = f", without {learned:,} that the model learned from" if learned else ""
        raise InputError(
            f"only {count(total, 'photo')} to calibrate with{also}; "
            f"at least {FEWEST_PHOTOS} are required",
            "Give more photos whose classes are known; 50 of each class are a good start.",
        )
    names = {each.name for each in photos.examples}
    if len(names) < 2:
        raise InputError(
            f"all photos are of the class {names.pop()!r}", "Give photos of at least two classes."
        )


def _calibrated(photos: Photos, network: LearnedModel, precision: float) -> tuple[Calibrated, Head]:
    """Return the figures and the calibrated head."""
    import numpy as np

    names, head = network.class_names, network.content.head
    index = {name: each for each, name in enumerate(names)}
    classes = np.array([index[each.name] for each in photos.examples], np.int64)
    groups = join(photos.features, classes, photos.digests)
    logits = (normalise(photos.features) @ head.kernel + head.bias).astype(np.float32)
    temperature = fit_temperature(logits, classes)
    scores, sure = _held_out(logits, classes, groups, precision)
    losses = [log_losses(each, classes).mean() for each in (softmax(logits), scores)]
    if unchanged := bool(losses[1] >= losses[0]):
        temperature = 1.0
        scores, sure = _held_out(logits, classes, groups, precision, temperature)
    thresholds = class_thresholds(softmax(logits / temperature), classes, names, precision)
    stored = np.array([each.predicted >= FEWEST_PREDICTED for each in thresholds])
    best = scores.argmax(axis=1)
    sure &= stored[best]
    right = best == classes
    figures = Calibrated(
        path="",
        photos=len(classes),
        temperature=temperature,
        before=calibration_error(softmax(logits), classes),
        after=calibration_error(scores, classes),
        precision=precision,
        reached=float(right[sure].mean()) if sure.any() else None,
        interval=accuracy_interval(right[sure], groups[sure]) if sure.any() else None,
        sure=float(sure.mean()),
        classes=tuple(
            ClassThreshold(
                each.name,
                int((classes == i).sum()),
                each.threshold if stored[i] else None,
                int((sure & (best == i)).sum()),
                int((sure & right & (best == i)).sum()),
                _note(each, precision),
                _is_unproven(each, precision),
            )
            for i, each in enumerate(thresholds)
        ),
        unchanged=unchanged,
    )
    divisor = np.float32(temperature)
    unknown = head.unknown
    if unknown is not None:
        unknown = replace(unknown, temperature=unknown.temperature * temperature)
    return figures, Head(head.kernel / divisor, head.bias / divisor, unknown)


def _held_out(
    logits: NDArray[np.float32],
    classes: NDArray[np.int64],
    groups: NDArray[np.int64],
    precision: float,
    fixed: float | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return scores, float32 [n, k], and whether they are sure, by what other photos give.

    A fixed temperature is not fitted.
    """
    import numpy as np

    folds = divide(classes, groups, _FOLDS)
    scores, sure = np.empty_like(logits), np.zeros(len(logits), bool)
    names = tuple(map(str, range(logits.shape[1])))
    for fold in np.unique(folds).tolist():
        mine, others = folds == fold, folds != fold
        temperature = fixed or fit_temperature(logits[others], classes[others])
        found = class_thresholds(
            softmax(logits[others] / temperature), classes[others], names, precision
        )
        lowest = np.array([each.threshold for each in found])
        scores[mine] = softmax(logits[mine] / temperature)
        sure[mine] = scores[mine].max(axis=1) >= lowest[scores[mine].argmax(axis=1)]
    return scores, sure


def _note(threshold: Threshold, precision: float) -> str:
    if threshold.predicted < FEWEST_PREDICTED:
        photos = count(threshold.predicted, "photo")
        return f"only {photos} predicted to be of it: too few for a threshold"
    if threshold.threshold > 1:
        return f"never sure: at most {percent(threshold.precision)} right, not {percent(precision)}"
    return ""


def _is_unproven(threshold: Threshold, precision: float) -> bool:
    """Return whether all kept photos are right, but too few of them to show the precision.

    So many right photos would then not be rare, at most one in twenty, if less were right.
    """
    return bool(
        threshold.threshold <= 1
        and threshold.precision == 1
        and threshold.kept < photos_to_show(precision)
    )


def photos_to_show(precision: float) -> float:
    """Return how many photos, all right, show a precision at 95 % confidence; inf for 1."""
    import math

    return math.log(0.05) / math.log(precision) if precision < 1 else math.inf


def _about(result: Calibrated) -> dict[str, Any]:
    """Return what the file of the model says of its calibration."""
    return {
        "photos": result.photos,
        "temperature": round(result.temperature, 6),
        "calibration_error": round(result.after, 6),
        "precision": result.precision,
        "reached": None if result.reached is None else round(result.reached, 6),
        "sure": round(result.sure, 6),
    }
