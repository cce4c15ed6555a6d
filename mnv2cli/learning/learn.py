"""Learn the user's classes from photos: from a folder to the file of a model."""

from __future__ import annotations

import os
from contextlib import closing
from time import perf_counter

from mnv2cli.errors import InputError
from mnv2cli.learning.dataset import Examples, from_folder, together
from mnv2cli.learning.gather import Embedder, distinct
from mnv2cli.learning.keywords import from_keywords
from mnv2cli.learning.labels_file import from_labels
from mnv2cli.learning.learned import Learned
from mnv2cli.learning.model_file import (
    check_model_output,
    check_not_a_photo,
    describe_training,
    write_model,
)
from mnv2cli.learning.options import LearnOptions, Running
from mnv2cli.learning.preload import preloading
from mnv2cli.learning.relearn import Corrections, relearn
from mnv2cli.learning.training import (
    About,
    check_enough,
    fit_and_measure,
    group_keys,
    open_network,
    report,
    training_set,
    unused,
)
from mnv2cli.models.options import ModelOptions
from mnv2cli.sources.options import Filters

StrPath = str | os.PathLike[str]


def learn(
    folder: StrPath | None,
    output: StrPath,
    *,
    labels: StrPath | None = None,
    from_sorted: StrPath | None = None,
    model: str | ModelOptions = "",
    options: LearnOptions | None = None,
    running: Running | None = None,
) -> Learned:
    """Learn classes from photos, and write the file of the model.

    Args:
        folder: A folder whose subfolders are the classes, or with ``options.keywords`` any folder
            of photos; None with ``labels`` or ``from_sorted``.
        output: The file of the model; ends in ``.keras``.
        labels: A file with the columns ``path`` and ``label``, or results of ``mnv2 classify``.
        from_sorted: A folder that ``mnv2 sort`` made: photos that were moved since are learned.
        model: The network whose features are used; with ``from_sorted``, also the earlier model,
            if it is not ``output``.
        options: How to learn.
        running: The engine, decoding, filters, and callbacks.

    Raises:
        InputError: The photos cannot be learned from, or the file cannot be written.
        NoImagesError: There are no photos.
        OutputError: The file cannot be written; nothing is left behind.
    """
    options, running = options or LearnOptions(), running or Running()
    made = ModelOptions(model) if isinstance(model, str) else model
    path = os.fspath(output)
    given = [None if each is None else os.fspath(each) for each in (folder, labels)]
    if options.keywords is not None:
        check_keywords(given[0], labels=labels is not None, from_sorted=from_sorted is not None)
    if from_sorted is not None:
        training = read_examples(given[0], given[1], running.filters) if any(given) else None
        what = Corrections(os.fspath(from_sorted), path, training, made)
        return relearn(what, options, running)
    check_model_output(path, force=options.force)
    if options.keywords is not None:
        found = from_keywords(given[0] or "", options.keywords, running.filters)
    else:
        found = read_examples(given[0], given[1], running.filters)
    found.check()
    check_enough(found)
    check_not_a_photo(path, (photo.path for photo in found.photos))
    return _learn(found, path, made, options, running)


def check_keywords(folder: str | None, *, labels: bool, from_sorted: bool) -> None:
    """Check that classes can come from keywords.

    Raises:
        InputError: There is no folder, or the classes also come from elsewhere.
    """
    if labels or from_sorted:
        what = "labels" if labels else "from_sorted"
        raise InputError(f"keywords cannot be combined with {what}", "Omit one of them.")
    if folder is None:
        raise InputError("keywords require a folder of photos", "Name the folder.")


def read_examples(folder: str | None, labels: str | None, filters: Filters) -> Examples:
    """Return the photos of a folder, of a file, or of both.

    Raises:
        InputError: Neither is given, or one cannot be read.
    """
    sets = []
    if folder is not None:
        sets.append(from_folder(folder, filters))
    if labels is not None:
        sets.append(from_labels(labels))
    if not sets:
        raise InputError("there is nothing to learn from", "Name a folder of photos.")
    return sets[0] if len(sets) == 1 else together(*sets)


def _learn(
    found: Examples, path: str, model: ModelOptions, options: LearnOptions, running: Running
) -> Learned:
    keys = group_keys(found.photos, options.group_by)
    classifier = open_network(model, running)
    embedder = Embedder(classifier, cache=options.cache, watch=running.watch)
    with closing(embedder), preloading():
        photos = embedder.embed(found.photos)
    start = perf_counter()
    apart = distinct(photos, found.names)
    training = training_set(apart.photos, found.names, keys)
    outcome = fit_and_measure(training, apart.photos.digests)
    training_info = describe_training(
        training, apart.photos.digests, outcome.fitted, outcome.metrics
    )
    training_info |= {"group_by": options.group_by, "folders": [os.path.abspath(found.source)]}
    write_model(path, classifier, found.names, outcome.fitted, training_info, replace=options.force)
    seconds = perf_counter() - start
    return report(
        outcome,
        About(
            path,
            classifier.network.name,
            found.source,
            found.base,
            unused(found, photos, apart),
            seconds,
        ),
    )
