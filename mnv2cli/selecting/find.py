"""Find photos of a label, a category or a node, best matches first; or those that are unsure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from glob import escape
from typing import TYPE_CHECKING

from mnv2cli.errors import InputError
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.records import Record
from mnv2cli.results.any_file import read_any
from mnv2cli.selecting.matches import FindOptions, Judge, Match, Named, Search, Unsure
from mnv2cli.selecting.names import Meaning, Names, UnknownNameError
from mnv2cli.sorting.options import FolderOptions
from mnv2cli.sources.names import path_parts
from mnv2cli.sources.patterns import is_glob, matches

if TYPE_CHECKING:
    from mnv2cli.inference.classifier import Classifier, StrPath
    from mnv2cli.labels.categories import Categories
    from mnv2cli.records import Source

_SHOWN = 5  # labels of a record


def find(
    what: str | Iterable[str],
    *paths: StrPath,
    options: FindOptions | None = None,
    classifier: Classifier | None = None,
    results: StrPath | None = None,
) -> list[Match]:
    """Return the photos of a category, a label or a node of the tree, best matches first.

    Args:
        what: A name, or several, which are alternatives; empty with ``options.unsure``.
        paths: Files, folders, globs and URLs; with results, only photos in these, if given.
        options: Which photos to find.
        classifier: Classifies the photos; None for a new one.
        results: Results of an earlier run, by which photos are found without classifying them.

    Raises:
        InputError: A name is unknown, or results cannot be read.
        WeightsError: The weights are not available.
    """
    options = options or FindOptions()
    whats = [what] if isinstance(what, str) and what else list(what)
    if bool(whats) == options.unsure:
        raise InputError("name what to find, or use unsure: one of the two")
    places = [os.fspath(path) for path in paths]
    if results is not None:
        path = os.fspath(results)
        judge, _ = judge_of_results(path, whats, options)
        search = Search(judge, options.limit)
        _exhaust(search.of_records(within(read_any(path), places)))
        return search.matches()
    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.inference.scoring import score_run, scores_store

    classifier = classifier or Classifier()
    judge, _ = judge_of(classifier, whats, options)
    search = Search(judge, options.limit)
    store = scores_store(classifier) if options.cache else None
    sources: Iterator[Source] = classifier.sources(places)
    try:
        run = score_run(classifier, sources, store, sample=lambda: classifier.sample(places))
        with closing(run):
            _exhaust(search.of_scores(run))
    finally:
        if store:
            store.close()
    return search.matches()


def judge_of(
    classifier: Classifier, whats: Sequence[str], options: FindOptions
) -> tuple[Judge, list[list[Meaning]]]:
    """Return what decides by the scores of a classifier, and what each name means.

    Raises:
        InputError: A name is unknown, or an option requires ImageNet's classes.
    """
    from mnv2cli.inference.networks import class_labels, labelling_of
    from mnv2cli.labels.options import LabelOptions

    network = classifier.network
    labels = class_labels(network, unknown=bool(classifier.options.labels.unknown))
    is_own = bool(network.class_names)
    for option, is_given in (
        ("--categories", options.categories is not None),
        ("--by category", options.by == "category"),
    ):
        if is_own and is_given:
            raise InputError(
                f"{option} requires ImageNet's classes, and {network.model} has its own",
                f"Omit {option} or --model.",
            )
    categories = None if is_own else _categories(options.categories)
    top = min(_SHOWN, len(labels))
    shown = LabelOptions(top=top, unknown=classifier.options.labels.unknown)
    labelling = labelling_of(network, shown, categories)
    if not options.unsure:
        names = Names(labels, categories, network.thresholds)
        meanings = [names.meanings(what) for what in whats]
        chosen = [each[0] for each in meanings]
        return Named(chosen, options.min_score, labels, labelling), meanings
    thresholds = {}
    if is_own:
        from mnv2cli.labels.thresholds import OWN_THRESHOLD

        thresholds = dict.fromkeys(network.class_names, OWN_THRESHOLD) | dict(network.thresholds)
    by = options.by or ("label" if is_own else "category")
    folders = FolderOptions(f"{{{by}}}", options.min_score, thresholds=thresholds)
    return Unsure(folders, labelling), []


def names_of(classifier: Classifier, options: FindOptions) -> Names:
    """Return all names that photos can be found by."""
    from mnv2cli.inference.networks import class_labels

    labels = class_labels(classifier.network)
    return Names(
        labels, None if classifier.network.class_names else _categories(options.categories)
    )


def judge_of_results(
    path: str, whats: Sequence[str], options: FindOptions
) -> tuple[Judge, list[list[Meaning]]]:
    """Return what decides by the labels in results, and what each name means there.

    The score of a category is that in the results; where they have none, and for nodes, it is the
    sum over the labels that they have.

    Raises:
        InputError: A name is unknown, or the file is not results.
    """
    first = next((each for each in read_any(path) if each.predictions or each.category), None)
    if first is None:
        raise InputError(f"{path!r} has no labels", "Label the photos with: mnv2 classify")
    if options.unsure:
        by = options.by or ("category" if first.category is not None else "label")
        return Unsure(FolderOptions(f"{{{by}}}", options.min_score)), []
    is_imagenet = not first.predictions or bool(first.predictions[0].wnid)
    if is_imagenet:
        names = Names(imagenet_labels(), _categories(options.categories))
        try:
            meanings = [names.meanings(what) for what in whats]
        except UnknownNameError:  # perhaps one of the categories in the results
            is_imagenet = False
    if not is_imagenet:
        names = names_in_results(path, options)
        meanings = [names.meanings(what) for what in whats]
    return Named([each[0] for each in meanings], options.min_score), meanings


def names_in_results(path: str, options: FindOptions) -> Names:
    """Return all names that rows of results can be found by: ImageNet's, or their own."""
    from mnv2cli.labels.imagenet import Label

    own: dict[str, None] = {}
    others, has_wnid = set(), False
    for record in read_any(path):
        for each in record.predictions:
            has_wnid = has_wnid or bool(each.wnid)
            if not each.wnid:
                own[each.label] = None
        if record.category and record.category.name:
            others.add(record.category.name)
    if has_wnid or not own:
        return Names(imagenet_labels(), _categories(options.categories), others=others)
    return Names([Label("", name) for name in own], others=others)


def within(records: Iterable[Record], paths: Sequence[str]) -> Iterator[Record]:
    """Yield the records of images that are, or are in, one of some paths; all if there is none.

    A path with wildcards that is not the name of a file is a pattern, too, which ignores case.
    """
    if not paths:
        yield from records
        return
    places = [os.path.abspath(path) for path in paths]
    folders = tuple(os.path.join(place, "") for place in places)
    patterns = [_pattern(path) for path in paths if is_glob(path) and not os.path.lexists(path)]
    for record in records:
        path = os.path.abspath(record.path)
        if path in places or path.startswith(folders):
            yield record
        elif patterns:
            parts = path_parts(path)
            if any(matches(parts, pattern) for pattern in patterns):
                yield record


def _pattern(path: str) -> str:
    """Return the pattern of all files that are, or are in, what a path with wildcards matches."""
    whole = os.path.normpath(os.path.join(escape(os.getcwd()), path))
    # With a slash at the end, it matches folders only.
    inside = "/*/**" if path.endswith(("/", os.sep)) else "/**"
    return "/" + "/".join(path_parts(whole)) + inside


def _categories(path: str | None) -> Categories:
    from mnv2cli.labels.categories_file import builtin, load

    return load(path) if path else builtin()


def _exhaust(records: Iterable[Record]) -> None:
    for _ in records:
        pass
