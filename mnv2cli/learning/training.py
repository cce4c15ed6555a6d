"""The steps of learning: open the network, make the training set, fit, measure, report."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mnv2cli.errors import InputError
from mnv2cli.inference.classifier import Classifier
from mnv2cli.inference.networks import check_features
from mnv2cli.learning.diagnosis import FEW_PHOTOS, advice, suspects
from mnv2cli.learning.fit import FitOptions, fit
from mnv2cli.learning.groups import group, keys_of_paths
from mnv2cli.learning.learned import Learned
from mnv2cli.learning.metrics import Metrics, measure
from mnv2cli.learning.report import HeldOut, Unused
from mnv2cli.learning.training_set import TrainingSet, check

if TYPE_CHECKING:
    from mnv2cli.learning.dataset import Example, Examples
    from mnv2cli.learning.fit import Fitted
    from mnv2cli.learning.gather import Distinct, Photos
    from mnv2cli.learning.options import Running
    from mnv2cli.models.options import ModelOptions


@dataclass(frozen=True, eq=False)
class Outcome:
    """A fitted head, and its figures.

    Attributes:
        training: What it was fitted on.
        digests: The SHA-256 of each photo's content in hexadecimal.
        fitted: The head.
        metrics: Its figures on photos that it did not see.
    """

    training: TrainingSet
    digests: Sequence[str]
    fitted: Fitted
    metrics: Metrics


def open_network(model: ModelOptions, running: Running) -> Classifier:
    """Return a classifier whose network has features to learn from; nothing is loaded yet.

    Raises:
        InputError: The network has none, or averages the image with its mirror image.
    """
    if model.accurate:
        raise InputError(
            "--accurate cannot be combined with learning: the features are of one image",
            "Omit --accurate.",
        )
    classifier = Classifier(
        model=model,
        engine=running.engine,
        images=running.images,
        filters=running.filters,
        events=running.events,
    )
    network = classifier.network
    if network.class_names:
        raise InputError(
            f"cannot learn on {model.name}: its classes are not those of ImageNet",
            "Name a network of ImageNet with --model; see mnv2 models list.",
        )
    check_features(network)
    return classifier


def check_enough(found: Examples) -> None:
    """Check that each class has enough photos, before any is opened; raises InputError."""
    import numpy as np

    index = {name: each for each, name in enumerate(found.names)}
    count = len(found.photos)
    classes = np.array([index[photo.name] for photo in found.photos], dtype=np.int64)
    paths = tuple(photo.path for photo in found.photos)
    nothing = np.zeros((count, 0), dtype=np.float32)
    check(TrainingSet(paths, nothing, classes, found.names, np.arange(count)))


def group_keys(examples: Sequence[Example], group_by: str) -> dict[str, str]:
    """Return what photos are grouped by, by their path; empty without ``group_by``.

    Raises:
        InputError: The regular expression is invalid, or matches no path.
    """
    if not group_by:
        return {}
    found = keys_of_paths([each.origin or each.path for each in examples], group_by)
    return {each.path: key for each, key in zip(examples, found, strict=True)}


def training_set(photos: Photos, names: tuple[str, ...], keys: Mapping[str, str]) -> TrainingSet:
    """Return the arrays to fit on.

    Args:
        photos: The photos, without copies.
        names: The classes.
        keys: What photos are grouped by, by their path.
    """
    import numpy as np

    index = {name: each for each, name in enumerate(names)}
    examples = photos.examples
    classes = np.array([index[each.name] for each in examples], dtype=np.int64)
    found = group(
        photos.features, classes, photos.digests, [keys.get(each.path, "") for each in examples]
    )
    paths = tuple(each.path for each in examples)
    return TrainingSet(paths, photos.features, classes, names, found.numbers, found.alike)


def fit_and_measure(
    training: TrainingSet, digests: Sequence[str], options: FitOptions | None = None
) -> Outcome:
    """Fit a head, and measure it on photos that it did not see."""
    fitted = fit(training, options)
    metrics = measure(fitted.out_of_fold, training.classes, training.names, training.groups)
    return Outcome(training, digests, fitted, metrics)


@dataclass(frozen=True)
class About:
    """What a report says besides figures.

    Attributes:
        path: The file of the model.
        network: The name of the network.
        source: Where the photos come from.
        base: Where relative paths of a file of labels started.
        unused: What was not learned from.
        fitting: Seconds from features to a written model.
    """

    path: str
    network: str
    source: str
    base: str = ""
    unused: Unused = field(default_factory=Unused)
    fitting: float = 0.0


def report(outcome: Outcome, about: About) -> Learned:
    """Return the report on a written model."""
    training, fitted = outcome.training, outcome.fitted
    return Learned(
        path=about.path,
        size=os.path.getsize(about.path),
        network=about.network,
        source=about.source,
        metrics=outcome.metrics,
        groups=len(set(training.groups.tolist())),
        alike=tuple(training.names[each] for each in training.alike),
        different=_different(training),
        suspects=tuple(suspects(training, fitted.out_of_fold)),
        advice=advice(training, fitted),
        unused=about.unused,
        base=about.base,
        strength=fitted.strength,
        temperature=fitted.temperature,
        fitting=about.fitting,
        held_out=HeldOut(training.paths, training.classes, fitted.out_of_fold),
    )


def _different(training: TrainingSet) -> dict[str, int]:
    """Return the number of groups of each class that has few, fewer than its photos."""
    found = {}
    for number, name in enumerate(training.names):
        mine = training.groups[training.classes == number].tolist()
        if number not in training.alike and len(set(mine)) < min(len(mine), FEW_PHOTOS):
            found[name] = len(set(mine))
    return found


def unused(found: Examples, photos: Photos, apart: Distinct) -> Unused:
    """Return what was not learned from."""
    return Unused(
        tuple(found.skipped),
        tuple(photos.unreadable),
        tuple(apart.copies),
        tuple(apart.conflicts),
    )
