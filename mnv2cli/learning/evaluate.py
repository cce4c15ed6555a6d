"""Evaluate a model on photos whose classes are known."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mnv2cli.errors import InputError, NoImagesError
from mnv2cli.inference.feature_store import CachedFeatures
from mnv2cli.inference.networks import class_labels
from mnv2cli.inference.scoring import score_run
from mnv2cli.inference.timings import Timings
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.learning.dataset import Example, Examples, from_folder
from mnv2cli.learning.evaluation import Evaluation, Omitted, Scored, assess
from mnv2cli.learning.from_results import NO_LABEL, load_results
from mnv2cli.learning.groups import join, keys_of_paths
from mnv2cli.learning.judged import judge, ranked
from mnv2cli.learning.keywords import KeywordClasses, labelled_by_keywords, skipped_photos
from mnv2cli.learning.labels_file import from_labels
from mnv2cli.learning.targets import Targets, match
from mnv2cli.models.learned import LearnedModel
from mnv2cli.models.options import ModelOptions
from mnv2cli.records import Record, Source
from mnv2cli.sources.options import Filters
from mnv2cli.system.files import content_digest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.models import Model
    from mnv2cli.reporting.spool import ThumbnailSpool

_NO_CLASS = ("not in the folder of a class", "no label")

Advance = Callable[[Record], None]


@dataclass(frozen=True)
class EvaluationSet:
    """The photos to evaluate a model on: those of a folder, or of a file of labels.

    Attributes:
        folder: Each of its subfolders is a class, unless ``keywords`` are; None for a file of
            labels.
        labels: A CSV file with the columns ``path`` and ``label``, or results; None for a folder.
        results: A results file of ``mnv2 classify``, in place of a run.
        group_by: What photos belong together by, as for ``mnv2 learn``; they widen the interval of
            the accuracy. Empty if all are independent.
        filters: Which files to use.
        keywords: Take the class of each photo of the folder from its keywords; None for its
            subfolder.

    Raises:
        InputError: There is not exactly one of a folder and a file of labels, or there are keywords
            without a folder.
    """

    folder: str | None = None
    labels: str | None = None
    results: str | None = None
    group_by: str = ""
    filters: Filters = field(default_factory=Filters)
    keywords: KeywordClasses | None = None

    def __post_init__(self) -> None:
        if self.keywords is not None and self.labels is not None:
            raise InputError("keywords cannot be combined with labels", "Omit one of them.")
        if (self.folder is None) == (self.labels is None):
            what = "either" if self.folder is None else "only one of"
            raise InputError(
                f"give {what} a folder with a subfolder for each class or a file of labels",
                "For example: mnv2 evaluate photos",
            )

    @property
    def source(self) -> str:
        """The folder or the file."""
        return self.folder or self.labels or ""

    def read(self, class_names: Sequence[str] = ()) -> Examples:
        """Return the photos, none of them decoded yet.

        Args:
            class_names: The classes of the model, which keywords may name; empty for ImageNet's.

        Raises:
            InputError: The folder or the file cannot be read.
            NoImagesError: No photo has a class.
        """
        if self.keywords is not None:
            return labelled_by_keywords(self.folder or "", self.keywords, class_names, self.filters)
        if self.labels is not None:
            found = from_labels(self.labels)
        else:
            found = from_folder(self.folder or "", self.filters)
        if not found.photos:
            reasons = Counter(why.partition(":")[0] for _, why in found.skipped)
            shown = ", ".join(f"{why} {number:,}" for why, number in reasons.most_common())
            raise NoImagesError(
                f"no photo in {self.source!r} has a class",
                (f"Skipped: {shown}. " if shown else "")
                + "Give a folder with a subfolder for each class: photos/cat, photos/dog.",
            )
        return found


def evaluate(
    folder: str | os.PathLike[str] | None = None,
    *,
    model: str | ModelOptions | Classifier = "",
    labels: str | None = None,
    results: str | None = None,
    cache: bool = True,
    keywords: KeywordClasses | None = None,
) -> Evaluation:
    """Return the figures of a model on photos whose classes are known.

    Args:
        folder: A folder with a subfolder for each class; None for a file of labels.
        model: The model, as for ``Classifier``, or a classifier.
        labels: A CSV file with the columns ``path`` and ``label``, in place of the folder.
        results: A results file of ``mnv2 classify``: its predictions are evaluated, and no photo is
            classified.
        cache: For a learned model, use and fill the cache of features.
        keywords: Take the class of each photo of the folder from its keywords; None for its
            subfolder.

    Raises:
        InputError: The folder, the names of its subfolders, the labels or the results are invalid.
        NoImagesError: No photo has a class.
        WeightsError: The weights are not available.
    """
    given = None if folder is None else os.fspath(folder)
    photos = EvaluationSet(given, labels, results, keywords=keywords)
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
    thumbnails: ThumbnailSpool | None = None,
) -> Evaluation:
    """Classify photos whose classes are known, and return the figures.

    Args:
        photos: The photos.
        classifier: Classifies them.
        cache: For a learned model, use and fill the cache of features.
        advance: Called with the number of photos before the first; returns a function to call with
            the record of each.
        timings: Receives the seconds.
        thumbnails: Receives a thumbnail of each photo that is decoded for its scores; None for no
            thumbnails.
    """
    network = classifier.network
    found = photos.read(network.class_names)
    targets = match(used_names(found), network.class_names)
    chosen = [photo for photo in found.photos if photo.name in targets.matched]
    step: Advance = advance(len(chosen)) if advance else lambda record: None
    kept = cache and network.head is not None
    store = CachedFeatures(classifier) if kept else None
    try:
        records, scores = score_labelled(
            chosen, classifier, store, step, timings, thumbnails=thumbnails
        )
        digests = _digests([r.path for r in records if not r.error], store)
    finally:
        if store:
            store.close()
    names = unique_names() if not network.class_names else network.class_names
    readable = [i for i, record in enumerate(records) if not record.error]
    omitted = Omitted(
        tuple((record.path, record.error) for record in records if record.error),
        _folders(found, targets),
        tuple(path for path, why in found.skipped if why in _NO_CLASS),
        skipped=_skipped(photos, found),
    )
    scored = _scored([chosen[i] for i in readable], scores, names, targets, len(names))
    groups = _groups(scored.paths, digests, photos.group_by)
    scored = replace(scored, groups=groups, worth=_worth(digests))
    labelled = list(ranked(records, scores, class_labels(network)))
    return replace(
        assess(scored, classifier.about, targets.described(), omitted),
        learned=_learned_from(network, digests),
        copies=_copies(digests),
        photos=judge(chosen, labelled, scored),
    )


def score_labelled(
    photos: list[Example],
    classifier: Classifier,
    store: CachedFeatures | None = None,
    step: Advance = lambda record: None,
    timings: Timings | None = None,
    *,
    thumbnails: ThumbnailSpool | None = None,
) -> tuple[list[Record], NDArray[np.float32]]:
    """Return the record of each photo, and the scores of the readable ones, float32 [m, c]."""
    import numpy as np

    sources = [Source(photo.path, photo.error) for photo in photos]
    count = len(class_labels(classifier.network))
    scores = np.empty((len(photos), count), np.float32)
    records: list[Record] = []
    readable = 0
    run = score_run(classifier, sources, store, timings, thumbnails=thumbnails is not None)
    with closing(run):
        for made, row in run:
            record = thumbnails.slim(made) if thumbnails else made
            records.append(record)
            if not record.error:
                scores[readable] = row[:count]
                readable += 1
            step(record)
    return records, scores[:readable]


def _digests(paths: Sequence[str], store: CachedFeatures | None = None) -> list[str]:
    """Return the digest of the content of each file; "" if it cannot be read."""
    found = []
    for path in paths:
        digest = ""
        with suppress(OSError):
            digest = (store and store.digest(path)) or content_digest(path)
        found.append(digest)
    return found


def _copies(digests: Sequence[str]) -> int:
    """Return the number of files that have the content of an earlier one."""
    known = [digest for digest in digests if digest]
    return len(known) - len(set(known))


def _worth(digests: Sequence[str]) -> float:
    """Return how many independent photos some are worth, as copies are right or wrong together.

    It is Kish's effective size, n² / Σ m², with m files of each content.
    """
    sizes = Counter(digest or str(photo) for photo, digest in enumerate(digests))
    return float(len(digests) ** 2 / max(sum(size**2 for size in sizes.values()), 1))


def _learned_from(network: Model, digests: Sequence[str]) -> int:
    """Return the number of photos that a model learned from, as far as it says that."""
    contents = network.content.training.get("contents") if isinstance(network, LearnedModel) else ()
    return sum(digest in contents for digest in digests) if contents else 0


def evaluate_results(photos: EvaluationSet) -> Evaluation:
    """Return the figures of predictions in a results file; no photo is decoded.

    Raises:
        InputError: The file cannot be read, or is of other photos or classes.
    """
    path = photos.results or ""
    if photos.keywords is not None:
        results = load_results(path, ()).with_classes(photos.keywords.named)
        found = photos.read(results.class_names)
    else:
        found = photos.read()
        results = load_results(path, used_names(found))
    targets = match(used_names(found), results.class_names)
    chosen = [photo for photo in found.photos if photo.name in targets.matched]
    known: list[tuple[Example, Record]] = []
    missing, rest = [], dict(results.records)
    for photo in chosen:
        record = rest.pop(os.path.realpath(photo.path), None)
        if record is None:
            missing.append(photo.path)
        else:
            known.append((photo, record))
    skipped = _skipped(photos, found)
    for each, _ in skipped:
        rest.pop(os.path.realpath(each), None)
    if not known:
        raise InputError(
            f"{path!r} has no photo of {photos.source!r}",
            "Its paths are relative to the folder that mnv2 classify ran in: run this there.",
        )
    unreadable = tuple((record.path, record.error) for _, record in known if record.error)
    all_known = known
    known = [(photo, record) for photo, record in known if not record.error]
    omitted = Omitted(
        unreadable,
        _folders(found, targets),
        tuple(path for path, why in found.skipped if why in _NO_CLASS),
        tuple(missing),
        tuple(record.path for record in rest.values()),
        skipped,
    )
    names = (*(results.class_names or unique_names()), NO_LABEL)
    scores = results.scores([record for _, record in known])
    if not scores[:, -1].any():
        names, scores = names[:-1], scores[:, :-1]
    scored = _scored([photo for photo, _ in known], scores, names, targets, results.ranks)
    digests = _digests(scored.paths)
    groups = _groups(scored.paths, digests, photos.group_by)
    scored = replace(scored, groups=groups, worth=_worth(digests))
    model = results.model or "the model of the results"
    return replace(
        assess(scored, model, targets.described(), omitted),
        copies=_copies(digests),
        photos=judge([photo for photo, _ in all_known], [each for _, each in all_known], scored),
    )


def unique_names() -> tuple[str, ...]:
    """Return a name for each of ImageNet's classes; those that share one also have their id."""
    labels = imagenet_labels()
    times = Counter(label.name.casefold() for label in labels)
    return tuple(
        label.name if times[label.name.casefold()] == 1 else f"{label.name} ({label.wnid})"
        for label in labels
    )


def used_names(found: Examples) -> list[str]:
    """Return the classes that have photos, in natural order."""
    present = {photo.name for photo in found.photos}
    return [name for name in found.names if name in present]


def _skipped(photos: EvaluationSet, found: Examples) -> tuple[tuple[str, str], ...]:
    return () if photos.keywords is None else tuple(skipped_photos(found))


def _folders(found: Examples, targets: Targets) -> dict[str, int]:
    numbers = Counter(photo.name for photo in found.photos)
    return {name: numbers[name] for name in targets.unmatched}


def _groups(
    paths: Sequence[str], digests: Sequence[str], group_by: str
) -> NDArray[np.int64] | None:
    """Return a number for each photo: of its copies, and of what its path is grouped by.

    None if each photo is alone.
    """
    import numpy as np

    nothing, classes = np.zeros((len(paths), 0), np.float32), np.zeros(len(paths), np.int64)
    keys = keys_of_paths(paths, group_by) if group_by else ()
    groups = join(nothing, classes, digests, keys, near=2)
    return groups if len(set(groups.tolist())) < len(paths) else None


def _scored(
    photos: list[Example],
    scores: NDArray[np.float32],
    names: tuple[str, ...],
    targets: Targets,
    ranks: int,
) -> Scored:
    import numpy as np

    matched = tuple(targets.matched.values())
    numbers = {target.name: number for number, target in enumerate(matched)}
    return Scored(
        tuple(photo.path for photo in photos),
        np.array([numbers[photo.name] for photo in photos], np.int64),
        scores,
        names,
        matched,
        ranks,
    )
