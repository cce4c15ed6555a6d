"""Evaluate a model on photos whose classes are known."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mnv2cli.errors import InputError
from mnv2cli.inference.feature_store import CachedFeatures
from mnv2cli.inference.networks import class_labels
from mnv2cli.inference.scoring import score_run
from mnv2cli.inference.timings import Timings
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.learning.evaluation import Evaluation, Omitted, Scored, assess
from mnv2cli.learning.from_results import NO_LABEL, load_results
from mnv2cli.learning.labelled import LabelledPhoto, LabelledPhotos, read_labelled
from mnv2cli.learning.targets import Targets, match
from mnv2cli.models.options import ModelOptions
from mnv2cli.records import Record
from mnv2cli.sources.options import Filters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.inference.classifier import Classifier

Advance = Callable[[Record], None]


@dataclass(frozen=True)
class EvaluationSet:
    """The photos to evaluate a model on.

    Attributes:
        folder: The folder; each of its subfolders is a class.
        labels: A CSV file with the columns ``path`` and ``label``, in place of the subfolders.
        results: A results file of ``mnv2 classify``, in place of a run.
        filters: Which files to use.
    """

    folder: str
    labels: str | None = None
    results: str | None = None
    filters: Filters = field(default_factory=Filters)

    def read(self) -> LabelledPhotos:
        """Return the photos; raises InputError or NoImagesError."""
        return read_labelled(self.folder, self.labels, self.filters)


def evaluate(
    folder: str | os.PathLike[str],
    *,
    model: str | ModelOptions | Classifier = "",
    labels: str | None = None,
    results: str | None = None,
    cache: bool = True,
) -> Evaluation:
    """Return the figures of a model on photos whose classes are known.

    Args:
        folder: A folder with a subfolder for each class.
        model: The model, as for ``Classifier``, or a classifier.
        labels: A CSV file with the columns ``path`` and ``label``, in place of the subfolders.
        results: A results file of ``mnv2 classify``: its predictions are evaluated, and no photo is
            classified.
        cache: For a learned model, use and fill the cache of features.

    Raises:
        InputError: The folder, the names of its subfolders, the labels or the results are invalid.
        NoImagesError: No photo has a class.
        WeightsError: The weights are not available.
    """
    photos = EvaluationSet(os.fspath(folder), labels, results)
    if results is not None:
        if model:
            raise InputError("model cannot be combined with results", "Omit one of them.")
        return evaluate_results(photos)
    from mnv2cli.inference.classifier import Classifier

    classifier = model if isinstance(model, Classifier) else Classifier(model=model)
    return evaluate_photos(photos, classifier, cache=cache)


def evaluate_photos(
    photos: EvaluationSet,
    classifier: Classifier,
    *,
    cache: bool = True,
    advance: Callable[[int], Advance] | None = None,
    timings: Timings | None = None,
) -> Evaluation:
    """Classify photos whose classes are known, and return the figures.

    Args:
        photos: The photos.
        classifier: Classifies them.
        cache: For a learned model, use and fill the cache of features.
        advance: Called with the number of photos before the first; returns a function to call with
            the record of each.
        timings: Receives the seconds.
    """
    found = photos.read()
    network = classifier.network
    targets = match(found.names, network.class_names)
    chosen = [photo for photo in found.photos if photo.label in targets.matched]
    step: Advance = advance(len(chosen)) if advance else lambda record: None
    records, scores = score_labelled(chosen, classifier, cache=cache, step=step, timings=timings)
    names = unique_names() if not network.class_names else network.class_names
    readable = [i for i, record in enumerate(records) if not record.error]
    omitted = Omitted(
        tuple((record.path, record.error) for record in records if record.error),
        _folders(found, targets),
        found.unlabelled,
    )
    scored = _scored([chosen[i] for i in readable], scores, names, targets, len(names))
    return assess(scored, classifier.about, targets.described(), omitted)


def score_labelled(
    photos: list[LabelledPhoto],
    classifier: Classifier,
    *,
    cache: bool,
    step: Advance,
    timings: Timings | None = None,
) -> tuple[list[Record], NDArray[np.float32]]:
    """Return the record of each photo, and the scores of the readable ones, float32 [m, c]."""
    import numpy as np

    kept = cache and classifier.network.head is not None
    store = CachedFeatures(classifier) if kept else None
    sources = [photo.source for photo in photos]
    count = len(class_labels(classifier.network))
    scores = np.empty((len(photos), count), np.float32)
    records: list[Record] = []
    readable = 0
    try:
        with closing(score_run(classifier, sources, store, timings)) as run:
            for record, row in run:
                records.append(record)
                if not record.error:
                    scores[readable] = row[:count]
                    readable += 1
                step(record)
    finally:
        if store:
            store.close()
    return records, scores[:readable]


def evaluate_results(photos: EvaluationSet) -> Evaluation:
    """Return the figures of predictions in a results file; no photo is opened.

    Raises:
        InputError: The file cannot be read, or is of other photos or classes.
    """
    path = photos.results or ""
    found = photos.read()
    results = load_results(path, found.names)
    targets = match(found.names, results.class_names)
    chosen = [photo for photo in found.photos if photo.label in targets.matched]
    known: list[tuple[LabelledPhoto, Record]] = []
    missing, rest = [], dict(results.records)
    for photo in chosen:
        record = rest.pop(os.path.realpath(photo.source.path), None)
        if record is None:
            missing.append(photo.source.path)
        else:
            known.append((photo, record))
    if not known:
        raise InputError(
            f"{path!r} has no photo of {photos.folder!r}",
            "Its paths are relative to the folder that mnv2 classify ran in: run this there.",
        )
    unreadable = tuple((record.path, record.error) for _, record in known if record.error)
    known = [(photo, record) for photo, record in known if not record.error]
    omitted = Omitted(
        unreadable,
        _folders(found, targets),
        found.unlabelled,
        tuple(missing),
        tuple(record.path for record in rest.values()),
    )
    names = (*(results.class_names or unique_names()), NO_LABEL)
    scores = results.scores([record for _, record in known])
    scored = _scored([photo for photo, _ in known], scores, names, targets, results.ranks)
    return assess(scored, results.model or "the model of the results", targets.described(), omitted)


def unique_names() -> tuple[str, ...]:
    """Return a name for each of ImageNet's classes; those that share one also have their id."""
    labels = imagenet_labels()
    times = Counter(label.name.casefold() for label in labels)
    return tuple(
        label.name if times[label.name.casefold()] == 1 else f"{label.name} ({label.wnid})"
        for label in labels
    )


def _folders(found: LabelledPhotos, targets: Targets) -> dict[str, int]:
    numbers = Counter(photo.label for photo in found.photos)
    return {name: numbers[name] for name in targets.unmatched}


def _scored(
    photos: list[LabelledPhoto],
    scores: NDArray[np.float32],
    names: tuple[str, ...],
    targets: Targets,
    ranks: int,
) -> Scored:
    import numpy as np

    matched = tuple(targets.matched.values())
    numbers = {target.name: number for number, target in enumerate(matched)}
    return Scored(
        tuple(photo.source.path for photo in photos),
        np.array([numbers[photo.label] for photo in photos], np.int64),
        scores,
        names,
        matched,
        ranks,
    )
